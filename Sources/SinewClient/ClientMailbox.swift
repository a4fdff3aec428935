internal import SinewCore
internal import SinewZeroMQ
internal import Synchronization

/// A call on its way from its caller to the socket thread.
struct PendingCall: Sendable {
    let id: CallID
    let method: String
    let model: String
    let items: Int
    /// Larger is sooner.
    let priority: UInt8
    let payload: Frame
    let deadline: Instant
    /// How long the caller allowed, for the message when the time is up.
    let allowed: Duration
    /// Called once, by the socket thread, with the reply's payload or the error.
    let complete: @Sendable (Result<Frame, ClientError>) -> Void
}

/// Hands calls from any thread to the socket thread. Bounded by `Limits.callsWaitingMax`, which the state machine enforces as
/// soon as the thread takes them, at its next wake-up.
final class ClientMailbox: Sendable {
    enum Command: Sendable {
        case call(PendingCall)
        case cancel(CallID)
        case close
    }

    private struct Box {
        var commands: [Command] = []
        /// Set once the thread takes no more commands.
        var end: ClientError?
    }

    private let box = Mutex(Box())
    let waker: Waker

    init() throws(ZeroMQError) { waker = try Waker() }

    /// Hands over a command; a call that comes too late is completed here, with the reason why the client ended.
    func post(_ command: Command) {
        let end = box.withLock { box in
            if box.end == nil { box.commands.append(command) }
            return box.end
        }
        guard let end else { return waker.wake() }
        Self.refuse(command, end)
    }

    /// Takes what was handed over.
    func take() -> [Command] { box.withLock { box in exchange(&box.commands, with: []) } }

    /// Refuses what was handed over and everything that will be.
    func end(_ reason: ClientError) {
        let left = box.withLock { box in
            box.end = reason
            return exchange(&box.commands, with: [])
        }
        for command in left { Self.refuse(command, reason) }
    }

    private static func refuse(_ command: Command, _ reason: ClientError) {
        switch command {
        case .call(let call): call.complete(.failure(reason))
        case .cancel, .close: break
        }
    }
}
