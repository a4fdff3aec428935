import SinewCore
import Testing

/// Walks the tables of `proto/STATES.md` cell by cell.
@Suite struct StateTableTests {
    // MARK: Broker: a call

    enum CallState: String, CaseIterable {
        case queued, leased, gone
    }

    enum CallEvent: String, CaseIterable {
        case calledAgain = "the same call again"
        case cancelled = "cancel"
        case clientGone = "client gone"
        case result = "result under its last lease"
        case returned = "lease returned"
        case beatNaming = "beat that names it"
        case leaseLost = "beats without it for `leaseDuration`"
        case goodbye = "goodbye of its worker"
        case silence = "its worker silent"
        case undeliverable = "cannot be sent"
        case hello = "hello of another worker"
        case deadline = "deadline"
        case drain = "drain"
        case drainOver = "drain time over"
    }

    @Test func `a call does in every state what the document says`() throws {
        try StateTable("Broker: a call").walk(states: CallState.self, events: CallEvent.self) { state, event in
            var bench = BrokerBench()
            let worker = WorkerID(rawValue: 1)
            let deadline = BrokerBench.at(event == .deadline ? 2_000 : 60_000)
            bench.hello(1)
            bench.call(1, deadline: deadline)
            switch state {
            case .queued: bench.handle(.returned(worker, bench.token(1)))
            case .leased: break
            case .gone: bench.answer(1)
            }
            let actions = happen(event, &bench, worker, deadline)
            let next: CallState =
                bench.machine.callsHeld == 0 ? .gone : bench.machine.counts.queuedCalls == 1 ? .queued : .leased
            #expect(bench.machine.violatedInvariant == nil)
            return .cell(actions.map(\.name), next: next.rawValue)
        }
    }

    private func happen(
        _ event: CallEvent, _ bench: inout BrokerBench, _ worker: WorkerID, _ deadline: Instant
    ) -> [BrokerStateMachine.Action] {
        switch event {
        case .calledAgain: return bench.call(1, deadline: deadline)
        case .cancelled: return bench.handle(.cancelled(ClientID(rawValue: 1), CallID(rawValue: 1)))
        case .clientGone: return bench.handle(.clientGone(ClientID(rawValue: 1)))
        case .result: return bench.handle(.resulted(worker, bench.token(1)))
        case .returned: return bench.handle(.returned(worker, bench.token(1)))
        case .beatNaming: return bench.handle(.workerBeat(worker, holding: [bench.token(1)]))
        case .leaseLost:
            var actions: [BrokerStateMachine.Action] = []
            for _ in 1...5 {
                bench.pass(1_000)
                actions += bench.handle(.workerBeat(worker, holding: []))
            }
            return actions
        case .goodbye: return bench.handle(.workerSaidGoodbye(worker))
        case .silence:
            bench.pass(3_000)
            return bench.handle(.ticked)
        case .undeliverable: return bench.handle(.undeliverable(worker, bench.token(1)))
        case .hello: return bench.hello(2)
        case .deadline:
            bench.pass(2_000)
            return bench.handle(.ticked)
        case .drain: return bench.handle(.drainRequested(until: BrokerBench.at(1_000)))
        case .drainOver:
            let actions = bench.handle(.drainRequested(until: BrokerBench.at(1_000)))
            bench.pass(1_000)
            return actions + bench.handle(.ticked)
        }
    }

    // MARK: Broker: a worker

    enum WorkerState: String, CaseIterable {
        case unknown, ready, leaving
    }

    enum WorkerEvent: String, CaseIterable {
        case hello = "hello"
        case restarted = "hello of another incarnation"
        case beat = "beat"
        case staleResult = "result under no valid lease"
        case returned = "return of no valid lease"
        case goodbye = "goodbye"
        case silence = "silence"
        case drained = "operator drains it"
        case call = "call for its model"
    }

    @Test func `a worker does in every state what the document says`() throws {
        try StateTable("Broker: a worker").walk(states: WorkerState.self, events: WorkerEvent.self) { state, event in
            var bench = BrokerBench()
            let worker = WorkerID(rawValue: 1)
            switch state {
            case .unknown: break
            case .ready: bench.hello(1)
            case .leaving:
                bench.hello(1)
                bench.handle(.returned(worker, LeaseToken(rawValue: 0)))
            }
            let actions = happen(event, &bench, worker)
            let status = bench.machine.workerStatuses.first { $0.id == worker }
            let next: WorkerState = status.map { $0.isLeaving ? .leaving : .ready } ?? .unknown
            return .cell(actions.map(\.name), next: next.rawValue)
        }
    }

    private func happen(
        _ event: WorkerEvent, _ bench: inout BrokerBench, _ worker: WorkerID
    ) -> [BrokerStateMachine.Action] {
        switch event {
        case .hello: return bench.hello(1)
        case .restarted: return bench.hello(1, incarnation: 2)
        case .beat: return bench.handle(.workerBeat(worker, holding: []))
        case .staleResult: return bench.handle(.resulted(worker, LeaseToken(rawValue: 77)))
        case .returned: return bench.handle(.returned(worker, LeaseToken(rawValue: 77)))
        case .goodbye: return bench.handle(.workerSaidGoodbye(worker))
        case .silence:
            bench.pass(3_000)
            return bench.handle(.ticked)
        case .drained: return bench.handle(.workerDrainRequested(worker))
        case .call: return bench.call(1)
        }
    }

    // MARK: Broker: its life

    enum BrokerState: String, CaseIterable {
        case serving, draining, stopped
    }

    enum BrokerEvent: String, CaseIterable {
        case call = "call"
        case hello = "hello"
        case drain = "drain"
        case lastResult = "last result"
        case timeOver = "drain time over"
    }

    @Test func `a broker does in every state what the document says`() throws {
        try StateTable("Broker: its life").walk(states: BrokerState.self, events: BrokerEvent.self) { state, event in
            var bench = BrokerBench()
            bench.hello(1)
            if state != .stopped { bench.call(1, deadline: BrokerBench.at(60_000)) }
            if state != .serving { bench.handle(.drainRequested(until: BrokerBench.at(1_000))) }
            let actions: [BrokerStateMachine.Action]
            switch event {
            case .call: actions = bench.call(2)
            case .hello: actions = bench.hello(2)
            case .drain: actions = bench.handle(.drainRequested(until: BrokerBench.at(1_000)))
            case .lastResult: actions = bench.answer(1)
            case .timeOver:
                bench.pass(1_000)
                actions = bench.handle(.ticked)
            }
            let isStopped = state == .stopped || actions.contains(.stop)
            let next: BrokerState = isStopped ? .stopped : bench.machine.isDraining ? .draining : .serving
            return .cell(actions.map(\.name), next: next.rawValue)
        }
    }

    // MARK: Worker: a task

    enum TaskState: String, CaseIterable {
        case unknown, waiting, running, cancelled
    }

    enum TaskEvent: String, CaseIterable {
        case arrived = "task"
        case cancelled = "cancelTask"
        case batchFinished = "its batch is done"
        case threadFree = "a thread is free"
        case drain = "drain"
    }

    @Test func `a task does in every state of a worker what the document says`() throws {
        try StateTable("Worker: a task").walk(states: TaskState.self, events: TaskEvent.self) { state, event in
            let niki = ModelKey("niki/1")
            var machine = BatchingStateMachine(
                models: [.init(key: niki, batchItemsMax: 8)], computeThreads: 1, limits: Limits())
            let lease = LeaseToken(rawValue: 5)
            func feed(_ events: BatchingStateMachine.Event...) -> [String] {
                var actions: [BatchingStateMachine.Action] = []
                for event in events { machine.handle(event, at: BrokerBench.start, into: &actions) }
                return actions.map(\.name)
            }
            let arrival = BatchingStateMachine.Event.taskArrived(lease, model: niki, items: 1, deadline: nil)
            // Another task keeps the only thread busy where this one must wait.
            let other = BatchingStateMachine.Event.taskArrived(
                LeaseToken(rawValue: 1), model: niki, items: 1, deadline: nil)
            switch state {
            case .unknown: break
            case .waiting: _ = feed(other, arrival)
            case .running: _ = feed(arrival)
            case .cancelled: _ = feed(arrival, .cancelled(lease))
            }
            let actions: [String]
            switch event {
            case .arrived: actions = feed(arrival)
            case .cancelled: actions = feed(.cancelled(lease))
            case .batchFinished:
                switch state {
                case .unknown, .waiting: return "does not happen"
                case .running, .cancelled: actions = feed(.batchFinished(BatchID(rawValue: 1)))
                }
            case .threadFree:
                switch state {
                case .unknown, .running, .cancelled: return "does not happen"
                case .waiting: actions = feed(.batchFinished(BatchID(rawValue: 1))).filter { $0 != "reply" }
                }
            case .drain: actions = feed(.drainRequested)
            }
            let held = machine.heldLeases.contains(lease)
            let next: TaskState =
                held
                ? (machine.queuedItems > 0 ? .waiting : .running)
                : (machine.runningItems > 0 && state != .waiting ? .cancelled : .unknown)
            return .cell(actions, next: next.rawValue)
        }
    }
}
