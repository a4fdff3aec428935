import SinewBody
import SinewModels
import TestSupport
import Testing

@Suite struct EffectorRecoveryTests {
    private let pose: (theta: [Float], translation: [Float], betas: [Float])

    init() throws {
        var random = SplitMix64(seed: 41)
        let people = RandomPeople(count: 1, angleMax: 0.4, bodies: try .shared(), using: &random)
        pose = (people.theta, [0.3, 0.9, -2], people.betas)
    }

    private func recover(
        _ model: any EffectorPoseModel, _ change: (inout EffectorRecovery.Options) -> Void = { _ in }
    ) throws -> EffectorRecovery.Recovered {
        var options = EffectorRecovery.Options()
        change(&options)
        return try EffectorRecovery(model: model).recover(
            theta: pose.theta, translation: pose.translation, betas: pose.betas, gender: .neutral, options: options,
            isCancelled: { false })
    }

    private func joints() throws -> [Float] {
        let posed = ForwardKinematics.pose(
            rotations: PoseRows.matrices(ofTheta: pose.theta),
            restJoints: try BodyLibrary.shared()[.neutral].restJoints(betas: pose.betas))
        return (0..<72).map { posed.joints[$0] + pose.translation[$0 % 3] }
    }

    /// The mean joint error of a set of effectors, solved alone.
    private func error(_ model: any EffectorPoseModel, _ effectors: [Effector]) throws -> Double {
        var observations = EffectorObservations()
        observations.append(effectors, betas: pose.betas, gender: .neutral)
        let solved = try model.solve(observations, isCancelled: { false }).joints
        let expected = try joints()
        var sum = 0.0
        for joint in 0..<24 {
            var square = 0.0
            for axis in 0..<3 {
                let difference = Double(solved[joint * 3 + axis]) - Double(expected[joint * 3 + axis])
                square += difference * difference
            }
            sum += square.squareRoot()
        }
        return 1000 * sum / 24
    }

    @Test(arguments: EffectorGolden.names)
    func `each choice lowers the error, and the error is the model's own`(name: String) throws {
        let model = try EffectorGolden(name).model()
        let found = try recover(model)
        #expect(found.effectors.count == found.errorsMillimetres.count && (1...6).contains(found.effectors.count))
        for count in 1...found.effectors.count {
            let error = try error(model, Array(found.effectors[..<count]))
            #expect(abs(error - Double(found.errorsMillimetres[count - 1])) <= 1e-3 * error)
            if count > 1 { #expect(found.errorsMillimetres[count - 1] < found.errorsMillimetres[count - 2]) }
        }
    }

    @Test func `the first choice is the best of all positions`() throws {
        let model = try EffectorGolden("smpl_ik_heading").model()
        let found = try recover(model) { $0.countMax = 1 }
        let first = try #require(found.effectors.first)
        #expect(found.effectors.count == 1 && first.kind == .position)
        let joints = try joints()
        for joint in 0..<24 {
            let place = SIMD3(
                Double(joints[joint * 3]), Double(joints[joint * 3 + 1]), Double(joints[joint * 3 + 2]))
            let other = try error(model, [.position(UInt8(joint), at: place)])
            #expect(other >= Double(found.errorsMillimetres[0]) * (1 - 1e-4))
        }
    }

    @Test func `it stops at the error that was asked for, and keeps to positions where it is told to`() throws {
        let model = try EffectorGolden("smpl_ik_heading").model()
        let whole = try recover(model)
        try #require(whole.effectors.count >= 2)
        let stopped = try recover(model) { $0.errorMillimetres = whole.errorsMillimetres[0] }
        #expect(stopped.effectors == [whole.effectors[0]])
        let positions = try recover(model) { $0.allowsRotations = false }
        #expect(!positions.effectors.contains { $0.kind != .position })
    }

    @Test func `cancellation reaches the model`() throws {
        let model = try EffectorGolden("smpl_ik_small").model()
        #expect(throws: ModelError.cancelled) {
            try EffectorRecovery(model: model).recover(
                theta: pose.theta, translation: pose.translation, betas: pose.betas, gender: .neutral,
                isCancelled: { true })
        }
    }
}
