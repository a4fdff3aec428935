/// The waiting tasks of one model, in weighted fair order.
///
/// Start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queuing", SIGCOMM 1996). A flow is a tenant at a
/// priority; its tasks go in order of admission. A task starts at the later of the queue's virtual time and its flow's last
/// finish, and finishes its items divided by the flow's weight later; the flow whose next task starts earliest has its turn. So
/// tenants share evenly by items however many calls they send, and a priority step doubles the share.
///
/// A small share of a busy fleet may still be a long wait. A flow that was not served for `ageing` goes first once, whatever its
/// weight; flows and not tasks grow old, so that who sends too much does not get past the others by waiting.
///
/// All operations cost O(log flows), coming back O(log n). A waiting task costs the links in ``BrokerTask``.
struct FairQueue: Sendable {
    struct FlowKey: Hashable, Sendable {
        var tenant: TenantID
        var priority: UInt8

        /// Items of virtual time are scaled by 2^16; a priority step doubles the weight, up to 2^7.
        func cost(ofItems items: Int) -> UInt64 {
            (UInt64(Swift.max(items, 1)) << 16) >> UInt64(Swift.min(priority, 7))
        }
    }

    /// Among flows that start at the same virtual time, the oldest task goes first.
    private struct Turn: Comparable, Sendable {
        var start: UInt64
        var sequence: UInt64

        static func < (lhs: Turn, rhs: Turn) -> Bool {
            lhs.start != rhs.start ? lhs.start < rhs.start : lhs.sequence < rhs.sequence
        }
    }

    private struct Flow: Sendable {
        var key: FlowKey
        /// The ends of its list of tasks.
        var first = BrokerTask.noLink
        var last = BrokerTask.noLink
        /// When its next task starts, in virtual time.
        var start: UInt64
    }

    private var flows: [Flow] = []
    private var freeFlows: [Int] = []
    private var flowOfKey: [FlowKey: Int] = [:]
    /// The flows that have tasks, and since when each has waited for its turn.
    private var turns = IndexedHeap<Turn>()
    private var waits = IndexedHeap<Instant>()
    /// The flows that have none. One that finished in the past needs no memory, so flows leave here and the table stays as small as
    /// the recent traffic.
    private var finishes = IndexedHeap<UInt64>()
    /// What came back from workers, by sequence: it had its turn and goes before all others.
    private var restored = IndexedHeap<UInt64>()
    private var virtualTime: UInt64 = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Adds a new task behind all others of its flow.
    mutating func insert(_ slot: Int, flow key: FlowKey, at now: Instant, _ tasks: inout TaskTable) {
        let flow = flowIndex(of: key)
        let last = flows[flow].last
        tasks[slot].flow = UInt32(flow)
        tasks[slot].previous = last
        tasks[slot].next = BrokerTask.noLink
        flows[flow].last = UInt32(slot)
        count += 1
        guard last == BrokerTask.noLink else { return tasks[Int(last)].next = UInt32(slot) }
        flows[flow].first = UInt32(slot)
        flows[flow].start = Swift.max(virtualTime, flows[flow].start)
        finishes.remove(flow)
        turns.set(flow, Turn(start: flows[flow].start, sequence: tasks[slot].sequence))
        waits.set(flow, now)
    }

    /// Puts back a task that a worker could not finish.
    mutating func restore(_ slot: Int, _ tasks: inout TaskTable) {
        tasks[slot].flow = BrokerTask.restoredLink
        restored.set(slot, tasks[slot].sequence)
        count += 1
    }

    /// The task whose turn it is.
    func first(at now: Instant, ageing: Duration) -> Int? {
        if let back = restored.min { return back.slot }
        guard let flow = agedFlow(at: now, ageing) ?? turns.min?.slot else { return nil }
        return Int(flows[flow].first)
    }

    private func agedFlow(at now: Instant, _ ageing: Duration) -> Int? {
        guard let longest = waits.min, longest.key + ageing <= now else { return nil }
        return longest.slot
    }

    /// Takes out ``first(at:ageing:)``.
    mutating func popFirst(at now: Instant, ageing: Duration, _ tasks: inout TaskTable) -> Int? {
        if let back = restored.popMin() {
            tasks[back.slot].flow = BrokerTask.noLink
            count -= 1
            return back.slot
        }
        let aged = agedFlow(at: now, ageing)
        guard let flow = aged ?? turns.min?.slot else { return nil }
        let slot = Int(flows[flow].first)
        // Who goes ahead of its turn does not set the clock: newcomers would start behind all that wait.
        if aged == nil { virtualTime = Swift.max(virtualTime, flows[flow].start) }
        flows[flow].start += flows[flow].key.cost(ofItems: tasks[slot].items)
        waits.set(flow, now)
        unlink(slot, from: flow, &tasks)
        forgetFinishedFlows()
        return slot
    }

    /// Takes a task out of the line. False: it is not there.
    mutating func remove(_ slot: Int, _ tasks: inout TaskTable) -> Bool {
        switch tasks[slot].flow {
        case BrokerTask.noLink: return false
        case BrokerTask.restoredLink:
            restored.remove(slot)
            tasks[slot].flow = BrokerTask.noLink
            count -= 1
        case let flow:
            unlink(slot, from: Int(flow), &tasks)
            forgetFinishedFlows()
        }
        return true
    }

    private mutating func unlink(_ slot: Int, from flow: Int, _ tasks: inout TaskTable) {
        let (previous, next) = (tasks[slot].previous, tasks[slot].next)
        tasks[slot].flow = BrokerTask.noLink
        count -= 1
        if next == BrokerTask.noLink { flows[flow].last = previous } else { tasks[Int(next)].previous = previous }
        if previous == BrokerTask.noLink {
            flows[flow].first = next
            noteFirst(of: flow, tasks)
        } else {
            tasks[Int(previous)].next = next
        }
    }

    private mutating func noteFirst(of flow: Int, _ tasks: borrowing TaskTable) {
        let first = flows[flow].first
        if first == BrokerTask.noLink {
            turns.remove(flow)
            waits.remove(flow)
            finishes.set(flow, flows[flow].start)
        } else {
            turns.set(flow, Turn(start: flows[flow].start, sequence: tasks[Int(first)].sequence))
        }
    }

    private mutating func flowIndex(of key: FlowKey) -> Int {
        if let known = flowOfKey[key] { return known }
        let flow = freeFlows.popLast() ?? flows.count
        let new = Flow(key: key, start: virtualTime)
        if flow == flows.count { flows.append(new) } else { flows[flow] = new }
        flowOfKey[key] = flow
        return flow
    }

    private mutating func forgetFinishedFlows() {
        while let first = finishes.min, first.key <= virtualTime {
            finishes.remove(first.slot)
            flowOfKey[flows[first.slot].key] = nil
            freeFlows.append(first.slot)
        }
    }
}
