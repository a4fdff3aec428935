/// What the store said.
extension JobStateMachine {
    /// The group is on disk.
    mutating func settle(_ ticket: CommitTicket, into actions: inout [Action]) {
        // Of the time before the store was opened anew.
        guard let group = pending.removeValue(forKey: ticket) else { return }
        let slot = group.job
        if group.request != nil { requestsPending -= 1 }
        switch group.change {
        case .reserve(let limit):
            isReserving = false
            leasesReserved = limit
            return actions.append(.leasesReserved(upTo: limit))
        case .submit:
            jobs[slot].transition = nil
            reply(group, .submitted(jobs[slot].status, existed: false), into: &actions)
        case .append(let indexes, let bytes, let replaced, let reopens):
            appended(indexes, bytes: bytes, replaced, reopens: reopens, slot)
            reply(group, .appended(nextIndex: jobs[slot].nextIndex), into: &actions)
        case .seal(let tasks):
            jobs[slot].transition = nil
            jobs[slot].record.state = .sealed
            jobs[slot].record.sealedTasks = tasks
            jobs[slot].history.sealed = wall
            reply(group, .status(jobs[slot].status), into: &actions)
        case .cancel(let at): giveUp(slot, .cancelled, at: at, group, into: &actions)
        case .expire(let at): giveUp(slot, .expired, at: at, group, into: &actions)
        case .finish(let at):
            jobs[slot].transition = nil
            jobs[slot].record.state = .finished
            jobs[slot].record.ended = at
            counts.jobsFinished += 1
        case .remove:
            forget(slot, into: &actions)
            takeDeferred(slot, into: &actions)
            return
        case .replay(let indexes):
            jobs[slot].transition = nil
            reopen(slot)
            jobs[slot].history.replayed = wall
            for index in indexes { revive(index, slot) }
            reply(group, .replayed(indexes.count), into: &actions)
        case .end(let end, let sequence): ended(end, sequence, slot, into: &actions)
        case .tries: return
        case .repair(let index, let sequence): repaired(index, sequence, slot)
        }
        stepForward(slot, into: &actions)
        takeDeferred(slot, into: &actions)
    }

    private func reply(_ group: PendingCommit, _ reply: JobReply, into actions: inout [Action]) {
        if let request = group.request { actions.append(.reply(request, reply)) }
    }

    private mutating func appended(_ indexes: [Int], bytes: Int, _ replaced: [Replaced], reopens: Bool, _ slot: Int) {
        bytesPending -= bytes
        jobs[slot].insertsUnderWay -= 1
        for old in replaced {
            releaseBytes(Int(old.task.payloadBytes) + Int(old.task.resultBytes), of: jobs[slot].record.tenant)
        }
        if reopens {
            jobs[slot].transition = nil
            reopen(slot)
        }
        for index in indexes {
            jobs[slot].move(index, to: .queued)
            jobs[slot].ready.append(UInt32(index))
        }
        counts.tasksAppended += indexes.count
        lineUp(slot)
    }

    /// A finished job has open tasks again.
    private mutating func reopen(_ slot: Int) {
        guard jobs[slot].record.state == .finished else { return }
        jobs[slot].record.state = .sealed
        jobs[slot].record.ended = nil
        // Tasks whose lost records wait for their repair; in a job that was over they did not count.
        tenants[jobs[slot].record.tenant]?.openTasks += jobs[slot].open
    }

    /// Its end is gone from the disk; it is queued like a new one.
    mutating func revive(_ index: Int, _ slot: Int) {
        let tenant = jobs[slot].record.tenant
        releaseBytes(Int(jobs[slot].tasks[index].resultBytes), of: tenant)
        tenants[tenant]?.openTasks += 1
        jobs[slot].setEnd(index, status: 0, resultBytes: 0)
        jobs[slot].setTries(index, .init())
        jobs[slot].move(index, to: .queued)
        jobs[slot].ready.append(UInt32(index))
        lineUp(slot)
    }

    mutating func releaseBytes(_ bytes: Int, of tenant: TenantID) {
        tenants[tenant]?.bytes -= bytes
        bytesStored -= bytes
    }

    /// Nothing of the group is on disk.
    mutating func settle(_ ticket: CommitTicket, _ failure: JobStoreFailure, into actions: inout [Action]) {
        guard let group = pending.removeValue(forKey: ticket) else { return }
        let refusal: JobRefusal
        switch failure {
        case .broken(let why):
            pending[ticket] = group
            return breakDown(why, into: &actions)
        case .full(let why):
            counts.commitsRefused += 1
            refusal = .diskFull(why, retryAfter: limits.storeRetryAfter)
        case .mismatched(let task): refusal = .hashMismatch(index: task.index)
        case .damaged(_, let why): refusal = .storeUnavailable(why, retryAfter: limits.storeRetryAfter)
        }
        if group.request != nil { requestsPending -= 1 }
        undo(group, ticket, into: &actions)
        if let request = group.request { refuse(request, refusal, into: &actions) }
        takeDeferred(group.job, into: &actions)
    }

    private mutating func undo(_ group: PendingCommit, _ ticket: CommitTicket, into actions: inout [Action]) {
        let slot = group.job
        switch group.change {
        case .reserve:
            isReserving = false
            retryAt = now + limits.storeRetryAfter
        case .submit: forget(slot, into: &actions)
        case .append(let indexes, let bytes, let replaced, let reopens):
            bytesPending -= bytes
            jobs[slot].insertsUnderWay -= 1
            for index in indexes { jobs[slot].retract(index) }
            for old in replaced { jobs[slot].put(old.index, old.task) }
            tenants[jobs[slot].record.tenant]?.openTasks -= indexes.count
            releaseBytes(bytes, of: jobs[slot].record.tenant)
            if reopens { jobs[slot].transition = nil }
            stepForward(slot, into: &actions)
        case .seal, .replay:
            jobs[slot].transition = nil
            stepForward(slot, into: &actions)
        case .cancel, .expire, .finish, .remove:
            jobs[slot].transition = nil
            wallTimers.set(slot, wall + limits.storeRetryAfter)
            lineUp(slot)
        case .end(let end, _):
            jobs[slot].endsUnderWay -= 1
            keepUnwritten(end, ticket, slot, into: &actions)
            return
        case .tries: break
        case .repair(let index, _):
            jobs[slot].endsUnderWay -= 1
            damagedTasks.append(.init(job: jobs[slot].record.id, index: index))
            retryAt = now + limits.storeRetryAfter
        }
        actions.append(.drop(ticket))
    }

    /// What waited for the change of the job is taken now.
    private mutating func takeDeferred(_ slot: Int, into actions: inout [Action]) {
        guard let events = deferred.removeValue(forKey: slot) else { return }
        requestsPending -= events.count
        for event in events { take(event, into: &actions) }
    }

    /// The store is gone. Everything is forgotten and read again; what clients wait for they ask for again.
    mutating func breakDown(_ why: String, into actions: inout [Action]) {
        guard isOpen else { return }
        counts.storeBreakdowns += 1
        let refusal = JobRefusal.storeUnavailable(why, retryAfter: limits.storeRetryAfter)
        for ticket in pending.keys.sorted() {
            if let request = pending[ticket]?.request { refuse(request, refusal, into: &actions) }
        }
        for slot in deferred.keys.sorted() {
            for event in deferred[slot] ?? [] {
                if let request = event.request { refuse(request, refusal, into: &actions) }
            }
        }
        for waiter in waiters.all { refuse(waiter.request, refusal, into: &actions) }
        let counts = counts
        let (tickets, calls, known, drains, now, wall) = (nextTicket, nextCall, credits, isDrainWanted, now, wall)
        let leases = leasesWanted
        self = JobStateMachine(limits: limits)
        self.counts = counts
        (nextTicket, nextCall, credits, isDrainWanted) = (tickets, calls, known, drains)
        (self.now, self.wall, leasesWanted) = (now, wall, leases)
        lifecycle = .closed(why)
        actions.append(.reopen(why))
    }
}

extension JobStateMachine.Event {
    /// The request that this is.
    var request: JobRequestID? {
        switch self {
        case .submitted(let request, _, _), .appended(let request, _, _, _), .sealed(let request, _, _, _),
            .cancelled(let request, _, _), .replayed(let request, _, _, _), .statusAsked(let request, _, _, _, _),
            .resultsAsked(let request, _, _, _), .listAsked(let request, _, _, _):
            request
        case .restored, .opened, .requestDropped, .clientGone, .committed, .commitFailed, .loaded, .loadFailed,
            .resultDamaged, .storeBroke, .answered, .aborted, .workerDied, .fleetChanged, .drainRequested,
            .leasesWanted,
            .ticked:
            nil
        }
    }
}
