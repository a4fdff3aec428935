import SinewCore
import Testing

@Suite struct JobFaultTests {
    @Test func `an end without room on the disk is written again with the same bytes, and feeding pauses`() {
        let bench = JobBench(credit: 1)
        bench.job(1, tasks: 5)
        bench.answer(1, 0)
        bench.answer(1, 1)
        let (first, second) = (bench.groups[0].ticket, bench.groups[1].ticket)
        bench.failFirst(.full("no room"))
        bench.commitFirst()
        #expect(bench.record(1)?.done == 1)
        bench.loads = []
        bench.answer(1, 2)
        #expect(bench.loads.isEmpty, "nothing more is fed")
        bench.pass(.milliseconds(999))
        bench.commitAll()
        #expect(bench.record(1)?.leased ?? 0 >= 1)
        bench.pass(.milliseconds(1))
        let again = bench.groups.first { $0.bytes == [.kept(first)] }
        guard case .endTask(let task, let end)? = again?.operations.first else { return #expect(Bool(false)) }
        #expect(task.index == 0 && end.sequence > 2, "behind the one that was written meanwhile (\(second))")
        bench.commitAll()
        #expect(bench.loads.count > 0)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `ends that were never written are dropped with a job that is given up`() {
        let bench = JobBench()
        bench.job(1, tasks: 2)
        bench.answer(1, 0)
        let ticket = bench.groups[0].ticket
        bench.failFirst(.full("no room"))
        _ = bench.cancel(1)
        bench.commitAll()
        #expect(bench.dropped == [ticket])
        #expect(bench.record(1)?.cancelled == 2)
        bench.pass(.seconds(5))
        #expect(bench.groups.isEmpty)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a store that breaks answers everybody and is read anew`() {
        let bench = JobBench()
        bench.job(1, tasks: 2)
        bench.loadAll()
        let append = bench.append(1, [5])
        let submit = bench.submit(JobBench.submission(2))
        let waiter = bench.status(1, wait: .seconds(60))
        bench.answer(1, 0)
        #expect(bench.refusal(append) == .sealed(.sealed))
        bench.failFirst(.broken("EIO"))
        #expect(bench.refusal(submit) == .storeUnavailable("EIO", retryAfter: Limits().storeRetryAfter))
        #expect(bench.refusal(waiter) == .storeUnavailable("EIO", retryAfter: Limits().storeRetryAfter))
        #expect(bench.reopenings == 1)
        let meanwhile = bench.submit(JobBench.submission(3))
        #expect(bench.refusal(meanwhile) == .storeUnavailable("EIO", retryAfter: Limits().storeRetryAfter))
        bench.answer(1, 1)
        #expect(bench.groups.isEmpty, "the answer belongs to a time that is gone")
        bench.loads = []
        bench.offers = [:]
        var record = JobBench.restored(1)
        record.state = .sealed
        record.sealedTasks = 2
        let tasks = (0..<2).map {
            JobTaskRecord(index: $0, items: 1, payloadBytes: 100, payloadHash: JobBench.hash(UInt64($0) + 1_000))
        }
        bench.handle(.restored(record, tasks: tasks, damaged: []))
        bench.handle(.opened(firstFreeLease: 1))
        #expect(bench.loads.count == 2)
        bench.answer(1, 0)
        bench.answer(1, 1)
        bench.commitAll()
        #expect(bench.record(1)?.record.state == .finished)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a restart finds jobs and tasks where the disk has them`() {
        let bench = JobBench(isOpen: false)
        #expect(bench.refusal(bench.submit(JobBench.submission(2))) != nil, "not before the store is open")
        var tasks = (0..<4).map {
            JobTaskRecord(index: $0, items: 2, payloadBytes: 10, payloadHash: JobBench.hash(UInt64($0)))
        }
        tasks[1].end = .init(outcome: .done, status: 0, attempts: 1, sequence: 3, resultBytes: 33)
        tasks[2].end = .init(outcome: .dead, status: 10, attempts: 5, sequence: 7, resultBytes: 5)
        bench.handle(.restored(JobBench.restored(1), tasks: tasks, damaged: []))
        bench.handle(.opened(firstFreeLease: 1))
        let job = bench.record(1)
        #expect(job?.queued == 2 && job?.done == 1 && job?.dead == 1 && job?.nextIndex == 4 && job?.itemsDone == 2)
        #expect(bench.loads.map(\.index) == [0, 3])
        let sealing = bench.seal(1, tasks: 4)
        bench.commitAll()
        #expect(bench.reply(sealing) != nil)
        bench.answer(1, 0)
        guard case .endTask(_, let end)? = bench.groups.first?.operations.first else { return #expect(Bool(false)) }
        #expect(end.sequence == 8)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a job whose end was not written before the restart ends after it`() {
        let bench = JobBench(isOpen: false)
        var record = JobBench.restored(1)
        record.state = .sealed
        record.sealedTasks = 0
        bench.handle(.restored(record, tasks: [], damaged: []))
        bench.handle(.opened(firstFreeLease: 1))
        bench.commitAll()
        #expect(bench.record(1)?.record.state == .finished)
    }

    @Test func `a damaged record ends its task as failed, and the task may be appended anew`() {
        let bench = JobBench(isOpen: false)
        var record = JobBench.restored(1)
        record.state = .sealed
        record.sealedTasks = 1
        bench.handle(.restored(record, tasks: [], damaged: [0]))
        bench.handle(.opened(firstFreeLease: 1))
        bench.commitAll()
        #expect(bench.record(1)?.failed == 1 && bench.record(1)?.record.state == .finished)
        #expect(bench.reply(bench.replay(1, [0])) == .replayed(0), "there is no payload to try again")
        bench.handle(.resultDamaged(.init(job: JobBench.id(1), index: 0)))
        bench.commitAll()
        #expect(bench.record(1)?.failed == 1 && bench.loads.isEmpty)
        let append = bench.append(1, [0])
        bench.commitAll()
        #expect(bench.reply(append) == .appended(nextIndex: 1))
        #expect(bench.record(1)?.record.state == .sealed)
        bench.answer(1, 0)
        bench.commitAll()
        #expect(bench.record(1)?.done == 1 && bench.record(1)?.failed == 0)
        #expect(bench.record(1)?.record.state == .finished)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a damaged payload fails its task and no other`() {
        let bench = JobBench()
        bench.job(1, tasks: 2)
        let damaged = bench.loads.removeFirst()
        bench.handle(.loadFailed(damaged, .damaged(damaged, "checksum")))
        bench.answer(1, 1)
        bench.commitAll()
        #expect(bench.record(1)?.failed == 1 && bench.record(1)?.done == 1)
    }

    @Test func `a damaged result is computed once more`() {
        let bench = JobBench()
        bench.job(1, tasks: 1)
        bench.answer(1, 0)
        bench.commitAll()
        bench.handle(.resultDamaged(.init(job: JobBench.id(1), index: 0)))
        bench.commitAll()
        #expect(bench.record(1)?.record.state == .sealed)
        bench.answer(1, 0)
        bench.commitAll()
        #expect(bench.record(1)?.done == 1)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a damaged result of a job that was given up is lost and said to be`() {
        let bench = JobBench()
        bench.job(1, tasks: 2)
        bench.answer(1, 0)
        bench.commitAll()
        _ = bench.cancel(1)
        bench.commitAll()
        bench.handle(.resultDamaged(.init(job: JobBench.id(1), index: 0)))
        bench.commitAll()
        #expect(bench.record(1)?.failed == 1 && bench.record(1)?.done == 0)
        #expect(bench.machine.violatedInvariant == nil)
    }
}

extension JobBench {
    static func restored(_ number: UInt64) -> JobRecord {
        JobRecord(
            id: id(number), tenant: tenant, method: "solve", model: niki, label: "", content: nil, priority: 0,
            created: wallStart, giveUp: wallStart + .seconds(10_000), retentionMicroseconds: 1_000_000_000,
            sequenceFloor: 0)
    }
}
