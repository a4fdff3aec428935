import SinewCore

/// A client process around the client machine, as `SinewClient` is one, and what its user saw.
struct SimulatedClient {
    enum Outcome: Equatable {
        case answered(Packet.Answer)
        case failed(ClientStateMachine.Failure)
    }

    struct Call {
        let request: Packet.Request
        let made: Instant
        let deadline: Instant
        var isCancelled = false
        var outcome: Outcome?
        var ended: Instant?
    }

    var machine: ClientStateMachine
    var calls: [Call] = []
}

extension Simulation {
    func userCalls(_ client: Int) {
        let number = UInt64(clients[client].calls.count)
        let models = ["niki", "niki/1", "hybrik"]
        let deadly = faults.deadlyCall && client == 0 && number == 5
        let request = Packet.Request(
            model: ModelKey(models[Int.random(in: 0..<models.count, using: &random)]),
            items: Int.random(in: 1...24, using: &random), tag: UInt64(client) << 32 | number,
            priority: UInt8.random(in: 0...2, using: &random), tenant: TenantID("tenant-\(client % 2)"),
            isDeadly: deadly)
        let wait = deadly || now >= start + faults.until ? .seconds(120) : randomDuration(300...20_000)
        clients[client].calls.append(.init(request: request, made: now, deadline: now + wait))
        feedClient(client, .called(CallID(rawValue: number), deadline: now + wait))
        if !deadly && now < start + faults.until && Int.random(in: 0..<12, using: &random) == 0 {
            schedule.add(.userCancels(client: client, CallID(rawValue: number)), at: now + randomDuration(0...400))
        }
        if clients[client].calls.count < callsPerClient {
            schedule.add(.userCalls(client: client), at: now + randomDuration(0...Int(callEveryMilliseconds)))
        }
    }

    func userCancels(_ client: Int, _ call: CallID) {
        if clients[client].calls[Int(call.rawValue)].outcome == nil {
            clients[client].calls[Int(call.rawValue)].isCancelled = true
        }
        feedClient(client, .cancelled(call))
    }

    func deliver(_ packet: Packet, toClient client: Int) {
        switch packet {
        case .reply(let call, let attempt, let answer):
            replyInHand = answer
            feedClient(client, .replied(call, attempt: attempt, Self.outcome(of: answer)))
            replyInHand = nil
        case .pong(let incarnation): feedClient(client, .pong(incarnation: incarnation))
        case .goingAway: feedClient(client, .goingAway)
        case .call, .cancel, .ping, .ask, .told, .hello, .beat, .result, .returned, .goodbye, .welcome, .task,
            .cancelTask,
            .helloAgain:
            fail("a client was sent \(packet)")
        }
    }

    private static func outcome(of answer: Packet.Answer) -> ClientStateMachine.Outcome {
        switch answer {
        case .result: .final
        case .error(.overloaded(_, let retryAfter)): .overloaded(retryAfter: retryAfter)
        case .error(.noWorker(let retryAfter)): .unavailable(retryAfter: retryAfter)
        case .error(.draining), .error(.drainTimedOut): .unavailable(retryAfter: nil)
        case .error(.tooManyItems), .error(.unknownModel), .error(.deadlineExceeded), .error(.poisoned): .final
        }
    }

    func feedClient(_ client: Int, _ event: ClientStateMachine.Event) {
        var actions: [ClientStateMachine.Action] = []
        clients[client].machine.handle(event, at: now, into: &actions)
        for action in actions {
            switch action {
            case .send(let call, let attempt, let deadline):
                let record = clients[client].calls[Int(call.rawValue)]
                if record.outcome != nil { fail("call \(call.rawValue) is sent after its end") }
                if deadline <= now { fail("call \(call.rawValue) is sent after its deadline") }
                transmit(
                    .call(call, attempt: attempt, record.request, remaining: deadline - now), from: .client(client),
                    to: .broker)
            case .sendCancel(let call): transmit(.cancel(call), from: .client(client), to: .broker)
            case .ping: transmit(.ping, from: .client(client), to: .broker)
            case .complete(let call):
                guard let answer = replyInHand else { return fail("a call completes without a reply") }
                end(client, call, .answered(answer))
            case .fail(let call, let failure): end(client, call, .failed(failure))
            }
        }
    }

    private func end(_ client: Int, _ call: CallID, _ outcome: SimulatedClient.Outcome) {
        let index = Int(call.rawValue)
        let record = clients[client].calls[index]
        if let known = record.outcome { fail("call \(index) of client \(client) ends twice: \(known), \(outcome)") }
        if now > record.deadline { fail("call \(index) of client \(client) ends after its deadline") }
        if case .answered(.result(let tag)) = outcome, tag != Packet.solve(record.request.tag) {
            fail("call \(index) of client \(client) got the result of another call")
        }
        clients[client].calls[index].outcome = outcome
        clients[client].calls[index].ended = now
    }
}
