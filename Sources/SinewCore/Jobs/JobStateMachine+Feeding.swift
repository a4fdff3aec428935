import DequeModule

/// Which tasks are given to the dispatcher, and when.
extension JobStateMachine {
    mutating func setCredits(_ models: [ModelCredit]) {
        credits = [:]
        for model in models where model.items > 0 { credits[model.model] = model.items }
        for feed in feeds.indices { feeds[feed].creditItems = credits[feeds[feed].key] ?? 0 }
        activeFeeds = feeds.indices.filter { feeds[$0].creditItems > 0 && feeds[$0].jobs > 0 }
    }

    mutating func feedIndex(of model: ModelKey) -> Int {
        if let known = feedOfModel[model] { return known }
        let feed = freeFeeds.popLast() ?? feeds.count
        if feed == feeds.count { feeds.append(JobFeed(key: model)) } else { feeds[feed] = JobFeed(key: model) }
        feeds[feed].creditItems = credits[model] ?? 0
        feedOfModel[model] = feed
        if feeds[feed].creditItems > 0 { activeFeeds.append(feed) }
        return feed
    }

    mutating func leaveFeed(_ feed: Int) {
        feeds[feed].jobs -= 1
        guard feeds[feed].jobs == 0 else { return }
        feedOfModel[feeds[feed].key] = nil
        activeFeeds.removeAll { $0 == feed }
        freeFeeds.append(feed)
    }

    /// Puts a job with waiting tasks in line.
    mutating func lineUp(_ slot: Int) {
        guard !jobs[slot].isVacant, !jobs[slot].isFed, !jobs[slot].ready.isEmpty, !jobs[slot].isOver else { return }
        switch jobs[slot].transition {
        case .submitting, .cancelling, .expiring, .removing, .finishing: return
        case .sealing, .replaying, nil: break
        }
        let record = jobs[slot].record
        feeds[jobs[slot].feed].add(slot, tenant: record.tenant, priority: record.priority, at: now)
        jobs[slot].isFed = true
    }

    mutating func feedAll(into actions: inout [Action]) {
        switch lifecycle {
        case .closed, .draining: return
        case .serving: break
        }
        // Ends that cannot be written stay in memory, so no more of them are made.
        guard retryAt == nil, backoffs.count < limits.jobTasksOfferedMax else { return }
        for feed in activeFeeds {
            while feeds[feed].hasRoom, tasksUnderWay < limits.jobTasksOfferedMax,
                bytesUnderWay < limits.jobBytesOfferedMax,
                let flow = feeds[feed].next(at: now, ageing: limits.ageing),
                let slot = feeds[feed].flows[flow].jobs.first
            {
                guard let index = jobs[slot].popReady() else {
                    jobs[slot].isFed = false
                    feeds[feed].dropFirstJob(of: flow)
                    continue
                }
                let isEmpty = jobs[slot].ready.isEmpty
                jobs[slot].isFed = !isEmpty
                feeds[feed].served(flow, items: Int(jobs[slot].tasks[index].items), isEmpty: isEmpty, at: now)
                jobs[slot].move(index, to: .loading)
                jobs[slot].underWay.append(UInt32(index))
                noteUnderWay(index, slot, 1)
                actions.append(.load(JobTaskID(job: jobs[slot].record.id, index: index)))
            }
        }
    }

    private mutating func noteUnderWay(_ index: Int, _ slot: Int, _ sign: Int) {
        let task = jobs[slot].tasks[index]
        let feed = jobs[slot].feed
        feeds[feed].tasksUnderWay += sign
        feeds[feed].itemsUnderWay += sign * Int(task.items)
        tasksUnderWay += sign
        bytesUnderWay += sign * Int(task.payloadBytes)
    }

    /// The task is not loading or offered any more.
    mutating func leaveUnderWay(_ index: Int, _ slot: Int) {
        guard let place = jobs[slot].underWay.firstIndex(of: UInt32(index)) else {
            preconditionFailure("task \(index) is not under way")
        }
        jobs[slot].underWay.swapAt(place, jobs[slot].underWay.count - 1)
        jobs[slot].underWay.removeLast()
        noteUnderWay(index, slot, -1)
        if let call = callOfTask.removeValue(forKey: .init(job: jobs[slot].record.id, index: index)) {
            offers[call] = nil
        }
    }

    mutating func offer(_ task: JobTaskID, into actions: inout [Action]) {
        guard let slot = slotOfJob[task.job], jobs[slot].state(task.index) == .loading else { return }
        let record = jobs[slot].record
        let entry = jobs[slot].tasks[task.index]
        let call = CallID(rawValue: nextCall)
        nextCall += 1
        jobs[slot].move(task.index, to: .offered)
        jobs[slot].history.noteStart(at: wall)
        offers[call] = Offer(job: slot, index: task.index)
        callOfTask[task] = call
        actions.append(
            .offer(
                task,
                BrokerStateMachine.Call(
                    client: .jobs, id: call, attempt: 1, model: record.model, items: Int(entry.items),
                    payloadBytes: Int(entry.payloadBytes),
                    deadline: now + .microseconds(Swift.max(record.giveUp.microseconds - wall.microseconds, 1)),
                    priority: record.priority, tenant: record.tenant, deaths: Int(entry.tries.deaths))))
    }

    /// Puts a task back in line, before those that were never tried.
    mutating func requeue(_ index: Int, _ slot: Int) {
        jobs[slot].move(index, to: .queued)
        jobs[slot].ready.prepend(UInt32(index))
        lineUp(slot)
    }

    /// Takes everything of a job back from dispatcher and store; it stays queued.
    mutating func withdrawAll(_ slot: Int, into actions: inout [Action]) {
        for index in jobs[slot].underWay.sorted() {
            let task = JobTaskID(job: jobs[slot].record.id, index: Int(index))
            if let call = callOfTask[task] { actions.append(.withdraw(call)) }
            leaveUnderWay(Int(index), slot)
            jobs[slot].move(Int(index), to: .queued)
            jobs[slot].ready.prepend(index)
        }
        feeds[jobs[slot].feed].remove(slot)
        jobs[slot].isFed = false
    }
}

extension ClientID {
    /// The broker's own client, in whose name tasks of jobs are given to the dispatcher. No peer has this number: those of a
    /// ROUTER hold a slot of 24 bits and a sequence, and never reach it.
    package static let jobs = ClientID(rawValue: .max)
}
