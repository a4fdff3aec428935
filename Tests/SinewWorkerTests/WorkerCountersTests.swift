import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import Testing

@Suite struct WorkerCountersTests {
    @Test(arguments: [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (256, 8), (257, 9)])
    func `a batch is counted under the next power of two`(size: Int, sizeClass: Int) {
        #expect(WorkerCounters.sizeClass(of: size) == sizeClass)
    }

    @Test func `a beat tells what was done`() {
        var counters = WorkerCounters()
        for size in [1, 4, 3, 0, 100] {
            counters.note(
                BatchResult(
                    id: BatchID(rawValue: 1), leases: [], answers: [], itemCount: size, busy: .microseconds(50)))
        }
        let beat = counters.beat(queuedItems: 7, runningItems: 3, leases: [5, 9])
        #expect(beat.itemsDone == 108)
        #expect(beat.batchesDone == 4)
        #expect(beat.largestBatch == 100)
        #expect(beat.busyMicroseconds == 250)
        #expect(beat.batchSizes.map(\.size) == [1, 4, 128])
        #expect(beat.batchSizes.map(\.count) == [1, 2, 1])
        #expect(beat.queuedItems == 7 && beat.runningItems == 3)
        #expect(beat.holding?.leases == [5, 9])
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
