import SinewMetrics
import SinewWire
import TestSupport

/// A snapshot with every field filled from a seed, so that no number is another's by chance.
struct MadeUpFleet {
    private(set) var reply = FleetStatusReply()
    private var random: SplitMix64

    init(workers: Int, models: Int, seed: UInt64) {
        random = SplitMix64(seed: seed)
        let names = (0..<models).map { "m\($0)" }
        for number in 0..<workers {
            let activities = names.map { activity($0) }
            let beat = WorkerBeat(
                itemsDone: next(), batchesDone: next(), busyMicroseconds: next(), largestBatch: 64,
                batchSizes: activities.first?.batchSizes ?? [], queuedItems: small(), runningItems: small(),
                cpuMicroseconds: next(), residentBytes: next(), models: activities, uptimeMicroseconds: next(),
                malformedMessages: next())
            reply.workers.append(
                WorkerStatus(
                    name: "worker-\(number)", state: .serving, credits: small(), inFlightItems: small(), beat: beat,
                    heardMicrosecondsAgo: next(), computeThreads: small(), isa: "avx2", host: "host \"\(number)\"",
                    processID: small(), version: "1.0"))
        }
        reply.timeUnixMicroseconds = 1_700_000_000_000_000
        reply.models = names.map { activity($0) }
        reply.broker = broker(names)
    }

    private mutating func broker(_ names: [String]) -> BrokerStatus {
        var broker = BrokerStatus(
            version: "1.0", uptimeMicroseconds: 3_600_000_000, queuedCalls: next(), queuedItems: next(),
            runningCalls: next(), runningItems: next(), callsDone: next(), itemsDone: next(), callsFailed: next(),
            callsCancelled: next(), callsRedispatched: next(), malformedMessages: next(), clients: next(),
            handshakesRefused: next(), messagesRefused: next(), messagesTooFast: next(), repliesDropped: next())
        (broker.jobsOpen, broker.jobsSealed, broker.jobsFinished) = (next(), next(), next())
        (broker.tasksQueued, broker.tasksLeased, broker.tasksDone) = (next(), next(), next())
        (broker.tasksFailed, broker.tasksDead) = (next(), next())
        (broker.taskEndsDone, broker.taskEndsFailed, broker.taskEndsDead) = (next(), next(), next())
        (broker.oldestWaitingMicroseconds, broker.drainMicrosecondsEstimated) = (next(), next())
        (broker.leaseExpiries, broker.redeliveries, broker.duplicatesDropped) = (next(), next(), next())
        (broker.creditsTotal, broker.creditsInUse) = (next(), next())
        (broker.cpuMicroseconds, broker.residentBytes, broker.storeBytes) = (next(), next(), next())
        broker.models = names.map { name in
            BrokerModelActivity(
                name: name,
                statuses: StatusCode.allCases.map { code in
                    StatusActivity(status: UInt32(code.rawValue), requests: next(), items: next())
                }, queueTime: times(), totalTime: times())
        }
        return broker
    }

    private mutating func activity(_ name: String) -> ModelActivity {
        var sizes: [BatchSizeCount] = []
        for _ in 0..<9 { sizes.note(size: UInt32.random(in: 1...256, using: &random), count: next() % 100) }
        return ModelActivity(
            name: name, version: "1", requestsOk: next(), requestsFailed: next(), itemsOk: next(), itemsFailed: next(),
            batches: next(), queuedItems: small(), busyMicroseconds: next(), expectedMicroseconds: next(), flop: next(),
            loadMicroseconds: next(), batchesFull: next(), batchesIdle: next(), queueTime: times(),
            computeTime: times(), batchSizes: sizes, totalTime: times(), bestBatch: 64, batchItems: next())
    }

    private mutating func times() -> TimeCounts {
        var times = TimeCounts()
        for _ in 0..<20 { times.note(UInt64.random(in: 0...100_000_000, using: &random)) }
        return times
    }

    /// Exact as a `Double`.
    private mutating func next() -> UInt64 { UInt64.random(in: 1...1_000_000_000_000, using: &random) }
    private mutating func small() -> UInt32 { UInt32.random(in: 1...100_000, using: &random) }
}
