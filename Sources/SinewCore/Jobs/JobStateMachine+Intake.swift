/// Submit, append and seal.
extension JobStateMachine {
    mutating func submit(
        _ request: JobRequestID, _ tenant: TenantID, _ submission: JobSubmission, _ event: Event,
        into actions: inout [Action]
    ) {
        if let refusal = reasonToRefuse(submission) { return refuse(request, refusal, into: &actions) }
        let record = record(of: submission, tenant)
        if let slot = slotOfJob[submission.id] {
            guard jobs[slot].record.tenant == tenant else { return refuse(request, .jobConflict, into: &actions) }
            if jobs[slot].transition == .submitting || jobs[slot].transition == .removing { return wait(event, slot) }
            guard jobs[slot].record.isSame(as: record) else { return refuse(request, .jobConflict, into: &actions) }
            return actions.append(.reply(request, .submitted(jobs[slot].status, existed: true)))
        }
        if let content = submission.content, let slot = jobOfContent[.init(tenant: tenant, content: content)] {
            // A known job that is just being given up or removed is not worth returning; wait for what becomes of it.
            if jobs[slot].transition != nil { return wait(event, slot) }
            return actions.append(.reply(request, .submitted(jobs[slot].status, existed: true)))
        }
        if tenants[tenant, default: .init()].jobs >= limits.jobsPerTenantMax {
            let quota = JobRefusal.quota(.jobs, max: limits.jobsPerTenantMax, retryAfter: limits.retryAfterMax)
            return refuse(request, quota, into: &actions)
        }
        let slot = addJob(record)
        jobs[slot].transition = .submitting
        actions.append(.write(.insertJob(record), .none))
        commit(.init(request: request, job: slot, change: .submit), into: &actions)
    }

    private func record(of submission: JobSubmission, _ tenant: TenantID) -> JobRecord {
        let timeToLive = Swift.min(submission.timeToLive ?? limits.timeToLiveDefault, limits.timeToLiveMax)
        let retention = Swift.min(submission.retention ?? limits.retentionDefault, limits.retentionMax)
        return JobRecord(
            id: submission.id, tenant: tenant, method: submission.method, model: submission.model,
            label: submission.label, content: submission.content, priority: submission.priority, created: wall,
            giveUp: wall + timeToLive,
            retentionMicroseconds: Swift.max(retention, .zero).wholeNanoseconds / 1_000, sequenceFloor: 0,
            traceparent: submission.traceparent)
    }

    private func reasonToRefuse(_ submission: JobSubmission) -> JobRefusal? {
        if submission.label.utf8.count > limits.jobLabelBytesMax {
            return .tooLarge(.jobLabelBytes, max: limits.jobLabelBytesMax)
        }
        if submission.method.utf8.count > limits.nameBytesMax
            || submission.model.rawValue.utf8.count > limits.nameBytesMax
        {
            return .tooLarge(.nameBytes, max: limits.nameBytesMax)
        }
        if submission.priority > limits.priorityMax { return .tooLarge(.priority, max: limits.priorityMax) }
        return nil
    }

    mutating func append(
        _ request: JobRequestID, _ tenant: TenantID, _ id: JobID, _ blocks: [JobBlock], _ event: Event,
        into actions: inout [Action]
    ) {
        guard let slot = jobToChange(id, tenant, request, event, into: &actions) else { return }
        if let refusal = reasonToRefuse(blocks, slot) { return refuse(request, refusal, into: &actions) }
        if blocks.contains(where: { jobs[slot].state($0.index) == .inserting }) { return wait(event, slot) }
        let sorted: (fresh: [Int], replaced: [Replaced])
        switch sort(blocks, slot) {
        case .success(let found): sorted = found
        case .failure(let refusal): return refuse(request, refusal.refusal, into: &actions)
        }
        guard !sorted.fresh.isEmpty else {
            return actions.append(.reply(request, .appended(nextIndex: jobs[slot].nextIndex)))
        }
        var bytes = 0
        for place in sorted.fresh { bytes += blocks[place].payloadBytes }
        if let refusal = reasonToRefuse(tasks: sorted.fresh.count, bytes: bytes, tenant) {
            return refuse(request, refusal, into: &actions)
        }
        insert(sorted.fresh, sorted.replaced, of: blocks, bytes: bytes, slot, request, into: &actions)
    }

    private mutating func insert(
        _ fresh: [Int], _ replaced: [Replaced], of blocks: [JobBlock], bytes: Int, _ slot: Int,
        _ request: JobRequestID, into actions: inout [Action]
    ) {
        let record = jobs[slot].record
        for place in fresh {
            let block = blocks[place]
            var task = JobTask(
                hash: block.hash, items: UInt32(clamping: block.items),
                payloadBytes: UInt32(clamping: block.payloadBytes))
            task.state = .inserting
            jobs[slot].put(block.index, task)
            let entry = JobTaskRecord(
                index: block.index, items: block.items, payloadBytes: block.payloadBytes, payloadHash: block.hash)
            let id = JobTaskID(job: record.id, index: block.index)
            // The end that goes may have had the largest number.
            if replaced.contains(where: { $0.index == block.index }) {
                actions.append(.write(.reviveTask(id, sequenceFloor: jobs[slot].lastSequence), .none))
            }
            actions.append(.write(.insertTask(id, entry), .block(request, at: place)))
        }
        let reopens = record.state == .finished
        if reopens {
            actions.append(
                .write(.setJobState(record.id, .sealed, sealedTasks: record.sealedTasks, ended: nil), .none))
            jobs[slot].transition = .replaying
        }
        tenants[record.tenant]?.openTasks += fresh.count
        tenants[record.tenant]?.bytes += bytes
        bytesStored += bytes
        bytesPending += bytes
        jobs[slot].insertsUnderWay += 1
        let indexes = fresh.map { blocks[$0].index }
        commit(
            .init(
                request: request, job: slot,
                change: .append(indexes, bytes: bytes, replaced: replaced, reopens: reopens)), into: &actions)
    }

    private struct Refused: Error { let refusal: JobRefusal }

    /// Which blocks are new, and which replace a damaged task. Those that are on disk already are neither.
    private func sort(_ blocks: [JobBlock], _ slot: Int) -> Result<(fresh: [Int], replaced: [Replaced]), Refused> {
        var fresh: [Int] = []
        var replaced: [Replaced] = []
        var placeOfIndex: [Int: Int] = [:]
        for (place, block) in blocks.enumerated() {
            if let earlier = placeOfIndex[block.index] {
                guard blocks[earlier].hash == block.hash else { return conflict(block) }
                continue
            }
            placeOfIndex[block.index] = place
            let state = jobs[slot].state(block.index)
            if state.isPresent, jobs[slot].tasks[block.index].isLost, state == .ending || !jobs[slot].mayReopen {
                // It is being put in order, or nobody wants it any more.
                let refusal: JobRefusal =
                    jobs[slot].mayReopen
                    ? .overloaded(retryAfter: limits.storeRetryAfter) : .sealed(jobs[slot].record.state)
                return .failure(.init(refusal: refusal))
            }
            if !state.isPresent {
                guard jobs[slot].record.state == .open else {
                    return .failure(.init(refusal: .sealed(jobs[slot].record.state)))
                }
                fresh.append(place)
                continue
            }
            let known = jobs[slot].tasks[block.index]
            if state == .failed && known.status == JobTaskFailure.damaged.status && jobs[slot].mayReopen {
                fresh.append(place)
                replaced.append(.init(index: block.index, task: known))
            } else if known.hash != block.hash {
                return conflict(block)
            }
        }
        return .success((fresh, replaced))
    }

    private func conflict(_ block: JobBlock) -> Result<(fresh: [Int], replaced: [Replaced]), Refused> {
        .failure(.init(refusal: .taskConflict(index: block.index)))
    }

    /// What a block may be, whatever the broker has.
    private func reasonToRefuse(_ blocks: [JobBlock], _ slot: Int) -> JobRefusal? {
        if blocks.count > limits.tasksPerAppendMax { return .tooLarge(.tasksOfRequest, max: limits.tasksPerAppendMax) }
        let window = jobs[slot].nextIndex + limits.appendWindow
        for block in blocks {
            if block.index < 0 || block.index >= limits.tasksPerJobMax {
                return .tooLarge(.tasksOfJob, max: limits.tasksPerJobMax)
            }
            if block.index >= window { return .tooLarge(.appendWindow, max: limits.appendWindow) }
            if block.items < 1 || block.items > limits.itemsPerCallMax {
                return .tooLarge(.itemsOfTask, max: limits.itemsPerCallMax)
            }
            let payloadBytesMax = Swift.min(limits.taskPayloadBytesMax, limits.payloadBytesMax)
            if block.payloadBytes > payloadBytesMax {
                return .tooLarge(.payloadBytes, max: payloadBytesMax)
            }
            if block.labelBytes > limits.taskLabelBytesMax {
                return .tooLarge(.taskLabelBytes, max: limits.taskLabelBytesMax)
            }
        }
        return nil
    }

    /// Whether there is room for new tasks.
    private func reasonToRefuse(tasks: Int, bytes: Int, _ tenant: TenantID) -> JobRefusal? {
        let use = tenants[tenant, default: .init()]
        if use.openTasks + tasks > limits.openTasksPerTenantMax {
            return .quota(.openTasks, max: limits.openTasksPerTenantMax, retryAfter: limits.retryAfterMax)
        }
        if use.bytes + bytes > limits.jobBytesPerTenantMax {
            return .quota(.bytes, max: limits.jobBytesPerTenantMax, retryAfter: limits.retryAfterMax)
        }
        if bytesStored + bytes > limits.storeBytesMax {
            let why = "payloads and results take \(bytesStored) bytes of at most \(limits.storeBytesMax)"
            return .diskFull(why, retryAfter: limits.retryAfterMax)
        }
        // A request larger than the bound itself goes when it is alone.
        if bytesPending > 0 && bytesPending + bytes > limits.storeBytesPendingMax {
            return .overloaded(retryAfter: limits.retryAfterMin)
        }
        return nil
    }

    mutating func seal(
        _ request: JobRequestID, _ tenant: TenantID, _ id: JobID, tasks: Int, _ event: Event,
        into actions: inout [Action]
    ) {
        guard let slot = jobToChange(id, tenant, request, event, into: &actions) else { return }
        let job = jobs[slot].record
        switch job.state {
        case .sealed, .finished:
            guard job.sealedTasks == tasks else {
                return refuse(request, .sealConflict(tasks: job.sealedTasks ?? 0), into: &actions)
            }
            return actions.append(.reply(request, .status(jobs[slot].status)))
        case .cancelled, .expired: return refuse(request, .sealed(job.state), into: &actions)
        case .open: break
        }
        guard tasks >= 0 && tasks <= limits.tasksPerJobMax else {
            return refuse(request, .tooLarge(.tasksOfJob, max: limits.tasksPerJobMax), into: &actions)
        }
        // An append that is under way may bring the missing ones.
        if jobs[slot].insertsUnderWay > 0 { return wait(event, slot) }
        if jobs[slot].nextIndex < tasks {
            let missing = tasks - jobs[slot].presentBelow(tasks)
            return refuse(request, .tasksMissing(count: missing, first: jobs[slot].nextIndex), into: &actions)
        }
        if jobs[slot].present > tasks {
            return refuse(request, .sealConflict(tasks: jobs[slot].present), into: &actions)
        }
        jobs[slot].transition = .sealing(tasks: tasks)
        actions.append(.write(.setJobState(id, .sealed, sealedTasks: tasks, ended: nil), .none))
        commit(.init(request: request, job: slot, change: .seal(tasks: tasks)), into: &actions)
    }

    /// The place of a job that may be changed now. Nil: the request was answered, or waits for the change under way.
    mutating func jobToChange(
        _ id: JobID, _ tenant: TenantID, _ request: JobRequestID, _ event: Event, into actions: inout [Action]
    ) -> Int? {
        guard let slot = slotOfJob[id], jobs[slot].record.tenant == tenant else {
            refuse(request, .unknownJob, into: &actions)
            return nil
        }
        guard jobs[slot].transition == nil else {
            wait(event, slot)
            return nil
        }
        return slot
    }

    /// The event is taken again when the change of the job that is under way has succeeded or failed.
    mutating func wait(_ event: Event, _ slot: Int) {
        requestsPending += 1
        deferred[slot, default: []].append(event)
    }

    mutating func commit(_ change: PendingCommit, into actions: inout [Action]) {
        let ticket = CommitTicket(rawValue: nextTicket)
        nextTicket += 1
        pending[ticket] = change
        if change.request != nil { requestsPending += 1 }
        actions.append(.commit(ticket))
    }
}

extension JobRecord {
    /// Whether both were made of the same submission.
    func isSame(as other: JobRecord) -> Bool {
        method == other.method && model == other.model && label == other.label && content == other.content
            && priority == other.priority && retentionMicroseconds == other.retentionMicroseconds
            && giveUp.microseconds - created.microseconds == other.giveUp.microseconds - other.created.microseconds
    }
}

extension WallTime {
    /// Stays at the ends of the range instead of trapping.
    package static func + (time: WallTime, duration: Duration) -> WallTime {
        let (sum, overflow) = time.microseconds.addingReportingOverflow(duration.wholeNanoseconds / 1_000)
        return WallTime(microseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }
}

extension Job {
    /// Tasks may be queued again: it has not been given up.
    var mayReopen: Bool {
        switch record.state {
        case .open, .sealed, .finished: true
        case .cancelled, .expired: false
        }
    }

    func presentBelow(_ index: Int) -> Int {
        var count = nextIndex
        for index in nextIndex..<Swift.max(nextIndex, Swift.min(index, tasks.count)) where tasks[index].state.isPresent
        {
            count += 1
        }
        return count
    }
}
