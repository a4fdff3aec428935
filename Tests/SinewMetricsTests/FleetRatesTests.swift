import SinewMetrics
import SinewWire
import Testing

@Suite struct FleetRatesTests {
    private func worker(
        _ name: String, process: UInt32 = 1, answered: UInt64 = 0, _ beat: WorkerBeat
    ) -> WorkerStatus {
        WorkerStatus(
            name: name, state: .serving, beat: beat, host: "here", processID: process, itemsAnswered: answered)
    }

    private func reply(seconds: Double, items: UInt64, _ workers: [WorkerStatus] = []) -> FleetStatusReply {
        FleetStatusReply(
            broker: BrokerStatus(
                uptimeMicroseconds: UInt64(seconds * 1e6), callsDone: items / 4, itemsDone: items,
                callsFailed: items / 100, cpuMicroseconds: items * 10), workers: workers)
    }

    private func beat(seconds: Double, batches: UInt64) -> WorkerBeat {
        var totals = TimeCounts()
        for _ in 0..<batches { totals.note(150) }
        let items = batches * 16
        return WorkerBeat(
            itemsDone: items, batchesDone: batches, busyMicroseconds: batches * 1_000, cpuMicroseconds: batches * 2_000,
            models: [
                ModelActivity(
                    name: "a", version: "1", itemsOk: items, itemsFailed: batches, batches: batches,
                    busyMicroseconds: batches * 1_000, expectedMicroseconds: batches * 800, flop: batches * 5_000_000,
                    totalTime: totals, bestBatch: 64),
                ModelActivity(name: "b", version: "1", bestBatch: 8),
            ], uptimeMicroseconds: UInt64(seconds * 1e6))
    }

    @Test func `the broker's rates are per second of its own clock`() throws {
        let rates = try #require(
            FleetRates(from: reply(seconds: 10, items: 400), to: reply(seconds: 12.5, items: 1_400)))
        #expect(rates.seconds == 2.5 && rates.personsPerSecond == 400 && rates.callsPerSecond == 100)
        #expect(rates.failedPerSecond == 4 && rates.processorCores == 0.004)
    }

    @Test func `a worker's rates are those between its beats, whenever the snapshots were taken`() throws {
        let rates = try #require(
            FleetRates(
                from: reply(seconds: 10, items: 0, [worker("w", beat(seconds: 100, batches: 50))]),
                to: reply(seconds: 11.9, items: 0, [worker("w", beat(seconds: 102, batches: 250))])))
        let first = try #require(rates.workers[0])
        #expect(first.seconds == 2 && first.personsPerSecond == 0 && first.failedPerSecond == 100)
        #expect(first.meanBatch == 16 && first.batchFill == 0.25 && first.batchEfficiency == 0.8)
        #expect(first.processorCores == 0.2 && first.busyThreads == 0.1 && first.gflopPerSecond == 0.5)
        #expect(first.latencyP50Microseconds == 150 && first.latencyP99Microseconds == 199)
        #expect(first.models.map(\.name) == ["a", "b"] && first.models[0].personsPerSecond == 1_600)
        #expect(first.models[1].personsPerSecond == 0)
    }

    @Test func `people are counted between the snapshots, and older ones give the beats that differ`() throws {
        let beats = [beat(seconds: 99, batches: 40), beat(seconds: 100, batches: 50)]
        let oldest = reply(seconds: 8, items: 0, [worker("w", answered: 100, beats[0])])
        let earlier = reply(seconds: 10, items: 500, [worker("w", answered: 1_000, beats[1])])
        let later = reply(seconds: 10.5, items: 750, [worker("w", answered: 1_200, beats[1])])
        // Within half a second no beat came.
        #expect(try #require(FleetRates(from: earlier, to: later)).workers == [nil])
        let rates = try #require(FleetRates(from: earlier, beatsFrom: oldest, to: later))
        #expect(rates.seconds == 0.5 && rates.personsPerSecond == 500)
        let first = try #require(rates.workers[0])
        #expect(first.seconds == 1 && first.personsPerSecond == 400 && first.failedPerSecond == 10)
        // One that left and came back begins anew.
        let back = reply(seconds: 10.5, items: 750, [worker("w", answered: 3, beats[1])])
        let begun = try #require(FleetRates(from: earlier, beatsFrom: oldest, to: back))
        #expect(begun.workers[0]?.personsPerSecond == 0)
    }

    @Test func `nothing is known of a worker with one beat, or of another process of the same name`() throws {
        let old = worker("w", beat(seconds: 5, batches: 5))
        let rates = try #require(
            FleetRates(
                from: reply(seconds: 1, items: 0, [old]),
                to: reply(
                    seconds: 2, items: 0,
                    [
                        old, worker("w", process: 2, beat(seconds: 6, batches: 9)),
                        worker("v", beat(seconds: 1, batches: 1)),
                    ])))
        #expect(rates.workers == [nil, nil, nil])
        #expect(
            FleetRates.Worker(
                from: beat(seconds: 9, batches: 9), to: beat(seconds: 1, batches: 1), personsPerSecond: 0)
                == nil)
    }

    @Test func `a worker without work has rates of zero and no batch`() throws {
        let idle = try #require(
            FleetRates.Worker(
                from: beat(seconds: 5, batches: 5), to: beat(seconds: 6, batches: 5), personsPerSecond: 0))
        #expect(idle.personsPerSecond == 0 && idle.meanBatch == nil && idle.batchFill == nil)
        #expect(idle.latencyP50Microseconds == nil && idle.batchEfficiency == nil)
    }

    @Test func `there are no rates from a later snapshot or from another broker's`() {
        #expect(FleetRates(from: reply(seconds: 5, items: 1), to: reply(seconds: 5, items: 1)) == nil)
        #expect(FleetRates(from: reply(seconds: 9, items: 1), to: reply(seconds: 1, items: 1)) == nil)
    }
}
