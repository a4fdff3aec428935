internal import Logging
internal import SinewCore
internal import SinewWire

/// One line for each step in a job's life, once it stands on the disk.
extension BrokerLoop {
    /// Remembers what a group of writes changes in a job's life.
    mutating func noteLife(_ group: [JobStoreWrite], _ ticket: CommitTicket) {
        guard logger.logLevel <= .info else { return }
        for write in group {
            switch write.operation {
            case .insertJob(let job): jobService?.lives[ticket] = .began(job)
            case .setJobState(let job, let state, let sealedTasks, _):
                jobService?.lives[ticket] = .became(job, state, tasks: sealedTasks)
            case .insertTask, .setTries, .endTask, .reviveTask, .setSequenceFloor, .removeJob, .reserveLeaseSequence:
                continue
            }
        }
    }

    /// The group is on disk.
    mutating func logLife(_ ticket: CommitTicket) {
        guard let life = jobService?.lives.removeValue(forKey: ticket) else { return }
        switch life {
        case .began(let job):
            var metadata: Logger.Metadata = [
                "job": "\(UUIDText.text(of: job.id.bytes))", "model": "\(job.model.rawValue)",
                "tenant": "\(job.tenant.rawValue)", "label": "\(job.label)",
            ]
            if let parent = job.traceparent.flatMap({ TraceParent($0) }) { metadata["trace-id"] = "\(parent.traceID)" }
            logger.info("job submitted", metadata: metadata)
        case .became(let job, let state, let tasks):
            var metadata: Logger.Metadata = ["job": "\(UUIDText.text(of: job.bytes))"]
            if let tasks { metadata["tasks"] = "\(tasks)" }
            logger.info("job \(state)", metadata: metadata)
        }
    }
}

/// A step in a job's life.
enum JobLife {
    case began(JobRecord)
    case became(JobID, JobRecord.State, tasks: Int?)
}
