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
    /// What is said beside the request; nil: nothing is.
    var metadata: Frame?
    /// When the caller made it.
    let made: Instant
    /// When it last left; known for calls with metadata.
    var sent: Instant?
    let deadline: Instant
    /// How long the caller allowed, for the message when the time is up.
    let allowed: Duration
    /// Called once, by the socket thread, with the reply or the error.
    let complete: @Sendable (Result<CallAnswer, ClientError>) -> Void
}

/// The reply to a call.
struct CallAnswer: Sendable {
    let payload: Frame
    var metadata: Frame?
    /// Known for calls with metadata; so is the next.
    var times: CallTimes?
    var arrived: Instant?

    init(payload: Frame, metadata: Frame?) {
        self.payload = payload
        self.metadata = metadata
    }

    /// The stages of a call that asked for them.
    ///
    /// - Parameter now: when the caller has read the answer.
    func trace(_ tracing: CallTracing, readAt now: Instant) -> CallTrace? {
        guard tracing.wantsTimings, var times, let arrived else { return nil }
        times.finish = now - arrived
        let told = metadata.flatMap { frame in frame.withBytes { try? ReplyMetadata(decoding: $0) } }
        return CallTrace(tracing.parent, times, told)
    }
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
