internal import SinewZeroMQ
internal import Synchronization

/// What other threads want of the worker's socket thread, merged so that it needs no queue.
final class WorkerOrders: Sendable {
    /// What was ordered since the last look.
    struct Pending: Sendable {
        /// Finish within this time; the shortest one ordered counts.
        var drainWithin: Duration?
        var stop = false
    }

    private let pending = Mutex(Pending())
    private let waker: Waker
    /// Also read by models between layers while the worker measures them.
    let stopping = Cancellation()

    init(waker: Waker) { self.waker = waker }

    func drain(within duration: Duration) {
        pending.withLock { $0.drainWithin = $0.drainWithin.map { Swift.min($0, duration) } ?? duration }
        waker.wake()
    }

    func stop() {
        stopping.cancel()
        pending.withLock { $0.stop = true }
        waker.wake()
    }

    func take() -> Pending {
        pending.withLock { pending in
            let taken = pending
            pending = Pending()
            return taken
        }
    }
}
