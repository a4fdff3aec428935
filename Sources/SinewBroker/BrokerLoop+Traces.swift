internal import Logging
internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

/// Calls that say something beside their request: timings on request, and lines in the log.
extension BrokerLoop {
    /// A call that asks for timings has come in.
    ///
    /// The time of the turn is not precise enough here: a turn may take milliseconds, and stages that overlap would not add up.
    mutating func beginItinerary(of task: TaskID, _ body: MessageBody) {
        guard callMetadata(of: body)?.wantsTimings == true else { return }
        let moment = readClock()
        held.itineraries[task.slot] = CallItinerary(arrived: moment)
    }

    mutating func noteItinerary(of task: TaskID, _ lease: LeaseToken) {
        guard !held.itineraries.isEmpty else { return }
        let moment = readClock()
        held.itineraries[task.slot]?.noteDispatch(lease, at: moment)
    }

    /// The result as the client gets it: with the timings of the worker and of the broker if it asked for them.
    func timed(_ body: MessageBody, of task: TaskID, _ result: Head) -> MessageBody {
        guard !held.itineraries.isEmpty, result.status == .ok, let itinerary = held.itineraries[task.slot] else {
            return body
        }
        let told = body.metadata.flatMap { frame in
            frame.count > CallMetadata.bytesMax ? nil : frame.withBytes { try? ReplyMetadata(decoding: $0) }
        }
        let timings = itinerary.timings(answeredUnder: LeaseToken(rawValue: result.lease), at: readClock())
        return MessageBody(
            metadata: Frame(ReplyMetadata(worker: told?.worker, broker: timings).encode()), payload: body.payload)
    }

    func callMetadata(of body: MessageBody) -> CallMetadata? {
        body.metadata.flatMap { frame in frame.withBytes { CallMetadata(reading: $0) } }
    }

    // MARK: The log

    func logDispatch(_ call: HeldCall, _ lease: LeaseToken, to worker: WorkerID, attempt: Int) {
        guard logsCalls else { return }
        var metadata = logMetadata(call.head, call.body)
        metadata["worker"] = "\(descriptions[worker]?.hello.name ?? "")"
        metadata["attempt"] = "\(attempt)"
        metadata["lease"] = "\(lease.rawValue)"
        logger.debug("call given to a worker", metadata: metadata)
    }

    func logTakenUp(_ task: JobTaskID, _ call: HeldCall) {
        guard logsCalls else { return }
        var metadata = logMetadata(call.head, call.body)
        metadata["job"] = "\(UUIDText.text(of: task.job.bytes))"
        metadata["task"] = "\(task.index)"
        logger.debug("task of a job taken up", metadata: metadata)
    }

    /// Asked for only if ``logsCalls``, so that no head is put together for nothing.
    func logEnd(_ head: Head, _ body: MessageBody, _ status: StatusCode, lease: UInt64? = nil) {
        var metadata = logMetadata(head, body)
        metadata["status"] = "\(status)"
        if let lease { metadata["lease"] = "\(lease)" }
        logger.debug("call ended", metadata: metadata)
    }

    private func logMetadata(_ head: Head, _ body: MessageBody) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "request-id": "\(head.callID)", "model": "\(head.model)", "items": "\(head.items)",
        ]
        if let parent = callMetadata(of: body)?.parent { metadata["trace-id"] = "\(parent.traceID)" }
        return metadata
    }
}
