import SinewCore

/// A broker process around the broker machine, as `SinewBroker` is one, and the checks on what it decides.
struct SimulatedBroker {
    var machine: BrokerStateMachine
    let incarnation: UInt64
    /// Payloads of admitted calls: each is released exactly once.
    var held: [TaskID: Packet.Request] = [:]
    /// Every lease given for a task that is still held.
    var leases: [TaskID: [LeaseToken]] = [:]
    var hasStopped = false
}

extension Simulation {
    func startBroker() {
        incarnations += 1
        broker = SimulatedBroker(machine: BrokerStateMachine(limits: limits), incarnation: incarnations)
    }

    func deliver(_ packet: Packet, toBrokerFrom sender: Address) {
        // A process that has stopped reads nothing; its clients hear silence.
        guard broker?.hasStopped == false else { return }
        switch (sender, packet) {
        case (.client(let client), .call(let id, let attempt, let request, let remaining)):
            let call = BrokerStateMachine.Call(
                client: ClientID(rawValue: UInt64(client)), id: id, attempt: attempt, model: request.model,
                items: request.items, payloadBytes: 100, deadline: now + remaining, priority: request.priority,
                tenant: request.tenant)
            requestInHand = request
            feedBroker(.called(call))
            requestInHand = nil
        case (.client(let client), .cancel(let id)):
            feedBroker(.cancelled(ClientID(rawValue: UInt64(client)), id))
        case (.client(let client), .ping):
            transmit(.pong(incarnation: broker?.incarnation ?? 0), from: .broker, to: .client(client))
        case (.worker(let worker), .hello(let introduction)):
            feedBroker(.workerIntroduced(WorkerID(rawValue: worker), introduction))
        case (.worker(let worker), .beat(let holding)):
            feedBroker(.workerBeat(WorkerID(rawValue: worker), holding: holding))
        case (.worker(let worker), .result(let lease, let tag)):
            resultInHand = (lease, tag, broker?.machine.isValid(lease) ?? false)
            feedBroker(.resulted(WorkerID(rawValue: worker), lease))
            resultInHand = nil
        case (.worker(let worker), .returned(let lease)):
            feedBroker(.returned(WorkerID(rawValue: worker), lease))
        case (.worker(let worker), .goodbye): feedBroker(.workerSaidGoodbye(WorkerID(rawValue: worker)))
        case (.client, _), (.worker, _), (.broker, _): fail("the broker was sent \(packet) by \(sender)")
        }
    }

    func feedBroker(_ event: BrokerStateMachine.Event) {
        var events = [event]
        while let event = events.popLast() {
            var actions: [BrokerStateMachine.Action] = []
            broker?.machine.handle(event, at: now, into: &actions)
            for action in actions { perform(action, &events) }
        }
        if let violated = broker?.machine.violatedInvariant { fail(violated) }
    }

    private func perform(_ action: BrokerStateMachine.Action, _ followUps: inout [BrokerStateMachine.Event]) {
        if broker?.hasStopped == true { fail("a stopped broker acts: \(action)") }
        switch action {
        case .admit(let task):
            guard let request = requestInHand else { return fail("admitted a call not in hand") }
            if broker?.held.updateValue(request, forKey: task) != nil { fail("a task number is used twice") }
            let counts = broker?.machine.counts
            if let counts, counts.queuedCalls > limits.queuedCallsMax { fail("the queue passed its limit") }
        case .reject(let client, let call, let attempt, let reason):
            transmit(.reply(call, attempt: attempt, .error(reason)), from: .broker, to: .client(Int(client.rawValue)))
        case .dispatch(let task, let lease, let worker, _, let deadline):
            dispatch(task, lease, to: worker, deadline: deadline, &followUps)
        case .deliver(let task, let client, let call, let attempt):
            guard let result = resultInHand else { return fail("delivered no result in hand") }
            if !result.wasValid { fail("a stale lease was delivered") }
            if broker?.leases[task]?.last != result.lease { fail("an old lease of a task was delivered") }
            release(task)
            transmit(
                .reply(call, attempt: attempt, .result(tag: result.tag)), from: .broker,
                to: .client(Int(client.rawValue)))
        case .abort(let task, let client, let call, let attempt, let reason):
            release(task)
            transmit(.reply(call, attempt: attempt, .error(reason)), from: .broker, to: .client(Int(client.rawValue)))
        case .discard(let task): release(task)
        case .withdraw(_, let lease, let worker):
            transmit(.cancelTask(lease), from: .broker, to: .worker(worker.rawValue))
        case .welcome(let worker): transmit(.welcome, from: .broker, to: .worker(worker.rawValue))
        case .askForHello(let worker): transmit(.helloAgain, from: .broker, to: .worker(worker.rawValue))
        case .refuse(let worker, let refusal): fail("worker \(worker.rawValue) was refused: \(refusal)")
        case .drainWorker, .forget: break
        case .announceDrain:
            for client in clients.indices { transmit(.goingAway, from: .broker, to: .client(client)) }
        case .stop:
            broker?.hasStopped = true
            if broker?.held.isEmpty == false { fail("the broker stopped with calls in hand") }
        }
    }

    private func dispatch(
        _ task: TaskID, _ lease: LeaseToken, to worker: WorkerID, deadline: Instant,
        _ followUps: inout [BrokerStateMachine.Event]
    ) {
        guard let request = broker?.held[task] else { return fail("dispatched a task that is not held") }
        if deadline <= now { fail("an expired task was dispatched") }
        broker?.leases[task, default: []].append(lease)
        let valid = broker?.leases[task]?.filter { broker?.machine.isValid($0) == true } ?? []
        if valid.count > 1 { fail("a task has \(valid.count) valid leases") }
        // A dead worker's address is sometimes known to be gone and sometimes not, as TCP has it.
        let isAlive = workers.contains { $0?.connection == worker.rawValue }
        if !isAlive && Bool.random(using: &random) {
            followUps.append(.undeliverable(worker, lease))
        } else {
            transmit(.task(lease, request, remaining: deadline - now), from: .broker, to: .worker(worker.rawValue))
        }
    }

    private func release(_ task: TaskID) {
        if broker?.held.removeValue(forKey: task) == nil { fail("a task was answered twice") }
        broker?.leases[task] = nil
    }
}
