import DequeModule

/// Decides what becomes of durable jobs and does none of it: no disk, clock, thread or random number.
///
/// A task is in exactly one state of ``JobTask/State``; `proto/STATES.md` lists states × events. What a client was told is
/// on disk: a request that changes something is answered when its group of writes was committed. The store does the groups in
/// the order of their tickets, apart from those it refuses; a reader of results therefore meets no hole that is filled later.
///
/// Feeding: for each model about twice the credit of its ready workers is in the dispatcher (``BrokerStateMachine``), chosen in
/// weighted fair order; everything else waits on disk and costs 52 bytes here.
///
/// Cost of an event: O(1) in jobs and tasks, apart from `cancelled` and the end of a time to live (O(tasks under way)),
/// `replayed` (O(tasks of the job)), `listAsked` (O(jobs)) and the feeding (O(tenants × priorities of the model) a task).
package struct JobStateMachine: Sendable {
    package enum Event: Equatable, Sendable {
        // At the start, and after `reopen`: everything that the store has, then `opened`.
        /// `damaged`: tasks whose records do not have their checksum.
        case restored(JobRecord, tasks: [JobTaskRecord], damaged: [Int])
        /// With the first lease number that was never reserved.
        case opened(firstFreeLease: UInt64)

        // Requests, each answered once by `reply` or `readResults`, whatever happens in between.
        case submitted(JobRequestID, TenantID, JobSubmission)
        case appended(JobRequestID, TenantID, JobID, [JobBlock])
        case sealed(JobRequestID, TenantID, JobID, tasks: Int)
        case cancelled(JobRequestID, TenantID, JobID)
        /// No indexes: all tasks that are dead.
        case replayed(JobRequestID, TenantID, JobID, indexes: [Int])
        case statusAsked(JobRequestID, by: ClientID, TenantID, JobID, wait: Duration)
        case resultsAsked(JobRequestID, by: ClientID, TenantID, JobResultsQuery)
        case listAsked(JobRequestID, TenantID, countMax: Int, before: JobID?)
        /// Nobody waits for this answer any more; it is not given.
        case requestDropped(JobRequestID)
        /// All that the client waits for is dropped.
        case clientGone(ClientID)

        // Answers of the store.
        case committed(CommitTicket)
        case commitFailed(CommitTicket, JobStoreFailure)
        case loaded(JobTaskID)
        case loadFailed(JobTaskID, JobStoreFailure)
        case resultDamaged(JobTaskID)
        /// A read failed: the store must be opened anew.
        case storeBroke(String)

        // Of the dispatcher.
        /// A worker's answer, kept by the driver until it has performed the actions.
        case answered(CallID, status: UInt8, attempts: Int, resultBytes: Int)
        case aborted(CallID, RejectionReason)
        /// Its task is given to another worker, or will soon be `aborted`.
        case workerDied(CallID, deaths: Int)
        /// All models with ready workers.
        case fleetChanged([ModelCredit])
        case drainRequested
        /// So many lease numbers must be reserved.
        case leasesWanted(upTo: UInt64)

        case ticked
    }

    package enum Action: Equatable, Sendable {
        /// Adds to the group in the making.
        case write(JobStoreOperation, JobBytes)
        /// The group is whole: give it to the store, and tell `committed` or `commitFailed`. A driver may put several groups
        /// into one transaction, in their order.
        case commit(CommitTicket)
        /// The bytes of a refused group are not needed any more.
        case drop(CommitTicket)
        /// Answers a request; whatever the driver kept of it is released.
        case reply(JobRequestID, JobReply)
        /// Read this, and answer the request with it.
        case readResults(JobRequestID, JobResultsRead)
        /// Read the payload, keep it in hand, and tell `loaded`.
        case load(JobTaskID)
        /// Give the payload in hand to the dispatcher as this call.
        case offer(JobTaskID, BrokerStateMachine.Call)
        /// Take the call back from the dispatcher.
        case withdraw(CallID)
        /// Lease numbers below this one are reserved on disk.
        case leasesReserved(upTo: UInt64)
        /// Close the store, open it, and tell `restored` and `opened`. Groups and reads under way are void.
        case reopen(String)
    }

    /// What the ready workers with a model take at a time.
    package struct ModelCredit: Equatable, Sendable {
        package var model: ModelKey
        package var items: Int
        package init(model: ModelKey, items: Int) {
            self.model = model
            self.items = items
        }
    }

    enum Lifecycle: Equatable, Sendable {
        /// The store is not there; why, in its own words.
        case closed(String)
        case serving
        case draining
    }

    /// A group of writes that the store has not answered.
    struct PendingCommit: Sendable {
        enum Change: Sendable {
            case submit
            case append([Int], bytes: Int, replaced: [Replaced], reopens: Bool)
            case seal(tasks: Int)
            case cancel(at: WallTime)
            case expire(at: WallTime)
            case finish(at: WallTime)
            case remove
            case replay([Int])
            case end(Job.Unwritten, sequence: UInt64)
            /// Failures and deaths of a task; without it on disk, only a broker that dies now forgets them.
            case tries
            /// A damaged task is put in order.
            case repair(Int, sequence: UInt64)
            case reserve(upTo: UInt64)
        }

        let request: JobRequestID?
        let job: Int
        let change: Change
    }

    /// A damaged task that is appended anew, as it was.
    struct Replaced: Sendable {
        let index: Int
        let task: JobTask
    }

    struct TenantUse: Sendable {
        var jobs = 0
        var openTasks = 0
        var bytes = 0
        var isNothing: Bool { jobs == 0 && openTasks == 0 && bytes == 0 }
    }

    struct ContentKey: Hashable, Sendable {
        let tenant: TenantID
        let content: ContentHash
    }

    struct Offer: Sendable {
        let job: Int
        let index: Int
    }

    let limits: Limits
    var lifecycle = Lifecycle.closed("the store is not open yet")
    var jobs: [Job] = []
    var freeJobs: [Int] = []
    var slotOfJob: [JobID: Int] = [:]
    var jobOfContent: [ContentKey: Int] = [:]
    var tenants: [TenantID: TenantUse] = [:]
    /// In order of their ids, for listings.
    var jobsInOrder: [JobID] = []
    /// When a job's next own step is due: the end of its time to live, its removal, or a change to be tried again.
    var wallTimers = IndexedHeap<WallTime>()

    var feeds: [JobFeed] = []
    var freeFeeds: [Int] = []
    var feedOfModel: [ModelKey: Int] = [:]
    /// Those with ready workers, in order of their first job.
    var activeFeeds: [Int] = []
    var credits: [ModelKey: Int] = [:]

    var pending: [CommitTicket: PendingCommit] = [:]
    /// Requests that wait for the change of their job that is under way.
    var deferred: [Int: [Event]] = [:]
    var offers: [CallID: Offer] = [:]
    var callOfTask: [JobTaskID: CallID] = [:]
    var waiters = JobWaiters()
    var backoffs = JobBackoffs()
    /// Jobs with ends that are to be written again.
    var jobsWithUnwritten: [Int] = []
    /// When the disk is tried again; nil while it takes what it is given.
    var retryAt: Instant?

    /// Tasks whose records on disk are damaged and must be put in order.
    var damagedTasks: [JobTaskID] = []
    var isDrainWanted = false
    var leasesReserved: UInt64 = 0
    var leasesWanted: UInt64 = 0
    var isReserving = false

    var nextTicket: UInt64 = 1
    var nextCall: UInt64 = 1
    var requestsPending = 0
    var bytesPending = 0
    var tasksUnderWay = 0
    var bytesUnderWay = 0
    var bytesStored = 0
    var now = Instant(nanoseconds: 0)
    var wall = WallTime(microseconds: 0)

    package internal(set) var counts = Counts()

    package init(limits: Limits) {
        if let violated = limits.violatedRelation { preconditionFailure(violated) }
        self.limits = limits
    }

    /// When `handle(.ticked)` has something to do next, by the clocks of the last event; nil when only an event can.
    package var nextDeadline: Instant? {
        var next: Instant?
        let wallDue = wallTimers.min.map { now + .microseconds($0.key.microseconds - wall.microseconds) }
        for candidate in [wallDue, waiters.next, backoffs.next, retryAt] {
            if let candidate { next = next.map { Swift.min($0, candidate) } ?? candidate }
        }
        return next
    }

    package mutating func handle(
        _ event: Event, at now: Instant, wall: WallTime, into actions: inout [Action]
    ) {
        self.now = now
        self.wall = wall
        if isOpen { passTime(into: &actions) }
        take(event, into: &actions)
        guard isOpen else { return }
        reserveLeases(into: &actions)
        feedAll(into: &actions)
    }

    var isOpen: Bool {
        switch lifecycle {
        case .closed: false
        case .serving, .draining: true
        }
    }

    mutating func take(_ event: Event, into actions: inout [Action]) {
        switch event {
        case .restored(let record, let tasks, let damaged): restore(record, tasks, damaged)
        case .opened(let firstFreeLease):
            leasesReserved = firstFreeLease
            actions.append(.leasesReserved(upTo: firstFreeLease))
            open(into: &actions)
        case .submitted(let request, _, _), .appended(let request, _, _, _), .sealed(let request, _, _, _),
            .cancelled(let request, _, _), .replayed(let request, _, _, _):
            if let refusal = reasonToRefuseChange() {
                refuse(request, refusal, into: &actions)
            } else {
                change(event, into: &actions)
            }
        case .statusAsked(let request, let client, let tenant, let job, let wait):
            answerStatus(request, client, tenant, job, wait, into: &actions)
        case .resultsAsked(let request, let client, let tenant, let query):
            answerResults(request, client, tenant, query, into: &actions)
        case .listAsked(let request, let tenant, let countMax, let before):
            answerList(request, tenant, countMax, before, into: &actions)
        case .requestDropped(let request):
            if let waiter = waiters.remove(request) { unlink(waiter) }
        case .clientGone(let client):
            for waiter in waiters.removeAll(of: client) { unlink(waiter) }
        case .committed(let ticket): settle(ticket, into: &actions)
        case .commitFailed(let ticket, let failure): settle(ticket, failure, into: &actions)
        case .loaded(let task): offer(task, into: &actions)
        case .loadFailed(let task, let failure): failLoad(task, failure, into: &actions)
        case .resultDamaged(let task): reviveDamaged(task, into: &actions)
        case .storeBroke(let why): breakDown(why, into: &actions)
        case .answered(let call, let status, let attempts, let bytes):
            endAnswered(call, status: status, attempts: attempts, resultBytes: bytes, into: &actions)
        case .aborted(let call, let reason): endAborted(call, reason, into: &actions)
        case .workerDied(let call, let deaths): noteDeaths(call, deaths, into: &actions)
        case .fleetChanged(let credits): setCredits(credits)
        case .drainRequested:
            isDrainWanted = true
            if isOpen { lifecycle = .draining }
        case .leasesWanted(let limit): leasesWanted = Swift.max(leasesWanted, limit)
        case .ticked: break
        }
    }

    /// The requests that change something.
    mutating func change(_ event: Event, into actions: inout [Action]) {
        switch event {
        case .submitted(let request, let tenant, let submission):
            submit(request, tenant, submission, event, into: &actions)
        case .appended(let request, let tenant, let job, let blocks):
            append(request, tenant, job, blocks, event, into: &actions)
        case .sealed(let request, let tenant, let job, let tasks):
            seal(request, tenant, job, tasks: tasks, event, into: &actions)
        case .cancelled(let request, let tenant, let job): cancel(request, tenant, job, event, into: &actions)
        case .replayed(let request, let tenant, let job, let indexes):
            replay(request, tenant, job, indexes, event, into: &actions)
        case .restored, .opened, .statusAsked, .resultsAsked, .listAsked, .requestDropped, .clientGone, .committed,
            .commitFailed, .loaded, .loadFailed, .resultDamaged, .storeBroke, .answered, .aborted, .workerDied,
            .fleetChanged, .drainRequested, .leasesWanted, .ticked:
            preconditionFailure("not a request that changes a job")
        }
    }

    private func reasonToRefuseChange() -> JobRefusal? {
        switch lifecycle {
        case .closed(let why): .storeUnavailable(why, retryAfter: limits.storeRetryAfter)
        case .draining: .draining
        case .serving:
            requestsPending >= limits.storeRequestsPendingMax
                ? .overloaded(retryAfter: limits.storeRetryAfter) : nil
        }
    }

    private mutating func reserveLeases(into actions: inout [Action]) {
        guard leasesWanted > leasesReserved, !isReserving, retryAt == nil else { return }
        isReserving = true
        actions.append(.write(.reserveLeaseSequence(upTo: leasesWanted), .none))
        commit(.init(request: nil, job: -1, change: .reserve(upTo: leasesWanted)), into: &actions)
    }

    mutating func refuse(_ request: JobRequestID, _ refusal: JobRefusal, into actions: inout [Action]) {
        counts.requestsRefused += 1
        actions.append(.reply(request, .refused(refusal)))
    }

    /// No group is with the store. A broker that stops waits for this.
    package var isQuiet: Bool { pending.isEmpty }
}
