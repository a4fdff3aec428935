internal import SinewClient
internal import Synchronization

/// Tells a person why nothing moves, once in a while: a call about a job is sent again for as long as it takes.
final class RefusalTeller: Sendable {
    private struct Told {
        var at: ContinuousClock.Instant
        var code: ServiceErrorCode
    }
    private let last = Mutex<Told?>(nil)

    /// Says it when it is news, or when the person has not heard it for a while.
    func tell(_ error: ClientError) {
        let now = ContinuousClock.now
        let isNews = last.withLock { last in
            if let last, last.code == error.code, now - last.at < .seconds(30) { return false }
            last = Told(at: now, code: error.code)
            return true
        }
        guard isNews else { return }
        let start = StandardStreams.talkIsTerminal ? "\r\u{1B}[2K" : ""
        StandardStreams.talk(start + "waiting: \(error); trying again")
    }
}
