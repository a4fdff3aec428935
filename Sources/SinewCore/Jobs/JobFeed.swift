import DequeModule

/// The jobs of one model that have tasks to be fed, in weighted fair order.
///
/// Start-time fair queueing as in ``FairQueue``, over flows (a tenant at a priority) instead of tasks, so that a queued task
/// costs four bytes. The jobs of a flow take turns. A flow that was not served for `ageing` goes first, whatever its weight:
/// no priority waits for ever, however much the others have.
struct JobFeed: Sendable {
    struct Flow: Sendable {
        let tenant: TenantID
        let priority: UInt8
        /// Jobs with ready tasks.
        var jobs: Deque<Int> = []
        var start: UInt64
        /// When it was served last, or began to wait.
        var waitingSince: Instant
    }

    let key: ModelKey
    /// What the ready workers with this model take at a time; 0 when there are none.
    var creditItems = 0
    /// Tasks in the dispatcher, or on their way to it.
    var tasksUnderWay = 0
    var itemsUnderWay = 0
    /// Jobs of the model, whether they have ready tasks or not.
    var jobs = 0
    private(set) var flows: [Flow] = []
    private var virtualTime: UInt64 = 0

    init(key: ModelKey) { self.key = key }

    /// About twice what the workers take, so that none waits for the disk; one task at least.
    var hasRoom: Bool { creditItems > 0 && (tasksUnderWay == 0 || itemsUnderWay < 2 * creditItems) }

    mutating func add(_ job: Int, tenant: TenantID, priority: UInt8, at now: Instant) {
        let flow: Int
        if let known = flows.firstIndex(where: { $0.tenant == tenant && $0.priority == priority }) {
            flow = known
            if flows[flow].jobs.isEmpty {
                flows[flow].start = Swift.max(flows[flow].start, virtualTime)
                flows[flow].waitingSince = now
            }
        } else {
            flow = flows.count
            flows.append(Flow(tenant: tenant, priority: priority, start: virtualTime, waitingSince: now))
        }
        if !flows[flow].jobs.contains(job) { flows[flow].jobs.append(job) }
    }

    mutating func remove(_ job: Int) {
        for flow in flows.indices { flows[flow].jobs.removeAll { $0 == job } }
        forgetIdleFlows()
    }

    /// The flow whose turn it is; nil when nothing waits.
    func next(at now: Instant, ageing: Duration) -> Int? {
        var best: Int?
        var oldest: Int?
        for flow in flows.indices where !flows[flow].jobs.isEmpty {
            if flows[flow].waitingSince + ageing <= now,
                oldest.map({ flows[flow].waitingSince < flows[$0].waitingSince }) ?? true
            {
                oldest = flow
            }
            if best.map({ flows[flow].start < flows[$0].start }) ?? true { best = flow }
        }
        return oldest ?? best
    }

    /// A task of the flow's first job was taken; the next job has the next turn. `isEmpty`: the job has no more ready tasks.
    mutating func served(_ flow: Int, items: Int, isEmpty: Bool, at now: Instant) {
        virtualTime = Swift.max(virtualTime, flows[flow].start)
        flows[flow].start += FairQueue.FlowKey(tenant: flows[flow].tenant, priority: flows[flow].priority)
            .cost(ofItems: items)
        flows[flow].waitingSince = now
        if let job = flows[flow].jobs.popFirst(), !isEmpty { flows[flow].jobs.append(job) }
        if flows[flow].jobs.isEmpty { forgetIdleFlows() }
    }

    /// The flow's first job turned out to have no ready task.
    mutating func dropFirstJob(of flow: Int) {
        _ = flows[flow].jobs.popFirst()
        if flows[flow].jobs.isEmpty { forgetIdleFlows() }
    }

    /// A flow that owes nothing needs no memory.
    private mutating func forgetIdleFlows() {
        flows.removeAll { $0.jobs.isEmpty && $0.start <= virtualTime }
    }
}
