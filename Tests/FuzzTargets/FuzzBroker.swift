import SinewCore

/// Bytes as events: two clients, three workers, two models, and whatever tokens come. The first invariant that breaks traps.
func fuzzBroker(_ bytes: [UInt8]) {
    var bench = FuzzedBroker()
    var position = 0
    while position + 3 <= bytes.count {
        bench.step(bytes[position], bytes[position + 1], bytes[position + 2])
        position += 3
    }
}

private struct FuzzedBroker {
    private var machine: BrokerStateMachine
    private var now = Instant(nanoseconds: 1_000_000_000)
    private var actions: [BrokerStateMachine.Action] = []
    /// Every lease ever given, so that stale ones can be played back.
    private var leases: [(LeaseToken, WorkerID)] = []
    private var held: Set<TaskID> = []
    private var calls: UInt64 = 0
    private var isStopped = false

    init() {
        var limits = Limits()
        limits.queuedCallsMax = 8
        limits.callsPerClientMax = 6
        machine = BrokerStateMachine(limits: limits)
    }

    mutating func step(_ operation: UInt8, _ first: UInt8, _ second: UInt8) {
        guard !isStopped, let event = event(operation, first, second) else { return }
        machine.handle(event, at: now, into: &actions)
        for action in actions { note(action) }
        actions.removeAll(keepingCapacity: true)
        if let violated = machine.violatedInvariant { preconditionFailure(violated) }
        precondition(machine.callsHeld == held.count, "payloads and tasks differ")
    }

    private mutating func event(_ operation: UInt8, _ first: UInt8, _ second: UInt8) -> BrokerStateMachine.Event? {
        let client = ClientID(rawValue: UInt64(first % 2))
        let worker = WorkerID(rawValue: UInt64(first % 3))
        switch operation % 14 {
        case 0, 1:
            calls += 1
            return .called(
                .init(
                    client: client, id: CallID(rawValue: calls), attempt: 1, model: model(second),
                    items: Int(second % 7), payloadBytes: Int(second), deadline: now + .milliseconds(Int(first) * 20),
                    priority: second % 9, tenant: TenantID(second % 2 == 0 ? "a" : "b")))
        case 2: return .cancelled(client, CallID(rawValue: calls - UInt64(Swift.min(UInt64(second % 8), calls))))
        case 3: return .clientGone(client)
        case 4:
            let models = second % 3 == 0 ? [model(0), model(1)] : [model(second)]
            return .workerIntroduced(
                worker, .init(incarnation: UInt64(second % 4), models: models, creditItems: Int(second % 11)))
        case 5: return .workerBeat(worker, holding: nil)
        case 6: return .workerBeat(worker, holding: leases.suffix(Int(second % 5)).map(\.0))
        case 7: return .workerSaidGoodbye(worker)
        case 8: return token(second).map { .resulted($0.1, $0.0) }
        case 9: return token(second).map { .resulted(worker, $0.0) }
        case 10: return token(second).map { .returned($0.1, $0.0) }
        case 11: return token(second).map { .undeliverable($0.1, $0.0) }
        case 12:
            now = now + .milliseconds(Int(first) * Int(second))
            return .ticked
        default:
            if first < 8 { return .drainRequested(until: now + .milliseconds(Int(second))) }
            return first % 2 == 0 ? .workerDrainRequested(worker) : .stalled(.milliseconds(Int(second)))
        }
    }

    private func model(_ byte: UInt8) -> ModelKey { ModelKey(byte % 2 == 0 ? "niki" : "hybrik") }

    private func token(_ byte: UInt8) -> (LeaseToken, WorkerID)? {
        if byte == 255 { return (LeaseToken(rawValue: .max), WorkerID(rawValue: 1)) }
        return leases.isEmpty ? nil : leases[leases.count - 1 - Int(byte) % leases.count]
    }

    private mutating func note(_ action: BrokerStateMachine.Action) {
        switch action {
        case .admit(let task): precondition(held.insert(task).inserted, "a task number is used twice")
        case .deliver(let task, _, _, _), .abort(let task, _, _, _, _), .discard(let task):
            precondition(held.remove(task) != nil, "a task ends twice")
        case .dispatch(let task, let token, let worker, _, let deadline):
            precondition(held.contains(task) && deadline > now, "dispatched what is gone or expired")
            leases.append((token, worker))
        case .stop:
            precondition(held.isEmpty, "stopped with calls in hand")
            isStopped = true
        case .reject, .noteDeaths, .withdraw, .welcome, .refuse, .askForHello, .drainWorker, .forget, .announceDrain:
            break
        }
    }
}
