internal import Logging
internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

extension BrokerLoop {
    mutating func receiveFromWorkers() throws(ZeroMQError) {
        for _ in 0..<Self.messagesPerTurnMax {
            guard let message = try workers.receiveLent() else { return }
            try handleWorkerMessage(message)
        }
    }

    private mutating func handleWorkerMessage(_ message: borrowing ReceivedMessage) throws(ZeroMQError) {
        if case .refused = try sender(message.userID, at: .workers) { return }
        do {
            let head = try parse(message, like: lastResult)
            lastResult = head
            try hearWorker(head, body(of: message), worker(behind: message))
        } catch let error as WireError {
            counters.malformedMessages += 1
            logger.warning("malformed message of a worker", metadata: ["reason": "\(error)"])
        } catch let error as ZeroMQError {
            throw error
        } catch {
            preconditionFailure("neither a peer's nor the socket's mistake: \(error)")
        }
    }

    private mutating func worker(behind message: borrowing ReceivedMessage) throws(ZeroMQError) -> WorkerID {
        let user = message.userID
        if let known = message.withBytes(of: 0, { workerRoutes.knownNumber(of: $0, user: user, heard: now) }) {
            return WorkerID(rawValue: known)
        }
        var displaced: UInt64?
        let number = workerRoutes.number(of: message.take(0), user: user, heard: now, displaced: &displaced)
        if let displaced { try end(WorkerID(rawValue: displaced)) }
        return WorkerID(rawValue: number)
    }

    private mutating func hearWorker(_ head: Head, _ body: MessageBody, _ worker: WorkerID) throws {
        let lease = LeaseToken(rawValue: head.lease)
        switch head.kind {
        case .hello: try introduce(worker, body)
        case .beat: try hearBeat(worker, body)
        case .result:
            let event = JobsAndCalls.Event.resulted(
                worker, lease, status: head.status.rawValue, bytes: body.payload?.count ?? 0)
            let before = counters.itemsDelivered
            try tell(event, with: .result(head, body))
            // Nothing, when the lease was not valid any more or the result is an error.
            itemsAnswered[worker]? += counters.itemsDelivered - before
        case .returned: try tell(.returned(worker, lease))
        case .goodbye: try tell(.workerSaidGoodbye(worker))
        case .call, .cancel, .ping, .reply, .pong, .goingAway, .welcome, .task, .cancelTask, .helloAgain, .drain:
            counters.malformedMessages += 1
        }
        if !machine.calls.isKnown(worker) { workerRoutes.forget(worker.rawValue) }
    }

    private mutating func introduce(_ worker: WorkerID, _ body: MessageBody) throws {
        guard let payload = body.payload else { throw WireError(.wrongFrames, "a hello without payload") }
        let hello = try payload.withBytes { (bytes) throws(WireError) in try WorkerHello(decoding: bytes) }
        try Self.checkTexts(of: hello)
        var keys: [ModelKey] = []
        for model in hello.models {
            for key in [ModelKey("\(model.name)/\(model.version)"), ModelKey(model.name)] where !keys.contains(key) {
                keys.append(key)
            }
        }
        let introduction = BrokerStateMachine.WorkerIntroduction(
            incarnation: hello.incarnation, models: keys, creditItems: Int(hello.credits))
        try tell(.workerIntroduced(worker, introduction), with: .hello(hello))
    }

    /// What a worker says about itself is shown to people, in logs and on terminals, which control characters could lead astray.
    private static func checkTexts(of hello: WorkerHello) throws(WireError) {
        var texts = [hello.name, hello.isa, hello.host, hello.version]
        for model in hello.models { texts += [model.name, model.version, model.architecture, model.weightsSHA256] }
        for text in texts {
            let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
            guard text.utf8.count <= Head.modelBytesMax, isPlain else {
                throw WireError(
                    .limitExceeded,
                    "a hello with a text of \(text.utf8.count) bytes; at most \(Head.modelBytesMax) are taken, without control characters"
                )
            }
        }
    }

    private mutating func hearBeat(_ worker: WorkerID, _ body: MessageBody) throws {
        guard let payload = body.payload else { throw WireError(.wrongFrames, "a beat without payload") }
        let beat = try payload.withBytes { (bytes) throws(WireError) in try WorkerBeat(decoding: bytes) }
        let holding = beat.holding.map { $0.leases.map { LeaseToken(rawValue: $0) } }
        if let known = descriptions[worker] {
            var cleaned = beat.cleaned(for: known.hello.models)
            cleaned.holding = nil
            fleetActivity.add(from: known.beat, to: cleaned)
            descriptions[worker]?.beat = cleaned
        }
        try tell(.workerBeat(worker, holding: holding))
    }

    mutating func welcome(_ worker: WorkerID) throws(ZeroMQError) {
        if case .hello(let hello) = inHand {
            if descriptions[worker] == nil {
                logger.info(
                    "worker joined",
                    metadata: [
                        "worker": "\(hello.name)",
                        "models": "\(hello.models.map { "\($0.name)/\($0.version)" }.joined(separator: ","))",
                        "credits": "\(hello.credits)", "isa": "\(hello.isa)",
                    ])
            }
            let beat = descriptions[worker]?.beat ?? (hello.beat ?? WorkerBeat()).cleaned(for: hello.models)
            descriptions[worker] = WorkerDescription(hello: hello, beat: beat)
            itemsAnswered[worker] = itemsAnswered[worker] ?? 0
        }
        let limits = configuration.limits
        let welcome = WorkerWelcome(
            beatIntervalMicroseconds: limits.beatInterval.remainingMicroseconds,
            leaseMicroseconds: limits.workerSilenceMax.remainingMicroseconds,
            payloadBytesMax: UInt64(limits.payloadBytesMax), version: configuration.version)
        try send(Head(kind: .welcome), MessageBody(payload: Frame(welcome.encode())), to: worker)
    }

    /// A worker that is not taken in is told to leave, with the reason.
    mutating func refuse(_ worker: WorkerID, _ refusal: BrokerStateMachine.WorkerRefusal) throws(ZeroMQError) {
        let status: StatusCode
        let message: String
        switch refusal {
        case .tooManyWorkers(let max):
            status = .resourceExhausted
            message = "the broker has \(max) workers, as many as it may; connect this one to another broker"
        case .tooManyModels(let max):
            status = .resourceExhausted
            message = "more than \(max) model names are announced; load fewer models in this worker"
        case .noModels:
            status = .invalidArgument
            message = "the worker announced no model; start it with at least one"
        case .stopped:
            status = .unavailable
            message = "the broker is about to end"
        }
        logger.warning("worker refused", metadata: ["reason": "\(message)"])
        try send(
            Head(kind: .drain, status: status), MessageBody(payload: Frame(ErrorDetail(message: message).encode())),
            to: worker)
    }

    mutating func forget(_ worker: WorkerID, _ loss: BrokerStateMachine.WorkerLoss) {
        let name = descriptions.removeValue(forKey: worker)?.hello.name ?? ""
        itemsAnswered[worker] = nil
        switch loss {
        case .silent, .disconnected:
            logger.warning("worker lost, its tasks run elsewhere", metadata: ["worker": "\(name)", "how": "\(loss)"])
            workerRoutes.forget(worker.rawValue)
        case .saidGoodbye:
            logger.info("worker left", metadata: ["worker": "\(name)"])
            workerRoutes.forget(worker.rawValue)
        case .restarted:
            // The same address speaks on and is about to be welcomed.
            logger.warning("worker restarted", metadata: ["worker": "\(name)"])
        }
    }
}
