import SinewCore

/// A broker process around the broker's machines, as `SinewBroker` is one, and the checks on what they decide.
final class SimulatedBroker {
    /// What a task in the dispatcher is.
    struct Held {
        let request: Packet.Request
        /// Nil: a call.
        let job: JobTaskID?
    }

    struct Lease {
        let token: LeaseToken
        let worker: WorkerID
        var isVoid = false
    }

    enum DiskWork {
        case open
        case commit(CommitTicket, [SimulatedDisk.Write])
        case load(JobTaskID)
        case read(JobRequestID, JobResultsRead)
    }

    var core: JobsAndCalls
    let incarnation: UInt64
    /// Payloads in the dispatcher: each is released exactly once.
    var held: [TaskID: Held] = [:]
    /// Every lease given for a task that is still held.
    var leases: [TaskID: [Lease]] = [:]
    var hasStopped = false

    /// What the store's thread has to do, in order.
    var diskWork: [DiskWork] = []
    var isDiskBusy = false
    /// Grows when the store is opened anew: what was under way then is void.
    var opening: UInt64 = 0
    var writing: [SimulatedDisk.Write] = []
    /// Groups that the store refused, until they are written again or dropped.
    var kept: [CommitTicket: [SimulatedDisk.Write]] = [:]
    var requests: [JobRequestID: (submitter: Int, number: UInt64, ask: Packet.JobAsk)] = [:]
    var nextRequest: UInt64 = 1

    init(core: JobsAndCalls, incarnation: UInt64) {
        self.core = core
        self.incarnation = incarnation
    }

    var machine: BrokerStateMachine { core.calls }
}

extension Simulation {
    func startBroker() {
        incarnations += 1
        broker = SimulatedBroker(core: JobsAndCalls(limits: limits), incarnation: incarnations)
        broker?.diskWork = [.open]
        startDisk()
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
            requestInHand = .init(request: request, job: nil)
            feedBroker(.calls(.called(call)))
            requestInHand = nil
        case (.client(let client), .cancel(let id)):
            feedBroker(.calls(.cancelled(ClientID(rawValue: UInt64(client)), id)))
        case (.client(let client), .ping):
            transmit(.pong(incarnation: broker?.incarnation ?? 0), from: .broker, to: .client(client))
        case (.submitter(let submitter), .ask(let number, let ask)): take(ask, number, of: submitter)
        case (.worker(let worker), .hello(let introduction)):
            feedBroker(.calls(.workerIntroduced(WorkerID(rawValue: worker), introduction)))
        case (.worker(let worker), .beat(let holding)):
            feedBroker(.calls(.workerBeat(WorkerID(rawValue: worker), holding: holding)))
        case (.worker(let worker), .result(let lease, let tag, let status)):
            take(lease, tag, status, from: WorkerID(rawValue: worker))
        case (.worker(let worker), .returned(let lease)):
            for task in broker?.leases.keys.filter({ $0.slot == lease.slot }) ?? [] { void(lease, of: task) }
            feedBroker(.calls(.returned(WorkerID(rawValue: worker), lease)))
        case (.worker(let worker), .goodbye): feedBroker(.calls(.workerSaidGoodbye(WorkerID(rawValue: worker))))
        case (.client, _), (.worker, _), (.submitter, _), (.broker, _):
            fail("the broker was sent \(packet) by \(sender)")
        }
    }

    private func take(_ lease: LeaseToken, _ tag: UInt64, _ status: UInt8, from worker: WorkerID) {
        var (lease, worker) = (lease, worker)
        resultInHand = (lease, tag)
        if trustsEveryToken, let holder = broker?.machine.holder(inSlotOf: lease) { (worker, lease) = holder }
        feedBroker(.resulted(worker, lease, status: status, bytes: 8))
        resultInHand = nil
    }

    func feedBroker(_ event: JobsAndCalls.Event) {
        var events = [event]
        while let event = events.popLast() {
            var actions: [JobsAndCalls.Action] = []
            broker?.core.handle(event, at: now, wall: wall, into: &actions)
            if Self.isTracing { print("\(now - start) \(event)\n    \(actions)") }
            for action in actions {
                // It may die between any two things it does.
                if crashAfterActions == 0 { return crashBroker() }
                if crashAfterActions != nil { crashAfterActions? -= 1 }
                switch action {
                case .calls(let action): perform(action, &events)
                case .jobs(let action): perform(action)
                }
            }
        }
        if let violated = broker?.core.calls.violatedInvariant { fail(violated) }
        if let violated = broker?.core.jobs.violatedInvariant { fail(violated) }
        if let violated = violatedBound { fail(violated) }
    }

    /// What the broker holds is bounded.
    private var violatedBound: String? {
        guard let broker else { return nil }
        let counts = broker.machine.counts
        // What comes back from a lost worker is not refused, so the queue may pass its limit by what was leased.
        if broker.held.count != broker.machine.callsHeld {
            return "\(broker.held.count) payloads are held for \(broker.machine.callsHeld) tasks"
        }
        if counts.queuedJobTasks > limits.jobTasksOfferedMax { return "\(counts.queuedJobTasks) tasks of jobs wait" }
        if broker.core.jobs.isQuiet && broker.requests.count > broker.core.jobs.totals.requestsWaiting + reads {
            return "\(broker.requests.count) requests are kept and nobody works on them"
        }
        return nil
    }

    private var reads: Int {
        broker?.diskWork.count { if case .read = $0 { true } else { false } } ?? 0
    }

    private func perform(_ action: BrokerStateMachine.Action, _ followUps: inout [JobsAndCalls.Event]) {
        if broker?.hasStopped == true { fail("a stopped broker acts: \(action)") }
        switch action {
        case .admit(let task):
            guard let request = requestInHand else { return fail("admitted a call not in hand") }
            if broker?.held.updateValue(request, forKey: task) != nil { fail("a task number is used twice") }
            let counts = broker?.machine.counts
            if let counts, request.job == nil, counts.queuedCalls - counts.queuedJobTasks > limits.queuedCallsMax {
                fail("the queue passed its limit")
            }
        case .reject(let client, let call, let attempt, let reason):
            answer(client, call, attempt, .error(reason))
        case .dispatch(let task, let lease, let worker, _, let deadline):
            dispatch(task, lease, to: worker, deadline: deadline, &followUps)
        case .deliver(let task, let client, let call, let attempt):
            guard let result = resultInHand else { return fail("delivered no result in hand") }
            check(result.lease, isLeaseOf: task)
            if let held = broker?.held[task], result.tag != Packet.solve(held.request.tag) {
                fail("a call gets the result of another one")
            }
            release(task)
            answer(client, call, attempt, .result(tag: result.tag))
        case .abort(let task, let client, let call, let attempt, let reason):
            release(task)
            answer(client, call, attempt, .error(reason))
        case .discard(let task): release(task)
        case .noteDeaths: fail("the driver is told \(action)")
        case .withdraw(let task, let lease, let worker):
            void(lease, of: task)
            transmit(.cancelTask(lease), from: .broker, to: .worker(worker.rawValue))
        case .welcome(let worker): transmit(.welcome, from: .broker, to: .worker(worker.rawValue))
        case .askForHello(let worker): transmit(.helloAgain, from: .broker, to: .worker(worker.rawValue))
        case .refuse(let worker, let refusal): fail("worker \(worker.rawValue) was refused: \(refusal)")
        case .drainWorker: break
        case .forget(let worker, _): voidLeases(of: worker)
        case .announceDrain:
            for client in clients.indices { transmit(.goingAway, from: .broker, to: .client(client)) }
        case .stop:
            broker?.hasStopped = true
            if broker?.held.isEmpty == false { fail("the broker stopped with calls in hand") }
        }
    }

    private func answer(_ client: ClientID, _ call: CallID, _ attempt: Int, _ answer: Packet.Answer) {
        if client == .jobs { return fail("a task of a job is answered to a socket") }
        transmit(.reply(call, attempt: attempt, answer), from: .broker, to: .client(Int(client.rawValue)))
    }

    private func dispatch(
        _ task: TaskID, _ lease: LeaseToken, to worker: WorkerID, deadline: Instant,
        _ followUps: inout [JobsAndCalls.Event]
    ) {
        guard let held = broker?.held[task] else { return fail("dispatched a task that is not held") }
        if deadline <= now { fail("an expired task was dispatched") }
        if let job = held.job {
            switch disk[job.job]?.record.state {
            case .open, .sealed: break
            case .finished, .cancelled, .expired, nil: fail("a task is dispatched whose job has ended")
            }
        }
        if !tokensGiven.insert(lease).inserted { fail("a lease token is given twice, by whatever broker") }
        broker?.leases[task, default: []].append(.init(token: lease, worker: worker))
        let valid = broker?.leases[task]?.filter { broker?.machine.isValid($0.token) == true } ?? []
        if valid.count > 2 { fail("a task has \(valid.count) valid leases") }
        // A dead worker's address is sometimes known to be gone and sometimes not, as TCP has it.
        let isAlive = workers.contains { $0?.connection == worker.rawValue }
        if !isAlive && Bool.random(using: &random) {
            followUps.append(.calls(.undeliverable(worker, lease)))
        } else {
            transmit(.task(lease, held.request, remaining: deadline - now), from: .broker, to: .worker(worker.rawValue))
        }
    }

    /// A result may only end a task under a lease of this very task that was not withdrawn, returned, unsendable, or in the hands of
    /// a worker that was forgotten since.
    func check(_ lease: LeaseToken, isLeaseOf task: TaskID) {
        guard let given = broker?.leases[task], let place = given.firstIndex(where: { $0.token == lease }) else {
            return fail("the result of another task's lease was accepted")
        }
        if given[place].isVoid { fail("a result was accepted under a lease that was withdrawn") }
    }

    /// Whatever a worker held when it was forgotten runs again elsewhere.
    private func voidLeases(of worker: WorkerID) {
        guard let tasks = broker?.leases.keys else { return }
        // Every task is treated alike, so their order decides nothing.
        for task in tasks {
            guard let given = broker?.leases[task] else { continue }
            for place in given.indices where given[place].worker == worker {
                broker?.leases[task]?[place].isVoid = true
            }
        }
    }

    private func void(_ lease: LeaseToken, of task: TaskID) {
        guard let place = broker?.leases[task]?.firstIndex(where: { $0.token == lease }) else { return }
        broker?.leases[task]?[place].isVoid = true
    }

    func release(_ task: TaskID) {
        if broker?.held.removeValue(forKey: task) == nil { fail("a task was answered twice") }
        broker?.leases[task] = nil
    }
}
