import SinewClient
import SinewModels
import SinewZeroMQ
import TestSupport
import Testing

/// Nobody's numbers may depend on whose rows lie beside theirs: every model that ships, through broker and worker.
@Suite(.timeLimit(.minutes(5)), .serialized) struct SharedBatchTests {
    static let names = (try? ModelRepository().list().map(\.identity.description)) ?? []

    @Test(arguments: names)
    func `callers of all kinds share batches, and each gets what a local call gives`(name: String) async throws {
        let model = try ModelRepository().load(name)
        let gate = try Gate()
        let held: any PoseModel =
            if let reaching = model as? any EffectorPoseModel {
                HeldEffectorModel(model: reaching, gate: gate)
            } else {
                HeldModel(model: model, gate: gate)
            }
        let fleet = try InProcessFleet(workerModels: [[held]], batchItemsMax: 128)
        let client = try fleet.client()
        let callers = try Self.callers(of: model)
        async let first = client.solve(NoisyPeople(1, seed: 40).request, model: name)
        _ = try await client.waitForFleet { $0.workers.first?.inFlightItems == 1 }
        let waiting = UInt32(1 + callers.map(\.rowCount).reduce(0, +))
        let replies = try await withThrowingTaskGroup(of: (Int, PoseReply).self) { group in
            for (index, caller) in callers.enumerated() {
                group.addTask {
                    (index, try await caller.ask(fleet.client(itemsPerCall: 7), model: name))
                }
            }
            _ = try await client.waitForFleet { $0.workers.first?.inFlightItems == waiting }
            gate.open()
            return try await group.reduce(into: [Int: PoseReply]()) { $0[$1.0] = $1.1 }
        }
        _ = try await first
        var isShared = false
        for (index, caller) in callers.enumerated() {
            let reply = try #require(replies[index])
            expectEqual(reply, try caller.solvedLocally(by: model), sourceLocation: #_sourceLocation)
            isShared = isShared || reply.parts.contains { $0.batchSize > $0.rows.count }
        }
        #expect(isShared, "no batch held rows of two calls")
    }

    @Test func `the models that ship are all there`() {
        let wanted = [
            "hybrik", "niki", "niki-temporal", "mlp-ik", "smpl-ik", "learnable-smplify", "smplify", "smplify-adam",
            "smplify-lbfgs",
        ]
        for name in wanted { #expect(Self.names.contains("\(name)/1"), "\(name)") }
    }

    private static func callers(of model: any PoseModel) throws -> [any Caller] {
        var callers: [any Caller] = [
            JointCaller(try twisted(NoisyPeople(20, seed: 41), seed: 45)),
            JointCaller(try refined(partly(NoisyPeople(17, seed: 42)))),
        ]
        // Frames that lean on each other beside frames that do not.
        if model.isSequential {
            callers.append(JointCaller(try tracked(NoisyPeople(24, seed: 43))))
        }
        if model is LearnableSMPLifyModel { callers.append(JointCaller(try started(NoisyPeople(13, seed: 44)))) }
        if model is any EffectorPoseModel { callers.append(EffectorCaller(people: ReachingPeople(19, seed: 46))) }
        return callers
    }

    private static func twisted(_ people: NoisyPeople, seed: UInt64) -> NoisyPeople {
        var people = people
        var random = SplitMix64(seed: seed)
        let twists = (0..<(people.request.count * 23)).map { _ in Float.random(in: -1...1, using: &random) }
        people.request.twists = twists
        people.observations.twists = twists
        people.observations.hasTwists = Array(repeating: true, count: people.request.count)
        return people
    }

    /// An arm that nobody saw.
    private static func partly(_ people: NoisyPeople) -> NoisyPeople {
        var people = people
        let lost: UInt32 = 1 << 19 | 1 << 21 | 1 << 23
        people.request.observed = (0..<(people.request.count * 29)).map { lost & (1 << UInt32($0 % 29)) == 0 }
        people.observations.observed = Array(repeating: ((1 << 29) - 1) & ~lost, count: people.request.count)
        return people
    }

    private static func refined(_ people: NoisyPeople) -> NoisyPeople {
        var people = people
        people.request.refine = 2
        return people
    }

    private static func tracked(_ people: NoisyPeople) -> NoisyPeople {
        var people = people
        let tracks = (0..<people.request.count).map { UInt32($0 / 6) }
        people.request.tracks = tracks
        people.request.keepsTracksWhole = true
        people.observations.tracks = tracks
        return people
    }

    private static func started(_ people: NoisyPeople) -> NoisyPeople {
        var people = people
        let start = (0..<(people.request.count * 72)).map { Float($0 % 5) * 0.05 }
        people.request.startTheta = start
        people.observations.startTheta = start
        people.observations.hasStart = Array(repeating: true, count: people.request.count)
        return people
    }
}

/// Somebody who asks for poses, and knows what a local call makes of the same question.
private protocol Caller: Sendable {
    var rowCount: Int { get }
    func ask(_ client: Client, model: String) async throws -> PoseReply
    func solvedLocally(by model: any PoseModel) throws -> PoseSolutions
}

private struct JointCaller: Caller {
    let people: NoisyPeople

    init(_ people: NoisyPeople) { self.people = people }

    var rowCount: Int { people.request.count }

    func ask(_ client: Client, model: String) async throws -> PoseReply {
        try await client.solveScene(people.request, model: model).collect()
    }

    func solvedLocally(by model: any PoseModel) throws -> PoseSolutions {
        var solved = try model.solve(people.observations, isCancelled: { false })
        try PoseRefinement.refine(
            &solved, toward: people.observations, steps: Array(repeating: people.request.refine, count: rowCount),
            isCancelled: { false })
        return solved
    }
}

private struct EffectorCaller: Caller {
    let people: ReachingPeople

    var rowCount: Int { people.request.count }

    func ask(_ client: Client, model: String) async throws -> PoseReply {
        try await client.solve(people.request, model: model)
    }

    func solvedLocally(by model: any PoseModel) throws -> PoseSolutions {
        let model = try #require(model as? any EffectorPoseModel)
        return try model.solve(people.effectors, isCancelled: { false })
    }
}

/// What holds a model back until a test opens it, so that calls gather behind the first one.
private final class Gate: Sendable {
    private let opened: Waker

    init() throws { opened = try Waker() }

    func open() { opened.wake() }

    func wait() { opened.wait() }
}

private struct HeldModel: PoseModel {
    let model: any PoseModel
    let gate: Gate

    var identity: ModelIdentity { model.identity }
    var isSequential: Bool { model.isSequential }

    func solve(_ observations: PoseObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions {
        gate.wait()
        return try model.solve(observations, isCancelled: isCancelled)
    }

    func solve(
        _ observations: PoseObservations, on team: ComputeTeam, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        gate.wait()
        return try model.solve(observations, on: team, isCancelled: isCancelled)
    }
}

private struct HeldEffectorModel: EffectorPoseModel {
    let model: any EffectorPoseModel
    let gate: Gate

    var identity: ModelIdentity { model.identity }
    var isSequential: Bool { model.isSequential }

    func solve(_ observations: PoseObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions {
        gate.wait()
        return try model.solve(observations, isCancelled: isCancelled)
    }

    func solve(_ effectors: EffectorObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions {
        gate.wait()
        return try model.solve(effectors, isCancelled: isCancelled)
    }
}
