/// What a progress line says; the drawing is apart from the counting so that a test can read it.
package struct ProgressBar: Sendable {
    package let total: Int
    package let unit: String
    private let start: ContinuousClock.Instant
    private var lastDrawn: ContinuousClock.Instant?

    package init(total: Int, unit: String, start: ContinuousClock.Instant = .now) {
        self.total = total
        self.unit = unit
        self.start = start
    }

    /// The line for `done` items of which `failed` failed.
    package func line(done: Int, failed: Int, at now: ContinuousClock.Instant, width: Int = 24) -> String {
        let elapsed = seconds(now - start)
        let share = total > 0 ? Double(done) / Double(total) : 1
        let filled = Int((share * Double(width)).rounded(.down))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        var text = "\(bar) \(done)/\(total) \(unit)"
        if done > 0 && elapsed > 0 {
            let rate = Double(done) / elapsed
            text += "  \(fixed(rate, 0))/s"
            if done < total { text += "  ETA \(clockText(Double(total - done) / rate))" }
        }
        if failed > 0 { text += "  \(failed) failed" }
        return text
    }

    /// Draws on standard error when it is a terminal, at most ten times a second and once at the end.
    package mutating func draw(done: Int, failed: Int, at now: ContinuousClock.Instant = .now) {
        guard StandardStreams.talkIsTerminal else { return }
        if let lastDrawn, done < total, now - lastDrawn < .milliseconds(100) { return }
        lastDrawn = now
        StandardStreams.talkInPlace("\r\u{1B}[2K" + line(done: done, failed: failed, at: now))
    }

    /// Clears the line, so that what follows starts in a clean one.
    package func clear() {
        guard StandardStreams.talkIsTerminal else { return }
        StandardStreams.talkInPlace("\r\u{1B}[2K")
    }
}

/// A duration in seconds.
package func seconds(_ duration: Duration) -> Double {
    let parts = duration.components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
}

/// `m:ss`, or `h:mm:ss` from one hour on.
func clockText(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.up))
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    let two = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
}
