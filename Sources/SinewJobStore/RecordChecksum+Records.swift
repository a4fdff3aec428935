internal import SinewCore

extension RecordChecksum {
    mutating func of(_ job: JobRecord) -> Int64 {
        begin(.job)
        add(job.id.bytes)
        add(job.tenant.rawValue)
        add(job.method)
        add(job.model.rawValue)
        add(job.label)
        add(job.content?.bytes ?? [])
        add(Int(job.priority))
        add(job.created.microseconds)
        add(job.giveUp.microseconds)
        add(job.retentionMicroseconds)
        add(Int(job.state.rawValue))
        add(job.sealedTasks.map { Int64($0) })
        add(job.ended?.microseconds)
        add(Int64(bitPattern: job.sequenceFloor))
        // Jobs without one have the checksum that they had before the column was there.
        if let traceparent = job.traceparent { add(traceparent) }
        return finish()
    }

    mutating func of(_ job: JobID, _ task: JobTaskRecord) -> Int64 {
        begin(.task)
        add(JobTaskID(job: job, index: task.index))
        add(task.items)
        add(task.payloadBytes)
        add(task.payloadHash)
        return finish()
    }

    mutating func of(_ task: JobTaskID, tries: Int64) -> Int64 {
        begin(.tries)
        add(task)
        add(tries)
        return finish()
    }

    mutating func of(_ task: JobTaskID, _ end: JobTaskRecord.End) -> Int64 {
        begin(.end)
        add(task)
        add(Int(end.outcome.rawValue))
        add(Int(end.status))
        add(end.attempts)
        add(Int64(bitPattern: end.sequence))
        add(end.resultBytes)
        return finish()
    }

    mutating func ofResult(_ task: JobTaskID, _ end: JobTaskRecord.End, _ bytes: [UInt8]) -> Int64 {
        begin(.result)
        add(task)
        add(Int64(bitPattern: end.sequence))
        return finish(over: bytes)
    }

    mutating func ofLabel(_ task: JobTaskID, _ label: String) -> Int64 {
        begin(.label)
        add(task)
        add(label)
        return finish()
    }

    mutating func ofSetting(_ name: String, _ value: Int64) -> Int64 {
        begin(.setting)
        add(name)
        add(value)
        return finish()
    }

    private mutating func add(_ task: JobTaskID) {
        add(Int64(bitPattern: task.job.high))
        add(Int64(bitPattern: task.job.low))
        add(task.index)
    }
}
