import DequeModule

extension BrokerStateMachine {
    /// The one place where waiting tasks and workers meet: the oldest first of all queues goes to the worker that is
    /// expected to finish it first, until nothing that waits has a worker with room.
    mutating func dispatch(at now: Instant, into actions: inout [Action]) {
        guard counts.queuedCalls > 0, nextLease < leaseLimit else { return }
        for queue in queues.indices where !queues[queue].solo.isEmpty { dispatchSolo(queue, at: now, into: &actions) }
        var blocked = [Bool](repeating: false, count: queues.count)
        while nextLease < leaseLimit, let queue = queueOfOldest(except: blocked, at: now) {
            guard let first = queues[queue].fair.first(at: now, ageing: limits.ageing),
                let worker = bestWorker(for: queue, items: tasks[first].items, at: now)
            else {
                blocked[queue] = true
                continue
            }
            guard let slot = queues[queue].fair.popFirst(at: now, ageing: limits.ageing, &tasks) else {
                preconditionFailure("the queue lost its first task")
            }
            lease(slot, to: worker, at: now, into: &actions)
        }
    }

    private func queueOfOldest(except blocked: [Bool], at now: Instant) -> Int? {
        var best: (queue: Int, sequence: UInt64)?
        for queue in queues.indices where !blocked[queue] {
            guard let first = queues[queue].fair.first(at: now, ageing: limits.ageing) else { continue }
            let sequence = tasks[first].sequence
            if let known = best, known.sequence < sequence { continue }
            best = (queue, sequence)
        }
        return best?.queue
    }

    /// Earliest expected finish: items in flight and the new ones, over the measured rate. So a slow worker gets the
    /// smaller share. One that has not shown its rate, or not for long, is taken for as fast as the fastest; in the second case for one
    /// task, for then it is busy and its old rate counts.
    private func bestWorker(for queue: Int, items: Int, at now: Instant) -> Int? {
        var fastest = 0.0
        for worker in workers { fastest = Swift.max(fastest, worker?.rate.itemsPerSecond ?? 0) }
        var best: (slot: Int, finish: Double)?
        for slot in workers.indices {
            guard let worker = workers[slot], worker.lifecycle == .ready, worker.reservation == .none,
                worker.hasRoom(forItems: items), worker.queues.contains(queue)
            else { continue }
            let isOutdated = worker.rate.isOutdated(at: now, isBusy: !worker.leased.isEmpty)
            let rate = (isOutdated ? nil : worker.rate.itemsPerSecond) ?? (fastest > 0 ? fastest : 1)
            let finish = Double(worker.inFlightItems + items) / rate
            if let known = best, known.finish <= finish { continue }
            best = (slot, finish)
        }
        return best?.slot
    }

    /// A task that was in the hands of several dying workers runs with nothing beside it, so that it shows whether it
    /// is the one that kills. One such task per queue at a time; a busy worker is emptied for it.
    private mutating func dispatchSolo(_ queue: Int, at now: Instant, into actions: inout [Action]) {
        if queues[queue].soloWorker == nil {
            guard let slot = workerToEmpty(for: queue) else { return }
            workers[slot]?.reservation = .emptying(queue: queue)
            queues[queue].soloWorker = slot
        }
        guard let slot = queues[queue].soloWorker, let worker = workers[slot],
            worker.reservation == .emptying(queue: queue), worker.leased.isEmpty, nextLease < leaseLimit,
            let task = queues[queue].solo.popFirst()
        else { return }
        workers[slot]?.reservation = .alone(queue: queue)
        lease(task, to: slot, at: now, into: &actions)
    }

    private func workerToEmpty(for queue: Int) -> Int? {
        var best: (slot: Int, items: Int)?
        for slot in workers.indices {
            guard let worker = workers[slot], worker.lifecycle == .ready, worker.reservation == .none,
                worker.queues.contains(queue)
            else { continue }
            if let known = best, known.items <= worker.inFlightItems { continue }
            best = (slot, worker.inFlightItems)
        }
        return best?.slot
    }

    /// The last task to be tried alone went away before its worker was empty.
    mutating func releaseReservationIfUnused(of queue: Int) {
        guard queues[queue].solo.isEmpty, let slot = queues[queue].soloWorker,
            workers[slot]?.reservation == .emptying(queue: queue)
        else { return }
        workers[slot]?.reservation = .none
        queues[queue].soloWorker = nil
    }

    private mutating func lease(_ slot: Int, to worker: Int, at now: Instant, into actions: inout [Action]) {
        guard let holder = workers[worker] else { preconditionFailure("leased to a forgotten worker") }
        noteQueued(tasks[slot], -1)
        let lease = giveLease(slot, to: worker, at: now, into: &actions)
        tasks[slot].state = .leased(lease)
        // Much longer than expected; of a worker that has not shown its rate nothing is expected.
        var patience = limits.leaseDuration
        if let rate = holder.rate.itemsPerSecond, rate > 0 {
            let expected = Double(holder.inFlightItems + tasks[slot].items) / rate * limits.stragglerFactor
            patience = .nanoseconds(Int64(Swift.min(expected, 1e6) * 1e9))
        }
        stragglers.set(slot, now + Swift.max(limits.stragglerMin, patience))
    }

    /// A task that has run for much longer than expected gets a second lease on an idle worker, when nothing else waits. One that
    /// was in the hands of a dying worker does not: it may be what kills.
    mutating func hedgeStragglers(at now: Instant, into actions: inout [Action]) {
        while let due = stragglers.min, due.key <= now {
            let task = tasks[due.slot]
            if task.hedge != nil || task.deaths > 0 {
                stragglers.remove(due.slot)
                continue
            }
            guard counts.queuedCalls == 0, nextLease < leaseLimit, let worker = idleWorker(for: task.queue) else {
                stragglers.set(due.slot, now + limits.beatInterval)
                continue
            }
            stragglers.remove(due.slot)
            counts.leasesHedged += 1
            let second = giveLease(due.slot, to: worker, at: now, into: &actions)
            tasks[due.slot].hedge = second
        }
    }

    private func idleWorker(for queue: Int) -> Int? {
        workers.indices.first { slot in
            guard let worker = workers[slot] else { return false }
            return worker.lifecycle == .ready && worker.reservation == .none && worker.leased.isEmpty
                && worker.queues.contains(queue)
        }
    }

    private mutating func giveLease(
        _ slot: Int, to worker: Int, at now: Instant, into actions: inout [Action]
    ) -> BrokerTask.Lease {
        if tasks[slot].leasesGiven > 0 { counts.leasesRepeated += 1 }
        tasks[slot].leasesGiven += 1
        counts.leasesGiven += 1
        let task = tasks[slot]
        precondition(task.deadline > now, "an expired task was to be dispatched")
        guard let (id, position) = workers[worker]?.add(slot, items: task.items, at: now) else {
            preconditionFailure("leased to a forgotten worker")
        }
        let lease = BrokerTask.Lease(sequence: nextLease, worker: worker, confirmed: now, position: position)
        nextLease += 1
        actions.append(
            .dispatch(task.id, task.token(of: lease), to: id, attempt: task.leasesGiven, deadline: task.deadline))
        return lease
    }

    /// Ends the lease that a worker has of a task. False: it was the only one, and the task must be put back in line.
    mutating func dropLease(_ slot: Int, on worker: Int, at now: Instant) -> Bool {
        guard let lease = tasks[slot].lease(on: worker), case .leased(let first) = tasks[slot].state else {
            preconditionFailure("a worker holds a task without a lease")
        }
        endLease(slot, lease, at: now)
        guard let second = tasks[slot].hedge else { return false }
        if first.worker == worker { tasks[slot].state = .leased(second) }
        tasks[slot].hedge = nil
        // The other one may be as slow.
        stragglers.set(slot, now + limits.leaseDuration)
        return true
    }

    /// Ends a lease without saying what becomes of the task.
    mutating func endLease(_ slot: Int, _ lease: BrokerTask.Lease, at now: Instant) {
        guard let moved = workers[lease.worker]?.remove(at: lease.position, items: tasks[slot].items, at: now) else {
            preconditionFailure("a lease of a forgotten worker")
        }
        if moved != slot { tasks[moved].update(on: lease.worker) { $0.position = lease.position } }
        if case .alone(let queue)? = workers[lease.worker]?.reservation {
            workers[lease.worker]?.reservation = .none
            queues[queue].soloWorker = nil
        }
    }
}
