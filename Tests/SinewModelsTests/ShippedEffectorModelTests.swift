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

    @Test func `it says what it was trained on, whom to thank and how good it is`() throws {
        let description = try #require(try ModelRepository().list().first { $0.name == "smpl-ik" })
        #expect(description.architecture == .smplIK)
        #expect(!description.trainingData.isEmpty && !description.licence.isEmpty)
        #expect(description.acknowledgement.contains("mocap.cs.cmu.edu"))
        #expect(Set(description.evaluations.map(\.preset)) == ["random-effectors", "six-positions"])
        #expect(description.evaluations.allSatisfy { $0.paMPJPEMillimetres < 60 && $0.geodesicRadians < 0.25 })
    }
}
