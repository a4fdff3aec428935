/// How tasks end.
extension JobStateMachine {
    mutating func endAnswered(
        _ call: CallID, status: UInt8, attempts: Int, resultBytes: Int, into actions: inout [Action]
    ) {
        guard let offer = offers[call] else { return }  // taken back meanwhile
        let (slot, index) = (offer.job, offer.index)
        leaveUnderWay(index, slot)
        var tries = jobs[slot].tasks[index].tries
        let earlier = Int(tries.failures)
        jobs[slot].history.noteLeases(attempts)
        switch JobTaskVerdict(status: status) {
        case .done:
            end(index, slot, .done, status: status, earlier + attempts, resultBytes, .result, into: &actions)
        case .wrong:
            end(index, slot, .failed, status: status, earlier + attempts, resultBytes, .result, into: &actions)
        case .mayPass:
            tries.failures = UInt8(clamping: earlier + 1)
            guard earlier + 1 < limits.taskAttemptsMax else {
                let failure = JobTaskFailure.givenUp(attempts: earlier + 1, status: status)
                end(index, slot, .dead, failure, attempts: earlier + attempts, into: &actions)
                return
            }
            note(tries, index, slot, into: &actions)
            var wait = limits.taskBackoffInitial
            for _ in 0..<earlier where wait < limits.taskBackoffMax { wait = wait * 2 }
            backOff(index, slot, for: Swift.min(wait, limits.taskBackoffMax))
            counts.tasksRetried += 1
            jobs[slot].history.retries += 1
        }
    }

    mutating func endAborted(_ call: CallID, _ reason: RejectionReason, into actions: inout [Action]) {
        guard let offer = offers[call] else { return }
        let (slot, index) = (offer.job, offer.index)
        leaveUnderWay(index, slot)
        switch reason {
        case .poisoned(let deaths):
            jobs[slot].history.noteLeases(deaths)
            end(index, slot, .dead, .killsWorkers(deaths: deaths), attempts: deaths, into: &actions)
        case .tooManyItems: end(index, slot, .failed, .refused(reason), attempts: 0, into: &actions)
        case .overloaded(_, let retryAfter), .noWorker(let retryAfter): backOff(index, slot, for: retryAfter)
        case .unknownModel: backOff(index, slot, for: limits.retryAfterMax)
        // Nothing of these is the task's fault. At its deadline the job is given up with all its tasks.
        case .deadlineExceeded, .draining, .drainTimedOut: requeue(index, slot)
        }
    }

    /// A worker died with the task in hand.
    mutating func noteDeaths(_ call: CallID, _ deaths: Int, into actions: inout [Action]) {
        guard let offer = offers[call] else { return }
        var tries = jobs[offer.job].tasks[offer.index].tries
        tries.deaths = UInt8(clamping: deaths)
        note(tries, offer.index, offer.job, into: &actions)
    }

    private mutating func note(
        _ tries: JobTaskRecord.Tries, _ index: Int, _ slot: Int, into actions: inout [Action]
    ) {
        jobs[slot].setTries(index, tries)
        actions.append(.write(.setTries(.init(job: jobs[slot].record.id, index: index), tries), .none))
        commit(.init(request: nil, job: slot, change: .tries), into: &actions)
    }

    private mutating func backOff(_ index: Int, _ slot: Int, for wait: Duration) {
        jobs[slot].move(index, to: .backingOff)
        backoffs.add(.init(job: jobs[slot].record.id, index: index), until: now + wait)
    }

    mutating func failLoad(_ task: JobTaskID, _ failure: JobStoreFailure, into actions: inout [Action]) {
        switch failure {
        case .broken(let why): return breakDown(why, into: &actions)
        case .damaged, .full, .mismatched: break
        }
        guard let slot = slotOfJob[task.job], jobs[slot].state(task.index) == .loading else { return }
        leaveUnderWay(task.index, slot)
        switch failure {
        case .damaged, .mismatched: repair(task, slot, into: &actions)
        case .full, .broken: backOff(task.index, slot, for: limits.storeRetryAfter)
        }
    }

    private mutating func end(
        _ index: Int, _ slot: Int, _ outcome: JobTaskOutcome, _ failure: JobTaskFailure, attempts: Int,
        into actions: inout [Action]
    ) {
        end(index, slot, outcome, status: failure.status, attempts, 0, .failure(failure), into: &actions)
    }

    private mutating func end(
        _ index: Int, _ slot: Int, _ outcome: JobTaskOutcome, status: UInt8, _ attempts: Int, _ resultBytes: Int,
        _ bytes: JobBytes, into actions: inout [Action]
    ) {
        jobs[slot].move(index, to: .ending)
        write(
            .init(
                index: index, outcome: outcome, status: status, attempts: attempts, resultBytes: resultBytes,
                bytes: bytes), slot, into: &actions)
    }

    /// Each end has its own group, so that one without room on the disk does not hold up others.
    private mutating func write(_ end: Job.Unwritten, _ slot: Int, into actions: inout [Action]) {
        jobs[slot].lastSequence += 1
        jobs[slot].endsUnderWay += 1
        let sequence = jobs[slot].lastSequence
        let record = JobTaskRecord.End(
            outcome: end.outcome, status: end.status, attempts: end.attempts, sequence: sequence,
            resultBytes: end.resultBytes)
        actions.append(.write(.endTask(.init(job: jobs[slot].record.id, index: end.index), record), end.bytes))
        commit(.init(request: nil, job: slot, change: .end(end, sequence: sequence)), into: &actions)
    }

    /// The end is on disk.
    mutating func ended(_ end: Job.Unwritten, _ sequence: UInt64, _ slot: Int, into actions: inout [Action]) {
        jobs[slot].endsUnderWay -= 1
        jobs[slot].setEnd(end.index, status: end.status, resultBytes: end.resultBytes)
        jobs[slot].move(end.index, to: end.outcome.state)
        jobs[slot].history.noteEnd(end.outcome, at: wall)
        noteSequence(sequence, isFailure: end.outcome != .done, slot)
        let tenant = jobs[slot].record.tenant
        tenants[tenant]?.openTasks -= 1
        releaseBytes(-end.resultBytes, of: tenant)
        switch end.outcome {
        case .done: counts.tasksDone += 1
        case .failed: counts.tasksFailed += 1
        case .dead: counts.tasksDead += 1
        case .cancelled: preconditionFailure("a cancelled task has no end of its own")
        }
    }

    private mutating func noteSequence(_ sequence: UInt64, isFailure: Bool, _ slot: Int) {
        jobs[slot].lastCommitted = Swift.max(jobs[slot].lastCommitted, sequence)
        if isFailure { jobs[slot].lastFailure = Swift.max(jobs[slot].lastFailure, sequence) }
    }

    /// The disk had no room for an end. It is kept and written again later, under another number: those after it may have
    /// been written, and readers have gone past them.
    mutating func keepUnwritten(
        _ end: Job.Unwritten, _ ticket: CommitTicket, _ slot: Int, into actions: inout [Action]
    ) {
        let bytes: JobBytes
        switch end.bytes {
        case .result, .kept: bytes = .kept(ticket)
        case .none, .block, .failure:
            bytes = end.bytes
            actions.append(.drop(ticket))
        }
        if jobs[slot].unwritten.isEmpty { jobsWithUnwritten.append(slot) }
        jobs[slot].unwritten.append(
            .init(
                index: end.index, outcome: end.outcome, status: end.status, attempts: end.attempts,
                resultBytes: end.resultBytes, bytes: bytes))
        retryAt = now + limits.storeRetryAfter
    }

    mutating func writeAgain(into actions: inout [Action]) {
        retryAt = nil
        let slots = jobsWithUnwritten
        jobsWithUnwritten = []
        for slot in slots {
            // A job that is being given up keeps them until it is known whether it was.
            guard jobs[slot].transition == nil else {
                jobsWithUnwritten.append(slot)
                retryAt = now + limits.storeRetryAfter
                continue
            }
            let ends = jobs[slot].unwritten
            jobs[slot].unwritten = []
            for end in ends { write(end, slot, into: &actions) }
        }
        repairAll(into: &actions)
    }

    /// They will not be written any more.
    mutating func dropUnwritten(_ slot: Int, into actions: inout [Action]) {
        guard !jobs[slot].unwritten.isEmpty else { return }
        for end in jobs[slot].unwritten {
            if case .kept(let ticket) = end.bytes { actions.append(.drop(ticket)) }
        }
        jobs[slot].unwritten = []
        jobsWithUnwritten.removeAll { $0 == slot }
        if jobsWithUnwritten.isEmpty && damagedTasks.isEmpty { retryAt = nil }
    }

    // MARK: Damage.

    /// The result of a task cannot be read: it is computed once more, or, in a job that was given up, is lost.
    mutating func reviveDamaged(_ task: JobTaskID, into actions: inout [Action]) {
        guard let slot = slotOfJob[task.job], jobs[slot].state(task.index).hasEnded, jobs[slot].transition == nil
        else { return }
        let record = jobs[slot].record
        // Of a task whose record was lost nothing is left to compute.
        guard jobs[slot].mayReopen, !jobs[slot].tasks[task.index].isLost else {
            return repair(task, slot, into: &actions)
        }
        counts.recordsDamaged += 1
        actions.append(.write(.reviveTask(task, sequenceFloor: jobs[slot].lastSequence), .none))
        if record.state == .finished {
            actions.append(
                .write(.setJobState(record.id, .sealed, sealedTasks: record.sealedTasks, ended: nil), .none))
        }
        jobs[slot].transition = .replaying
        commit(.init(request: nil, job: slot, change: .replay([task.index])), into: &actions)
    }

    private mutating func repair(_ task: JobTaskID, _ slot: Int, into actions: inout [Action]) {
        counts.recordsDamaged += 1
        if jobs[slot].state(task.index).hasEnded && !jobs[slot].isOver {
            tenants[jobs[slot].record.tenant]?.openTasks += 1
        }
        jobs[slot].move(task.index, to: .ending)
        damagedTasks.append(task)
        if retryAt == nil { repairAll(into: &actions) }
    }

    /// Tasks whose records or payloads are lost end as failed, so that their clients learn it and append them anew. The row is
    /// written whole: a part of it that is damaged would be met again.
    mutating func repairAll(into actions: inout [Action]) {
        let damaged = damagedTasks
        damagedTasks = []
        for task in damaged {
            guard let slot = slotOfJob[task.job] else { continue }
            // It goes with its job, unless the disk refuses that.
            guard jobs[slot].transition != .removing else {
                damagedTasks.append(task)
                retryAt = now + limits.storeRetryAfter
                continue
            }
            let entry = JobTaskRecord(index: task.index, items: 0, payloadBytes: 0, payloadHash: JobTask.absent.hash)
            actions.append(.write(.insertTask(task, entry), .none))
            jobs[slot].lastSequence += 1
            jobs[slot].endsUnderWay += 1
            // The row may be damaged again, and with it the only memory of this number.
            actions.append(.write(.setSequenceFloor(task.job, jobs[slot].lastSequence), .none))
            let end = JobTaskRecord.End(
                outcome: .failed, status: JobTaskFailure.damaged.status, attempts: 0,
                sequence: jobs[slot].lastSequence, resultBytes: 0)
            actions.append(.write(.endTask(task, end), .failure(.damaged)))
            let change = PendingCommit.Change.repair(task.index, sequence: jobs[slot].lastSequence)
            commit(.init(request: nil, job: slot, change: change), into: &actions)
        }
    }

    mutating func repaired(_ index: Int, _ sequence: UInt64, _ slot: Int) {
        jobs[slot].endsUnderWay -= 1
        let tenant = jobs[slot].record.tenant
        let old = jobs[slot].tasks[index]
        releaseBytes(Int(old.payloadBytes) + Int(old.resultBytes), of: tenant)
        if !jobs[slot].isOver { tenants[tenant]?.openTasks -= 1 }
        var lost = JobTask.absent
        lost.state = .failed
        lost.status = JobTaskFailure.damaged.status
        jobs[slot].put(index, lost)
        noteSequence(sequence, isFailure: true, slot)
    }
}

/// What the gRPC status of a worker's answer means for a task.
enum JobTaskVerdict: Equatable {
    case done
    /// Another try would only repeat it.
    case wrong
    /// It may pass.
    case mayPass

    init(status: UInt8) {
        switch status {
        case 0: self = .done
        // CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE.
        case 1, 2, 4, 8, 10, 13, 14: self = .mayPass
        default: self = .wrong
        }
    }
}

extension JobTaskOutcome {
    var state: JobTask.State {
        switch self {
        case .done: .done
        case .failed: .failed
        case .dead: .dead
        case .cancelled: preconditionFailure("a cancelled task has no end of its own")
        }
    }
}
