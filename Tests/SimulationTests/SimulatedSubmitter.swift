import SinewCore

/// A process that submits jobs one after the other and fetches their results; when it dies it is started again and begins anew
/// with the job it was at, as `sinew submit` and `sinew get` do. What it has fetched lies in files and survives.
struct SimulatedSubmitter {
    struct Plan {
        let submission: JobSubmission
        let requests: [Packet.Request]
        let blockSize: Int
        let isCancelled: Bool
    }

    enum Phase: Equatable {
        case submitting
        case appending(next: Int)
        case sealing
        case cancelling
        case reading
        case checking
        case repairing([Int])
        case replaying
    }

    let tenant: TenantID
    let plans: [Plan]
    var position = 0
    var outputs: [Int: Packet.JobResult] = [:]
    // What is lost when it dies.
    var phase = Phase.submitting
    var cursor: UInt64 = 0
    var hasReplayed = false
    /// Of the request that it waits for, or of its next step.
    var number: UInt64 = 0

    var plan: Plan? { position < plans.count ? plans[position] : nil }
}

extension Simulation {
    func planJobs(_ submitter: Int, count: Int) -> SimulatedSubmitter {
        let tenant = TenantID("tenant-\(submitter % 2)")
        let plans = (0..<count).map { job in
            let model = ModelKey(["niki", "niki/1", "hybrik"][Int.random(in: 0..<3, using: &random)])
            let priority = UInt8.random(in: 0...2, using: &random)
            let deadly = chance(8) ? Int.random(in: 0..<12, using: &random) : -1
            let requests = (0..<Int.random(in: 1...12, using: &random)).map { index in
                Packet.Request(
                    model: model, items: Int.random(in: 1...8, using: &random),
                    tag: UInt64(submitter + 1) << 40 | UInt64(job) << 20 | UInt64(index), priority: priority,
                    tenant: tenant, isDeadly: index == deadly, isWrong: chance(5), failPercent: chance(10) ? 60 : 0)
            }
            let submission = JobSubmission(
                id: JobID(high: UInt64(submitter), low: UInt64(job)), method: "solve", model: model, priority: priority,
                timeToLive: chance(8) ? randomDuration(500...6_000) : nil,
                retention: chance(15) ? randomDuration(500...4_000) : nil)
            return SimulatedSubmitter.Plan(
                submission: submission, requests: requests, blockSize: Int.random(in: 1...5, using: &random),
                isCancelled: chance(8))
        }
        return SimulatedSubmitter(tenant: tenant, plans: plans)
    }

    /// Does the next step, or once more the one that was not answered in time.
    func submitterActs(_ submitter: Int, number: UInt64) {
        guard submitters[submitter].number == number, let plan = submitters[submitter].plan else { return }
        let id = plan.submission.id
        let ask: Packet.JobAsk
        switch submitters[submitter].phase {
        case .submitting: ask = .submit(plan.submission)
        case .appending(let next):
            let end = Swift.min(next + plan.blockSize, plan.requests.count)
            ask = .append(id, first: next, Array(plan.requests[next..<end]))
        case .sealing: ask = .seal(id, tasks: plan.requests.count)
        case .cancelling: ask = .cancel(id)
        case .reading:
            ask = .results(
                id, cursor: submitters[submitter].cursor, countMax: Int.random(in: 1...6, using: &random),
                wait: .seconds(2))
        case .checking: ask = .status(id)
        case .repairing(let indexes): ask = .append(id, first: indexes[0], [plan.requests[indexes[0]]])
        case .replaying: ask = .replay(id)
        }
        transmit(.ask(number, ask), from: .submitter(submitter), to: .broker)
        schedule.add(.submitterActs(submitter, number: number), at: now + .seconds(5))
    }

    func crashSubmitter(_ submitter: Int) {
        submitters[submitter].phase = .submitting
        submitters[submitter].cursor = 0
        submitters[submitter].hasReplayed = false
        goOn(submitter, after: randomDuration(50...1_000))
    }

    private func goOn(_ submitter: Int, after wait: Duration = .zero) {
        submitters[submitter].number += 1
        schedule.add(.submitterActs(submitter, number: submitters[submitter].number), at: now + wait)
    }

    private func go(_ submitter: Int, to phase: SimulatedSubmitter.Phase) {
        submitters[submitter].phase = phase
        goOn(submitter)
    }

    func deliver(_ packet: Packet, toSubmitter submitter: Int) {
        guard case .told(let number, let answer) = packet else { return fail("a submitter was sent \(packet)") }
        // A late answer says nothing of the step that is under way.
        guard number == submitters[submitter].number, let plan = submitters[submitter].plan else { return }
        switch answer {
        case .reply(.refused(let refusal)): refused(refusal, submitter, plan)
        case .reply(let reply): told(reply, submitter, plan)
        case .results(let results, let next, let isComplete):
            for result in results { fetch(result, submitter, plan) }
            submitters[submitter].cursor = next
            // A job that was removed or damaged may be there again, by a late copy of its submission, and never get a task.
            let mayBeEmpty = (plan.submission.retention != nil || flippedBits > 0) && results.isEmpty
            go(submitter, to: isComplete || mayBeEmpty ? .checking : .reading)
        }
    }

    private func refused(_ refusal: JobRefusal, _ submitter: Int, _ plan: SimulatedSubmitter.Plan) {
        switch refusal {
        case .overloaded(let retryAfter), .diskFull(_, let retryAfter), .storeUnavailable(_, let retryAfter),
            .quota(_, _, let retryAfter):
            goOn(submitter, after: retryAfter)
        case .draining: goOn(submitter, after: .seconds(1))
        case .sealed:
            // Given up meanwhile.
            if !mayBeGivenUp(plan) { fail("a job takes no tasks any more: \(refusal)") }
            go(submitter, to: .reading)
        case .unknownJob where plan.submission.retention != nil: finishPlan(submitter)
        case .unknownJob where flippedBits > 0, .tasksMissing where flippedBits > 0 || plan.submission.retention != nil:
            // Its row was damaged, or it was removed and a late copy of its submission has made an empty one.
            beginAnew(submitter)
        case .unknownJob, .jobConflict, .taskConflict, .sealConflict, .tasksMissing, .hashMismatch, .tooLarge:
            fail("submitter \(submitter) in \(submitters[submitter].phase) is refused: \(refusal)")
        }
    }

    private func mayBeGivenUp(_ plan: SimulatedSubmitter.Plan) -> Bool {
        plan.isCancelled || plan.submission.timeToLive != nil
    }

    private func told(_ reply: JobReply, _ submitter: Int, _ plan: SimulatedSubmitter.Plan) {
        switch (submitters[submitter].phase, reply) {
        case (.submitting, .submitted): go(submitter, to: .appending(next: 0))
        case (.appending(let next), .appended(let nextIndex)):
            let reached = Swift.max(next + plan.blockSize, nextIndex)
            if reached < plan.requests.count {
                go(submitter, to: .appending(next: reached))
            } else {
                go(submitter, to: plan.isCancelled ? .cancelling : .sealing)
            }
        case (.sealing, .status), (.cancelling, .status), (.replaying, .replayed): go(submitter, to: .reading)
        case (.repairing(let indexes), .appended):
            go(submitter, to: indexes.count > 1 ? .repairing(Array(indexes.dropFirst())) : .reading)
        case (.checking, .status(let job)): check(job, submitter, plan)
        case (let phase, _): fail("submitter \(submitter) in \(phase) is told \(reply)")
        }
    }

    /// Everything was read; is it everything?
    private func check(_ job: JobStatusRecord, _ submitter: Int, _ plan: SimulatedSubmitter.Plan) {
        let outputs = submitters[submitter].outputs
        let lost = plan.requests.indices.filter { outputs[$0]?.status == JobTaskFailure.damaged.status }
        switch job.record.state {
        case .open, .sealed:
            // A damaged result is being computed once more.
            if plan.submission.retention != nil {
                return job.tasks == 0 ? finishPlan(submitter) : go(submitter, to: .reading)
            }
            if flippedBits == 0 { return fail("a job is \(job.record.state) after its results were complete") }
            job.tasks == 0 ? beginAnew(submitter) : go(submitter, to: .reading)
        case .cancelled, .expired:
            if !mayBeGivenUp(plan) { fail("a job was given up that nobody gave up") }
            if outputs.count < job.tasks && flippedBits == 0 {
                guard plan.submission.retention != nil else {
                    return fail("\(outputs.count) of \(job.tasks) tasks of a job that was given up are listed")
                }
                // Removed and submitted anew since it was read.
                submitters[submitter].cursor = 0
                return go(submitter, to: .reading)
            }
            finishPlan(submitter)
        case .finished:
            if let missing = plan.requests.indices.first(where: { outputs[$0] == nil }) {
                // A result that was damaged while it was read comes behind the cursor.
                guard flippedBits > 0 || plan.submission.retention != nil else {
                    return fail("task \(missing) has no result, and its job is finished")
                }
                submitters[submitter].cursor = 0
                go(submitter, to: .reading)
            } else if !lost.isEmpty {
                go(submitter, to: .repairing(lost))
            } else if job.dead > 0 && !submitters[submitter].hasReplayed && !plan.requests.contains(where: \.isDeadly) {
                submitters[submitter].hasReplayed = true
                go(submitter, to: .replaying)
            } else {
                finishPlan(submitter)
            }
        }
    }

    /// The job is gone: everything from the beginning.
    private func beginAnew(_ submitter: Int) {
        submitters[submitter].cursor = 0
        submitters[submitter].outputs = [:]
        go(submitter, to: .submitting)
    }

    private func finishPlan(_ submitter: Int) {
        submitters[submitter].position += 1
        submitters[submitter].outputs = [:]
        submitters[submitter].cursor = 0
        submitters[submitter].hasReplayed = false
        go(submitter, to: .submitting)
    }

    private func fetch(_ result: Packet.JobResult, _ submitter: Int, _ plan: SimulatedSubmitter.Plan) {
        let request = plan.requests[result.index]
        let isLost = result.status == JobTaskFailure.damaged.status
        if isLost && flippedBits == 0 { fail("task \(result.index) is lost and no bit flipped") }
        switch result.outcome {
        case .done:
            if result.bytes != Packet.solve(request.tag) { fail("task \(result.index) has the result of another one") }
            if request.isWrong || request.isDeadly { fail("task \(result.index) cannot have been solved") }
        case .failed: if !request.isWrong && !isLost { fail("task \(result.index) failed: \(result.status)") }
        case .dead:
            // Workers that die for reasons of their own may do so four times with the same task in hand.
            let mayDie = request.isDeadly || (result.status == 13 && faults.loseWorkers)
            if request.failPercent == 0 && !mayDie { fail("task \(result.index) is dead: \(result.status)") }
        case .cancelled: if !mayBeGivenUp(plan) { fail("task \(result.index) was given up, and nobody did") }
        }
        if result.sequence <= submitters[submitter].cursor { fail("a result is not behind the cursor") }
        if let known = submitters[submitter].outputs[result.index] {
            // A job that was removed may be submitted and computed anew by who has forgotten that it is read.
            let isAnotherEnd =
                known.outcome == .dead || known.status == JobTaskFailure.damaged.status || flippedBits > 0
                || plan.submission.retention != nil
            if known.bytes != result.bytes && !isAnotherEnd {
                fail("task \(result.index) reads differently a second time: \(known), then \(result)")
            }
        }
        submitters[submitter].outputs[result.index] = result
    }

    // MARK: What was promised

    /// Looks at the disk at the moment at which a client is told that something is there.
    func noteAcknowledged(_ ask: Packet.JobAsk, _ answer: Packet.JobAnswer) {
        guard case .reply(let reply) = answer else { return }
        switch (ask, reply) {
        case (_, .refused): break
        case (.submit(let submission), .submitted):
            if disk[submission.id] == nil { fail("a job is acknowledged that is not on disk") }
            acknowledged[submission.id, default: []].formUnion([])
        case (.append(let id, let first, let requests), .appended):
            for index in first..<first + requests.count {
                if disk[id]?.tasks[index] == nil { fail("task \(index) is acknowledged and not on disk") }
                acknowledged[id, default: []].insert(index)
            }
        case (.seal(let id, let tasks), .status):
            if disk[id]?.record.sealedTasks != tasks { fail("a seal is acknowledged that is not on disk") }
        case (.cancel(let id), .status):
            switch disk[id]?.record.state {
            case .cancelled, .expired, .finished: break
            case .open, .sealed, nil: fail("a cancel is acknowledged that is not on disk")
            }
        case (.replay, .replayed), (.status, .status): break
        case (.submit, _), (.append, _), (.seal, _), (.cancel, _), (.replay, _), (.status, _), (.results, _):
            fail("\(ask) is answered by \(reply)")
        }
    }

    /// Whatever was acknowledged, at any time, is on disk.
    var lostAcknowledged: String? {
        for id in acknowledged.keys.sorted() {
            guard let entry = disk[id] else { return "job \(id.high)-\(id.low) is lost" }
            for index in (acknowledged[id] ?? []).sorted() where entry.tasks[index] == nil {
                return "task \(index) of job \(id.high)-\(id.low) is lost"
            }
        }
        return nil
    }
}
