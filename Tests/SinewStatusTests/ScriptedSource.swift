import SinewArrayFiles
import SinewCore
import SinewStatus
import SinewWire
import Synchronization

/// A broker that says what a test tells it to say.
final class ScriptedSource: StatusSource {
    private struct State {
        var fleet = FleetStatusReply()
        var jobs: [JobStatus] = []
        var failures: [TaskResult] = []
        var questions = 0
        var drained: [String] = []
        var cancelled: [[UInt8]] = []
    }

    private let state = Mutex(State())

    init(_ fleet: FleetStatusReply = FleetStatusReply(), jobs: [JobStatus] = [], failures: [TaskResult] = []) {
        state.withLock {
            $0.fleet = fleet
            $0.jobs = jobs
            $0.failures = failures
        }
    }

    /// How often it was asked for the fleet.
    var questions: Int { state.withLock { $0.questions } }
    var drained: [String] { state.withLock { $0.drained } }
    var cancelled: [[UInt8]] { state.withLock { $0.cancelled } }

    func set(_ fleet: FleetStatusReply) { state.withLock { $0.fleet = fleet } }

    func fleet() async throws(StatusRefusal) -> FleetStatusReply {
        state.withLock { state in
            state.questions += 1
            // The clock of a broker goes on.
            state.fleet.broker.uptimeMicroseconds += 1
            return state.fleet
        }
    }

    func jobs(countMax: Int) async throws(StatusRefusal) -> [JobStatus] {
        state.withLock { Array($0.jobs.prefix(countMax)) }
    }

    func job(_ id: [UInt8]) async throws(StatusRefusal) -> JobStatus {
        guard let job = state.withLock({ $0.jobs.first { $0.id == id } }) else {
            throw StatusRefusal(.notFound, "no such job")
        }
        return job
    }

    func failures(of id: [UInt8], countMax: Int) async throws(StatusRefusal) -> [TaskResult] {
        state.withLock { Array($0.failures.prefix(countMax)) }
    }

    func drainWorker(_ name: String) async throws(StatusRefusal) -> Int {
        state.withLock { $0.drained.append(name) }
        return 1
    }

    func cancelJob(_ id: [UInt8]) async throws(StatusRefusal) -> JobStatus {
        state.withLock { $0.cancelled.append(id) }
        return try await job(id)
    }
}

extension FleetStatusReply {
    /// A broker of a few minutes with workers of these names.
    static func example(_ workers: String...) -> FleetStatusReply {
        FleetStatusReply(
            broker: BrokerStatus(
                version: "1", uptimeMicroseconds: 300_000_000, queuedCalls: 3, queuedItems: 70, runningCalls: 2,
                runningItems: 20, callsDone: 1_000, itemsDone: 20_000),
            workers: workers.enumerated().map { index, name in
                WorkerStatus(
                    name: name, state: .serving,
                    models: [ModelReady(name: "niki", version: "1", architecture: "niki-twist-and-swing")],
                    credits: 256, inFlightItems: 10,
                    beat: WorkerBeat(itemsDone: 1_000, batchesDone: 100, busyMicroseconds: 5_000_000),
                    heardMicrosecondsAgo: 1_000, computeThreads: 2, isa: "avx2", host: "here",
                    processID: UInt32(100 + index), version: "1")
            })
    }
}

extension JSONValue {
    init(parsing body: [UInt8]) throws { self = try JSONValue.parse(body[...], name: "the reply") }
}
