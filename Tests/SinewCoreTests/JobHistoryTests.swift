import SinewCore
import Testing

/// When what happened to a job, by the clock of the wall.
@Suite struct JobHistoryTests {
    private let bench = JobBench(credit: 0)
    private var history: JobHistory { bench.record(1)?.history ?? JobHistory() }

    /// So many seconds after the beginning.
    private func at(_ seconds: Int) -> WallTime { JobBench.wallStart + .seconds(seconds) }

    /// Starts work on the job: workers with room for it join.
    private func startWork() { bench.handle(.fleetChanged([.init(model: JobBench.niki, items: 10)])) }

    @Test func `the first of each kind has its time`() {
        bench.job(1, tasks: 4, sealed: false)
        #expect(history == JobHistory())
        bench.pass(.seconds(10))
        startWork()
        bench.loadAll()
        bench.pass(.seconds(10))
        bench.answer(1, 0)
        #expect(history.firstDone == nil, "not before it is on disk")
        bench.commitAll()
        bench.pass(.seconds(10))
        bench.answer(1, 1)
        bench.answer(1, 2, status: 3)
        bench.commitAll()
        bench.pass(.seconds(10))
        bench.abort(1, 3, .poisoned(deaths: 4))
        bench.commitAll()
        bench.pass(.seconds(10))
        _ = bench.seal(1, tasks: 4)
        bench.commitAll()
        var expected = JobHistory()
        (expected.started, expected.firstDone, expected.firstFailed) = (at(10), at(20), at(30))
        (expected.firstDead, expected.sealed) = (at(40), at(50))
        expected.redeliveries = 3
        #expect(history == expected)
        #expect(bench.record(1)?.record.ended == at(50))
        bench.pass(.seconds(10))
        _ = bench.replay(1)
        bench.commitAll()
        #expect(history.replayed == at(60) && history.firstDead == at(40))
    }

    @Test func `tries after an error and leases after a lost one are counted`() {
        startWork()
        bench.job(1, tasks: 2)
        bench.answer(1, 0, leases: 3)
        for _ in 0..<2 {
            bench.answer(1, 1, status: 14)
            bench.pass(.seconds(5))
        }
        bench.answer(1, 1, leases: 2)
        bench.commitAll()
        #expect(history.retries == 2 && history.redeliveries == 3)
        #expect(bench.record(1)?.done == 2)
    }
}
