/// The broker's two state machines together: calls and workers (``BrokerStateMachine``), and durable jobs (``JobStateMachine``).
///
/// Tasks of jobs are calls of the client ``ClientID/jobs``; what the dispatcher decides about them goes to the job machine and
/// never to a driver. A driver, and the simulator, see one machine: they tell it events and carry out its actions in their order.
package struct JobsAndCalls: Sendable {
    package enum Event: Equatable, Sendable {
        /// Anything but `resulted` and `ticked`.
        case calls(BrokerStateMachine.Event)
        /// The answer of a worker, success or error; the driver keeps it until it has performed the actions. `bytes`: of its payload.
        case resulted(WorkerID, LeaseToken, status: UInt8, bytes: Int)
        /// Requests, and answers of the store.
        case jobs(JobStateMachine.Event)
        case ticked
    }

    package enum Action: Equatable, Sendable {
        /// Never `noteDeaths`, nor `deliver`, `abort` or `reject` of the client ``ClientID/jobs``: its payloads are released by `discard`. An `admit`
        /// in the actions of `loaded` is for the payload that was loaded.
        case calls(BrokerStateMachine.Action)
        /// Never `offer`, `withdraw` or `leasesReserved`.
        case jobs(JobStateMachine.Action)
    }

    package private(set) var calls: BrokerStateMachine
    package private(set) var jobs: JobStateMachine
    private let limits: Limits
    private let hasStore: Bool
    private var fleetSeen = 0
    private var isStopHeldBack = false
    private var isWantingLeases = false
    private var callBuffer: [BrokerStateMachine.Action] = []
    private var jobBuffer: [JobStateMachine.Action] = []

    /// A broker with a store. Until `opened` was told and the first lease numbers are reserved, no task is given to a worker.
    package init(limits: Limits) {
        self.limits = limits
        hasStore = true
        calls = BrokerStateMachine(limits: limits, firstLease: 0, leaseLimit: 0)
        jobs = JobStateMachine(limits: limits)
    }

    /// A broker that keeps no jobs.
    ///
    /// - Parameter firstLease: drawn at random in 1 ..< 2^39, so that a worker of an earlier broker has no valid lease here.
    package init(limits: Limits, firstLease: UInt64) {
        self.limits = limits
        hasStore = false
        calls = BrokerStateMachine(limits: limits, firstLease: firstLease)
        jobs = JobStateMachine(limits: limits)
    }

    /// When `handle(.ticked)` has something to do next; nil when only an event can.
    package var nextDeadline: Instant? {
        guard let job = jobs.nextDeadline else { return calls.nextDeadline }
        return calls.nextDeadline.map { Swift.min($0, job) } ?? job
    }

    package mutating func handle(
        _ event: Event, at now: Instant, wall: WallTime, into actions: inout [Action]
    ) {
        switch event {
        case .calls(.resulted): preconditionFailure("the status of a result is missing")
        case .calls(let event):
            tellCalls(event, now, wall, &actions)
            if case .drainRequested = event { tellJobs(.drainRequested, now, wall, &actions) }
        case .resulted(let worker, let lease, let status, let bytes):
            let result = Result(status: status, bytes: bytes, attempts: calls.attempts(of: lease))
            tellCalls(.resulted(worker, lease), now, wall, &actions, result)
        case .jobs(let event):
            if case .opened(let free) = event, calls.nextLease < free {
                // Token 0 names nothing.
                calls.nextLease = Swift.max(free, 1)
                calls.leaseLimit = free
            }
            tellJobs(event, now, wall, &actions)
        case .ticked:
            tellCalls(.ticked, now, wall, &actions)
            tellJobs(.ticked, now, wall, &actions)
        }
        if calls.fleetVersion != fleetSeen {
            fleetSeen = calls.fleetVersion
            tellJobs(.fleetChanged(calls.modelCredits), now, wall, &actions)
        }
        if hasStore { wantLeases(now, wall, &actions) }
        if isStopHeldBack && jobs.isQuiet {
            isStopHeldBack = false
            actions.append(.calls(.stop))
        }
    }

    private struct Result {
        let status: UInt8
        let bytes: Int
        let attempts: Int
    }

    private mutating func tellCalls(
        _ event: BrokerStateMachine.Event, _ now: Instant, _ wall: WallTime, _ actions: inout [Action],
        _ result: Result? = nil
    ) {
        // The buffer is reused; a call from within finds it empty and makes its own.
        var decided: [BrokerStateMachine.Action] = []
        swap(&decided, &callBuffer)
        calls.handle(event, at: now, into: &decided)
        // Jobs hear of it when all that was decided stands in the actions: they may take back what is only dispatched further on.
        var news: [News] = []
        for action in decided {
            switch action {
            case .deliver(let task, .jobs, let call, _):
                guard let result else { preconditionFailure("delivered no result in hand") }
                let answer = JobStateMachine.Event.answered(
                    call, status: result.status, attempts: result.attempts, resultBytes: result.bytes)
                news.append(News(event: answer, released: task))
            case .abort(let task, .jobs, let call, _, let reason):
                news.append(News(event: .aborted(call, reason), released: task))
            case .reject(.jobs, let call, _, let reason): news.append(News(event: .aborted(call, reason)))
            case .noteDeaths(let call, let deaths): news.append(News(event: .workerDied(call, deaths: deaths)))
            case .stop: isStopHeldBack = true
            case .admit, .reject, .dispatch, .deliver, .abort, .discard, .withdraw, .welcome, .refuse, .askForHello,
                .drainWorker, .forget, .announceDrain:
                actions.append(.calls(action))
            }
        }
        decided.removeAll(keepingCapacity: true)
        swap(&decided, &callBuffer)
        for item in news {
            tellJobs(item.event, now, wall, &actions)
            if let task = item.released { actions.append(.calls(.discard(task))) }
        }
    }

    /// What the job machine is to hear of, and the task whose payload is released then.
    private struct News {
        var event: JobStateMachine.Event
        var released: TaskID?
    }

    private mutating func tellJobs(
        _ event: JobStateMachine.Event, _ now: Instant, _ wall: WallTime, _ actions: inout [Action]
    ) {
        var decided: [JobStateMachine.Action] = []
        swap(&decided, &jobBuffer)
        jobs.handle(event, at: now, wall: wall, into: &decided)
        for action in decided {
            switch action {
            case .offer(_, let call): tellCalls(.called(call), now, wall, &actions)
            case .withdraw(let call): tellCalls(.cancelled(.jobs, call), now, wall, &actions)
            case .leasesReserved(let limit):
                isWantingLeases = false
                calls.leaseLimit = Swift.max(calls.leaseLimit, limit)
                // Tasks may have waited for the numbers.
                tellCalls(.ticked, now, wall, &actions)
            case .reopen:
                tellCalls(.clientGone(.jobs), now, wall, &actions)
                actions.append(.jobs(action))
            case .write, .commit, .drop, .reply, .readResults, .load: actions.append(.jobs(action))
            }
        }
        decided.removeAll(keepingCapacity: true)
        swap(&decided, &jobBuffer)
    }

    /// The next block is reserved when half of the last one is used, so that no task waits for the disk.
    private mutating func wantLeases(_ now: Instant, _ wall: WallTime, _ actions: inout [Action]) {
        guard jobs.isServing, calls.leaseLimit &- calls.nextLease < limits.leaseSequencesPerBlock / 2 else { return }
        guard !isWantingLeases else { return }
        isWantingLeases = true
        tellJobs(.leasesWanted(upTo: calls.leaseLimit + limits.leaseSequencesPerBlock), now, wall, &actions)
    }

}
