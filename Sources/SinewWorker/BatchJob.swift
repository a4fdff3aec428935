internal import SinewCore
internal import SinewModels
internal import SinewZeroMQ
internal import Synchronization

/// Tasks of one model that a compute thread solves together.
struct BatchJob: Sendable {
    /// One caller's part of the batch.
    struct Part: Sendable {
        let lease: LeaseToken
        /// The request as it arrived; nil when the task had no payload frame.
        let payload: Frame?
        let declaredItems: Int
        /// How long the task waited in this worker, microseconds.
        let queueMicroseconds: UInt64
    }

    let id: BatchID
    let model: any PoseModel
    let parts: [Part]
    let cancellation: Cancellation
}

/// What a compute thread hands back: one answer per part, in the same order.
struct BatchResult: Sendable {
    let id: BatchID
    let leases: [LeaseToken]
    let answers: [Answer]
    /// People that the model solved, without those that were refused before.
    let itemCount: Int
    /// Time the compute thread was at work, decoding and encoding included.
    let busy: Duration
}

/// Says from one thread to another that nobody wants a batch any more.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    var isCancelled: Bool { flag.load(ordering: .relaxed) }
    func cancel() { flag.store(true, ordering: .relaxed) }
}
