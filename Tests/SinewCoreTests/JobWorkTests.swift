import SinewCore
import Testing

@Suite struct JobWorkTests {
    @Test func `tasks are loaded, offered, answered and their results kept`() {
        let bench = JobBench()
        bench.job(1, tasks: 2, items: 3)
        #expect(bench.loads.map(\.index) == [0, 1])
        bench.loadAll()
        #expect(bench.record(1)?.leased == 2)
        let call = bench.offers[.init(job: JobBench.id(1), index: 0)]
        #expect(
            call?.client == .jobs && call?.items == 3 && call?.payloadBytes == 100 && call?.tenant == JobBench.tenant)
        bench.answer(1, 1, bytes: 70)
        #expect(bench.record(1)?.done == 0, "not before it is on disk")
        bench.commitAll()
        #expect(bench.record(1)?.done == 1)
        bench.answer(1, 0, bytes: 60)
        bench.commitAll()
        let job = bench.record(1)
        #expect(job?.record.state == .finished && job?.done == 2 && job?.itemsDone == 6 && job?.resultBytes == 130)
        let ends = bench.committed.compactMap { operation in
            if case .endTask(let task, let end) = operation { [UInt64(task.index), end.sequence] } else { nil }
        }
        #expect(ends == [[1, 1], [0, 2]])
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `nothing is fed without ready workers, and about twice their credit with them`() {
        let bench = JobBench(credit: 0)
        bench.job(1, tasks: 100)
        #expect(bench.loads.isEmpty)
        bench.handle(.fleetChanged([.init(model: JobBench.niki, items: 10)]))
        #expect(bench.loads.count == 20)
        bench.answer(1, 0)
        #expect(bench.loads.count == 1, "one has left, one is fed")
        bench.handle(.fleetChanged([]))
        bench.answer(1, 1)
        #expect(bench.loads.isEmpty)
    }

    @Test func `a task larger than all credit is fed alone`() {
        let bench = JobBench(credit: 2)
        bench.job(1, tasks: 3, items: 100)
        #expect(bench.loads.count == 1)
    }

    @Test func `failures and deaths are on disk and count after a restart, until a replay`() throws {
        let bench = JobBench()
        bench.job(1, tasks: 1)
        bench.answer(1, 0, status: 13)
        bench.pass(.seconds(1))
        bench.loadAll()
        let task = JobTaskID(job: JobBench.id(1), index: 0)
        let call = try #require(bench.offers[task])
        #expect(call.deaths == 0)
        bench.handle(.workerDied(call.id, deaths: 2))
        bench.commitAll()
        let tries = JobTaskRecord.Tries(failures: 1, deaths: 2)
        #expect(bench.committed.last == .setTries(task, tries))
        #expect(bench.machine.violatedInvariant == nil)

        let record = try #require(bench.record(1)?.record)
        let later = JobBench(isOpen: false)
        let restored = JobTaskRecord(
            index: 0, items: 1, payloadBytes: 100, payloadHash: JobBench.hash(1_000), tries: tries)
        later.handle(.restored(record, tasks: [restored], damaged: []))
        later.handle(.opened(firstFreeLease: 1))
        for failure in 2...5 {
            later.loadAll()
            #expect(later.offers[task]?.deaths == 2, "failure \(failure)")
            later.answer(1, 0, status: 13)
            later.commitAll()
            later.pass(.seconds(10))
        }
        #expect(later.record(1)?.dead == 1, "five failures in two lives of the broker")
        _ = later.replay(1)
        later.commitAll()
        later.loadAll()
        #expect(later.offers[task]?.deaths == 0)
        #expect(later.machine.violatedInvariant == nil)
    }

    @Test func `a job that is not sealed is worked on`() {
        let bench = JobBench()
        bench.job(1, tasks: 1, sealed: false)
        bench.answer(1, 0)
        bench.commitAll()
        #expect(bench.record(1)?.done == 1 && bench.record(1)?.record.state == .open)
    }

    @Test(arguments: [3, 5, 9, 11, 12, 15] as [UInt8])
    func `an answer that says the request is wrong ends the task as failed`(status: UInt8) {
        let bench = JobBench()
        bench.job(1, tasks: 1)
        bench.answer(1, 0, status: status)
        bench.commitAll()
        #expect(bench.record(1)?.failed == 1 && bench.record(1)?.record.state == .finished)
    }

    @Test(arguments: [2, 4, 8, 10, 13, 14] as [UInt8])
    func `an error that may pass is tried five times and then the task is dead`(status: UInt8) {
        let bench = JobBench()
        bench.job(1, tasks: 1)
        for attempt in 1...4 {
            bench.answer(1, 0, status: status)
            #expect(bench.record(1)?.queued == 1, "attempt \(attempt)")
            #expect(bench.loads.isEmpty, "not before its time")
            bench.pass(.seconds(5))
            #expect(bench.loads.count == 1, "attempt \(attempt)")
        }
        bench.answer(1, 0, status: status)
        // The groups before it hold what the attempts left.
        #expect(bench.groups.last?.bytes == [.failure(.givenUp(attempts: 5, status: status))])
        bench.commitAll()
        #expect(bench.record(1)?.dead == 1)
        #expect(bench.machine.counts.tasksRetried == 4)
    }

    @Test func `a task that kills workers is dead with the reason`() {
        let bench = JobBench()
        bench.job(1, tasks: 2)
        bench.abort(1, 0, .poisoned(deaths: 4))
        #expect(bench.groups.first?.bytes == [.failure(.killsWorkers(deaths: 4))])
        bench.answer(1, 1)
        bench.commitAll()
        #expect(bench.record(1)?.dead == 1 && bench.record(1)?.done == 1)
    }

    @Test func `a drain, or a fleet that is gone, costs a task nothing`() {
        let bench = JobBench()
        bench.job(1, tasks: 1)
        for reason in [RejectionReason.drainTimedOut, .draining, .noWorker(retryAfter: .seconds(1))] {
            bench.abort(1, 0, reason)
            #expect(bench.record(1)?.queued == 1)
            bench.pass(.seconds(2))
            #expect(bench.loads.count == 1)
        }
        bench.answer(1, 0)
        bench.commitAll()
        #expect(bench.record(1)?.done == 1 && bench.machine.counts.tasksRetried == 0)
    }

    @Test func `tenants take turns however much one of them has appended`() {
        let bench = JobBench(credit: 0)
        bench.job(1, tasks: 50)
        _ = bench.submit(JobBench.submission(2), of: TenantID("small"))
        bench.commitAll()
        _ = bench.append(2, Array(0..<5), of: TenantID("small"))
        bench.commitAll()
        bench.handle(.fleetChanged([.init(model: JobBench.niki, items: 5)]))
        #expect(bench.loads.count == 10)
        #expect(bench.loads.count { $0.job == JobBench.id(2) } == 5)
    }

    @Test func `a priority step doubles the share, and the lowest is served within the ageing time`() {
        var limits = Limits()
        limits.ageing = .seconds(10)
        let bench = JobBench(limits, credit: 0)
        bench.job(1, tasks: 1_000, priority: 7)
        bench.job(2, tasks: 1_000, priority: 0)
        bench.handle(.fleetChanged([.init(model: JobBench.niki, items: 1)]))
        var urgent = 0
        for _ in 0..<258 {
            bench.loadAll()
            guard let task = bench.offers.keys.sorted().first else { break }
            if task.job == JobBench.id(1) { urgent += 1 }
            bench.answer(task.job.low, task.index)
        }
        #expect(urgent >= 254 && urgent < 258, "weights 128 : 1, not \(urgent) of 258")
        // One task a second: by weight alone the low one would wait for two minutes.
        var wait = 0
        var longest = 0
        for _ in 0..<60 {
            bench.loadAll()
            guard let task = bench.offers.keys.sorted().first else { break }
            bench.pass(.seconds(1))
            bench.answer(task.job.low, task.index)
            wait = task.job == JobBench.id(2) ? 0 : wait + 1
            longest = Swift.max(longest, wait)
        }
        #expect(longest <= 13, "seconds without a task of the lowest priority")
    }

    // MARK: Giving up

    @Test func `cancelling withdraws what is under way and keeps what is done`() {
        let bench = JobBench(credit: 2)
        bench.job(1, tasks: 10)
        bench.answer(1, 0)
        bench.commitAll()
        bench.loadAll()
        let cancel = bench.cancel(1)
        #expect(bench.withdrawn.count == 4 && bench.reply(cancel) == nil)
        bench.commitAll()
        guard case .status(let job)? = bench.reply(cancel) else { return #expect(Bool(false)) }
        #expect(job.record.state == .cancelled && job.done == 1 && job.cancelled == 9 && job.leased == 0)
        #expect(bench.loads.isEmpty)
        guard case .status? = bench.reply(bench.cancel(1)) else { return #expect(Bool(false)) }
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a cancel that the disk refused leaves the job at work`() {
        let bench = JobBench()
        bench.job(1, tasks: 2)
        bench.loadAll()
        let cancel = bench.cancel(1)
        bench.failFirst(.full("no room"))
        #expect(bench.refusal(cancel) != nil)
        #expect(bench.loads.count == 2, "they are fed again")
        bench.answer(1, 0)
        bench.answer(1, 1)
        bench.commitAll()
        #expect(bench.record(1)?.record.state == .finished)
    }

    @Test func `a job is given up at the end of its time to live and removed after its retention`() {
        let bench = JobBench(credit: 1)
        var submission = JobBench.submission(1)
        submission.timeToLive = .seconds(100)
        submission.retention = .seconds(50)
        _ = bench.submit(submission)
        bench.commitAll()
        _ = bench.append(1, [0, 1, 2])
        bench.commitAll()
        bench.answer(1, 0)
        bench.commitAll()
        #expect(bench.machine.nextDeadline == bench.now + .seconds(100))
        bench.pass(.seconds(99))
        #expect(bench.record(1)?.record.state == .open)
        bench.pass(.seconds(1))
        bench.commitAll()
        #expect(bench.record(1)?.record.state == .expired && bench.record(1)?.cancelled == 2)
        bench.pass(.seconds(49))
        #expect(bench.record(1) != nil)
        bench.pass(.seconds(1))
        bench.commitAll()
        #expect(bench.record(1) == nil && bench.committed.last == .removeJob(JobBench.id(1)))
        #expect(bench.machine.totals.jobs == 0 && bench.machine.totals.bytesStored == 0)
        #expect(bench.machine.violatedInvariant == nil)
    }

    // MARK: Replay

    @Test func `dead tasks are queued anew under larger end numbers`() {
        let bench = JobBench()
        bench.job(1, tasks: 3)
        bench.abort(1, 0, .poisoned(deaths: 4))
        bench.answer(1, 1, status: 3)
        bench.answer(1, 2)
        bench.commitAll()
        #expect(bench.record(1)?.record.state == .finished)
        let replay = bench.replay(1)
        bench.commitAll()
        #expect(bench.reply(replay) == .replayed(1))
        #expect(bench.record(1)?.record.state == .sealed && bench.record(1)?.dead == 0)
        #expect(bench.reply(bench.replay(1)) == .replayed(0), "sent again it changes nothing")
        bench.answer(1, 0)
        bench.commitAll()
        guard
            case .endTask(_, let end)? = bench.committed.last(where: { if case .endTask = $0 { true } else { false } })
        else { return #expect(Bool(false)) }
        #expect(end.sequence == 4)
        let named = bench.replay(1, [1, 2])
        bench.commitAll()
        #expect(bench.reply(named) == .replayed(1), "the failed one; a done one stays")
        #expect(bench.refusal(bench.replay(1, [7])) == .tasksMissing(count: 1, first: 7))
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `end numbers go on behind those that a replay took away, also after a restart`() {
        let bench = JobBench(isOpen: false)
        var record = JobRecord(
            id: JobBench.id(1), tenant: JobBench.tenant, method: "solve", model: JobBench.niki, label: "", content: nil,
            priority: 0, created: JobBench.wallStart, giveUp: JobBench.wallStart + .seconds(1_000),
            retentionMicroseconds: 1, sequenceFloor: 9)
        record.state = .sealed
        record.sealedTasks = 1
        let task = JobTaskRecord(index: 0, items: 1, payloadBytes: 10, payloadHash: JobBench.hash(1))
        bench.handle(.restored(record, tasks: [task], damaged: []))
        bench.handle(.opened(firstFreeLease: 1))
        bench.answer(1, 0)
        guard case .endTask(_, let end)? = bench.groups.first?.operations.first else { return #expect(Bool(false)) }
        #expect(end.sequence == 10)
    }

    // MARK: Waiting

    @Test func `a status waits for the end of the job, and a result for the next one`() {
        let bench = JobBench()
        bench.job(1, tasks: 2)
        let end = bench.status(1, wait: .seconds(30))
        let first = bench.results(1, wait: .seconds(30))
        #expect(bench.reply(end) == nil && bench.reads[first] == nil)
        bench.answer(1, 0)
        #expect(bench.reads[first] == nil)
        bench.commitAll()
        #expect(bench.reads[first]?.through == 1 && bench.reads[first]?.jobHasEnded == false)
        let failures = bench.results(1, wait: .seconds(30), failuresOnly: true)
        bench.answer(1, 1)
        bench.commitAll()
        guard case .status(let job)? = bench.reply(end) else { return #expect(Bool(false)) }
        #expect(job.record.state == .finished)
        #expect(bench.reads[failures]?.jobHasEnded == true)
        #expect(bench.machine.totals.requestsWaiting == 0)
    }

    @Test func `a wait ends at its time and never touches the job`() {
        let bench = JobBench(credit: 0)
        bench.job(1, tasks: 1)
        let end = bench.status(1, wait: .seconds(5))
        let dropped = bench.status(1, wait: .seconds(5))
        bench.handle(.requestDropped(dropped))
        bench.pass(.seconds(4))
        #expect(bench.reply(end) == nil)
        bench.pass(.seconds(1))
        guard case .status(let job)? = bench.reply(end) else { return #expect(Bool(false)) }
        #expect(job.record.state == .sealed)
        #expect(bench.reply(dropped) == nil)
        let gone = bench.status(1, wait: .seconds(5))
        bench.handle(.clientGone(JobBench.client))
        bench.pass(.seconds(10))
        #expect(bench.reply(gone) == nil)
    }
}
