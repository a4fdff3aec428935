internal import SinewZeroMQ
internal import Synchronization

/// What other threads may ask of the broker's thread, and how they learn that it has ended.
final class BrokerMailbox: Sendable {
    enum Command: Sendable {
        case drain(within: Duration)
        case stop
        /// From now on these keys are admitted and no others.
        case keysChanged(AuthorizedKeys)
        case question(BrokerQuestion)
    }

    private struct State {
        var commands: [Command] = []
        var isStopped = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    let waker: Waker
    private let state = Mutex(State())

    init(waker: Waker) { self.waker = waker }

    func post(_ command: Command) {
        state.withLock { $0.commands.append(command) }
        waker.wake()
    }

    /// Asks the broker's thread; refused at once when that has ended.
    func post(_ question: BrokerQuestion) {
        let isStopped = state.withLock { state in
            if !state.isStopped { state.commands.append(.question(question)) }
            return state.isStopped
        }
        if isStopped { question.refuse(.stopped) } else { waker.wake() }
    }

    /// The broker's thread takes what was asked since the last time.
    func takeCommands() -> [Command] {
        state.withLock { state in
            let taken = state.commands
            state.commands.removeAll()
            return taken
        }
    }

    func markStopped() {
        let (waiting, unread) = state.withLock { state in
            state.isStopped = true
            let (waiting, unread) = (state.waiting, state.commands)
            state.waiting.removeAll()
            state.commands.removeAll()
            return (waiting, unread)
        }
        for case .question(let question) in unread { question.refuse(.stopped) }
        for continuation in waiting { continuation.resume() }
    }

    func waitUntilStopped() async {
        await withCheckedContinuation { continuation in
            let isStopped = state.withLock { state in
                if !state.isStopped { state.waiting.append(continuation) }
                return state.isStopped
            }
            if isStopped { continuation.resume() }
        }
    }
}
