import SinewBody
import SinewModels
import Testing

/// The shipped SMPL-IK, against PyTorch's dense float64 run of the same file.
@Suite struct ShippedEffectorModelTests {
    @Test func `the shipped SMPL-IK gives the trainer's rotations and root`() throws {
        let golden = try EffectorGolden("smpl_ik_shipped")
        let found = try golden.model().solve(golden.observations(), isCancelled: { false })
        let (rotations, roots) = (try golden.floats("rotations"), try golden.floats("translation"))
        #expect(golden.people.count == 48)
        for joint in 0..<(golden.people.count * 24) {
            let turned = RotationMatrix(AxisAngle(found.theta.vector(at: joint * 3)))
            let expected = RotationMatrix(rowMajor: rotations, at: joint * 9)
            #expect(turned.angle(to: expected) <= 2e-4, "person \(joint / 24), joint \(joint % 24)")
        }
        #expect(largestDifference(found.translation, roots) <= 2e-5 * roots.reduce(1) { max($0, abs($1)) })
    }

    @Test(arguments: EffectorDraw.allCases)
    func `effectors that stay while the body changes are still met after refinement, where the body reaches them`(
        draw: EffectorDraw
    ) throws {
        let golden = try EffectorGolden("smpl_ik_shipped")
        let model = try golden.model()
        var random = SeededGenerator(seed: 91)
        // The poses that it once solved are as good as any; here they are the truth.
        let poses = try model.solve(golden.observations(), isCancelled: { false }).theta
        let people = EvaluationPeople(
            count: 60, poses: poses, bodies: try .shared(), drawsGender: true, using: &random)
        let effectors = draw.effectors(of: people, using: &random)
        func refined(_ effectors: EffectorObservations) throws -> PoseSolutions {
            var solved = try model.solve(effectors, isCancelled: { false })
            try PoseRefinement.refine(
                &solved, toward: effectors, steps: Array(repeating: 10, count: 60), isCancelled: { false })
            return solved
        }
        #expect(effectors.positionMisses(of: try refined(effectors)).allSatisfy { $0 <= 2 })
        let betas = (0..<60).flatMap { _ in EvaluationPeople.shape(using: &random) }
        let others = people.genders.map { $0 == .male ? Gender.female : .male }
        for changed in [
            effectors.reshaped(betas: betas, genders: people.genders),
            effectors.reshaped(betas: people.betas, genders: others),
        ] {
            let alone = changed.positionMisses(of: try model.solve(changed, isCancelled: { false }))
            let misses = changed.positionMisses(of: try refined(changed))
            // Two joints of one bone that stay apart as another body had them, or a hand out of reach: nobody can hold those.
            #expect(misses.count { $0 <= 2 } * 2 >= misses.count && misses.count { $0 <= 15 } * 5 >= misses.count * 4)
            #expect(misses.reduce(0, +) * 3 < alone.reduce(0, +))
        }
    }

    @Test func `it says what it was trained on, whom to thank and how good it is`() throws {
        let description = try #require(try ModelRepository().list().first { $0.name == "smpl-ik" })
        #expect(description.architecture == .smplIK)
        #expect(!description.trainingData.isEmpty && !description.licence.isEmpty)
        #expect(description.acknowledgement.contains("mocap.cs.cmu.edu"))
        #expect(Set(description.evaluations.map(\.preset)) == ["random-effectors", "six-positions"])
        #expect(description.evaluations.allSatisfy { $0.paMPJPEMillimetres < 60 && $0.geodesicRadians < 0.25 })
    }
}
