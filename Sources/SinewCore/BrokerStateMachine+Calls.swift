import DequeModule

extension BrokerStateMachine {
    mutating func admit(_ call: Call, at now: Instant, into actions: inout [Action]) {
        // The network, or a client that tries again, may deliver a call twice; the first copy stands.
        if tasks.slot(of: call.client, call.id) != nil { return }
        if let reason = reasonToReject(call, at: now) {
            counts.callsRejected += 1
            actions.append(.reject(call.client, call.id, attempt: call.attempt, reason))
            return
        }
        guard let queue = queueOfModel[call.model] else { preconditionFailure("admitted a call without a queue") }
        // A job may take days; its own time to live ends it.
        let latest = call.client == .jobs ? .distantFuture : now + limits.deadlineMax
        let slot = tasks.reserveSlot()
        let task = BrokerTask(
            slot: slot, sequence: nextSequence, of: call, queue: queue,
            deadline: Swift.min(call.deadline ?? now + limits.deadlineDefault, latest), admitted: now)
        nextSequence += 1
        noteQueued(task, 1)
        tasks.insert(task)
        if task.isSolo(limits) {
            queues[queue].solo.append(slot)
        } else {
            let flow = FairQueue.FlowKey(tenant: call.tenant, priority: call.priority)
            queues[queue].fair.insert(slot, flow: flow, at: now, &tasks)
        }
        deadlines.set(slot, task.deadline)
        actions.append(.admit(task.id))
    }

    private func reasonToReject(_ call: Call, at now: Instant) -> RejectionReason? {
        switch lifecycle {
        case .draining, .stopped: return .draining
        case .serving: break
        }
        if call.items > limits.itemsPerCallMax { return .tooManyItems(max: limits.itemsPerCallMax) }
        if let deadline = call.deadline, deadline <= now { return .deadlineExceeded }
        // A call that nobody can serve would only wait for its deadline; the client may prefer to try again.
        guard let queue = queueOfModel[call.model] else {
            return readyWorkerCount > 0 ? .unknownModel : .noWorker(retryAfter: noWorkerRetryAfter)
        }
        if queues[queue].readyWorkers == 0 { return .noWorker(retryAfter: noWorkerRetryAfter) }
        // Tasks of jobs have bounds of their own, kept by who feeds them, and take no room from calls.
        if call.client == .jobs { return nil }
        let bound: RejectionReason.Bound
        if counts.queuedCalls - counts.queuedJobTasks >= limits.queuedCallsMax {
            bound = .queuedCalls
        } else if counts.queuedItems - counts.queuedJobItems + Swift.max(call.items, 1) > limits.queuedItemsMax {
            bound = .queuedItems
        } else if tasks.callsOfClient[call.client, default: 0] >= limits.callsPerClientMax {
            bound = .callsOfClient
        } else if tasks.payloadBytes - tasks.jobPayloadBytes + call.payloadBytes > limits.payloadBytesHeldMax {
            bound = .payloadBytesHeld
        } else {
            return nil
        }
        return .overloaded(bound, retryAfter: overloadRetryAfter)
    }

    /// A worker that restarts is back within about a second.
    private var noWorkerRetryAfter: Duration {
        Swift.max(limits.retryAfterMin, Swift.min(limits.beatInterval / 2, limits.retryAfterMax))
    }

    /// A tenth of the time the fleet needs for what waits: the queue will have room then, and is not yet empty.
    private var overloadRetryAfter: Duration {
        var rate = 0.0
        for worker in workers { rate += worker?.rate.itemsPerSecond ?? 0 }
        guard rate > 0 else { return Swift.min(limits.beatInterval, limits.retryAfterMax) }
        let seconds = Double(counts.queuedItems) / rate / 10
        guard seconds < limits.retryAfterMax.inSeconds else { return limits.retryAfterMax }
        return Swift.max(limits.retryAfterMin, .nanoseconds(Int64(seconds * 1e9)))
    }

    mutating func cancel(_ client: ClientID, _ call: CallID, at now: Instant, into actions: inout [Action]) {
        guard let slot = tasks.slot(of: client, call) else { return }  // answered already
        abandon(slot, at: now, into: &actions)
    }

    /// Cost: O(tasks). Connections end rarely.
    mutating func forgetClient(_ client: ClientID, at now: Instant, into actions: inout [Action]) {
        guard tasks.callsOfClient[client] != nil else { return }
        for slot in tasks.slots.indices where tasks.slots[slot]?.client == client {
            abandon(slot, at: now, into: &actions)
        }
    }

    private mutating func abandon(_ slot: Int, at now: Instant, into actions: inout [Action]) {
        let task = tasks[slot]
        counts.callsCancelled += 1
        detach(slot, at: now, withdraw: true, into: &actions)
        tasks.remove(slot)
        actions.append(.discard(task.id))
    }

    mutating func expireCalls(at now: Instant, into actions: inout [Action]) {
        while let due = deadlines.min, due.key <= now {
            counts.callsExpired += 1
            abort(due.slot, .deadlineExceeded, at: now, into: &actions)
        }
    }

    /// Ends a task with an error, wherever it is.
    mutating func abort(_ slot: Int, _ reason: RejectionReason, at now: Instant, into actions: inout [Action]) {
        let task = tasks[slot]
        detach(slot, at: now, withdraw: true, into: &actions)
        tasks.remove(slot)
        counts.callsDone += 1
        actions.append(.abort(task.id, to: task.client, task.call, attempt: task.attempt, reason))
    }

    /// Takes a task out of its queue or off its worker, and out of the timers. The task itself stays in the table.
    mutating func detach(_ slot: Int, at now: Instant, withdraw: Bool, into actions: inout [Action]) {
        let task = tasks[slot]
        deadlines.remove(slot)
        switch task.state {
        case .queued:
            leaveQueue(slot)
        case .leased(let lease):
            for lease in [lease, task.hedge] {
                guard let lease else { continue }
                if withdraw, let worker = workers[lease.worker] {
                    actions.append(.withdraw(task.id, task.token(of: lease), from: worker.id))
                }
                endLease(slot, lease, at: now)
            }
            tasks[slot].hedge = nil
            stragglers.remove(slot)
        }
    }

    /// A broker that is started anew must not give a task that kills as many lives again.
    func noteDeaths(_ task: BrokerTask, into actions: inout [Action]) {
        if task.client == .jobs { actions.append(.noteDeaths(task.call, task.deaths)) }
    }

    mutating func leaveQueue(_ slot: Int) {
        let task = tasks[slot]
        if !queues[task.queue].fair.remove(slot, &tasks) {
            queues[task.queue].solo.removeAll { $0 == slot }
            releaseReservationIfUnused(of: task.queue)
        }
        noteQueued(task, -1)
    }

    /// A task has begun (1) or ceased (-1) to wait.
    mutating func noteQueued(_ task: BrokerTask, _ sign: Int) {
        queues[task.queue].items += sign * task.items
        counts.queuedItems += sign * task.items
        counts.queuedCalls += sign
        guard task.client == .jobs else { return }
        counts.queuedJobTasks += sign
        counts.queuedJobItems += sign * task.items
    }

    /// Puts a task whose lease ended without a result back in line, at its old place or among those to be tried alone.
    mutating func requeue(_ slot: Int, diedWithWorker: Bool, at now: Instant, into actions: inout [Action]) {
        var task = tasks[slot]
        let wasSolo = task.isSolo(limits)
        if diedWithWorker {
            task.deaths += 1
            noteDeaths(task, into: &actions)
        }
        task.state = .queued
        stragglers.remove(slot)
        tasks[slot] = task
        counts.tasksRequeued += 1
        noteQueued(task, 1)
        if task.isSolo(limits) {
            queues[task.queue].solo.append(slot)
        } else {
            queues[task.queue].fair.restore(slot, &tasks)
        }
        if wasSolo && diedWithWorker {
            counts.callsPoisoned += 1
            abort(slot, .poisoned(deaths: task.deaths), at: now, into: &actions)
        }
    }
}
