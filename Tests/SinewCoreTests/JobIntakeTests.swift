import SinewCore
import Testing

@Suite struct JobIntakeTests {
    @Test func `a job is acknowledged when it is on disk and not before`() {
        let bench = JobBench()
        let request = bench.submit(JobBench.submission(1))
        #expect(bench.reply(request) == nil)
        #expect(bench.record(1) == nil)
        bench.commitAll()
        guard case .submitted(let job, existed: false)? = bench.reply(request) else {
            Issue.record("\(String(describing: bench.reply(request)))")
            return
        }
        #expect(job.record.state == .open && job.tasks == 0)
        #expect(job.record.giveUp == JobBench.wallStart + Limits().timeToLiveDefault)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `the same submit is the same job and another one under its id is refused`() {
        let bench = JobBench()
        let first = bench.submit(JobBench.submission(1))
        // Sent again while the first is on its way to the disk.
        let again = bench.submit(JobBench.submission(1))
        #expect(bench.reply(again) == nil)
        bench.commitAll()
        #expect(bench.reply(first) != nil)
        guard case .submitted(_, existed: true)? = bench.reply(again) else { return #expect(Bool(false)) }
        var other = JobBench.submission(1)
        other.label = "another"
        #expect(bench.refusal(bench.submit(other)) == .jobConflict)
        #expect(bench.refusal(bench.submit(JobBench.submission(1), of: TenantID("other"))) == .jobConflict)
        #expect(bench.committed.count == 1)
    }

    @Test func `the same content of the same tenant is the first job unless that was given up`() {
        let bench = JobBench()
        var first = JobBench.submission(1)
        first.content = JobBench.hash(9)
        var second = JobBench.submission(2)
        second.content = JobBench.hash(9)
        _ = bench.submit(first)
        bench.commitAll()
        guard case .submitted(let job, existed: true)? = bench.reply(bench.submit(second)) else {
            return #expect(Bool(false))
        }
        #expect(job.record.id == JobBench.id(1))
        let foreign = bench.submit(second, of: TenantID("other"))
        bench.commitAll()
        guard case .submitted(_, existed: false)? = bench.reply(foreign) else { return #expect(Bool(false)) }
        _ = bench.cancel(1)
        bench.commitAll()
        var third = second
        third.id = JobBench.id(3)
        let anew = bench.submit(third)
        bench.commitAll()
        guard case .submitted(_, existed: false)? = bench.reply(anew) else { return #expect(Bool(false)) }
    }

    @Test func `a job that the disk refused is not there and may be submitted again`() {
        let bench = JobBench()
        let first = bench.submit(JobBench.submission(1))
        let second = bench.submit(JobBench.submission(1))
        bench.failFirst(.full("no room"))
        #expect(bench.refusal(first) == .diskFull("no room", retryAfter: Limits().storeRetryAfter))
        #expect(bench.reply(second) == nil, "it is tried itself")
        bench.commitAll()
        guard case .submitted(_, existed: false)? = bench.reply(second) else { return #expect(Bool(false)) }
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `tasks come in any order, and twice, and are acknowledged when on disk`() {
        let bench = JobBench(credit: 0)
        bench.job(1, tasks: 0, sealed: false)
        let late = bench.append(1, [2, 3])
        #expect(bench.reply(late) == nil)
        bench.commitAll()
        #expect(bench.reply(late) == .appended(nextIndex: 0))
        let early = bench.append(1, [0, 1, 2])
        let copy = bench.append(1, [0, 1, 2])
        #expect(bench.reply(copy) == nil, "not acknowledged before the first copy is on disk")
        bench.commitAll()
        #expect(bench.reply(early) == .appended(nextIndex: 4))
        #expect(bench.reply(copy) == .appended(nextIndex: 4))
        let inserted = bench.committed.count { if case .insertTask = $0 { true } else { false } }
        #expect(inserted == 4)
        let other = bench.request {
            .appended($0, JobBench.tenant, JobBench.id(1), [JobBench.block(1, hash: 77)])
        }
        #expect(bench.refusal(other) == .taskConflict(index: 1))
        #expect(bench.record(1)?.queued == 4)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a copy of an append that the disk refused is not acknowledged for nothing`() {
        let bench = JobBench(credit: 0)
        bench.job(1, tasks: 0, sealed: false)
        let first = bench.append(1, [0])
        let copy = bench.append(1, [0])
        bench.failFirst(.full("no room"))
        #expect(bench.refusal(first) != nil)
        #expect(bench.reply(copy) == nil)
        #expect(bench.record(1)?.tasks == 0)
        bench.commitAll()
        #expect(bench.reply(copy) == .appended(nextIndex: 1))
    }

    @Test func `a payload without its hash is named and nothing of its request stays`() {
        let bench = JobBench(credit: 0)
        bench.job(1, tasks: 0, sealed: false)
        let request = bench.append(1, [0, 1])
        bench.failFirst(.mismatched(.init(job: JobBench.id(1), index: 1)))
        #expect(bench.refusal(request) == .hashMismatch(index: 1))
        #expect(bench.record(1)?.tasks == 0)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a job is sealed when all its tasks are there`() {
        let bench = JobBench(credit: 0)
        bench.job(1, tasks: 0, sealed: false)
        _ = bench.append(1, [0, 2])
        bench.commitAll()
        #expect(bench.refusal(bench.seal(1, tasks: 4)) == .tasksMissing(count: 2, first: 1))
        _ = bench.append(1, [1])
        let sealing = bench.seal(1, tasks: 3)
        #expect(bench.reply(sealing) == nil, "it waits for the append that may bring the last one")
        bench.commitAll()
        guard case .status(let job)? = bench.reply(sealing) else { return #expect(Bool(false)) }
        #expect(job.record.state == .sealed && job.record.sealedTasks == 3)
        #expect(bench.refusal(bench.seal(1, tasks: 2)) == .sealConflict(tasks: 3))
        guard case .status? = bench.reply(bench.seal(1, tasks: 3)) else { return #expect(Bool(false)) }
        #expect(bench.refusal(bench.append(1, [3])) == .sealed(.sealed))
        #expect(bench.reply(bench.append(1, [1])) == .appended(nextIndex: 3))
    }

    @Test func `a job that is sealed with no task is finished`() {
        let bench = JobBench()
        bench.job(1, tasks: 0)
        #expect(bench.record(1)?.record.state == .finished)
        #expect(bench.record(1)?.record.ended == JobBench.wallStart)
    }

    @Test func `a job of another tenant is not known`() {
        let bench = JobBench()
        bench.job(1, tasks: 1)
        let other = TenantID("other")
        #expect(bench.refusal(bench.append(1, [0], of: other)) == .unknownJob)
        #expect(bench.refusal(bench.status(1, of: other)) == .unknownJob)
        #expect(bench.refusal(bench.request { .cancelled($0, other, JobBench.id(1)) }) == .unknownJob)
        let list = bench.request { .listAsked($0, other, countMax: 0, before: nil) }
        #expect(bench.reply(list) == .jobs([]))
    }

    @Test func `jobs are listed newest first, and behind one of them`() {
        let bench = JobBench()
        for number in [3, 1, 2] as [UInt64] { bench.job(number, tasks: 0) }
        let all = bench.request { .listAsked($0, JobBench.tenant, countMax: 2, before: nil) }
        guard case .jobs(let newest)? = bench.reply(all) else { return #expect(Bool(false)) }
        #expect(newest.map(\.record.id.low) == [3, 2])
        let rest = bench.request { .listAsked($0, JobBench.tenant, countMax: 0, before: JobBench.id(2)) }
        guard case .jobs(let oldest)? = bench.reply(rest) else { return #expect(Bool(false)) }
        #expect(oldest.map(\.record.id.low) == [1])
    }

    @Test func `a broker that drains takes nothing new and still answers`() {
        let bench = JobBench()
        bench.job(1, tasks: 1)
        bench.handle(.drainRequested)
        #expect(bench.refusal(bench.submit(JobBench.submission(2))) == .draining)
        guard case .status? = bench.reply(bench.status(1)) else { return #expect(Bool(false)) }
    }
}
