import DequeModule

/// Decides what the broker does and does none of it: no socket, clock, thread or random number.
///
/// A task (an admitted call) is *queued*, *leased* or gone. A worker is *ready*, *leaving* or forgotten. The broker is
/// *serving*, *draining* or *stopped*. `proto/STATES.md` lists states × events, and a test walks that table.
///
/// Promises, checked after every step of the simulator:
/// 1. A call is answered once, by `deliver`, `abort` or `reject`, unless its client cancelled it or went away.
/// 2. One lease of a task is valid, or two while it is a straggler; whatever carries another token changes nothing, and the first
///    result ends both.
/// 3. The tasks of a worker that was silent for `workerSilenceMax` run again elsewhere.
/// 4. Queues, payload bytes and credits stay within `Limits`.
/// 5. Nothing whose deadline passed is dispatched.
/// 6. A worker that drains costs a task no attempt.
///
/// Cost of an event: O(log n) in tasks, plus O(workers) for each dispatched task.
package struct BrokerStateMachine: Sendable {
    /// What a driver reads from the head of a call.
    package struct Call: Equatable, Sendable {
        package var client: ClientID
        package var id: CallID
        package var attempt: Int
        package var model: ModelKey
        package var items: Int
        package var payloadBytes: Int
        /// Nil when the client stated none; the broker then sets `deadlineDefault`.
        package var deadline: Instant?
        /// 0 is normal; each step up to 7 doubles the share.
        package var priority: UInt8
        package var tenant: TenantID
        /// Workers that died with it before it came here.
        package var deaths: Int

        package init(
            client: ClientID, id: CallID, attempt: Int, model: ModelKey, items: Int, payloadBytes: Int,
            deadline: Instant?, priority: UInt8 = 0, tenant: TenantID = TenantID(""), deaths: Int = 0
        ) {
            self.client = client
            self.id = id
            self.attempt = attempt
            self.model = model
            self.items = items
            self.payloadBytes = payloadBytes
            self.deadline = deadline
            self.priority = priority
            self.tenant = tenant
            self.deaths = deaths
        }
    }

    /// What a driver reads from the hello of a worker.
    package struct WorkerIntroduction: Equatable, Sendable {
        /// Another number for each process, so that a restarted worker with an old routing id is seen.
        package var incarnation: UInt64
        /// The model keys it answers to, `name` and `name/version` both.
        package var models: [ModelKey]
        package var creditItems: Int

        package init(incarnation: UInt64, models: [ModelKey], creditItems: Int) {
            self.incarnation = incarnation
            self.models = models
            self.creditItems = creditItems
        }
    }

    package enum Event: Equatable, Sendable {
        case called(Call)
        case cancelled(ClientID, CallID)
        /// The driver could not send to the client: its connection is gone.
        case clientGone(ClientID)
        case workerIntroduced(WorkerID, WorkerIntroduction)
        /// `holding` names the leases the worker has; nil when it does not say, then all are believed.
        case workerBeat(WorkerID, holding: [LeaseToken]?)
        /// The worker takes no more work. Leases it holds stay valid until answered, returned, or it falls silent.
        case workerSaidGoodbye(WorkerID)
        /// The driver could not send this lease to the worker: its connection is gone.
        case undeliverable(WorkerID, LeaseToken)
        /// The answer of a worker, success or error; the driver keeps it until it has performed the actions.
        case resulted(WorkerID, LeaseToken)
        /// The worker gives a lease back without having started it; it drains.
        case returned(WorkerID, LeaseToken)
        /// An operator wants this worker to finish and leave.
        case workerDrainRequested(WorkerID)
        case drainRequested(until: Instant)
        /// The driver itself stood still for so long (a suspended process, an overloaded machine) that the workers'
        /// messages wait unread: their silence is ours, and they get this time on top.
        case stalled(Duration)
        case ticked
    }

    /// `admit`, `reject` and `deliver` concern the message in hand; every `admit` is followed, sooner or later, by
    /// exactly one of `deliver`, `abort`, `discard` for that task, and then its payload is released.
    package enum Action: Equatable, Sendable {
        /// Keep the payload of the call in hand.
        case admit(TaskID)
        /// Answer the call in hand with an error; nothing was kept.
        case reject(ClientID, CallID, attempt: Int, RejectionReason)
        /// Send the kept payload; `attempt` counts the leases of the task from 1.
        case dispatch(TaskID, LeaseToken, to: WorkerID, attempt: Int, deadline: Instant)
        /// Forward the result in hand to the client; release the task's payload.
        case deliver(TaskID, to: ClientID, CallID, attempt: Int)
        /// Answer the call with an error; release the task's payload.
        case abort(TaskID, to: ClientID, CallID, attempt: Int, RejectionReason)
        /// Nobody waits for an answer; release the task's payload.
        case discard(TaskID)
        /// A worker died with a task of a job in hand, so many by now. Never seen by a driver.
        case noteDeaths(CallID, Int)
        /// Tell the worker that the lease is void.
        case withdraw(TaskID, LeaseToken, from: WorkerID)
        case welcome(WorkerID)
        /// The hello breaks a limit; the worker is not taken in.
        case refuse(WorkerID, WorkerRefusal)
        /// Somebody unknown speaks as a worker: let it introduce itself.
        case askForHello(WorkerID)
        /// Tell the worker to finish and leave.
        case drainWorker(WorkerID)
        /// The worker is no longer known; the driver forgets its address and description.
        case forget(WorkerID, WorkerLoss)
        /// Tell every known client that no new calls are taken.
        case announceDrain
        /// The drain is complete; the driver may close its sockets.
        case stop
    }

    package enum WorkerRefusal: Equatable, Sendable {
        case tooManyWorkers(max: Int)
        case tooManyModels(max: Int)
        case noModels
        case stopped
    }

    package enum WorkerLoss: Equatable, Sendable {
        case silent
        case disconnected
        case restarted
        case saidGoodbye
    }

    enum Lifecycle: Equatable {
        case serving
        case draining(until: Instant)
        case stopped
    }

    let limits: Limits
    var lifecycle = Lifecycle.serving
    var tasks = TaskTable()
    var queues: [ModelQueue] = []
    var queueOfModel: [ModelKey: Int] = [:]
    var workers: [BrokerWorker?] = []
    var freeWorkerSlots: [Int] = []
    var slotOfWorker: [WorkerID: Int] = [:]
    /// When each worker's silence becomes its death.
    var silences = IndexedHeap<Instant>()
    var deadlines = IndexedHeap<Instant>()
    /// When a leased task has run for much longer than expected.
    var stragglers = IndexedHeap<Instant>()
    /// Of task numbers.
    var nextSequence: UInt64 = 1
    /// Of lease tokens. A worker may outlive the broker, so no later one may give a number that this one gave.
    package internal(set) var nextLease: UInt64
    /// No lease is given from here on: the number is not reserved yet.
    package var leaseLimit: UInt64
    /// Grows whenever a worker becomes ready or ceases to be.
    package internal(set) var fleetVersion = 0

    package var counts = Counts()

    /// - Parameters:
    ///   - firstLease: larger than every sequence number of a lease that an earlier broker gave to workers which may still live;
    ///     a broker that cannot know draws it at random.
    ///   - leaseLimit: the first sequence number that is not reserved.
    package init(limits: Limits, firstLease: UInt64 = 1, leaseLimit: UInt64 = .max) {
        if let violated = limits.violatedRelation { preconditionFailure(violated) }
        precondition(limits.queuedCallsMax < SlotNumber.slotsMax / 2, "queuedCallsMax does not fit in a task number")
        self.limits = limits
        nextLease = firstLease
        self.leaseLimit = leaseLimit
    }

    /// When `handle(.ticked)` has something to do next; nil when only an event can.
    package var nextDeadline: Instant? {
        var next: Instant?
        for candidate in [deadlines.min?.key, silences.min?.key, stragglers.min?.key] {
            if let candidate { next = next.map { Swift.min($0, candidate) } ?? candidate }
        }
        switch lifecycle {
        case .draining(let until): return next.map { Swift.min($0, until) } ?? until
        case .serving, .stopped: return next
        }
    }

    package mutating func handle(_ event: Event, at now: Instant, into actions: inout [Action]) {
        if case .stalled(let duration) = event { extendSilences(by: duration) }
        // Time first: a lease or a call that has run out must not be saved by the event that finds it.
        expireCalls(at: now, into: &actions)
        forgetSilentWorkers(at: now, except: event.speaker, into: &actions)
        switch event {
        case .called(let call): admit(call, at: now, into: &actions)
        case .cancelled(let client, let call): cancel(client, call, at: now, into: &actions)
        case .clientGone(let client): forgetClient(client, at: now, into: &actions)
        case .workerIntroduced(let worker, let introduction):
            introduce(worker, introduction, at: now, into: &actions)
        case .workerBeat(let worker, let holding): beat(worker, holding: holding, at: now, into: &actions)
        case .workerSaidGoodbye(let worker): sayGoodbye(worker, at: now, into: &actions)
        case .undeliverable(let worker, let lease): disconnect(worker, unsent: lease, at: now, into: &actions)
        case .resulted(let worker, let lease): settle(worker, lease, at: now, into: &actions)
        case .returned(let worker, let lease): takeBack(worker, lease, at: now, into: &actions)
        case .workerDrainRequested(let worker): drainWorker(worker, into: &actions)
        case .drainRequested(let until): drain(until: until, into: &actions)
        case .stalled, .ticked: break
        }
        dispatch(at: now, into: &actions)
        hedgeStragglers(at: now, into: &actions)
        finishDrain(at: now, into: &actions)
    }
}

extension BrokerStateMachine.Event {
    /// The worker whose message this is: it has just proved that it lives.
    var speaker: WorkerID? {
        switch self {
        case .workerIntroduced(let worker, _), .workerBeat(let worker, _), .workerSaidGoodbye(let worker),
            .resulted(let worker, _), .returned(let worker, _):
            worker
        case .called, .cancelled, .clientGone, .undeliverable, .workerDrainRequested, .drainRequested, .stalled,
            .ticked:
            nil
        }
    }
}
