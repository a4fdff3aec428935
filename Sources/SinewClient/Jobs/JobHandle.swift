internal import SinewCore

/// A durable job at the broker.
///
/// ```swift
/// let submission = JobSubmission(.solvePoses, model: "niki")
/// let job = try await client.submitJob(submission).handle
/// let count = try await job.append(blocks.enumerated().map { try JobTask(index: $0, $1) })
/// try await job.seal(tasks: count)
/// for try await result in job.results() { print(result.index, try result.poses().theta) }
/// ```
/// Every method may be called again, from this process or from another, and sends its message again while the broker is away.
public struct JobHandle: Sendable {
    /// The job.
    public let id: JobID
    let client: Client

    init(_ client: Client, _ id: JobID) {
        self.client = client
        self.id = id
    }

    /// Says that no more tasks come; the job then ends with its last task.
    ///
    /// - Parameter tasks: how many it has.
    /// - Throws: ``ClientError``; code `tasksMissing` when one below that is not there.
    @discardableResult
    public func seal(tasks: Int, deadline: Duration? = nil) async throws(ClientError) -> JobStatus {
        let request = SealJobRequest(id: id.bytes, tasks: UInt64(tasks))
        return try await client.durableCall(Jobs.Seal.self, request, deadline: deadline)
    }

    /// What has become of the job.
    public func status(deadline: Duration? = nil) async throws(ClientError) -> JobStatus {
        try await client.durableCall(Jobs.Status.self, JobStatusRequest(id: id.bytes), deadline: deadline)
    }

    /// Waits for the job's end. Giving up the wait does nothing to the job.
    ///
    /// - Parameters:
    ///   - deadline: nil waits for as long as it takes.
    ///   - progress: is told how far the job is, every `interval`.
    /// - Throws: ``ClientError``; `DEADLINE_EXCEEDED` when the job has not ended by then.
    public func wait(
        deadline: Duration? = nil, every interval: Duration = .seconds(10), progress: (JobStatus) -> Void = { _ in }
    ) async throws(ClientError) -> JobStatus {
        let until = deadline.map { client.clock.now + $0 }
        while true {
            let left = until.map { $0 - client.clock.now }
            let held = min(interval, left.map { max($0, .zero) } ?? interval)
            let request = JobStatusRequest(id: id.bytes, waitMicroseconds: held.remainingMicroseconds)
            // The broker ends the wait in time; only one that is away is waited for a little longer.
            let status = try await client.durableCall(
                Jobs.Status.self, request, wait: held, deadline: left.map { max($0, .zero) + Self.graceDuration })
            progress(status)
            if status.isEnded { return status }
            if let until, client.clock.now >= until {
                throw ClientError(
                    .deadlineExceeded,
                    "job \(id) has not ended: \(status.queued + status.leased) of \(status.tasks) tasks are left; it goes on, wait again"
                )
            }
        }
    }

    private static let graceDuration = Duration.seconds(5)

    /// Gives up what is not finished; results that are there stay.
    @discardableResult
    public func cancel(deadline: Duration? = nil) async throws(ClientError) -> JobStatus {
        try await client.durableCall(Jobs.Cancel.self, CancelJobRequest(id: id.bytes), deadline: deadline)
    }

    /// Queues tasks anew that failed or were given up.
    ///
    /// - Parameter indexes: the tasks; none stands for all that are dead.
    /// - Returns: how many are tried again.
    @discardableResult
    public func replay(_ indexes: [Int] = [], deadline: Duration? = nil) async throws(ClientError) -> Int {
        let request = ReplayJobRequest(id: id.bytes, indexes: indexes.map { UInt64($0) })
        return Int(clamping: try await client.durableCall(Jobs.Replay.self, request, deadline: deadline).replayed)
    }
}
