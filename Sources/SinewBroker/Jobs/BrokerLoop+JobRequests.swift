internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

/// The service Jobs: from the wire to the state machine.
extension BrokerLoop {
    mutating func handleJobCall(_ method: Jobs.Method, _ head: Head, _ body: MessageBody, of client: ClientID)
        throws(ZeroMQError)
    {
        guard jobService != nil else {
            return try answer(
                head, client,
                with: WireRejection(
                    .failedPrecondition, .jobsDisabled,
                    "this broker keeps no jobs; start it with `sinew broker --store FOLDER`, or use `sinew solve`"))
        }
        var request = PendingJobRequest(client: client, head: head)
        let event: (JobRequestID) -> JobStateMachine.Event
        do {
            event = try self.event(method, body, of: client, TenantID(head.tenant), head.priority, &request)
        } catch {
            let code: ServiceErrorCode = .malformedRequest
            return try answer(head, client, with: WireRejection(.invalidArgument, code, error.message))
        }
        guard let id = jobService?.add(request) else { return }
        try tell(jobs: event(id))
    }

    private func event(
        _ method: Jobs.Method, _ body: MessageBody, of client: ClientID, _ tenant: TenantID, _ priority: UInt8,
        _ pending: inout PendingJobRequest
    ) throws(WireError) -> (JobRequestID) -> JobStateMachine.Event {
        let payload = body.payload
        switch method {
        case .submit:
            var submission = try submission(decode(Jobs.Submit.self, payload), priority)
            submission.traceparent = callMetadata(of: body)?.parent?.description
            return { [submission] in .submitted($0, tenant, submission) }
        case .append:
            let message = try decode(Jobs.Append.self, payload)
            let job = try jobID(message.id)
            var blocks: [JobBlock] = []
            for task in message.tasks { blocks.append(try block(task)) }
            pending.blocks = message.tasks
            return { .appended($0, tenant, job, blocks) }
        case .seal:
            let message = try decode(Jobs.Seal.self, payload)
            let job = try jobID(message.id)
            return { .sealed($0, tenant, job, tasks: Int(clamping: message.tasks)) }
        case .status:
            let message = try decode(Jobs.Status.self, payload)
            let job = try jobID(message.id)
            return { .statusAsked($0, by: client, tenant, job, wait: duration(message.waitMicroseconds)) }
        case .results:
            let message = try decode(Jobs.Results.self, payload)
            let query = JobResultsQuery(
                job: try jobID(message.id), cursor: message.cursor, countMax: Int(message.countMax),
                wait: duration(message.waitMicroseconds), failuresOnly: message.failuresOnly)
            return { .resultsAsked($0, by: client, tenant, query) }
        case .cancel:
            let job = try jobID(decode(Jobs.Cancel.self, payload).id)
            return { .cancelled($0, tenant, job) }
        case .list:
            let message = try decode(Jobs.List.self, payload)
            let before = message.beforeID.isEmpty ? nil : try jobID(message.beforeID)
            return { .listAsked($0, tenant, countMax: Int(message.countMax), before: before) }
        case .replay:
            let message = try decode(Jobs.Replay.self, payload)
            let job = try jobID(message.id)
            return { .replayed($0, tenant, job, indexes: message.indexes.map { Int(clamping: $0) }) }
        }
    }

    private func decode<Method: WireMethod>(
        _ method: Method.Type, _ payload: Frame?
    ) throws(WireError) -> Method.Request {
        guard let payload else {
            throw WireError(.malformed, "the call has no payload; send a \(Method.Request.messageName)")
        }
        return try payload.withBytes { (bytes) throws(WireError) in try Method.Request(decoding: bytes) }
    }

    private func jobID(_ bytes: [UInt8]) throws(WireError) -> JobID {
        guard let id = JobID(bytes: bytes) else {
            throw WireError(.malformed, "a job's id has 16 bytes (a UUID of version 7), not \(bytes.count)")
        }
        return id
    }

    private func submission(_ message: SubmitJobRequest, _ priority: UInt8) throws(WireError) -> JobSubmission {
        guard message.contentSHA256.isEmpty || message.contentSHA256.count == 32 else {
            throw WireError(.malformed, "content_sha256 has 32 bytes or none, not \(message.contentSHA256.count)")
        }
        guard PoseSolver.Method(rawValue: message.method) != nil else {
            let known = PoseSolver.Method.allCases.map(\.rawValue).joined(separator: ", ")
            throw WireError(.malformed, "a job's method is one of \(known), not “\(message.method)”")
        }
        guard !message.model.isEmpty else {
            throw WireError(.malformed, "a job needs a model, `name` or `name/version`; `sinew model list` shows them")
        }
        return JobSubmission(
            id: try jobID(message.id), method: message.method, model: ModelKey(message.model), label: message.label,
            content: ContentHash(bytes: message.contentSHA256), priority: priority,
            timeToLive: message.timeToLiveMicroseconds.map { duration($0) },
            retention: message.retentionMicroseconds.map { duration($0) })
    }

    private func block(_ task: TaskBlock) throws(WireError) -> JobBlock {
        guard let hash = ContentHash(bytes: task.sha256) else {
            throw WireError(.malformed, "sha256 of task \(task.index) has \(task.sha256.count) bytes, not 32")
        }
        return JobBlock(
            index: Int(clamping: task.index), items: Int(task.items), payloadBytes: task.payload.count,
            labelBytes: task.label.utf8.count, hash: hash)
    }
}

private func duration(_ microseconds: UInt64?) -> Duration { .microseconds(Int64(clamping: microseconds ?? 0)) }
