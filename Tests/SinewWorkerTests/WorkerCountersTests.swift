import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import Testing

@Suite struct WorkerCountersTests {
    private func result(people: Int, busy: Duration, multiplyAdds: Int = 0) -> BatchResult {
        BatchResult(
            id: BatchID(rawValue: 1), leases: [], answers: [], itemCount: people, busy: busy,
            multiplyAdds: multiplyAdds)
    }

    private func counters() -> WorkerCounters {
        WorkerCounters(models: [
            ModelActivity(name: "a", version: "1", loadMicroseconds: 70, bestBatch: 64),
            ModelActivity(name: "b", version: "2"),
        ])
    }

    @Test func `a beat tells what was done`() {
        var counters = counters()
        for size in [1, 4, 3, 0, 100] {
            counters.note(result(people: size, busy: .microseconds(50)), of: 0, threads: 1, expected: nil)
        }
        let beat = counters.beat(queuedItems: 7, runningItems: 3, modelCounts: [], leases: [5, 9])
        #expect(beat.itemsDone == 108)
        #expect(beat.batchesDone == 4)
        #expect(beat.largestBatch == 100)
        #expect(beat.busyMicroseconds == 250)
        #expect(beat.batchSizes.map(\.size) == [1, 4, 128])
        #expect(beat.batchSizes.map(\.count) == [1, 2, 1])
        #expect(beat.queuedItems == 7 && beat.runningItems == 3)
        #expect(beat.holding?.leases == [5, 9])
        #expect(beat.cpuMicroseconds > 0 && beat.residentBytes > 0)
    }

    @Test func `each model has its own counters`() {
        var counters = counters()
        counters.note(
            result(people: 3, busy: .microseconds(100), multiplyAdds: 500), of: 0, threads: 2,
            expected: .microseconds(150))
        counters.note(
            result(people: 5, busy: .microseconds(40), multiplyAdds: 7), of: 1, threads: 1, expected: .microseconds(30))
        let answer = Answer(status: .ok, code: .none, payload: [], itemsSolved: 2)
        counters.note(
            answer, of: 0, items: 3, queued: .microseconds(150), computed: .milliseconds(3), total: .milliseconds(4))
        counters.note(
            Answer(status: .deadlineExceeded, code: .deadlineExceeded, payload: []), of: 1, items: 9, queued: nil,
            computed: nil, total: .seconds(70))
        let beat = counters.beat(
            queuedItems: 0, runningItems: 0,
            modelCounts: [
                BatchingStateMachine.ModelCounts(queuedItems: 6, batchesFull: 1, batchesIdle: 2), .init(),
            ], leases: nil)
        #expect(beat.holding == nil)
        let (first, second) = (beat.models[0], beat.models[1])
        #expect(first.name == "a" && first.loadMicroseconds == 70 && first.bestBatch == 64)
        #expect(first.requestsOk == 1 && first.requestsFailed == 0 && first.itemsOk == 2 && first.itemsFailed == 1)
        // Two threads were at work.
        #expect(first.busyMicroseconds == 200 && first.expectedMicroseconds == 150 && beat.busyMicroseconds == 240)
        #expect(first.flop == 1_000 && second.flop == 14)
        #expect(first.queuedItems == 6 && first.batchesFull == 1 && first.batchesIdle == 2)
        #expect(first.queueTime.counts[1] == 1 && first.computeTime.counts[5] == 1 && first.totalTime.counts[5] == 1)
        #expect(second.requestsFailed == 1 && second.itemsFailed == 9 && second.batches == 1)
        #expect(second.queueTime.counts.isEmpty && second.totalTime.counts.last == 1)
        #expect(second.totalTime.sumMicroseconds == 70_000_000)
    }

    @Test func `the bare name of a model means its newest version`() throws {
        let models = try LoadedModels(
            ["2", "10", "9", "draft"].map { RecomputableModel(version: $0) } + [RecomputableModel(name: "other")])
        #expect(models.index(named: "recomputable") == 1)
        #expect(models.index(named: "recomputable/9") == 2)
        #expect(models.index(named: "other") == 4)
        #expect(models.index(named: "recomputable/3") == nil)
    }

    @Test func `a model given twice is refused`() {
        let error = #expect(throws: WorkerError.self) {
            _ = try LoadedModels([RecomputableModel(), RecomputableModel()])
        }
        #expect(error?.reason == .models)
    }
}
