import SinewCore

/// Drives one broker machine by hand and remembers which lease each task has.
struct BrokerBench {
    typealias Machine = BrokerStateMachine

    static let niki = ModelKey("niki")
    static let start = Instant(nanoseconds: 1_000_000_000)

    var machine: Machine
    var now = BrokerBench.start
    /// The last lease that was dispatched for each call.
    var leases: [CallID: (token: LeaseToken, worker: WorkerID, task: TaskID, attempt: Int)] = [:]
    private var callOfTask: [TaskID: CallID] = [:]
    private var callInHand: CallID?

    init(_ limits: Limits = Limits()) { machine = Machine(limits: limits) }

    static func at(_ milliseconds: Int) -> Instant { start + .milliseconds(milliseconds) }

    @discardableResult
    mutating func handle(_ event: Machine.Event) -> [Machine.Action] {
        if case .called(let call) = event { callInHand = call.id }
        var actions: [Machine.Action] = []
        machine.handle(event, at: now, into: &actions)
        for action in actions {
            if case .admit(let task) = action, let call = callInHand { callOfTask[task] = call }
            if case .dispatch(let task, let token, let worker, let attempt, _) = action, let call = callOfTask[task] {
                leases[call] = (token, worker, task, attempt)
            }
        }
        return actions
    }

    @discardableResult
    mutating func call(
        _ id: UInt64, from client: UInt64 = 1, model: ModelKey = niki, items: Int = 1, bytes: Int = 100,
        deadline: Instant? = nil, priority: UInt8 = 0, tenant: String = ""
    ) -> [Machine.Action] {
        handle(
            .called(
                .init(
                    client: ClientID(rawValue: client), id: CallID(rawValue: id), attempt: 1, model: model,
                    items: items, payloadBytes: bytes, deadline: deadline, priority: priority,
                    tenant: TenantID(tenant))))
    }

    @discardableResult
    mutating func hello(
        _ worker: UInt64, models: [ModelKey] = [niki], credit: Int = 1_000, incarnation: UInt64 = 1
    ) -> [Machine.Action] {
        handle(
            .workerIntroduced(
                WorkerID(rawValue: worker), .init(incarnation: incarnation, models: models, creditItems: credit)))
    }

    /// The worker that holds the call's last lease answers it.
    @discardableResult
    mutating func answer(_ id: UInt64) -> [Machine.Action] {
        guard let lease = leases[CallID(rawValue: id)] else { return [] }
        return handle(.resulted(lease.worker, lease.token))
    }

    /// All workers of the list beat, believing whatever the broker believes.
    mutating func beat(_ workers: UInt64...) {
        for worker in workers { handle(.workerBeat(WorkerID(rawValue: worker), holding: nil)) }
    }

    mutating func pass(_ milliseconds: Int) { now = now + .milliseconds(milliseconds) }

    func holder(_ id: UInt64) -> UInt64? { leases[CallID(rawValue: id)]?.worker.rawValue }
    func token(_ id: UInt64) -> LeaseToken { leases[CallID(rawValue: id)]?.token ?? LeaseToken(rawValue: 0) }
}

extension [BrokerStateMachine.Action] {
    var dispatches: Int {
        count {
            if case .dispatch = $0 { true } else { false }
        }
    }

    /// The reasons of all answers that are errors.
    var rejections: [RejectionReason] {
        compactMap {
            switch $0 {
            case .reject(_, _, _, let reason), .abort(_, _, _, _, let reason): reason
            case .admit, .dispatch, .deliver, .discard, .noteDeaths, .withdraw, .welcome, .refuse, .askForHello,
                .drainWorker, .forget, .announceDrain, .stop:
                nil
            }
        }
    }

    /// The calls answered with a result.
    var delivered: [UInt64] {
        compactMap {
            if case .deliver(_, _, let call, _) = $0 { call.rawValue } else { nil }
        }
    }
}
