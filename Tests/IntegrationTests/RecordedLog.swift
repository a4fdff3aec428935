import Logging
import SinewZeroMQ
import Synchronization

/// What a broker says to its operator, for tests that wait for a line of it.
final class RecordedLog: Sendable {
    private let lines = Mutex<[String]>([])
    private let waker: Waker
    private let held = Mutex<String?>(nil)
    private let released: Waker

    init() throws {
        waker = try Waker()
        released = try Waker()
    }

    /// Says everything to this log; a line is `level message key=value …`, the keys in order.
    var logger: Logger { logger(.debug) }

    /// The same with everything that is at least as important as `level`.
    func logger(_ level: Logger.Level) -> Logger {
        var logger = Logger(label: "test", factory: { _ in Handler(log: self) })
        logger.logLevel = level
        return logger
    }

    /// Everything that was said.
    var said: [String] { lines.withLock { $0 } }

    /// Waits for a line with all of these fragments.
    func wait(for fragments: String...) throws -> String {
        var poller = Poller()
        _ = poller.add(waker)
        let end = ContinuousClock.now + brokerPatience
        while true {
            waker.clear()
            let found = said.first { line in fragments.allSatisfy { line.contains($0) } }
            if let found { return found }
            guard ContinuousClock.now < end else {
                throw Trouble("nobody said \(fragments), but:\n\(said.joined(separator: "\n"))")
            }
            try poller.wait(atMost: end - ContinuousClock.now)
        }
    }

    /// Stops whoever says the next line with this fragment, in the middle of what it does, until ``release()``.
    func hold(at fragment: String) { held.withLock { $0 = fragment } }

    func release() { released.wake() }

    private func take(_ line: String) {
        lines.withLock { $0.append(line) }
        waker.wake()
        let isHeld = held.withLock { fragment in
            guard let wanted = fragment, line.contains(wanted) else { return false }
            fragment = nil
            return true
        }
        if isHeld { released.wait() }
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        func log(event: LogEvent) {
            let values = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            log.take(([event.level.rawValue, event.message.description] + values).joined(separator: " "))
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
    }
}
