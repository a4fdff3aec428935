internal import Logging
internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

/// The service Jobs: from the state machine and the store to the wire.
extension BrokerLoop {
    mutating func answer(_ request: PendingJobRequest, with reply: JobReply) throws(ZeroMQError) {
        if let asker = request.asker { return asker.hear(reply) }
        switch reply {
        case .submitted(let job, let existed):
            try answer(request, with: SubmitJobReply(existed: existed, job: JobStatus(job)))
        case .appended(let nextIndex): try answer(request, with: AppendTasksReply(nextIndex: UInt64(nextIndex)))
        case .status(let job): try answer(request, with: JobStatus(job))
        case .jobs(let jobs): try answer(request, with: ListJobsReply(jobs: jobs.map { JobStatus($0) }))
        case .replayed(let count): try answer(request, with: ReplayJobReply(replayed: UInt64(count)))
        case .refused(let refusal):
            try answer(request.head, request.client, with: WireRejection(refusal, request.head.method))
        }
    }

    private mutating func answer(_ request: PendingJobRequest, with message: some WireMessage) throws(ZeroMQError) {
        try answerItself(message.encode(), request.head, request.client)
    }

    /// Answers a request with what the store has read for it.
    mutating func answer(
        _ id: JobRequestID, _ read: JobResultsRead, _ found: [StoredResult], damaged: [Int]
    ) throws(ZeroMQError) {
        if let request = jobService?.remove(id) {
            if let asker = request.asker {
                asker.hear(found.map { TaskResult($0) })
            } else {
                try answer(request, read, found, damaged: damaged)
            }
        }
        for index in damaged {
            logger.error(
                "a result in the job store does not have its checksum; the task is computed again",
                metadata: ["job": "\(UUIDText.text(of: read.job.bytes))", "task": "\(index)"])
            try tell(jobs: .resultDamaged(JobTaskID(job: read.job, index: index)))
        }
    }

    private mutating func answer(
        _ request: PendingJobRequest, _ read: JobResultsRead, _ found: [StoredResult], damaged: [Int]
    ) throws(ZeroMQError) {
        let last = found.last?.task.end?.sequence
        let next = last ?? Swift.max(read.cursor, read.through)
        let reply = JobResultsReply(
            results: found.map { TaskResult($0) }, nextCursor: next,
            // A damaged result is computed again and comes later.
            complete: read.jobHasEnded && damaged.isEmpty && next >= read.last)
        try answer(request, with: reply)
    }
}

extension JobStatus {
    init(_ job: JobStatusRecord) {
        let record = job.record
        let ended = record.ended
        self.init(
            id: record.id.bytes, state: JobState(record.state), label: record.label, method: record.method,
            model: record.model.rawValue, tenant: record.tenant.rawValue, priority: UInt32(record.priority),
            createdUnixMicroseconds: record.created.unixMicroseconds,
            endedUnixMicroseconds: ended?.unixMicroseconds ?? 0,
            giveUpUnixMicroseconds: record.giveUp.unixMicroseconds,
            removeUnixMicroseconds: ended.map { ($0 + .microseconds(record.retentionMicroseconds)).unixMicroseconds }
                ?? 0)
        nextIndex = UInt64(job.nextIndex)
        tasks = UInt64(job.tasks)
        items = UInt64(job.items)
        queued = UInt64(job.queued)
        leased = UInt64(job.leased)
        done = UInt64(job.done)
        failed = UInt64(job.failed)
        dead = UInt64(job.dead)
        cancelled = UInt64(job.cancelled)
        itemsDone = UInt64(job.itemsDone)
        payloadBytes = UInt64(job.payloadBytes)
        resultBytes = UInt64(job.resultBytes)
        contentSHA256 = record.content?.bytes ?? []
        history = SinewWire.JobHistory(job.history)
    }
}

extension SinewWire.JobHistory {
    fileprivate init(_ history: SinewCore.JobHistory) {
        func time(_ wall: WallTime?) -> UInt64 { wall?.unixMicroseconds ?? 0 }
        self.init(
            sealedUnixMicroseconds: time(history.sealed), startedUnixMicroseconds: time(history.started),
            firstDoneUnixMicroseconds: time(history.firstDone), firstFailedUnixMicroseconds: time(history.firstFailed),
            firstDeadUnixMicroseconds: time(history.firstDead), replayedUnixMicroseconds: time(history.replayed),
            retries: UInt64(history.retries), redeliveries: UInt64(history.redeliveries))
    }
}

extension JobState {
    fileprivate init(_ state: JobRecord.State) {
        switch state {
        case .open: self = .open
        case .sealed: self = .sealed
        case .finished: self = .finished
        case .cancelled: self = .cancelled
        case .expired: self = .expired
        }
    }
}

extension TaskResult {
    fileprivate init(_ result: StoredResult) {
        let end = result.task.end
        self.init(
            index: UInt64(result.task.index), outcome: TaskOutcome(end?.outcome), status: UInt32(end?.status ?? 0),
            label: result.label, items: UInt32(clamping: result.task.items),
            attempts: UInt32(clamping: end?.attempts ?? 0), payload: result.bytes)
    }
}

extension TaskOutcome {
    fileprivate init(_ outcome: JobTaskOutcome?) {
        switch outcome {
        case .done: self = .done
        case .failed: self = .failed
        case .dead: self = .dead
        case .cancelled: self = .cancelled
        case nil: self = .unspecified
        }
    }
}

extension WallTime {
    fileprivate var unixMicroseconds: UInt64 { UInt64(clamping: microseconds) }
}
