/// How jobs begin, end, are given up and removed.
extension JobStateMachine {
    // MARK: The table.

    mutating func addJob(_ record: JobRecord) -> Int {
        let feed = feedIndex(of: record.model)
        feeds[feed].jobs += 1
        let job = Job(record: record, feed: feed)
        let slot = freeJobs.popLast() ?? jobs.count
        if slot == jobs.count { jobs.append(job) } else { jobs[slot] = job }
        slotOfJob[record.id] = slot
        jobsInOrder.insert(record.id, at: placeInOrder(record.id))
        tenants[record.tenant, default: .init()].jobs += 1
        if let content = record.content, job.mayReopen {
            jobOfContent[.init(tenant: record.tenant, content: content)] = slot
        }
        return slot
    }

    /// Takes a job out of memory; it is not, or no longer, on disk.
    mutating func forget(_ slot: Int, into actions: inout [Action]) {
        let record = jobs[slot].record
        let tenant = record.tenant
        dropUnwritten(slot, into: &actions)
        let waiting = jobs[slot].waiters
        for place in waiting {
            let request = waiters[place].request
            waiters.remove(place)
            refuse(request, .unknownJob, into: &actions)
        }
        feeds[jobs[slot].feed].remove(slot)
        leaveFeed(jobs[slot].feed)
        releaseBytes(jobs[slot].payloadBytes + jobs[slot].resultBytes, of: tenant)
        tenants[tenant]?.jobs -= 1
        if tenants[tenant]?.isNothing == true { tenants[tenant] = nil }
        forgetContent(slot)
        damagedTasks.removeAll { $0.job == record.id }
        slotOfJob[record.id] = nil
        jobsInOrder.remove(at: placeInOrder(record.id))
        wallTimers.remove(slot)
        let feed = jobs[slot].feed
        jobs[slot] = Job(record: record, feed: feed)
        jobs[slot].isVacant = true
        freeJobs.append(slot)
    }

    private mutating func forgetContent(_ slot: Int) {
        let record = jobs[slot].record
        guard let content = record.content else { return }
        let key = ContentKey(tenant: record.tenant, content: content)
        if jobOfContent[key] == slot { jobOfContent[key] = nil }
    }

    // MARK: The start.

    mutating func restore(_ record: JobRecord, _ tasks: [JobTaskRecord], _ damaged: [Int]) {
        guard !isOpen else { preconditionFailure("a job was restored after the store was opened") }
        let slot = addJob(record)
        for task in tasks {
            var entry = JobTask(
                hash: task.payloadHash, items: UInt32(clamping: task.items),
                payloadBytes: UInt32(clamping: task.payloadBytes))
            if let end = task.end {
                entry.state = end.outcome.state
                entry.status = end.status
                entry.resultBytes = UInt32(clamping: end.resultBytes)
                jobs[slot].lastSequence = Swift.max(jobs[slot].lastSequence, end.sequence)
                if end.outcome != .done { jobs[slot].lastFailure = Swift.max(jobs[slot].lastFailure, end.sequence) }
            } else {
                entry.state = .queued
                entry.tries = task.tries
                if jobs[slot].mayReopen { jobs[slot].ready.append(UInt32(task.index)) }
            }
            jobs[slot].put(task.index, entry)
        }
        for index in damaged {
            var entry = JobTask.absent
            entry.state = .ending
            jobs[slot].put(index, entry)
            damagedTasks.append(.init(job: record.id, index: index))
        }
        // A damaged task may have had the largest end number. No job gives so many in one life of a broker.
        if !damaged.isEmpty { jobs[slot].lastSequence += 1 << 32 }
        jobs[slot].lastCommitted = jobs[slot].lastSequence
        counts.recordsDamaged += damaged.count
        if !jobs[slot].isOver { tenants[record.tenant]?.openTasks += jobs[slot].open }
        releaseBytes(-jobs[slot].payloadBytes - jobs[slot].resultBytes, of: record.tenant)
    }

    mutating func open(into actions: inout [Action]) {
        lifecycle = isDrainWanted ? .draining : .serving
        for slot in jobs.indices where !jobs[slot].isVacant {
            lineUp(slot)
            stepForward(slot, into: &actions)
        }
        repairAll(into: &actions)
    }

    // MARK: Ends.

    /// Whatever the job is due to become now, and the timer of what it becomes next.
    mutating func stepForward(_ slot: Int, into actions: inout [Action]) {
        guard !jobs[slot].isVacant else { return }
        wake(slot, into: &actions)
        guard jobs[slot].transition == nil else { return }
        let record = jobs[slot].record
        if jobs[slot].isComplete && jobs[slot].insertsUnderWay == 0 {
            jobs[slot].transition = .finishing
            write(
                .setJobState(record.id, .finished, sealedTasks: record.sealedTasks, ended: wall), .finish(at: wall),
                slot, into: &actions)
        } else if !jobs[slot].isOver && wall >= record.giveUp {
            jobs[slot].transition = .expiring
            withdrawAll(slot, into: &actions)
            write(
                .setJobState(record.id, .expired, sealedTasks: record.sealedTasks, ended: wall), .expire(at: wall),
                slot, into: &actions)
        } else if let ended = record.ended, jobs[slot].isOver {
            let removal = ended + .microseconds(record.retentionMicroseconds)
            if wall >= removal && jobs[slot].endsUnderWay == 0 && jobs[slot].insertsUnderWay == 0 {
                jobs[slot].transition = .removing
                write(.removeJob(record.id), .remove, slot, into: &actions)
            } else {
                wallTimers.set(slot, Swift.max(removal, wall + .milliseconds(1)))
            }
        } else {
            wallTimers.set(slot, record.giveUp)
        }
    }

    private mutating func write(
        _ operation: JobStoreOperation, _ change: PendingCommit.Change, _ slot: Int, into actions: inout [Action]
    ) {
        actions.append(.write(operation, .none))
        commit(.init(request: nil, job: slot, change: change), into: &actions)
    }

    mutating func cancel(
        _ request: JobRequestID, _ tenant: TenantID, _ id: JobID, _ event: Event, into actions: inout [Action]
    ) {
        guard let slot = jobToChange(id, tenant, request, event, into: &actions) else { return }
        guard !jobs[slot].isOver else { return actions.append(.reply(request, .status(jobs[slot].status))) }
        jobs[slot].transition = .cancelling
        withdrawAll(slot, into: &actions)
        actions.append(
            .write(.setJobState(id, .cancelled, sealedTasks: jobs[slot].record.sealedTasks, ended: wall), .none))
        commit(.init(request: request, job: slot, change: .cancel(at: wall)), into: &actions)
    }

    /// The job was cancelled or its time is up: what has not ended is not computed any more.
    mutating func giveUp(
        _ slot: Int, _ state: JobRecord.State, at ended: WallTime, _ group: PendingCommit, into actions: inout [Action]
    ) {
        jobs[slot].transition = nil
        dropUnwritten(slot, into: &actions)
        tenants[jobs[slot].record.tenant]?.openTasks -= jobs[slot].open
        jobs[slot].record.state = state
        jobs[slot].record.ended = ended
        jobs[slot].ready.removeAll()
        forgetContent(slot)
        counts.jobsGivenUp += 1
        if let request = group.request { actions.append(.reply(request, .status(jobs[slot].status))) }
    }

    // MARK: Replay.

    mutating func replay(
        _ request: JobRequestID, _ tenant: TenantID, _ id: JobID, _ indexes: [Int], _ event: Event,
        into actions: inout [Action]
    ) {
        guard let slot = jobToChange(id, tenant, request, event, into: &actions) else { return }
        guard indexes.count <= limits.tasksPerReplayMax else {
            return refuse(request, .tooLarge(.tasksOfRequest, max: limits.tasksPerReplayMax), into: &actions)
        }
        let record = jobs[slot].record
        guard jobs[slot].mayReopen, wall < record.giveUp else {
            return refuse(request, .sealed(record.state), into: &actions)
        }
        if let unknown = indexes.first(where: { !jobs[slot].state($0).isPresent }) {
            return refuse(request, .tasksMissing(count: 1, first: unknown), into: &actions)
        }
        let chosen = tasksToReplay(indexes, slot)
        guard !chosen.isEmpty else { return actions.append(.reply(request, .replayed(0))) }
        let open = tenants[tenant, default: .init()].openTasks
        guard open + chosen.count <= limits.openTasksPerTenantMax else {
            let quota = JobRefusal.quota(
                .openTasks, max: limits.openTasksPerTenantMax, retryAfter: limits.retryAfterMax)
            return refuse(request, quota, into: &actions)
        }
        for index in chosen {
            let task = JobTaskID(job: id, index: index)
            actions.append(.write(.reviveTask(task, sequenceFloor: jobs[slot].lastSequence), .none))
        }
        if record.state == .finished {
            actions.append(.write(.setJobState(id, .sealed, sealedTasks: record.sealedTasks, ended: nil), .none))
        }
        jobs[slot].transition = .replaying
        commit(.init(request: request, job: slot, change: .replay(chosen)), into: &actions)
    }

    /// Those that failed or are dead among the ones named, or all that are dead, in order of their indexes.
    private func tasksToReplay(_ indexes: [Int], _ slot: Int) -> [Int] {
        var chosen: [Int] = []
        if indexes.isEmpty {
            for index in jobs[slot].tasks.indices where jobs[slot].tasks[index].state == .dead {
                guard chosen.count < limits.tasksPerReplayMax else { break }
                chosen.append(index)
            }
            return chosen
        }
        for index in Set(indexes).sorted() {
            switch jobs[slot].state(index) {
            // What was lost to damage has no payload; it must be appended anew.
            case .failed, .dead: if !jobs[slot].tasks[index].isLost { chosen.append(index) }
            case .absent, .inserting, .queued, .backingOff, .loading, .offered, .ending, .done: break
            }
        }
        return chosen
    }

    // MARK: Time.

    mutating func passTime(into actions: inout [Action]) {
        while let due = wallTimers.min, due.key <= wall {
            wallTimers.remove(due.slot)
            stepForward(due.slot, into: &actions)
        }
        while let waiter = waiters.popDue(at: now) {
            unlink(waiter)
            answer(waiter, into: &actions)
        }
        while let task = backoffs.popDue(at: now) {
            guard let slot = slotOfJob[task.job], jobs[slot].state(task.index) == .backingOff else { continue }
            requeue(task.index, slot)
        }
        if let retryAt, retryAt <= now { writeAgain(into: &actions) }
    }
}
