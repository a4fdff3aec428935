/// The waiting tasks of one model, in weighted fair order.
///
/// Start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queuing", SIGCOMM 1996). A flow is a tenant at a
/// priority. A task starts at the later of the queue's virtual time and its flow's last finish, and finishes its items
/// divided by the flow's weight later; the earliest start goes first. So tenants share evenly by items however many
/// calls they send, a priority step doubles the share, and nobody starves because every weight is finite.
/// All operations cost O(log n).
struct FairQueue: Sendable {
    /// The place of a task in the order; kept by the task so that it can come back to its old place.
    struct Tag: Comparable, Sendable {
        var start: UInt64
        var sequence: UInt64

        static func < (lhs: Tag, rhs: Tag) -> Bool {
            lhs.start != rhs.start ? lhs.start < rhs.start : lhs.sequence < rhs.sequence
        }
    }

    struct FlowKey: Hashable, Sendable {
        var tenant: TenantID
        var priority: UInt8

        /// Items of virtual time are scaled by 2^16; a priority step doubles the weight, up to 2^7.
        func cost(ofItems items: Int) -> UInt64 {
            (UInt64(Swift.max(items, 1)) << 16) >> UInt64(Swift.min(priority, 7))
        }
    }

    private var order = IndexedHeap<Tag>()
    private var virtualTime: UInt64 = 0
    private var flowOfKey: [FlowKey: Int] = [:]
    private var keys: [FlowKey?] = []
    private var freeFlows: [Int] = []
    /// When each known flow finishes what it was given, in virtual time. A flow that finished in the past needs no
    /// memory, so flows leave here and the table stays as small as the recent traffic.
    private var finishes = IndexedHeap<UInt64>()
    private var finishOfFlow: [UInt64] = []

    var count: Int { order.count }
    var isEmpty: Bool { order.isEmpty }
    var flowCount: Int { finishes.count }
    var first: (tag: Tag, slot: Int)? { order.min.map { (tag: $0.key, slot: $0.slot) } }

    func contains(_ slot: Int) -> Bool { order.contains(slot) }

    /// Adds a new task and says where it stands.
    mutating func insert(_ slot: Int, items: Int, flow key: FlowKey, sequence: UInt64) -> Tag {
        let flow = flowIndex(of: key)
        let start = Swift.max(virtualTime, finishOfFlow[flow])
        finishOfFlow[flow] = start + key.cost(ofItems: items)
        finishes.set(flow, finishOfFlow[flow])
        let tag = Tag(start: start, sequence: sequence)
        order.set(slot, tag)
        return tag
    }

    /// Puts back a task that a worker could not finish, at its old place: it has been paid for already.
    mutating func restore(_ slot: Int, at tag: Tag) { order.set(slot, tag) }

    mutating func remove(_ slot: Int) { order.remove(slot) }

    mutating func popFirst() -> Int? {
        guard let (tag, slot) = order.popMin() else { return nil }
        virtualTime = Swift.max(virtualTime, tag.start)
        forgetFinishedFlows()
        return slot
    }

    private mutating func flowIndex(of key: FlowKey) -> Int {
        if let known = flowOfKey[key] { return known }
        let flow = freeFlows.popLast() ?? keys.count
        if flow == keys.count {
            keys.append(nil)
            finishOfFlow.append(0)
        }
        keys[flow] = key
        finishOfFlow[flow] = virtualTime
        flowOfKey[key] = flow
        return flow
    }

    private mutating func forgetFinishedFlows() {
        while let first = finishes.min, first.key <= virtualTime {
            finishes.remove(first.slot)
            if let key = keys[first.slot] { flowOfKey[key] = nil }
            keys[first.slot] = nil
            freeFlows.append(first.slot)
        }
    }
}
