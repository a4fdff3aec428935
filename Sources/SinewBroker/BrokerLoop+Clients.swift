internal import Logging
internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

extension BrokerLoop {
    mutating func receiveFromClients() throws(ZeroMQError) {
        for _ in 0..<Self.messagesPerTurnMax {
            guard let message = try clients.receiveLent() else { return }
            try handleClientMessage(message)
        }
    }

    private mutating func handleClientMessage(_ message: borrowing ReceivedMessage) throws(ZeroMQError) {
        let sender = try sender(message.userID, at: .clients)
        if case .refused = sender { return }
        var head: Head
        do {
            head = try parse(message, like: lastCall)
        } catch {
            counters.malformedMessages += 1
            logger.debug("malformed message of a client", metadata: ["reason": "\(error)"])
            try answerMalformed(message.take(0), error)
            return
        }
        lastCall = head
        guard let client = try client(behind: message, head) else { return }
        if case .holder(let entry) = sender { head.tenant = entry.tenant }
        guard try isSlowEnough(message.byteCount, of: message.userID, head, client) else { return }
        switch head.kind {
        case .call: try handleCall(head, body(of: message), of: client, mayOperate: sender.mayOperate)
        case .cancel:
            try tell(.cancelled(client, CallID(rawValue: head.callID)))
            try dropJobRequest(head.callID, of: client)
        case .ping: try reply(Head(kind: .pong, callID: head.callID, lease: incarnation), to: client)
        case .reply, .pong, .goingAway, .hello, .beat, .result, .returned, .goodbye, .welcome, .task, .cancelTask,
            .helloAgain, .drain:
            counters.malformedMessages += 1
        }
    }

    /// Who speaks; nil when there is no room for one more, and it was told so.
    private mutating func client(behind message: borrowing ReceivedMessage, _ head: Head) throws(ZeroMQError)
        -> ClientID?
    {
        let user = message.userID
        if let known = message.withBytes(of: 0, { clientRoutes.knownNumber(of: $0, user: user, heard: now) }) {
            return ClientID(rawValue: known)
        }
        let route = message.take(0)
        guard clientRoutes.isKnown(route) || clientRoutes.count < configuration.limits.clientsMax else {
            try refuseClient(route, head)
            return nil
        }
        var displaced: UInt64?
        let number = clientRoutes.number(of: route, user: user, heard: now, displaced: &displaced)
        if let displaced { try tell(.clientGone(ClientID(rawValue: displaced))) }
        return ClientID(rawValue: number)
    }

    /// The table of clients is full; the next sweep forgets those that are idle.
    private mutating func refuseClient(_ route: Frame, _ head: Head) throws(ZeroMQError) {
        switch head.kind {
        case .call: break
        case .cancel, .ping, .reply, .pong, .goingAway, .hello, .beat, .result, .returned, .goodbye, .welcome, .task,
            .cancelTask, .helloAgain, .drain:
            return
        }
        counters.failuresAnswered += 1
        let rejection = WireRejection(
            .resourceExhausted, .queueFull,
            "the broker has \(configuration.limits.clientsMax) clients, as many as it may; try again later",
            retryAfter: configuration.limits.retryAfterMax)
        let reply = Head(
            kind: .reply, method: head.method, model: head.model, callID: head.callID, attempt: head.attempt,
            status: rejection.status, errorCode: UInt16(clamping: rejection.detail.code))
        try clients.send(Message(frames: [route, Frame(reply.encode()), Frame(rejection.detail.encode())]))
    }

    /// The head behind the routing id.
    func parse(_ message: borrowing ReceivedMessage, like last: Head?) throws(WireError) -> Head {
        guard message.droppedFrames == 0, message.frameCount >= 2 else {
            throw WireError(
                .wrongFrames, "\(message.frameCount + message.droppedFrames - 1) frames, a message has 1 to 3")
        }
        _ = try Frames.payloadIndex(frameCount: message.frameCount - 1)
        return try message.withBytes(of: 1) { (bytes) throws(WireError) in try Head(decoding: bytes, like: last) }
    }

    /// What follows the head of a message that was parsed.
    func body(of message: borrowing ReceivedMessage) -> MessageBody {
        switch message.frameCount {
        case ...2: MessageBody()
        case 3: MessageBody(payload: message.take(2))
        default: MessageBody(metadata: message.take(2), payload: message.take(3))
        }
    }

    /// A peer that speaks another version is told so; anything else that cannot be read names no call to answer.
    private mutating func answerMalformed(_ route: Frame, _ error: WireError) throws(ZeroMQError) {
        switch error.reason {
        case .malformed, .limitExceeded, .unknownKind, .wrongFrames: return
        case .unsupportedVersion: break
        }
        let rejection = WireRejection(.failedPrecondition, .unsupportedVersion, error.message)
        let head = Head(
            kind: .reply, status: rejection.status, errorCode: UInt16(clamping: rejection.detail.code))
        try clients.send(Message(frames: [route, Frame(head.encode()), Frame(rejection.detail.encode())]))
    }

    private mutating func handleCall(
        _ head: Head, _ body: MessageBody, of client: ClientID, mayOperate: Bool
    ) throws(ZeroMQError) {
        if let method = PoseSolver.Method(rawValue: head.method) {
            switch method {
            case .solvePoses: try admit(head, body, PoseSolver.SolvePoses.self, of: client)
            case .solveEffectors: try admit(head, body, PoseSolver.SolveEffectors.self, of: client)
            }
        } else if let method = Fleet.Method(rawValue: head.method) {
            switch method {
            case .status: try answerItself(fleetStatus().encode(), head, client)
            case .listModels: try answerItself(ListModelsReply(models: availableModels).encode(), head, client)
            case .drainWorker: try drainWorkers(head, body, client, mayOperate: mayOperate)
            }
        } else if let method = Jobs.Method(rawValue: head.method) {
            try handleJobCall(method, head, body, of: client)
        } else if let method = Health.Method(rawValue: head.method) {
            switch method {
            case .check: try answerHealthCheck(head, body, client)
            }
        } else {
            let known =
                PoseSolver.Method.allCases.map(\.rawValue) + Fleet.Method.allCases.map(\.rawValue)
                + Health.Method.allCases.map(\.rawValue) + Jobs.Method.allCases.map(\.rawValue)
            try answer(
                head, client,
                with: WireRejection(
                    .unimplemented, .unknownMethod,
                    "no method “\(head.method)”; known are: \(known.joined(separator: ", "))"))
        }
    }

    private mutating func admit<Method: WireMethod>(
        _ head: Head, _ body: MessageBody, _ method: Method.Type, of client: ClientID
    ) throws(ZeroMQError) {
        guard let payload = body.payload, !payload.isEmpty else {
            try answer(
                head, client,
                with: WireRejection(
                    .invalidArgument, .malformedRequest,
                    "the call has no payload; send a \(Method.Request.messageName)"))
            return
        }
        let bytes = body.byteCount
        guard bytes <= configuration.limits.payloadBytesMax else {
            try answer(
                head, client,
                with: WireRejection(
                    .invalidArgument, .payloadTooLarge,
                    "the call has \(bytes) bytes, at most \(configuration.limits.payloadBytesMax) are taken; split it"))
            return
        }
        let call = BrokerStateMachine.Call(
            client: client, id: CallID(rawValue: head.callID), attempt: Int(head.attempt), model: ModelKey(head.model),
            items: Int(head.items), payloadBytes: bytes,
            deadline: head.timeoutMicroseconds.map { now + .microseconds(Int64(clamping: $0)) },
            priority: head.priority, tenant: TenantID(head.tenant))
        try tell(.called(call), with: .call(head, body))
    }

    /// A client wants all workers of a name to leave.
    private mutating func drainWorkers(
        _ head: Head, _ body: MessageBody, _ client: ClientID, mayOperate: Bool
    ) throws(ZeroMQError) {
        guard mayOperate else {
            try answer(
                head, client,
                with: WireRejection(
                    .permissionDenied, .operatorsOnly,
                    "a client's key may not send workers away; use an operator's (sinew keys authorize --role operator)"
                ))
            return
        }
        let request: DrainWorkerRequest
        do {
            request = try body.payload?.withBytes { (bytes) throws(WireError) in try .init(decoding: bytes) } ?? .init()
        } catch {
            try answer(head, client, with: WireRejection(.invalidArgument, .malformedRequest, error.message))
            return
        }
        switch try drainWorkers(named: request.name) {
        case .success(let count):
            try answerItself(DrainWorkerReply(workers: UInt32(clamping: count)).encode(), head, client)
        case .failure(let rejection): try answer(head, client, with: rejection)
        }
    }

    /// Tells all workers of a name to leave; the result is how many there are.
    mutating func drainWorkers(named name: String) throws(ZeroMQError) -> Result<Int, WireRejection> {
        let named = workers(named: name)
        guard !named.isEmpty else {
            let known = descriptions.values.map(\.hello.name).sorted().joined(separator: ", ")
            return .failure(
                WireRejection(
                    .notFound, .unknownWorker,
                    "no worker is called “\(name)”; connected are: \(known.isEmpty ? "none" : known)", field: "name"))
        }
        for worker in named { try tell(.workerDrainRequested(worker)) }
        logger.info("workers told to leave", metadata: ["worker": "\(name)", "count": "\(named.count)"])
        return .success(named.count)
    }

    private mutating func answerHealthCheck(_ head: Head, _ body: MessageBody, _ client: ClientID) throws(ZeroMQError) {
        let request: HealthCheckRequest
        do {
            request = try body.payload?.withBytes { (bytes) throws(WireError) in try .init(decoding: bytes) } ?? .init()
        } catch {
            try answer(head, client, with: WireRejection(.invalidArgument, .malformedRequest, error.message))
            return
        }
        try answerItself(HealthCheckReply(status: health(of: request.service)).encode(), head, client)
    }

    mutating func answerItself(_ payload: [UInt8], _ head: Head, _ client: ClientID) throws(ZeroMQError) {
        let reply = Head(
            kind: .reply, method: head.method, callID: head.callID, attempt: head.attempt, status: .ok)
        try self.reply(reply, MessageBody(payload: Frame(payload)), to: client)
    }

    mutating func answer(_ head: Head, _ client: ClientID, with rejection: WireRejection) throws(ZeroMQError) {
        noteRefused(head, rejection.status)
        try answer(
            client, CallID(rawValue: head.callID), attempt: Int(head.attempt), head, with: rejection)
    }
}
