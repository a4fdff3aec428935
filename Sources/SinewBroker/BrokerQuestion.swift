package import SinewCore
package import SinewWire

/// Why the broker does not do what its operator asks: what a client would be told.
package struct BrokerRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    package let status: StatusCode
    package let message: String
    package var description: String { message }

    package init(_ status: StatusCode, _ message: String) {
        self.status = status
        self.message = message
    }

    init(_ rejection: WireRejection) { self.init(rejection.status, rejection.detail.message) }

    static let stopped = BrokerRefusal(.unavailable, "the broker has stopped; start it again with `sinew broker`")
}

/// Takes the answer to one question; called exactly once, on the broker's thread, or by the one who asked when that has ended.
struct BrokerReply<Value: Sendable>: Sendable {
    private let continuation: CheckedContinuation<Result<Value, BrokerRefusal>, Never>

    init(_ continuation: CheckedContinuation<Result<Value, BrokerRefusal>, Never>) { self.continuation = continuation }

    func answer(_ value: Value) { continuation.resume(returning: .success(value)) }
    func refuse(_ refusal: BrokerRefusal) { continuation.resume(returning: .failure(refusal)) }
}

/// What the process around the broker asks it, not through a socket and with an operator's rights.
enum BrokerQuestion: Sendable {
    case fleet(BrokerReply<FleetStatusReply>)
    /// Jobs of all tenants, newest first.
    case jobs(countMax: Int, BrokerReply<[JobStatus]>)
    case job(JobID, BrokerReply<JobStatus>)
    /// Tasks of a job that failed or are dead, in the order in which they ended.
    case failures(JobID, countMax: Int, BrokerReply<[TaskResult]>)
    case drainWorker(String, BrokerReply<Int>)
    case cancelJob(JobID, BrokerReply<JobStatus>)

    func refuse(_ refusal: BrokerRefusal) {
        switch self {
        case .fleet(let reply): reply.refuse(refusal)
        case .jobs(_, let reply): reply.refuse(refusal)
        case .job(_, let reply), .cancelJob(_, let reply): reply.refuse(refusal)
        case .failures(_, _, let reply): reply.refuse(refusal)
        case .drainWorker(_, let reply): reply.refuse(refusal)
        }
    }
}

extension BrokerServer {
    /// The broker's counters and every worker it knows, as `Fleet/Status` tells them. Cost for the broker's thread: O(workers × models).
    package func fleetStatus() async throws(BrokerRefusal) -> FleetStatusReply { try await ask { .fleet($0) } }

    /// The newest jobs of all tenants, newest first; none in a broker that keeps no jobs.
    package func jobs(countMax: Int) async throws(BrokerRefusal) -> [JobStatus] {
        try await ask { .jobs(countMax: countMax, $0) }
    }

    /// A job of any tenant.
    package func job(_ id: JobID) async throws(BrokerRefusal) -> JobStatus { try await ask { .job(id, $0) } }

    /// Tasks of a job that failed or are dead, in the order in which they ended; read from the disk.
    package func failures(of id: JobID, countMax: Int) async throws(BrokerRefusal) -> [TaskResult] {
        try await ask { .failures(id, countMax: countMax, $0) }
    }

    /// Sends all workers of a name away. Returns how many there are.
    package func drainWorker(_ name: String) async throws(BrokerRefusal) -> Int {
        try await ask { .drainWorker(name, $0) }
    }

    /// Gives up what is not finished of a job of any tenant. Returns when that is on disk.
    package func cancelJob(_ id: JobID) async throws(BrokerRefusal) -> JobStatus {
        try await ask { .cancelJob(id, $0) }
    }

    private func ask<Value: Sendable>(
        _ question: (BrokerReply<Value>) -> BrokerQuestion
    ) async throws(BrokerRefusal) -> Value {
        let answer = await withCheckedContinuation { continuation in
            post(question(BrokerReply(continuation)))
        }
        return try answer.get()
    }
}
