/// Requests that wait for something of a job, each until its time is up.
struct JobWaiters: Sendable {
    enum Kind: Sendable {
        case status
        case results(JobResultsQuery)
    }

    struct Waiter: Sendable {
        let request: JobRequestID
        let client: ClientID
        let slot: Int
        /// The job's place.
        let job: Int
        let kind: Kind
    }

    private var slots: [Waiter?] = []
    private var freeSlots: [Int] = []
    private var slotOfRequest: [JobRequestID: Int] = [:]
    private var slotsOfClient: [ClientID: [Int]] = [:]
    private var timers = IndexedHeap<Instant>()

    var count: Int { slotOfRequest.count }
    var next: Instant? { timers.min?.key }

    func count(of client: ClientID) -> Int { slotsOfClient[client]?.count ?? 0 }

    subscript(slot: Int) -> Waiter {
        guard let waiter = slots[slot] else { preconditionFailure("nobody waits in slot \(slot)") }
        return waiter
    }

    mutating func add(
        _ request: JobRequestID, of client: ClientID, job: Int, _ kind: Kind, until due: Instant
    ) -> Int {
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        slots[slot] = Waiter(request: request, client: client, slot: slot, job: job, kind: kind)
        slotOfRequest[request] = slot
        slotsOfClient[client, default: []].append(slot)
        timers.set(slot, due)
        return slot
    }

    mutating func remove(_ slot: Int) {
        let waiter = self[slot]
        slots[slot] = nil
        freeSlots.append(slot)
        slotOfRequest[waiter.request] = nil
        slotsOfClient[waiter.client]?.removeAll { $0 == slot }
        if slotsOfClient[waiter.client]?.isEmpty == true { slotsOfClient[waiter.client] = nil }
        timers.remove(slot)
    }

    mutating func remove(_ request: JobRequestID) -> Waiter? {
        guard let slot = slotOfRequest[request], let waiter = slots[slot] else { return nil }
        remove(slot)
        return waiter
    }

    mutating func removeAll(of client: ClientID) -> [Waiter] {
        let gone = (slotsOfClient[client] ?? []).map { self[$0] }
        for waiter in gone { remove(waiter.slot) }
        return gone
    }

    mutating func popDue(at now: Instant) -> Waiter? {
        guard let first = timers.min, first.key <= now else { return nil }
        let waiter = self[first.slot]
        remove(first.slot)
        return waiter
    }

    /// All, in order of their slots.
    var all: [Waiter] { slots.compactMap { $0 } }
}

/// Tasks that are tried again, not before their time.
struct JobBackoffs: Sendable {
    private var slots: [JobTaskID?] = []
    private var freeSlots: [Int] = []
    private var timers = IndexedHeap<Instant>()

    var count: Int { timers.count }
    var next: Instant? { timers.min?.key }

    mutating func add(_ task: JobTaskID, until due: Instant) {
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        slots[slot] = task
        timers.set(slot, due)
    }

    mutating func popDue(at now: Instant) -> JobTaskID? {
        guard let first = timers.min, first.key <= now, let task = slots[first.slot] else { return nil }
        timers.remove(first.slot)
        slots[first.slot] = nil
        freeSlots.append(first.slot)
        return task
    }
}
