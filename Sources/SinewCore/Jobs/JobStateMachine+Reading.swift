/// Status, results and listings: what changes nothing.
extension JobStateMachine {
    /// The place of a job that clients may know of.
    private func known(_ id: JobID, _ tenant: TenantID) -> Int? {
        guard let slot = slotOfJob[id], jobs[slot].record.tenant == tenant, jobs[slot].transition != .submitting else {
            return nil
        }
        return slot
    }

    private var closedRefusal: JobRefusal? {
        switch lifecycle {
        case .closed(let why): .storeUnavailable(why, retryAfter: limits.storeRetryAfter)
        case .serving, .draining: nil
        }
    }

    mutating func answerStatus(
        _ request: JobRequestID, _ client: ClientID, _ tenant: TenantID, _ id: JobID, _ wait: Duration,
        into actions: inout [Action]
    ) {
        if let closedRefusal { return refuse(request, closedRefusal, into: &actions) }
        guard let slot = known(id, tenant) else { return refuse(request, .unknownJob, into: &actions) }
        guard wait > .zero, !jobs[slot].isOver else {
            return actions.append(.reply(request, .status(jobs[slot].status)))
        }
        enlist(request, client, slot, .status, wait, into: &actions)
    }

    mutating func answerResults(
        _ request: JobRequestID, _ client: ClientID, _ tenant: TenantID, _ query: JobResultsQuery,
        into actions: inout [Action]
    ) {
        if let closedRefusal { return refuse(request, closedRefusal, into: &actions) }
        guard let slot = known(query.job, tenant) else { return refuse(request, .unknownJob, into: &actions) }
        guard query.wait > .zero, !hasNews(for: query, slot) else {
            return read(request, query, slot, into: &actions)
        }
        enlist(request, client, slot, .results(query), query.wait, into: &actions)
    }

    private mutating func enlist(
        _ request: JobRequestID, _ client: ClientID, _ slot: Int, _ kind: JobWaiters.Kind, _ wait: Duration,
        into actions: inout [Action]
    ) {
        guard waiters.count(of: client) < limits.jobWaitersPerClientMax else {
            return refuse(request, .overloaded(retryAfter: limits.retryAfterMax), into: &actions)
        }
        let due = now + Swift.min(wait, limits.jobWaitMax)
        jobs[slot].waiters.append(waiters.add(request, of: client, job: slot, kind, until: due))
    }

    mutating func unlink(_ waiter: JobWaiters.Waiter) { jobs[waiter.job].waiters.removeAll { $0 == waiter.slot } }

    private func hasNews(for query: JobResultsQuery, _ slot: Int) -> Bool {
        if jobs[slot].isOver { return true }
        return (query.failuresOnly ? jobs[slot].lastFailure : jobs[slot].lastCommitted) > query.cursor
    }

    private func read(
        _ request: JobRequestID, _ query: JobResultsQuery, _ slot: Int, into actions: inout [Action]
    ) {
        let wanted = query.countMax > 0 ? query.countMax : limits.resultsPerReplyMax
        let countMax = Swift.min(wanted, limits.resultsPerReplyMax)
        let hasEnded = jobs[slot].isOver && jobs[slot].endsUnderWay == 0 && jobs[slot].insertsUnderWay == 0
        let (givenUp, last) = hasEnded ? self.givenUp(query, countMax: countMax, slot) : ([], .max)
        actions.append(
            .readResults(
                request,
                JobResultsRead(
                    job: query.job, cursor: query.cursor, countMax: countMax,
                    bytesMax: Swift.min(limits.resultsReplyBytesMax, limits.payloadBytesMax / 2),
                    failuresOnly: query.failuresOnly, jobHasEnded: hasEnded, through: jobs[slot].lastCommitted,
                    givenUp: givenUp, last: last)))
    }

    /// The tasks that were given up with their job, in order of their indexes. Nothing of it changes any more, so each stands at a
    /// sequence of its own behind the last end.
    private func givenUp(
        _ query: JobResultsQuery, countMax: Int, _ slot: Int
    ) -> (tasks: [JobTaskRecord], last: UInt64) {
        let through = jobs[slot].lastCommitted
        let end = Swift.max(through, query.cursor)
        guard !jobs[slot].mayReopen, !query.failuresOnly, jobs[slot].open > 0 else { return ([], end) }
        var found: [JobTaskRecord] = []
        var index = Int(clamping: end - through)
        while index < jobs[slot].tasks.count {
            let task = jobs[slot].tasks[index]
            if task.state.isPresent && !task.state.hasEnded {
                guard found.count < countMax else { return (found, .max) }
                let end = JobTaskRecord.End(
                    outcome: .cancelled, status: JobTaskOutcome.givenUpStatus, attempts: Int(task.tries.failures),
                    sequence: through + 1 + UInt64(index), resultBytes: 0)
                found.append(
                    JobTaskRecord(
                        index: index, items: Int(task.items), payloadBytes: Int(task.payloadBytes),
                        payloadHash: task.hash, end: end))
            }
            index += 1
        }
        return (found, found.last?.end?.sequence ?? end)
    }

    /// Answers a request that has waited, with what there is.
    mutating func answer(_ waiter: JobWaiters.Waiter, into actions: inout [Action]) {
        switch waiter.kind {
        case .status: actions.append(.reply(waiter.request, .status(jobs[waiter.job].status)))
        case .results(let query): read(waiter.request, query, waiter.job, into: &actions)
        }
    }

    /// Something of the job is new.
    mutating func wake(_ slot: Int, into actions: inout [Action]) {
        guard !jobs[slot].waiters.isEmpty else { return }
        let waiting = jobs[slot].waiters
        jobs[slot].waiters = []
        for place in waiting {
            let waiter = waiters[place]
            let isNews: Bool
            switch waiter.kind {
            case .status: isNews = jobs[slot].isOver
            case .results(let query): isNews = hasNews(for: query, slot)
            }
            guard isNews else {
                jobs[slot].waiters.append(place)
                continue
            }
            waiters.remove(place)
            answer(waiter, into: &actions)
        }
    }

    mutating func answerList(
        _ request: JobRequestID, _ tenant: TenantID, _ countMax: Int, _ before: JobID?, into actions: inout [Action]
    ) {
        if let closedRefusal { return refuse(request, closedRefusal, into: &actions) }
        let wanted = countMax > 0 ? Swift.min(countMax, limits.jobsPerListMax) : limits.jobsPerListDefault
        var found: [JobStatusRecord] = []
        let end = before.map { placeInOrder($0) } ?? jobsInOrder.count
        for id in jobsInOrder[..<end].reversed() {
            guard found.count < wanted else { break }
            guard let slot = known(id, tenant) else { continue }
            found.append(jobs[slot].status)
        }
        actions.append(.reply(request, .jobs(found)))
    }

    /// Where the id stands, or would stand, among all jobs.
    func placeInOrder(_ id: JobID) -> Int {
        var low = 0
        var high = jobsInOrder.count
        while low < high {
            let middle = (low + high) / 2
            if jobsInOrder[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
