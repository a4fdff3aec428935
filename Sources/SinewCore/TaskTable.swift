/// All admitted calls in slots that are reused, and what is summed over them.
struct TaskTable: Sendable {
    private(set) var slots: [BrokerTask?] = []
    private var freeSlots: [UInt32] = []
    private var index = CallIndex()
    private(set) var callsOfClient: [ClientID: Int] = [:]
    private(set) var payloadBytes = 0
    /// Of these, those of jobs.
    private(set) var jobPayloadBytes = 0

    var count: Int { index.count }

    subscript(slot: Int) -> BrokerTask {
        get {
            guard slot < slots.count, let task = slots[slot] else { preconditionFailure("no task in slot \(slot)") }
            return task
        }
        // In place: a task is changed several times in the life of a call.
        _modify {
            guard slot < slots.count, slots[slot] != nil else { preconditionFailure("no task in slot \(slot)") }
            yield &slots[slot]!
        }
    }

    func task(at slot: Int) -> BrokerTask? { slot < slots.count ? slots[slot] : nil }

    func slot(of client: ClientID, _ call: CallID) -> Int? { index.slot(of: client, call, in: slots) }

    /// A slot to build the task's number from; `insert` must follow.
    mutating func reserveSlot() -> Int {
        if let slot = freeSlots.popLast() { return Int(slot) }
        slots.append(nil)
        return slots.count - 1
    }

    mutating func insert(_ task: BrokerTask) {
        let slot = task.id.slot
        slots[slot] = task
        index.insert(slot, slots)
        callsOfClient[task.client, default: 0] += 1
        payloadBytes += task.payloadBytes
        if task.client == .jobs { jobPayloadBytes += task.payloadBytes }
    }

    mutating func remove(_ slot: Int) {
        let (client, bytes) = (self[slot].client, self[slot].payloadBytes)
        index.remove(slot, slots)
        slots[slot] = nil
        freeSlots.append(UInt32(slot))
        payloadBytes -= bytes
        if client == .jobs { jobPayloadBytes -= bytes }
        guard let calls = callsOfClient[client] else { preconditionFailure("a task of an unknown client") }
        callsOfClient[client] = calls == 1 ? nil : calls - 1
    }
}

/// Finds the slot of a call by its client and the client's number of it.
///
/// An open-addressed hash table with linear probing that holds slots and no keys: those are in the tasks, which makes it a sixth of a
/// dictionary. Its order decides nothing, so the hash may differ between processes.
private struct CallIndex: Sendable {
    private var buckets = [UInt32](repeating: CallIndex.empty, count: 16)
    private(set) var count = 0
    private let seed: UInt64
    private static let empty = UInt32.max

    /// The seed is the process's own, so that no peer can choose numbers that collide.
    init() { seed = UInt64(bitPattern: Int64(Hasher().finalize())) | 1 }

    private func bucket(of client: ClientID, _ call: CallID) -> Int {
        let first = (client.rawValue ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        let mixed = (call.rawValue ^ first.high ^ first.low).multipliedFullWidth(by: seed)
        return Int(truncatingIfNeeded: mixed.high ^ mixed.low) & (buckets.count - 1)
    }

    func slot(of client: ClientID, _ call: CallID, in tasks: [BrokerTask?]) -> Int? {
        var bucket = bucket(of: client, call)
        while buckets[bucket] != Self.empty {
            let slot = Int(buckets[bucket])
            if let task = tasks[slot], task.call == call, task.client == client { return slot }
            bucket = (bucket + 1) & (buckets.count - 1)
        }
        return nil
    }

    mutating func insert(_ slot: Int, _ tasks: [BrokerTask?]) {
        if (count + 1) * 4 > buckets.count * 3 { grow(tasks) }
        place(slot, tasks)
        count += 1
    }

    private mutating func place(_ slot: Int, _ tasks: [BrokerTask?]) {
        var bucket = home(of: slot, tasks)
        while buckets[bucket] != Self.empty { bucket = (bucket + 1) & (buckets.count - 1) }
        buckets[bucket] = UInt32(slot)
    }

    private func home(of slot: Int, _ tasks: [BrokerTask?]) -> Int {
        guard let task = tasks[slot] else { preconditionFailure("no task in slot \(slot)") }
        return bucket(of: task.client, task.call)
    }

    private mutating func grow(_ tasks: [BrokerTask?]) {
        let old = buckets
        buckets = [UInt32](repeating: Self.empty, count: old.count * 2)
        for slot in old where slot != Self.empty { place(Int(slot), tasks) }
    }

    /// Moves what follows into the gap, as far as it may, so that no search ends too early.
    mutating func remove(_ slot: Int, _ tasks: [BrokerTask?]) {
        let mask = buckets.count - 1
        var gap = home(of: slot, tasks)
        while buckets[gap] != UInt32(slot) {
            precondition(buckets[gap] != Self.empty, "slot \(slot) is not in the index")
            gap = (gap + 1) & mask
        }
        buckets[gap] = Self.empty
        count -= 1
        var bucket = (gap + 1) & mask
        while buckets[bucket] != Self.empty {
            let home = home(of: Int(buckets[bucket]), tasks)
            // It may move if its home is not behind the gap.
            if (bucket - home) & mask >= (bucket - gap) & mask {
                buckets[gap] = buckets[bucket]
                buckets[bucket] = Self.empty
                gap = bucket
            }
            bucket = (bucket + 1) & mask
        }
    }
}
