extension JobStateMachine {
    /// What was done since the broker started. The sums only grow.
    package struct Counts: Equatable, Sendable {
        package internal(set) var tasksAppended = 0
        package internal(set) var tasksDone = 0
        package internal(set) var tasksFailed = 0
        package internal(set) var tasksDead = 0
        /// Attempts that failed and were repeated.
        package internal(set) var tasksRetried = 0
        package internal(set) var jobsFinished = 0
        /// Cancelled or expired.
        package internal(set) var jobsGivenUp = 0
        package internal(set) var requestsRefused = 0
        /// Groups that the store had no room for.
        package internal(set) var commitsRefused = 0
        package internal(set) var storeBreakdowns = 0
        package internal(set) var recordsDamaged = 0
    }

    /// What is there now, over all tenants. Cost: O(jobs).
    package struct Totals: Equatable, Sendable {
        package var jobs = 0
        /// By their state on disk.
        package var jobsOfState = JobCounts()
        package var tasksQueued = 0
        package var tasksLeased = 0
        package var tasksDone = 0
        package var tasksFailed = 0
        package var tasksDead = 0
        package var items = 0
        package var itemsDone = 0
        /// The oldest job with tasks that wait was submitted then.
        package var oldestWaiting: WallTime?
        /// Payloads and results on disk.
        package var bytesStored = 0
        package var requestsWaiting = 0
    }

    /// Jobs by state.
    package struct JobCounts: Equatable, Sendable {
        package private(set) var open = 0
        package private(set) var sealed = 0
        package private(set) var finished = 0
        package private(set) var cancelled = 0
        package private(set) var expired = 0

        mutating func count(_ state: JobRecord.State) {
            switch state {
            case .open: open += 1
            case .sealed: sealed += 1
            case .finished: finished += 1
            case .cancelled: cancelled += 1
            case .expired: expired += 1
            }
        }
    }

    /// Since when the flow that was served longest ago, or never, waits with tasks on disk; nil when none does. Cost: O(flows).
    package var oldestUnserved: Instant? {
        var oldest: Instant?
        for feed in feeds where feed.jobs > 0 {
            for flow in feed.flows where !flow.jobs.isEmpty {
                oldest = oldest.map { Swift.min($0, flow.waitingSince) } ?? flow.waitingSince
            }
        }
        return oldest
    }

    package var totals: Totals {
        var totals = Totals()
        for job in jobs where !job.isVacant {
            let status = job.status
            totals.jobs += 1
            totals.jobsOfState.count(job.record.state)
            totals.tasksQueued += status.queued
            totals.tasksLeased += status.leased
            totals.tasksDone += status.done
            totals.tasksFailed += status.failed
            totals.tasksDead += status.dead
            totals.items += status.items
            totals.itemsDone += status.itemsDone
            if status.queued > 0 {
                let created = job.record.created
                totals.oldestWaiting = totals.oldestWaiting.map { Swift.min($0, created) } ?? created
            }
        }
        totals.bytesStored = bytesStored
        totals.requestsWaiting = waiters.count + requestsPending
        return totals
    }

    /// The job as the machine knows it, whoever it belongs to; nil when there is none.
    package func status(of id: JobID) -> JobStatusRecord? {
        guard let slot = slotOfJob[id], jobs[slot].transition != .submitting else { return nil }
        return jobs[slot].status
    }

    /// Absent when there is no such task.
    package func state(of task: JobTaskID) -> JobTask.State {
        slotOfJob[task.job].map { jobs[$0].state(task.index) } ?? .absent
    }

    /// Whether the store is open.
    package var isServing: Bool { isOpen }

    /// Tasks in the dispatcher or on their way to it.
    package var tasksInDispatcher: Int { tasksUnderWay }

    /// The first invariant that does not hold, as a sentence; nil when all do. Cost: O(tasks).
    package var violatedInvariant: String? {
        var open: [TenantID: Int] = [:]
        var bytes = 0
        var underWay = 0
        for slot in jobs.indices where !jobs[slot].isVacant {
            let job = jobs[slot]
            if let violated = violatedInvariant(of: job, slot) {
                return "job \(job.record.id.high)-\(job.record.id.low): \(violated)"
            }
            open[job.record.tenant, default: 0] += job.count(.inserting) + (job.isOver ? 0 : job.open)
            bytes += job.payloadBytes + job.resultBytes
            for task in job.tasks where task.state == .inserting { bytes += Int(task.payloadBytes) }
            underWay += job.underWay.count
        }
        if bytes != bytesStored { return "\(bytes) bytes are stored, \(bytesStored) are counted" }
        if underWay != tasksUnderWay { return "\(underWay) tasks are under way, \(tasksUnderWay) are counted" }
        if offers.count != callOfTask.count { return "\(offers.count) calls for \(callOfTask.count) offered tasks" }
        for tenant in open.keys.sorted() where tenants[tenant]?.openTasks != open[tenant] {
            return
                "\(tenant.rawValue) has \(open[tenant] ?? 0) open tasks, \(tenants[tenant]?.openTasks ?? -1) are counted"
        }
        var requests = 0
        for ticket in pending.keys.sorted() where pending[ticket]?.request != nil { requests += 1 }
        for slot in deferred.keys.sorted() {
            requests += deferred[slot]?.count ?? 0
            if jobs[slot].transition == nil && jobs[slot].insertsUnderWay == 0 {
                return "requests wait for job \(slot), of which nothing is under way"
            }
        }
        if requests != requestsPending { return "\(requests) requests wait, \(requestsPending) are counted" }
        if tasksUnderWay > limits.jobTasksOfferedMax { return "\(tasksUnderWay) tasks are under way" }
        return nil
    }

    private func violatedInvariant(of job: Job, _ slot: Int) -> String? {
        var counts = [Int](repeating: 0, count: JobTask.State.allCases.count)
        for (index, task) in job.tasks.enumerated() {
            counts[Int(task.state.rawValue)] += 1
            if index < job.nextIndex && !task.state.isPresent {
                return "task \(index) is missing below \(job.nextIndex)"
            }
            let isOffered = callOfTask[.init(job: job.record.id, index: index)] != nil
            if isOffered != (task.state == .offered) { return "task \(index) is \(task.state), offered: \(isOffered)" }
        }
        for state in JobTask.State.allCases where state != .absent {
            if counts[Int(state.rawValue)] != job.count(state) {
                return "\(counts[Int(state.rawValue)]) tasks are \(state), \(job.count(state)) are counted"
            }
        }
        let status = job.status
        let sum = status.queued + status.leased + status.done + status.failed + status.dead + status.cancelled
        if sum != status.tasks { return "\(status.tasks) tasks in \(sum) states" }
        if job.count(.loading) + job.count(.offered) != job.underWay.count {
            return "the list of tasks under way is wrong"
        }
        if job.record.state == .finished && job.open > job.count(.ending) {
            return "finished with \(job.open) open tasks"
        }
        if job.isOver && !job.underWay.isEmpty { return "\(job.underWay.count) tasks of an ended job are under way" }
        if job.transition == nil && !wallTimers.contains(slot) && isOpen { return "nothing will ever end it" }
        if job.lastCommitted > job.lastSequence { return "an end number was committed that was not given" }
        if !job.isFed && job.count(.queued) > 0 && job.transition == nil && !job.isOver && isOpen {
            return "\(job.count(.queued)) tasks wait and the job is not in line"
        }
        return nil
    }
}
