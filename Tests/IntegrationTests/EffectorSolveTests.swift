import FoundationEssentials
import SinewArrayFiles
import SinewBody
import SinewClient
import SinewCommands
import SinewModels
import TestSupport
import Testing

/// The small SMPL-IK with random weights that the model tests use too.
private enum SmallEffectorModel {
    static let name = "smpl_ik_heading"

    static var repository: String {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        return "\(here)/SinewModelsTests/Fixtures"
    }

    static func load() throws -> any EffectorPoseModel {
        guard let model = try ModelRepository(path: repository).load(name) as? any EffectorPoseModel else {
            throw Trouble("\(name) takes no effectors")
        }
        return model
    }
}

/// People with random effectors of all kinds, for the client and for a model.
struct ReachingPeople {
    var request = EffectorRequest()
    var effectors = EffectorObservations()

    init(_ count: Int, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for person in 0..<count {
            func place() -> (x: Double, y: Double, z: Double) {
                let numbers = (0..<3).map { _ in Double.random(in: -1...1, using: &random) }
                return (numbers[0], numbers[1] + 1, numbers[2])
            }
            var sent: [EffectorRequest.Effector] = []
            for index in 0..<Int.random(in: 1...9, using: &random) {
                let joint = UInt8.random(in: 0..<24, using: &random)
                let tolerance = Float.random(in: 0...0.1, using: &random)
                let weight = Float.random(in: 0.5...2, using: &random)
                switch index % 3 {
                case 0: sent.append(.position(joint, at: place(), tolerance: tolerance, weight: weight))
                case 1:
                    let q = place()
                    sent.append(
                        .rotation(joint, quaternion: (q.y, q.x, q.z, 0.5), tolerance: tolerance, weight: weight))
                default: sent.append(.lookAt(joint, target: place(), tolerance: tolerance, weight: weight))
                }
            }
            let betas = (0..<10).map { _ in Float.random(in: -2...2, using: &random) }
            let gender = Gender.allCases[person % 3]
            request.append(sent, betas: betas, gender: gender.rawValue)
            effectors.append(
                sent.map { effector in
                    var six = SIMD8<Float>.zero
                    for column in 0..<6 { six[column] = effector.values[column] }
                    return Effector(
                        kind: EffectorObservations.Kind.allCases[Int(effector.kind)], joint: effector.joint,
                        values: six,
                        tolerance: effector.tolerance, weight: effector.weight)
                }, betas: betas, gender: gender)
        }
    }
}

@Suite(.timeLimit(.minutes(5)))
struct EffectorSolveTests {
    @Test func `effectors of many callers come back as a local solve makes them, bit for bit`() async throws {
        let model = try SmallEffectorModel.load()
        let fleet = try InProcessFleet(workerModels: [[model], [model]])
        let clients = try (0..<4).map { _ in try fleet.client(itemsPerCall: 7) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, client) in clients.enumerated() {
                group.addTask {
                    let people = ReachingPeople(40 + index, seed: UInt64(100 + index))
                    let reply = try await client.solve(people.request, model: SmallEffectorModel.name)
                    expectEqual(reply, try model.solve(people.effectors, isCancelled: { false }))
                    #expect(reply.parts.count == (40 + index + 6) / 7)
                }
            }
            try await group.waitForAll()
        }
        for client in clients { client.close() }
    }

    @Test func `refinement is the same by a worker and locally, bit for bit, and comes nearer`() async throws {
        let model = try SmallEffectorModel.load()
        let fleet = try InProcessFleet(workerModels: [[model]])
        let client = try fleet.client(itemsPerCall: 7)
        defer { client.close() }
        let people = ReachingPeople(20, seed: 12)
        var request = people.request
        request.refine = 6
        let reply = try await client.solve(request, model: SmallEffectorModel.name)
        var solved = try model.solve(people.effectors, isCancelled: { false })
        let before = solved.jointResidualMillimetres.reduce(0, +)
        try PoseRefinement.refine(
            &solved, toward: people.effectors, steps: Array(repeating: 6, count: 20), isCancelled: { false })
        expectEqual(reply, solved)
        #expect(solved.jointResidualMillimetres.reduce(0, +) < before)
    }

    @Test func `a wrong effector is named with row and field, across calls`() async throws {
        let model = try SmallEffectorModel.load()
        let fleet = try InProcessFleet(workerModels: [[model]])
        let client = try fleet.client(itemsPerCall: 4)
        defer { client.close() }
        let good = ReachingPeople(10, seed: 7)
        var request = EffectorRequest()
        for person in 0..<10 {
            var effectors = good.request.people[person]
            if person == 6 { effectors[0].tolerance = 5 }
            request.append(
                effectors, betas: Array(good.request.betas[(person * 10)..<(person * 10 + 10)]),
                gender: good.request.genders[person])
        }
        let reply = try await client.solve(request, model: SmallEffectorModel.name)
        #expect(reply.itemErrors.map(\.item) == [6] && reply.itemErrors[0].field == "tolerances")
        let solved = try model.solve(good.effectors, isCancelled: { false })
        #expect(Array(reply.theta[..<(6 * 72)]) == Array(solved.theta[..<(6 * 72)]))
        #expect(Array(reply.theta[(7 * 72)...]) == Array(solved.theta[(7 * 72)...]))
    }

    @Test func `a model without effectors refuses the call, and a call for nobody is not sent`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels()])
        let client = try fleet.client()
        defer { client.close() }
        let refused = await #expect(throws: ClientError.self) {
            _ = try await client.solve(ReachingPeople(2, seed: 8).request, model: "hybrik")
        }
        #expect(refused?.status == .invalidArgument && refused?.description.contains("smpl-ik") == true)
        let empty = await #expect(throws: ClientError.self) {
            _ = try await client.solve(EffectorRequest(), model: "hybrik")
        }
        #expect(empty?.description.contains("nobody") == true)
    }

    @Test func `the same model still solves joints`() async throws {
        let model = try SmallEffectorModel.load()
        let fleet = try InProcessFleet(workerModels: [[model]])
        let client = try fleet.client()
        defer { client.close() }
        let people = try NoisyPeople(9, seed: 9)
        let reply = try await client.solve(people.request, model: SmallEffectorModel.name)
        expectEqual(reply, try model.solve(people.observations, isCancelled: { false }))
    }
}

/// `sinew solve` with effectors, as a person types it.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CommandLineEffectorTests {
    private struct Broker: Decodable {
        let client_endpoint, worker_endpoint: String
    }

    private let model = ["--model", SmallEffectorModel.name]
    private var local: [String] { model + ["--local", "--models", SmallEffectorModel.repository] }

    private static let lines = """
        {"gender": "female", "betas": [1.2, 0, -0.5], "fps": 50}
        {"effectors": [{"joint": "pelvis", "position": [0, 1, 0]}, {"joint": "left_wrist", "position": [0.4, 1.1, 0.3], "tolerance": 0.02}]}
        {"effectors": [{"joint": "pelvis", "position": [0, 1, 0.1]}, {"joint": "head", "look_at": [0, 1.6, 2]}]}
        {"effectors": [{"joint": "head", "axis_angle": [0, 0.3, 0]}]}
        {"effectors": [{"joint": "head", "position": [0, 1.6, 0]}, {"joint": "head", "quaternion": [1, 0, 0.2, 0], "weight": 2}], "gender": "male"}

        """

    @Test func `options give one pose, of the shape and gender that were asked for`() async throws {
        try await withFolder { folder in
            let done = try await CommandLineTool.run(
                [
                    "solve", "--effector", "left_wrist=0.4,1.1,0.3", "--effector", "pelvis=0,1,0:tolerance=0.01",
                    "--rotate",
                    "head=0,0.3,0", "--look-at", "head=0,1.6,2", "--gender", "female", "--betas", "1.2,0", "-o",
                    "\(folder)/pose.npz",
                ] + local)
            #expect(done.status == 0, "\(done.talk)")
            let file = try NPZFile(path: "\(folder)/pose.npz")
            var effectors = EffectorObservations()
            effectors.append(
                [
                    .position(20, at: SIMD3(0.4, 1.1, 0.3)), .position(0, at: SIMD3(0, 1, 0), tolerance: 0.01),
                    .rotation(15, RotationMatrix(AxisAngle(SIMD3(0, 0.3, 0)))), .lookAt(15, target: SIMD3(0, 1.6, 2)),
                ], betas: [1.2, 0, 0, 0, 0, 0, 0, 0, 0, 0], gender: .female)
            let expected = try SmallEffectorModel.load().solve(effectors, isCancelled: { false })
            #expect(try file.array("poses").floats() == expected.theta)
            #expect(try file.array("trans").floats() == expected.translation)
            #expect(try file.array("joint_residual_mm").floats() == expected.jointResidualMillimetres)
            #expect(try file.array("orientation_residual_rad").floats() == expected.orientationResidualRadians)
            #expect(try file.array("gender").strings() == ["female"])
            #expect(try file.array("betas").floats() == [1.2, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        }
    }

    @Test func `a file of effectors gives the same bits locally and through a broker`() async throws {
        try await withFolder { folder in
            try write(Self.lines, to: "\(folder)/in.jsonl")
            let arguments = ["solve", "--effectors", "\(folder)/in.jsonl", "-o"]
            let alone = try await CommandLineTool.run(arguments + ["\(folder)/local.npz"] + local)
            #expect(alone.status == CommandStatus.someItemsFailed.rawValue, "\(alone.talk)")
            #expect(alone.talk.contains("line 4: ") && alone.talk.contains("no positional effector"))
            let ports = ["broker", "--clients", "tcp://127.0.0.1:*", "--workers", "tcp://127.0.0.1:*", "--json"]
            try await CommandLineTool.withProcess(ports) { process in
                let text = await process.output.firstLine(atMost: CommandLineTool.patience) ?? ""
                let broker = try JSONDecoder().decode(Broker.self, from: Data(text.utf8))
                let worker = ["worker", "--broker", broker.worker_endpoint, "--models", SmallEffectorModel.repository]
                try await CommandLineTool.withProcess(worker + model) { process in
                    _ = await process.output.firstLine(atMost: CommandLineTool.patience)
                    let asked = arguments + ["\(folder)/service.npz", "--broker", broker.client_endpoint] + model
                    let done = try await CommandLineTool.run(asked)
                    #expect(done.status == CommandStatus.someItemsFailed.rawValue, "\(done.talk)")
                    #expect(done.talk.contains("line 4: ") && done.talk.contains("no positional effector"))
                }
            }
            let (ours, theirs) = (
                try NPZFile(path: "\(folder)/service.npz"), try NPZFile(path: "\(folder)/local.npz")
            )
            for name in ["poses", "trans", "joints3d", "joint_residual_mm", "orientation_residual_rad", "solved"] {
                #expect(try ours.array(name).bytes == theirs.array(name).bytes, "\(name)")
            }
            #expect(try ours.array("solved").ints() == [1, 1, 0, 1])
            #expect(try ours.array("mocap_framerate").doubles() == [50])
        }
    }

    @Test func `effectors recovered from poses solve to the error that was written beside them`() async throws {
        try await withFolder { folder in
            let start = try await CommandLineTool.run(
                ["solve", "--effector", "pelvis=0.2,1,0", "--betas=-1,0.5", "-o", "\(folder)/pose.npz"] + local)
            #expect(start.status == 0, "\(start.talk)")
            let search = ["effectors", "\(folder)/pose.npz", "-o", "\(folder)/few.jsonl", "--max", "3", "--json"]
            let repository = ["--models", SmallEffectorModel.repository]
            let done = try await CommandLineTool.run(search + model + repository)
            #expect(done.status == 0 && done.output.contains("mean_error_mm"), "\(done.talk)")
            let again = try await CommandLineTool.run(
                ["solve", "--effectors", "\(folder)/few.jsonl", "-o", "\(folder)/again.npz"] + local)
            #expect(again.status == 0, "\(again.talk)")
            let line = try JSONDecoder().decode(
                Line.self, from: Data(try FileContents.read("\(folder)/few.jsonl")))
            #expect((1...3).contains(line.effectors.count))
            let (pose, found) = (
                try NPZFile(path: "\(folder)/pose.npz").array("joints3d").floats(),
                try NPZFile(path: "\(folder)/again.npz").array("joints3d").floats()
            )
            var sum = 0.0
            for joint in 0..<24 {
                let square = (0..<3).reduce(0.0) { total, axis in
                    let difference = Double(pose[joint * 3 + axis] - found[joint * 3 + axis])
                    return total + difference * difference
                }
                sum += 1000 * square.squareRoot() / 24
            }
            #expect(abs(sum - line.error_mm) <= 0.01 + 1e-3 * line.error_mm)
        }
    }

    private struct Line: Decodable {
        struct Effector: Decodable { let joint: String }
        let effectors: [Effector]
        let error_mm: Double
    }

    @Test(arguments: [
        (["--effector", "tail=0,0,0"], "left_wrist"), (["--rotate", "head=1,2"], "--rotate"),
        (["--effector", "head=0,1,0", "--effectors", "x.jsonl"], "--effectors"),
        (["--gender", "male"], "--gender"), (["--effector", "head=0,1,0", "--gender", "horse"], "horse"),
        (["--effector", "head=0,1,0", "--unit", "mm"], "--unit"),
        (["in.npz", "--effector", "head=0,1,0"], "not both"), (["in.npz", "--betas", "1"], "--betas"),
        ([], "give a file"),
    ])
    func `options that contradict each other are refused with what to type`(
        arguments: [String], named: String
    ) async throws {
        let done = try await CommandLineTool.run(["solve", "-o", "/tmp/never-written.npz", "--local"] + arguments)
        #expect(done.status == CommandStatus.usage.rawValue && done.talk.contains(named), "\(done.talk)")
    }

    @Test func `a model that takes no effectors says which one does`() async throws {
        let done = try await CommandLineTool.run(
            "solve", "--effector", "head=0,1.6,0", "-o", "/tmp/never-written.npz", "--local", "--model", "hybrik")
        #expect(done.status == CommandStatus.usage.rawValue && done.talk.contains("smpl-ik"), "\(done.talk)")
    }
}
