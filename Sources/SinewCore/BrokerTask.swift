import DequeModule

/// An admitted call.
struct BrokerTask: Sendable {
    enum State: Sendable {
        case queued
        case leased(Lease)
    }

    struct Lease: Sendable {
        let token: LeaseToken
        /// The worker's slot.
        let worker: Int
        /// When the lease was given, or the worker last named it in a beat.
        var confirmed: Instant
        /// Where the task stands in the worker's list, so that it leaves the list in O(1).
        var position: Int
    }

    let id: TaskID
    let client: ClientID
    let call: CallID
    /// The client's attempt, echoed in the answer.
    let attempt: Int
    let queue: Int
    let items: Int
    let payloadBytes: Int
    let deadline: Instant
    let admitted: Instant
    /// The order of admission over all models.
    let sequence: UInt64
    var tag = FairQueue.Tag(start: 0, sequence: 0)
    var state = State.queued
    /// The second lease of a straggler, on another worker; only while the task is leased. The first result counts.
    var hedge: Lease?
    /// Workers that died with the task in hand.
    var deaths = 0
    /// Leases given so far.
    var leasesGiven = 0

    /// Of its at most two valid leases, the one that a worker has.
    func lease(on worker: Int) -> Lease? {
        guard case .leased(let lease) = state else { return nil }
        if lease.worker == worker { return lease }
        return hedge?.worker == worker ? hedge : nil
    }

    /// Changes the lease that a worker has.
    mutating func update(on worker: Int, _ change: (inout Lease) -> Void) {
        guard case .leased(var lease) = state else { preconditionFailure("a queued task on a worker") }
        if lease.worker == worker {
            change(&lease)
            state = .leased(lease)
        } else {
            guard var second = hedge, second.worker == worker else { preconditionFailure("no lease on this worker") }
            change(&second)
            hedge = second
        }
    }

    /// Tried too often beside others: the next worker gets it alone.
    func isSolo(_ limits: Limits) -> Bool { deaths >= limits.deathsBeforeSolo }
}

/// All admitted calls in slots that are reused, and what is summed over them.
struct TaskTable: Sendable {
    struct CallKey: Hashable, Sendable {
        let client: ClientID
        let call: CallID
    }

    private(set) var slots: [BrokerTask?] = []
    private var freeSlots: [Int] = []
    private(set) var slotOfCall: [CallKey: Int] = [:]
    private(set) var callsOfClient: [ClientID: Int] = [:]
    private(set) var payloadBytes = 0
    /// Of these, those of jobs.
    private(set) var jobPayloadBytes = 0

    var count: Int { slotOfCall.count }

    subscript(slot: Int) -> BrokerTask {
        get {
            guard slot < slots.count, let task = slots[slot] else { preconditionFailure("no task in slot \(slot)") }
            return task
        }
        set { slots[slot] = newValue }
    }

    func task(at slot: Int) -> BrokerTask? { slot < slots.count ? slots[slot] : nil }

    func slot(of client: ClientID, _ call: CallID) -> Int? { slotOfCall[CallKey(client: client, call: call)] }

    /// A slot to build the task's number from; `insert` must follow.
    mutating func reserveSlot() -> Int {
        if let slot = freeSlots.popLast() { return slot }
        slots.append(nil)
        return slots.count - 1
    }

    mutating func insert(_ task: BrokerTask) {
        slots[task.id.slot] = task
        slotOfCall[CallKey(client: task.client, call: task.call)] = task.id.slot
        callsOfClient[task.client, default: 0] += 1
        payloadBytes += task.payloadBytes
        if task.client == .jobs { jobPayloadBytes += task.payloadBytes }
    }

    mutating func remove(_ slot: Int) {
        let task = self[slot]
        slots[slot] = nil
        freeSlots.append(slot)
        slotOfCall[CallKey(client: task.client, call: task.call)] = nil
        payloadBytes -= task.payloadBytes
        if task.client == .jobs { jobPayloadBytes -= task.payloadBytes }
        guard let calls = callsOfClient[task.client] else { preconditionFailure("a task of an unknown client") }
        callsOfClient[task.client] = calls == 1 ? nil : calls - 1
    }
}

/// The waiting tasks of one model key.
struct ModelQueue: Sendable {
    let key: ModelKey
    var fair = FairQueue()
    /// Tasks to be tried alone, in order of arrival.
    var solo: Deque<Int> = []
    /// The slot of the worker that is kept free for, or runs, the first of `solo`.
    var soloWorker: Int?
    /// Ready workers that answer to the key.
    var readyWorkers = 0
    var items = 0

    init(key: ModelKey) { self.key = key }

    var waitingCount: Int { fair.count + solo.count }
}
