internal import Logging
internal import SinewCore
internal import SinewModels
internal import SinewWire

/// What is told about single tasks: timings to callers that ask for them, and lines in the log.
extension WorkerLoop {
    /// How long a task that is being answered took here.
    func timings(of task: Task) -> ReplyMetadata {
        let now = clock.now
        let started = task.started ?? now
        let computed = task.computed ?? .zero
        return ReplyMetadata(
            worker: WorkerTimings(
                worker: configuration.name, queueMicroseconds: (started - task.arrived).remainingMicroseconds,
                computeMicroseconds: computed.remainingMicroseconds,
                finishMicroseconds: (now - started - computed).remainingMicroseconds,
                batchID: task.batch?.rawValue ?? 0, batchSize: UInt32(clamping: task.batchItems)))
    }

    func log(_ task: Task, _ answer: Answer) {
        var metadata: Logger.Metadata = [
            "worker": "\(configuration.name)", "request-id": "\(task.callID)", "lease": "\(task.brokerLease)",
            "model": "\(models.all[task.model].identity)", "items": "\(task.items)", "status": "\(answer.status)",
        ]
        if let parent = task.metadata?.parent { metadata["trace-id"] = "\(parent.traceID)" }
        if let batch = task.batch {
            metadata["batch"] = "\(batch.rawValue)"
            metadata["batch-items"] = "\(task.batchItems)"
        }
        logger.debug("task answered", metadata: metadata)
    }
}
