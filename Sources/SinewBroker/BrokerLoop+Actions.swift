internal import Logging
internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

extension BrokerLoop {
    mutating func perform(_ action: BrokerStateMachine.Action) throws(ZeroMQError) {
        switch action {
        case .admit(let task):
            keepCallInHand(as: task)
        case .reject(let client, let call, let attempt, let reason):
            guard case .call(let head, _) = inHand else { preconditionFailure("rejected a call not in hand") }
            let status = try answer(client, call, attempt: attempt, head, with: reason)
            noteRefused(head, status)
            if logsCalls, case .call(_, let body) = inHand { logEnd(head, body, status) }
        case .dispatch(let task, let lease, let worker, let attempt, let deadline):
            try dispatch(task, lease, to: worker, attempt: attempt, deadline: deadline)
        case .deliver(let task, let client, let call, let attempt):
            guard case .result(let head, let body) = inHand else { preconditionFailure("delivered no result in hand") }
            if let kept = held[task] {
                activity.noteEnded(kept.tally, head.status, at: now)
                if logsCalls { logEnd(kept.head, kept.body, head.status, lease: head.lease) }
            }
            try deliver(head, timed(body, of: task, head), to: client, call, attempt: attempt)
            held.release(task)
        case .abort(let task, let client, let call, let attempt, let reason):
            guard let kept = held[task] else { preconditionFailure("aborted a call that is not held") }
            held.release(task)
            let status = try answer(client, call, attempt: attempt, kept.head, with: reason)
            activity.noteEnded(kept.tally, status, at: now)
            if logsCalls { logEnd(kept.head, kept.body, status) }
        case .discard(let task):
            noteDiscarded(task)
            held.release(task)
        case .noteDeaths: preconditionFailure("meant for the jobs")
        case .withdraw(_, let lease, let worker):
            try send(Head(kind: .cancelTask, lease: lease.rawValue), to: worker)
        case .welcome(let worker):
            try welcome(worker)
        case .refuse(let worker, let refusal):
            try refuse(worker, refusal)
        case .askForHello(let worker):
            try send(Head(kind: .helloAgain), to: worker)
            workerRoutes.forget(worker.rawValue)
        case .drainWorker(let worker):
            try send(Head(kind: .drain), to: worker)
        case .forget(let worker, let loss):
            forget(worker, loss)
        case .announceDrain:
            for client in clientRoutes.numbers {
                try reply(Head(kind: .goingAway), to: ClientID(rawValue: client))
            }
        case .stop:
            isStopped = true
            logger.info("broker stopped")
        }
    }

    private mutating func keepCallInHand(as task: TaskID) {
        switch inHand {
        case .call(let head, let body):
            held.keep(call(head, body), for: task)
            if body.metadata != nil { beginItinerary(of: task, body) }
        case .payload(let jobTask, let bytes):
            let body = MessageBody(metadata: metadata(of: jobTask), payload: Frame(bytes))
            var call = call(head(of: jobTask), body)
            call.isTask = true
            held.keep(call, for: task)
            logTakenUp(jobTask, call)
        case .none, .result, .hello: preconditionFailure("admitted a call not in hand")
        }
        admitted = task
    }

    private mutating func call(_ head: Head, _ body: MessageBody) -> HeldCall {
        let index = activity.index(of: head.model)
        return HeldCall(head, held.names(of: head, activity: index), body, admitted: now)
    }

    private mutating func dispatch(
        _ task: TaskID, _ lease: LeaseToken, to worker: WorkerID, attempt: Int, deadline: Instant
    ) throws(ZeroMQError) {
        guard let call = held[task] else { preconditionFailure("dispatched a call that is not held") }
        guard let route = workerRoutes.route(of: worker.rawValue) else {
            followUps.append(.undeliverable(worker, lease))
            return
        }
        held.noteDispatched(task, at: now)
        noteItinerary(of: task, lease)
        logDispatch(call, lease, to: worker, attempt: attempt)
        var head = call.head
        head.kind = .task
        head.lease = lease.rawValue
        head.attempt = UInt8(clamping: attempt)
        head.timeoutMicroseconds = (deadline - now).remainingMicroseconds
        if admitted == task { admitted = nil }
        switch try Self.send(head, call.body, to: route, over: workers, &headWriter) {
        case .sent: break
        case .unroutable, .wouldBlock: followUps.append(.undeliverable(worker, lease))
        }
    }

    private mutating func deliver(
        _ result: Head, _ body: MessageBody, to client: ClientID, _ call: CallID, attempt: Int
    ) throws(ZeroMQError) {
        var head = result
        head.kind = .reply
        head.callID = call.rawValue
        head.lease = 0
        head.attempt = UInt8(clamping: attempt)
        head.timeoutMicroseconds = nil
        countResult(result)
        try reply(head, body, to: client)
    }

    mutating func countResult(_ result: Head) {
        if result.status == .ok {
            counters.resultsDelivered += 1
            counters.itemsDelivered += UInt64(result.items)
        } else {
            counters.failuresAnswered += 1
        }
    }

    /// - Returns: the status of the answer.
    private mutating func answer(
        _ client: ClientID, _ call: CallID, attempt: Int, _ head: Head, with reason: RejectionReason
    ) throws(ZeroMQError) -> StatusCode {
        let rejection = WireRejection(
            reason, model: head.model, readyModels: readyModels.map { "\($0.name)/\($0.version)" },
            limits: configuration.limits)
        try answer(client, call, attempt: attempt, head, with: rejection)
        return rejection.status
    }

    /// A call that was never admitted was answered with an error.
    mutating func noteRefused(_ head: Head, _ status: StatusCode) {
        guard PoseSolver.Method(rawValue: head.method) != nil else { return }
        // Clients choose names as they like; only those of models are kept.
        let index = machine.calls.isKnown(ModelKey(head.model)) ? activity.index(of: head.model) : 0
        activity.noteRefused(index, status, items: head.items)
    }

    /// A call whose client gave it up, or a task: either a worker has answered it, or it will be offered again.
    private mutating func noteDiscarded(_ task: TaskID) {
        guard let kept = held[task] else { return }
        guard kept.isTask else {
            if logsCalls { logEnd(kept.head, kept.body, .cancelled) }
            return activity.noteEnded(kept.tally, .cancelled, at: now)
        }
        if case .result(let head, _) = inHand, LeaseToken(rawValue: head.lease).slot == task.slot {
            activity.noteEnded(kept.tally, head.status, at: now)
            if logsCalls { logEnd(kept.head, kept.body, head.status, lease: head.lease) }
        }
    }

    mutating func answer(
        _ client: ClientID, _ call: CallID, attempt: Int, _ head: Head, with rejection: WireRejection
    ) throws(ZeroMQError) {
        counters.failuresAnswered += 1
        let reply = Head(
            kind: .reply, method: head.method, model: head.model, callID: call.rawValue,
            attempt: UInt8(clamping: attempt), items: head.items, status: rejection.status,
            errorCode: UInt16(clamping: rejection.detail.code))
        try self.reply(reply, MessageBody(payload: Frame(rejection.detail.encode())), to: client)
    }

    mutating func reply(_ head: Head, _ body: MessageBody = MessageBody(), to client: ClientID) throws(ZeroMQError) {
        guard let route = clientRoutes.route(of: client.rawValue) else { return }
        let outcome: Socket.SendOutcome
        if let counted = counted(body, for: client) {
            outcome = try Self.send(head, counted, to: route, over: clients, &headWriter)
        } else {
            outcome = .wouldBlock
        }
        switch outcome {
        case .sent: return
        case .unroutable: break
        case .wouldBlock:
            counters.repliesDropped += 1
            noteRefusal(
                "a client does not read its replies, and more of them are dropped", at: .clients, key: nil)
        }
        clientRoutes.forget(client.rawValue)
        followUps.append(.clientGone(client))
    }

    /// The body, its payload counted if it is large; nil when more would wait for the client than may.
    private mutating func counted(_ body: MessageBody, for client: ClientID) -> MessageBody? {
        guard let payload = body.payload, payload.count >= Limits.repliesCountedBytesMin else { return body }
        let unsent = clientRoutes.unsentBytes(of: client.rawValue)
        guard unsent.hasRoom(for: payload.count, max: configuration.limits.repliesUnreadBytesMax) else { return nil }
        return MessageBody(metadata: body.metadata, payload: unsent.counting(payload))
    }

    /// For messages whose loss repairs itself: a worker that cannot be reached falls silent.
    @discardableResult
    mutating func send(
        _ head: Head, _ body: MessageBody = MessageBody(), to worker: WorkerID
    ) throws(ZeroMQError) -> Socket.SendOutcome {
        guard let route = workerRoutes.route(of: worker.rawValue) else { return .unroutable }
        return try Self.send(head, body, to: route, over: workers, &headWriter)
    }

    static func send(
        _ head: Head, _ body: MessageBody, to route: Frame, over socket: borrowing Socket, _ writer: inout HeadWriter
    ) throws(ZeroMQError) -> Socket.SendOutcome {
        try writer.write(head) { (bytes) throws(ZeroMQError) in
            try socket.send(to: route, head: bytes, metadata: body.metadata, payload: body.payload)
        }
    }
}
