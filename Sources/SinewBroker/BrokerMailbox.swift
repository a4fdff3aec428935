internal import SinewZeroMQ
internal import Synchronization

/// What other threads may ask of the broker's thread, and how they learn that it has ended.
final class BrokerMailbox: Sendable {
    enum Command: Sendable {
        case drain(within: Duration)
        case stop
        /// From now on these keys are admitted and no others.
        case keysChanged(AuthorizedKeys)
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

    /// The broker's thread takes what was asked since the last time.
    func takeCommands() -> [Command] {
        state.withLock { state in
            let taken = state.commands
            state.commands.removeAll()
            return taken
        }
    }

    func markStopped() {
        let waiting = state.withLock { state in
            state.isStopped = true
            let waiting = state.waiting
            state.waiting.removeAll()
            return waiting
        }
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
