internal import Synchronization

/// Something that happens once and that tasks can wait for.
final class Completion: Sendable {
    private enum State {
        case pending([CheckedContinuation<Void, Never>])
        case done
    }
    private let state = Mutex(State.pending([]))

    /// Marks it done and lets everybody go on; repeating changes nothing.
    func finish() {
        let waiting = state.withLock { state in
            switch state {
            case .pending(let waiting):
                state = .done
                return waiting
            case .done: return []
            }
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until it is done.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                switch state {
                case .pending(let waiting):
                    state = .pending(waiting + [continuation])
                    return false
                case .done: return true
                }
            }
            if isDone { continuation.resume() }
        }
    }
}
