import SinewArrayFiles
import SinewBody
import SinewModels
import TestSupport
import Testing

/// Random people with a noisy observation each and a start pose beside the true one.
private struct StartedPeople {
    let people: RandomPeople
    let startTheta: [Float]
    var observations: PoseObservations

    init(count: Int, noise: Double, turn: Double, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        people = try RandomPeople(count: count, angleMax: 0.6, bodies: .shared(), using: &random)
        startTheta = people.theta.map { $0 + Float(turn * random.normal()) }
        observations = PoseObservations(
            count: count, joints: people.joints.map { $0 + Float(noise * random.normal()) },
            sigma: Array(repeating: 0.02, count: count * 29),
            observed: Array(repeating: (1 << 29) - 1, count: count), twists: Array(repeating: 0, count: count * 23),
            hasTwists: Array(repeating: false, count: count), betas: people.betas, genders: people.genders,
            startTheta: startTheta, hasStart: Array(repeating: true, count: count))
    }
}

private func load(_ name: String) throws -> LearnableSMPLifyModel {
    try #require(try ModelRepository(path: Golden.folder).load(name) as? LearnableSMPLifyModel)
}

@Suite struct LearnableSMPLifyTests {
    private static func observations(_ golden: Golden) throws -> PoseObservations {
        let seen = try golden.file.tensor("observed").ints()
        return PoseObservations(
            count: golden.count, joints: try golden.floats("joints"), sigma: try golden.floats("sigma"),
            observed: (0..<golden.count).map { person -> UInt32 in
                var bits: UInt32 = 0
                for joint in 0..<29 where seen[person * 29 + joint] != 0 { bits |= 1 << UInt32(joint) }
                return bits
            },
            twists: Array(repeating: 0, count: golden.count * 23),
            hasTwists: Array(repeating: false, count: golden.count), betas: try golden.floats("betas"),
            genders: Array(repeating: .neutral, count: golden.count))
    }

    @Test(arguments: Golden.graphs)
    func `keypoints and body are conditioned as in PyTorch`(name: String) throws {
        let golden = try Golden(name)
        let batch = try load(name).condition(
            Self.observations(golden), theta: golden.floats("theta"), restJoints: golden.floats("rest"))
        #expect(largestDifference(batch.graph, try golden.floats("graph")) <= 1e-5)
        #expect(largestDifference(batch.body, try golden.floats("body")) <= 1e-5)
    }

    @Test(arguments: Golden.graphs)
    func `the pruned network gives what the dense PyTorch network gives`(name: String) throws {
        let golden = try Golden(name)
        let network = try GraphNetwork(ModelFiles(folder: golden.modelFolder))
        let found = try network.residuals(
            count: golden.count, graph: golden.floats("graph"), body: golden.floats("body"), isCancelled: { false })
        let expected = try golden.floats("rotation6d")
        let largest = expected.reduce(1) { max($0, abs($1)) }
        #expect(largestDifference(found, expected) <= 1e-5 * largest)
        let batch = try load(name).condition(
            Self.observations(golden), theta: golden.floats("theta"), restJoints: golden.floats("rest"))
        let turned = try load(name).turned(batch.rotations, by: expected)
        #expect(largestDifference(turned, try golden.floats("rotations")) <= 2e-5)
    }

    @Test func `the shipped Learnable SMPLify gives the trainer's residuals and rotations`() throws {
        let golden = try Golden("learnable_smplify_shipped")
        let model = try #require(try ModelRepository().load("learnable-smplify") as? LearnableSMPLifyModel)
        let batch = try model.condition(
            Self.observations(golden), theta: golden.floats("theta"), restJoints: golden.floats("rest"))
        #expect(golden.count == 64)
        #expect(largestDifference(batch.graph, try golden.floats("graph")) <= 1e-5)
        let found = try model.network.residuals(
            count: golden.count, graph: batch.graph, body: batch.body, isCancelled: { false })
        let expected = try golden.floats("rotation6d")
        #expect(largestDifference(found, expected) <= 2e-5 * expected.reduce(1) { max($0, abs($1)) })
        let turned = model.turned(batch.rotations, by: found)
        #expect(largestDifference(turned, try golden.floats("rotations")) <= 1e-4)
    }

    @Test(arguments: Golden.graphs)
    func `a person's bits do not depend on who shares the batch`(name: String) throws {
        let model = try load(name)
        let all = try StartedPeople(count: 33, noise: 0.03, turn: 0.2, seed: 11)
        let together = try model.solve(all.observations, isCancelled: { false })
        for person in [0, 1, 17, 32] {
            var alone = all.observations
            for other in (0..<33).reversed() where other != person { alone = alone.without(other) }
            let solved = try model.solve(alone, isCancelled: { false })
            #expect(solved.theta == Array(together.theta[(person * 72)..<(person * 72 + 72)]))
            #expect(solved.outcome == [together.outcome[person]])
        }
    }

    @Test func `a track gives the same bits in one call, in several, and among other tracks`() throws {
        let model = try load("learnable_smplify_ours")
        var clip = try StartedPeople(count: 30, noise: 0.02, turn: 0.1, seed: 5).observations
        clip.startTheta = []
        clip.hasStart = []
        // Two people, frame by frame, then a third one by itself.
        clip.tracks = (0..<20).map { UInt32($0 % 2) + 7 } + Array(repeating: 3, count: 10)
        let whole = try model.solve(clip, isCancelled: { false })
        for track in [UInt32(7), 8, 3] {
            let rows = (0..<30).filter { clip.tracks[$0] == track }
            var last: [Float]?
            for part in [rows[..<4], rows[4..<5], rows[5...]] {
                var own = clip
                for row in (0..<30).reversed() where !part.contains(row) { own = own.without(row) }
                if let last {
                    own.startTheta = last + Array(repeating: 0, count: (own.count - 1) * 72)
                    own.hasStart = (0..<own.count).map { $0 == 0 }
                }
                let solved = try model.solve(own, isCancelled: { false })
                for (index, row) in part.enumerated() {
                    #expect(
                        Array(solved.theta[(index * 72)..<(index * 72 + 72)])
                            == Array(whole.theta[(row * 72)..<(row * 72 + 72)]))
                    #expect(solved.outcome[index] == whole.outcome[row])
                }
                last = Array(solved.theta.suffix(72))
            }
        }
    }

    @Test func `a start pose that fits exact joints is kept`() throws {
        let model = try load("learnable_smplify_ours")
        var all = try StartedPeople(count: 9, noise: 0, turn: 0, seed: 3)
        all.observations.startTheta = all.people.theta
        let solved = try model.solve(all.observations, isCancelled: { false })
        #expect(solved.outcome == Array(repeating: .startKept, count: 9))
        #expect(largestDifference(solved.theta, all.people.theta) < 2e-6)
        #expect(solved.jointResidualMillimetres.allSatisfy { $0 < 0.01 })
    }

    @Test func `where the answer fits exact joints worse, the pose is the start pose`() throws {
        // Random weights turn every joint anywhere; the start poses are a few centimetres off, which is no reason to begin anew.
        let model = try load("learnable_smplify_ours")
        let all = try StartedPeople(count: 60, noise: 0, turn: 0.02, seed: 19)
        let solved = try model.solve(all.observations, isCancelled: { false })
        #expect(solved.outcome.contains(.startKept))
        var start = all.people.rotations
        for index in 0..<(60 * 24) {
            let v = (0..<3).map { Double(all.startTheta[index * 3 + $0]) }
            RotationMatrix(AxisAngle(SIMD3(v[0], v[1], v[2]))).write(into: &start, at: index * 9)
        }
        let before = PoseFinishing.finish(
            rotations: start, observations: all.observations, restJoints: all.people.restJoints)
        for person in 0..<60 where solved.outcome[person] == .startKept {
            #expect(
                abs(solved.jointResidualMillimetres[person] - before.jointResidualMillimetres[person]) < 0.01)
        }
    }

    @Test func `a person far from the start pose is begun anew`() throws {
        let model = try load("learnable_smplify_ours")
        var all = try StartedPeople(count: 4, noise: 0, turn: 0, seed: 23)
        // Upside down, arms anywhere: nothing that one pass could mend.
        all.observations.startTheta = (0..<(4 * 72)).map { index -> Float in
            if index % 72 == 0 { return 3 }
            let value = (index * 7) % 5
            return Float(value) - 2
        }
        let solved = try model.solve(all.observations, isCancelled: { false })
        #expect(solved.outcome == Array(repeating: .restarted, count: 4))
        #expect(solved.jointResidualMillimetres.allSatisfy { $0 < 50 })
    }

    @Test func `a turn by more than half a circle is the same start pose`() throws {
        let model = try load("learnable_smplify_ours")
        var all = try StartedPeople(count: 3, noise: 0.02, turn: 0.1, seed: 29)
        let first = try model.solve(all.observations, isCancelled: { false })
        for person in 0..<3 {
            let at = person * 72 + 3 * 16
            let v = SIMD3(
                Double(all.startTheta[at]), Double(all.startTheta[at + 1]), Double(all.startTheta[at + 2]))
            let angle = length(v)
            let longer = v * (1 + 2 * Double.pi / angle)
            for axis in 0..<3 { all.observations.startTheta[at + axis] = Float(longer[axis]) }
        }
        let second = try model.solve(all.observations, isCancelled: { false })
        #expect(largestDifference(first.theta, second.theta) < 1e-4)
    }

    @Test func `one joint is enough, and a model that is cancelled says so`() throws {
        let model = try load("learnable_smplify_published")
        var one = try StartedPeople(count: 2, noise: 0, turn: 0, seed: 31).observations
        one.observed = [1 << 18, 1]
        one.hasStart = [false, false]
        let solved = try model.solve(one, isCancelled: { false })
        #expect(solved.theta.allSatisfy(\.isFinite) && solved.unobservedJoints == [28, 28])
        #expect(throws: ModelError.cancelled) { try model.solve(one, isCancelled: { true }) }
    }

    @Test(arguments: [
        ("\"pooling\": \"flatten\"", "\"pooling\": \"largest\"", "graph.pooling"),
        ("\"temporal_kernel\": 3", "\"temporal_kernel\": 4", "graph.temporal_kernel"),
        ("\"joint_width\": 3", "\"joint_width\": 0", "graph.joint_width"),
        ("\"rotations\": 24", "\"rotations\": 25", "graph.rotations"),
        ("\"human-centric\"", "\"heading-bones\"", "conditioning"),
        ("\"interleaved\"", "\"rows\"", "rotation_layout"),
    ])
    func `a layout that cannot be is refused by the name of its field`(
        old: String, new: String, field: String
    ) throws {
        let temporary = try TemporaryRepository(copying: "learnable_smplify_ours")
        try temporary.replaceInDescription(old, with: new)
        let error = try #require(temporary.error())
        #expect(error.reason == .unusableFile && error.message.contains("\"\(field)\""), "\(error.message)")
    }

    @Test(arguments: [
        ("0.117", "0.617"), ("0.117", "null"), ("\"keypoints\": [\n      15", "\"keypoints\": [\n      24"),
    ])
    func `offsets that no keypoint of a body has are refused`(old: String, new: String) throws {
        let temporary = try TemporaryRepository(copying: "learnable_smplify_published")
        try temporary.replaceInDescription(old, with: new)
        let error = try #require(temporary.error())
        #expect(error.reason == .unusableFile && error.message.contains("\"graph.offsets\""), "\(error.message)")
    }

    @Test func `a tensor of another width is refused`() throws {
        let temporary = try TemporaryRepository(copying: "learnable_smplify_ours")
        try temporary.replaceInDescription("\"channels\": 5", with: "\"channels\": 6")
        #expect(temporary.error()?.reason == .unusableFile)
    }
}
