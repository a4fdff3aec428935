import Logging
import SinewBody
import SinewBroker
import SinewClient
import SinewModels
import SinewWorker
import SinewZeroMQ
import TestSupport
import Testing

/// A broker and its workers in this process, on ports that the system chose; all stopped when it goes.
final class InProcessFleet: Sendable {
    let broker: BrokerServer
    let workers: [WorkerServer]

    /// Starts a worker for each list of models, named `worker-0`, `worker-1` …
    init(workerModels: [[any PoseModel]], batchItemsMax: Int = 32, logger: Logger = quiet) throws {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        let broker = try BrokerServer(configuration, logger: logger)
        self.broker = broker
        workers = try workerModels.enumerated().map { number, models in
            try WorkerServer(
                WorkerConfiguration(
                    brokerEndpoint: broker.workerEndpoint, name: "worker-\(number)", creditItems: 256,
                    batchItemsMax: batchItemsMax),
                models: models, logger: logger)
        }
    }

    deinit {
        for worker in workers { worker.stop() }
        broker.stop()
    }

    func client(itemsPerCall: Int = 16, logger: Logger = quiet) throws -> Client {
        try Client.patient(broker.clientEndpoint, itemsPerCall: itemsPerCall, logger: logger)
    }
}

/// Says nothing: what a test needs to know comes back through the client.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension Client {
    /// A client that waits for workers, with a deadline that only a hang reaches.
    static func patient(_ endpoint: String, itemsPerCall: Int = 16, logger: Logger = quiet) throws -> Client {
        var configuration = ClientConfiguration(endpoint: endpoint)
        configuration.itemsPerCall = itemsPerCall
        configuration.deadline = .seconds(60)
        configuration.waitForReady = true
        return try Client(configuration, logger: logger)
    }

    /// Asks again and again until the broker says what the test waits for.
    func waitForFleet(_ condition: (FleetStatusReply) -> Bool) async throws -> FleetStatusReply {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let status = try await fleetStatus()
            if condition(status) { return status }
        }
        throw NeverHappened()
    }

    struct NeverHappened: Error {}
}

/// People who stand in a room with noisy joints, and what analytic IK makes of them without any service.
struct NoisyPeople: Sendable {
    var request: PoseRequest
    var observations: PoseObservations

    init(_ count: Int, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let betas = (0..<count * 10).map { _ in Float.random(in: -2...2, using: &random) }
        let genders = (0..<count).map { Gender.allCases[$0 % Gender.allCases.count] }
        var joints = try BodyLibrary.shared().restJoints(betas: betas, genders: genders)
        for person in 0..<count {
            let place = [Float.random(in: -3...3, using: &random), 0, Float.random(in: -3...3, using: &random)]
            for index in 0..<87 {
                joints[person * 87 + index] += place[index % 3] + Float.random(in: -0.05...0.05, using: &random)
            }
        }
        request = PoseRequest(count: count, joints: joints, betas: betas, genders: genders.map(\.rawValue))
        observations = PoseObservations(
            count: count, joints: joints, sigma: Array(repeating: 0.02, count: count * 29),
            observed: Array(repeating: (1 << 29) - 1, count: count), twists: Array(repeating: 0, count: count * 23),
            hasTwists: Array(repeating: false, count: count), betas: betas, genders: genders)
    }

    /// The same numbers that the service should return, bit for bit.
    func solvedLocally() throws -> PoseSolutions {
        try HybrIKModel(bodies: BodyLibrary.shared()).solve(observations, isCancelled: { false })
    }
}

/// Everything in a reply is what a local solve gives.
func expectEqual(
    _ reply: PoseReply, _ solved: PoseSolutions, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(reply.count == solved.count, sourceLocation: sourceLocation)
    #expect(reply.theta == solved.theta, sourceLocation: sourceLocation)
    #expect(reply.translation == solved.translation, sourceLocation: sourceLocation)
    #expect(reply.joints == solved.joints, sourceLocation: sourceLocation)
    #expect(reply.latentNorm == solved.latentNorm, sourceLocation: sourceLocation)
    #expect(reply.jointResidualMillimetres == solved.jointResidualMillimetres, sourceLocation: sourceLocation)
    #expect(reply.orientationResidualRadians == solved.orientationResidualRadians, sourceLocation: sourceLocation)
    #expect(reply.boneLengthChange == solved.boneLengthChange, sourceLocation: sourceLocation)
    #expect(reply.unobservedJoints == solved.unobservedJoints, sourceLocation: sourceLocation)
    #expect(reply.itemErrors.isEmpty, sourceLocation: sourceLocation)
}

/// Analytic IK behind a gate that a test opens.
final class GatedModel: PoseModel {
    let identity = ModelIdentity(name: "gated", version: "1", weightsSHA256: "", architecture: "hybrik")
    private let solver: HybrIKModel
    private let opened: Waker

    init() throws {
        solver = HybrIKModel(bodies: try BodyLibrary.shared())
        opened = try Waker()
    }

    /// Lets everything through, now and later.
    func open() { opened.wake() }

    func solve(_ observations: PoseObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions {
        opened.wait()
        return try solver.solve(observations, isCancelled: isCancelled)
    }
}

/// Analytic IK, for the lists of models.
func analyticModels() throws -> [any PoseModel] { [HybrIKModel(bodies: try BodyLibrary.shared())] }
