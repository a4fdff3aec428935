extension BrokerStateMachine {
    /// What the broker has done and holds, for operators and tests. The sums only grow.
    package struct Counts: Equatable, Sendable {
        /// Now: calls and items that wait for a worker.
        package internal(set) var queuedCalls = 0
        package internal(set) var queuedItems = 0
        /// Of these, those of jobs.
        package internal(set) var queuedJobTasks = 0
        package internal(set) var queuedJobItems = 0
        /// Answered, with a result or an error, after admission.
        package internal(set) var callsDone = 0
        package internal(set) var itemsDone = 0
        /// Answered at once with an error.
        package internal(set) var callsRejected = 0
        package internal(set) var callsCancelled = 0
        package internal(set) var callsExpired = 0
        package internal(set) var callsPoisoned = 0
        package internal(set) var leasesGiven = 0
        /// Of these, those of tasks that had had a lease before.
        package internal(set) var leasesRepeated = 0
        /// Leases of workers that went without a word, and those that a living worker did not know of.
        package internal(set) var leasesExpired = 0
        /// Second leases of stragglers.
        package internal(set) var leasesHedged = 0
        /// Leases that a living worker did not know of.
        package internal(set) var leasesLost = 0
        /// Results and returns with a token that is not valid.
        package internal(set) var staleLeases = 0
        package internal(set) var tasksRequeued = 0
        package internal(set) var workersLost = 0
    }

    package struct WorkerStatus: Equatable, Sendable {
        package var id: WorkerID
        package var isLeaving: Bool
        package var creditItems: Int
        package var inFlightItems: Int
        package var inFlightTasks: Int
        /// Items settled per second of having work; nil before the first result.
        package var itemsPerSecond: Double?
        package var heard: Instant
    }

    package struct ModelStatus: Equatable, Sendable {
        package var key: ModelKey
        package var readyWorkers: Int
        package var queuedCalls: Int
        package var queuedItems: Int
    }

    /// In order of their slots.
    package var workerStatuses: [WorkerStatus] {
        workers.compactMap { worker in
            guard let worker else { return nil }
            return WorkerStatus(
                id: worker.id, isLeaving: worker.lifecycle == .leaving, creditItems: worker.creditItems,
                inFlightItems: worker.inFlightItems, inFlightTasks: worker.leased.count,
                itemsPerSecond: worker.rate.itemsPerSecond, heard: worker.heard)
        }
    }

    /// Every model key ever announced, in order of its first announcement.
    package var modelStatuses: [ModelStatus] {
        queues.map {
            ModelStatus(
                key: $0.key, readyWorkers: $0.readyWorkers, queuedCalls: $0.waitingCount, queuedItems: $0.items)
        }
    }

    /// Calls admitted and not yet answered.
    package var callsHeld: Int { tasks.count }
    package var payloadBytesHeld: Int { tasks.payloadBytes }

    /// Whether `token` is a valid lease of the task it names: one is, or two of a straggler.
    package func isValid(_ token: LeaseToken) -> Bool {
        guard let task = tasks.task(at: token.slot), case .leased(let lease) = task.state else { return false }
        return task.token(of: lease) == token || task.hedge.map { task.token(of: $0) } == token
    }

    /// The first invariant that does not hold, as a sentence; nil when all do. Cost: O(tasks + workers).
    package var violatedInvariant: String? {
        var queuedCalls = 0
        var queuedItems = 0
        var leasedCount = 0
        for slot in tasks.slots.indices {
            guard let task = tasks.slots[slot] else { continue }
            if task.id.slot != slot { return "task \(task.id.rawValue) lies in slot \(slot)" }
            if !deadlines.contains(slot) { return "task \(task.id.rawValue) has no deadline timer" }
            switch task.state {
            case .queued:
                if task.hedge != nil || stragglers.contains(slot) { return "queued task \(task.id.rawValue) is hedged" }
                queuedCalls += 1
                queuedItems += task.items
                let inFair = task.flow != BrokerTask.noLink
                let inSolo = queues[task.queue].solo.contains(slot)
                if inFair == inSolo { return "queued task \(task.id.rawValue) is in both or none of the queues" }
            case .leased(let lease):
                leasedCount += 1
                guard let worker = workers[lease.worker], lease.position < worker.leased.count,
                    worker.leased[lease.position] == slot
                else { return "leased task \(task.id.rawValue) is not with its worker" }
                if let hedge = task.hedge {
                    leasedCount += 1
                    guard hedge.worker != lease.worker, let other = workers[hedge.worker],
                        hedge.position < other.leased.count, other.leased[hedge.position] == slot
                    else { return "the second lease of task \(task.id.rawValue) is not with its worker" }
                }
                if task.flow != BrokerTask.noLink { return "leased task \(task.id.rawValue) is also queued" }
            }
        }
        if queuedCalls != counts.queuedCalls { return "\(queuedCalls) calls wait, \(counts.queuedCalls) are counted" }
        if queuedItems != counts.queuedItems { return "\(queuedItems) items wait, \(counts.queuedItems) are counted" }
        // What comes back from a lost worker is not refused, so the queue may pass its limit by what was leased.
        if tasks.payloadBytes - tasks.jobPayloadBytes > limits.payloadBytesHeldMax {
            return "\(tasks.payloadBytes) payload bytes are held"
        }
        var held = 0
        for slot in workers.indices {
            guard let worker = workers[slot] else { continue }
            held += worker.leased.count
            var items = 0
            for task in worker.leased { items += tasks[task].items }
            if items != worker.inFlightItems { return "worker \(worker.id.rawValue) counts its items wrongly" }
            if items > worker.creditItems && worker.leased.count > 1 {
                return "worker \(worker.id.rawValue) has \(items) items and a credit of \(worker.creditItems)"
            }
            if case .alone = worker.reservation, worker.leased.count > 1 {
                return "worker \(worker.id.rawValue) runs a task alone and others beside it"
            }
            if worker.lifecycle == .leaving && worker.leased.isEmpty && !silences.contains(slot) {
                return "worker \(worker.id.rawValue) left and would never be forgotten"
            }
        }
        if held != leasedCount { return "\(leasedCount) tasks are leased, workers hold \(held)" }
        return nil
    }
}

extension BrokerStateMachine {
    /// When the oldest of the tasks that wait for a worker was admitted; nil when none waits. Cost: O(tasks).
    package var oldestWaiting: Instant? {
        guard counts.queuedCalls > 0 else { return nil }
        var oldest: Instant?
        for slot in tasks.slots.indices {
            guard let task = tasks.slots[slot], case .queued = task.state else { continue }
            oldest = oldest.map { Swift.min($0, task.admitted) } ?? task.admitted
        }
        return oldest
    }

    /// How long the fleet needs for all it has and all that waits, at the rate its workers have shown; nil when none has shown
    /// one. Cost: O(workers).
    package var drainTime: Duration? {
        var (rate, items) = (0.0, counts.queuedItems)
        for worker in workers {
            guard let worker else { continue }
            items += worker.inFlightItems
            if worker.lifecycle == .ready { rate += worker.rate.itemsPerSecond ?? 0 }
        }
        guard items > 0 else { return .zero }
        guard rate > 0 else { return nil }
        return .nanoseconds(Int64(Swift.min(Double(items) / rate, 1e9) * 1e9))
    }

    /// Clients that have a call in the broker.
    package var clientCount: Int { tasks.callsOfClient.count - (hasCalls(of: .jobs) ? 1 : 0) }

    /// What the ready workers with each model take at a time, in order of the models' first announcement; those without a
    /// ready worker are left out. Cost: O(workers × models of a worker).
    package var modelCredits: [JobStateMachine.ModelCredit] {
        var items = [Int](repeating: 0, count: queues.count)
        for worker in workers {
            guard let worker, worker.lifecycle == .ready else { continue }
            for queue in worker.queues { items[queue] += worker.creditItems }
        }
        return queues.indices.compactMap { items[$0] > 0 ? .init(model: queues[$0].key, items: items[$0]) : nil }
    }

    /// The worker and the valid lease of the task in a token's slot, whether that token is valid or not.
    package func holder(inSlotOf token: LeaseToken) -> (worker: WorkerID, lease: LeaseToken)? {
        guard let task = tasks.task(at: token.slot), case .leased(let lease) = task.state,
            let worker = workers[lease.worker]
        else { return nil }
        return (worker.id, task.token(of: lease))
    }

    /// How often the task of a valid lease was given to a worker; 0 when the lease is stale.
    package func attempts(of token: LeaseToken) -> Int {
        isValid(token) ? tasks[token.slot].leasesGiven : 0
    }

    package func hasCalls(of client: ClientID) -> Bool { tasks.callsOfClient[client] != nil }

    /// Whether a worker ever announced the model.
    package func isKnown(_ model: ModelKey) -> Bool { queueOfModel[model] != nil }

    package func isKnown(_ worker: WorkerID) -> Bool { slotOfWorker[worker] != nil }
}
