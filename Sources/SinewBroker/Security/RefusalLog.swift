package import SinewCore

/// Keeps the log readable while somebody knocks a thousand times a second, with a thousand keys.
///
/// Each kind of refusal is said at once, and then once a minute with how many there were; no more than sixty lines a minute are said in all. Every
/// refusal is counted elsewhere.
package struct RefusalLog {
    private struct Entry {
        var said: Instant
        var unsaid: Int
    }

    private var entries: [String: Entry] = [:]
    private var minute: (start: Instant, lines: Int)?
    /// How long a refusal is not said again.
    package static let interval = Duration.seconds(60)
    /// Lines in that time.
    package static let linesMax = 60
    /// Kinds that are remembered; beyond them all are forgotten, and said again.
    package static let entriesMax = 4_096

    package init() {}

    /// Notes a refusal; returns how many there were since the last line about its kind when a line is due.
    package mutating func note(_ kind: String, at now: Instant) -> Int? {
        var entry: Entry
        if let known = entries[kind] {
            entry = known
        } else {
            if entries.count >= Self.entriesMax { entries.removeAll(keepingCapacity: true) }
            entry = Entry(said: Instant(nanoseconds: .min), unsaid: 0)
        }
        entry.unsaid += 1
        guard now - entry.said >= Self.interval, takeLine(at: now) else {
            entries[kind] = entry
            return nil
        }
        entries[kind] = Entry(said: now, unsaid: 0)
        return entry.unsaid
    }

    private mutating func takeLine(at now: Instant) -> Bool {
        guard let current = minute, now - current.start < Self.interval else {
            minute = (now, 1)
            return true
        }
        guard current.lines < Self.linesMax else { return false }
        minute = (current.start, current.lines + 1)
        return true
    }
}
