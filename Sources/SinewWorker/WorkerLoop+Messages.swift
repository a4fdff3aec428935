internal import Logging
internal import SinewCore
internal import SinewModels
internal import SinewWire
internal import SinewZeroMQ

extension WorkerLoop {
    /// Takes a message of the broker; one that cannot be read is counted and dropped.
    mutating func handle(_ message: Message) throws(ZeroMQError) {
        let head: Head
        let payload: Frame?
        var metadata: CallMetadata?
        do throws(WireError) {
            let index = try Frames.payloadIndex(frameCount: message.frames.count + message.droppedFrames)
            head = try message.frames[0].withBytes { (bytes) throws(WireError) in
                try unsafe Head(decoding: bytes.bytes)
            }
            payload = index.map { message.frames[$0] }
            if index == 2 { metadata = message.frames[1].withBytes { CallMetadata(reading: $0) } }
        } catch {
            noteMalformed("\(error)")
            return
        }
        switch head.kind {
        case .task: try take(head, metadata, payload)
        case .cancelTask:
            if let lease = leaseOfBroker[head.lease] { try step(.cancelled(lease)) }
        case .welcome: welcome(payload)
        case .helloAgain: try introduceAgain()
        case .drain where head.status != .ok: try leaveRefused(head, payload)
        case .drain: try drain(within: .seconds(30), reason: "the broker asked for it")
        case .call, .cancel, .ping, .reply, .pong, .goingAway, .hello, .beat, .result, .returned, .goodbye:
            noteMalformed("a \(head.kind) message is not for workers")
        }
    }

    mutating func noteMalformed(_ what: String) {
        malformedMessages += 1
        logger.debug(
            "dropped a message of the broker", metadata: ["reason": "\(what)", "count": "\(malformedMessages)"])
    }

    mutating func decode<Content: WireMessage>(_ type: Content.Type, _ payload: Frame?) -> Content? {
        guard let payload else {
            noteMalformed("\(Content.messageName) is missing")
            return nil
        }
        do throws(WireError) {
            return try payload.withBytes { (bytes) throws(WireError) in try unsafe Content(decoding: bytes.bytes) }
        } catch {
            noteMalformed("\(error)")
            return nil
        }
    }

    private mutating func take(_ head: Head, _ metadata: CallMetadata?, _ payload: Frame?) throws(ZeroMQError) {
        // The network may deliver a task twice.
        guard leaseOfBroker[head.lease] == nil else { return }
        guard let method = PoseSolver.Method(rawValue: head.method) else {
            let known = PoseSolver.Method.allCases.map(\.rawValue).joined(separator: ", ")
            let failure = CallFailure(
                .unimplemented, .unknownMethod, "method “\(head.method)” is not known to workers; known are \(known)")
            try answer(head, failure.answer)
            return
        }
        guard let model = models.index(named: head.model) else {
            let known = models.all.map(\.identity.description).joined(separator: ", ")
            let failure = CallFailure(
                .notFound, .unknownModel, field: "model",
                "model “\(head.model)” is not loaded by worker \(configuration.name); it has \(known)")
            try answer(head, failure.answer)
            return
        }
        let now = clock.now
        let lease = LeaseToken(rawValue: nextLease)
        nextLease += 1
        leaseOfBroker[head.lease] = lease
        tasks[lease] = Task(
            brokerLease: head.lease, callID: head.callID, attempt: head.attempt, model: model, method: method,
            items: head.items, metadata: metadata, payload: payload, arrived: now)
        let deadline = head.timeoutMicroseconds.map { now + .microseconds(Int64(clamping: $0)) }
        // A task that claims no people still occupies a compute thread for a moment.
        let items = max(1, Int(head.items))
        try step(.taskArrived(lease, model: models.key(of: model), items: items, deadline: deadline))
    }

    private mutating func answer(_ head: Head, _ answer: Answer) throws(ZeroMQError) {
        let result = Head(
            kind: .result, callID: head.callID, lease: head.lease, attempt: head.attempt, items: head.items,
            status: answer.status, errorCode: answer.code.rawValue)
        try send(result, payload: answer.payload)
    }
}
