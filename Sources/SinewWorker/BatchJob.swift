package import SinewCore
package import SinewModels
package import SinewWire
package import SinewZeroMQ
internal import Synchronization

/// Tasks of one model that a compute thread solves together.
package struct BatchJob: Sendable {
    /// One caller's part of the batch.
    package struct Part: Sendable {
        let lease: LeaseToken
        /// Which request message the payload is.
        let method: PoseSolver.Method
        /// The request as it arrived; nil when the task had no payload frame.
        let payload: Frame?
        let declaredItems: Int
        /// How long the task waited in this worker, microseconds.
        let queueMicroseconds: UInt64

        package init(
            lease: LeaseToken, method: PoseSolver.Method = .solvePoses, payload: Frame?, declaredItems: Int,
            queueMicroseconds: UInt64
        ) {
            self.lease = lease
            self.method = method
            self.payload = payload
            self.declaredItems = declaredItems
            self.queueMicroseconds = queueMicroseconds
        }
    }

    let id: BatchID
    let model: any PoseModel
    let parts: [Part]
    /// The threads that solve it.
    let team: ComputeTeam
    let cancellation: Cancellation

    package init(
        id: BatchID, model: any PoseModel, parts: [Part], team: ComputeTeam = .alone, cancellation: Cancellation
    ) {
        self.id = id
        self.model = model
        self.parts = parts
        self.team = team
        self.cancellation = cancellation
    }
}

/// What a compute thread hands back: one answer per part, in the same order.
package struct BatchResult: Sendable {
    package let id: BatchID
    package let leases: [LeaseToken]
    package let answers: [Answer]
    /// People that the model solved, without those that were refused before.
    package let itemCount: Int
    /// Time the compute thread was at work, decoding and encoding included.
    let busy: Duration
    /// Multiply-adds of the network for the people solved.
    let multiplyAdds: Int

    package init(
        id: BatchID, leases: [LeaseToken], answers: [Answer], itemCount: Int, busy: Duration, multiplyAdds: Int = 0
    ) {
        self.id = id
        self.leases = leases
        self.answers = answers
        self.itemCount = itemCount
        self.busy = busy
        self.multiplyAdds = multiplyAdds
    }
}

/// Says from one thread to another that nobody wants a batch any more.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    var isCancelled: Bool { flag.load(ordering: .relaxed) }
    package init() {}
    package func cancel() { flag.store(true, ordering: .relaxed) }
}
