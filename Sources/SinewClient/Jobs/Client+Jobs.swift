extension Client {
    /// Makes a durable job, or finds the one that was made before with the same id or the same content hash.
    ///
    /// When this returns, the job is on the broker's disk. Then append its tasks (``JobHandle/append(from:deadline:progress:_:)``) and
    /// ``JobHandle/seal(tasks:deadline:)`` it. A broker that is restarted or full meanwhile is waited for.
    /// - Parameters:
    ///   - deadline: for all attempts together; nil is ``ClientConfiguration/jobDeadline``.
    ///   - tracing: the trace that the job belongs to; it is kept with the job, and workers get it with each task. Of jobs no timings are told.
    /// - Throws: ``ClientError``; code `jobConflict` when a different job stands under this id, `jobsDisabled` when the broker keeps none.
    public func submitJob(
        _ submission: JobSubmission, deadline: Duration? = nil, tracing: CallTracing = .off
    ) async throws(ClientError) -> SubmittedJob {
        let reply = try await durableCall(
            Jobs.Submit.self, try submission.message(), model: submission.model, priority: submission.priority,
            deadline: deadline, tracing: tracing)
        let id = try reply.job.requiredID()
        return SubmittedJob(handle: JobHandle(self, id), existed: reply.existed, status: reply.job)
    }

    /// A job that was submitted before; nothing is asked.
    public func job(_ id: JobID) -> JobHandle { JobHandle(self, id) }

    /// The tenant's jobs, newest first.
    ///
    /// - Parameters:
    ///   - countMax: at most so many.
    ///   - older: only jobs older than this one, to go on behind the last one of the reply before.
    /// - Throws: ``ClientError``.
    public func listJobs(
        countMax: Int = 100, olderThan older: JobID? = nil, deadline: Duration? = nil
    ) async throws(ClientError) -> [JobStatus] {
        let request = ListJobsRequest(countMax: UInt32(clamping: max(1, countMax)), beforeID: older?.bytes ?? [])
        let jobs = try await durableCall(Jobs.List.self, request, deadline: deadline ?? configuration.deadline).jobs
        for job in jobs { _ = try job.requiredID() }
        return jobs
    }
}

extension JobStatus {
    /// The job's id; nil when the broker sent none.
    public var jobID: JobID? { JobID(bytes: id) }

    /// Whether nothing of the job is still to be done.
    public var isEnded: Bool {
        switch state {
        case .finished, .cancelled, .expired: true
        case .unspecified, .open, .sealed, .unrecognized: false
        }
    }

    func requiredID() throws(ClientError) -> JobID {
        guard let jobID else {
            throw ClientError(
                .malformedReply, "a job came with an id of \(id.count) bytes that is no UUID of version 7")
        }
        return jobID
    }
}
