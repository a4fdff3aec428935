import Glibc
import SinewArrayFiles
import SinewBody
import SinewModels
import Testing

@Suite struct NIKIModelTests {
    private func model(_ name: String) throws -> NIKIModel {
        try #require(ModelRepository(path: Golden.folder).load(name) as? NIKIModel)
    }

    @Test(arguments: Golden.flows)
    func `rotations are those of the trainer, root and heading included`(name: String) throws {
        let golden = try Golden(name)
        let output = try model(name).run(
            golden.observations(), restJoints: golden.floats("rest"), isCancelled: { false })
        #expect(largestDifference(output.rotations, try golden.floats("rotations")) <= 2e-5)
        #expect(largestDifference(output.latentNorm, try golden.floats("latent_norm")) <= 1e-5)
    }

    @Test func `the MLP's rotations are those of the trainer`() throws {
        let golden = try Golden("mlp_ik_heading")
        let model = try #require(ModelRepository(path: Golden.folder).load("mlp_ik_heading") as? MLPIKModel)
        let output = try model.run(golden.observations(), restJoints: golden.floats("rest"), isCancelled: { false })
        #expect(largestDifference(output.rotations, try golden.floats("rotations")) <= 2e-5)
        #expect(output.latentNorm.allSatisfy { $0 == 0 })
    }

    @Test(arguments: Golden.all)
    func `the bundled bodies have the rest joints of the trainer`(name: String) throws {
        let golden = try Golden(name)
        let rest = try BodyLibrary.shared().restJoints(for: golden.observations())
        #expect(largestDifference(rest, try golden.floats("rest")) <= 1e-5)
    }

    @Test(arguments: Golden.all)
    func `solving turns observations into poses that its own rotations explain`(name: String) throws {
        let golden = try Golden(name)
        let loaded = try ModelRepository(path: Golden.folder).load(name)
        let seen = try golden.observations()
        let found = try loaded.solve(seen, isCancelled: { false })
        let rotations = try golden.floats("rotations")
        var worst = 0.0
        for index in 0..<(seen.count * 24) {
            let angles = (0..<3).map { Double(found.theta[index * 3 + $0]) }
            let solved = RotationMatrix(AxisAngle(SIMD3(angles[0], angles[1], angles[2])))
            worst = max(worst, solved.angle(to: RotationMatrix(rowMajor: rotations, at: index * 9)))
        }
        #expect(worst <= 1e-4)
        let norms = try golden.floats("latent_norm")
        #expect(largestDifference(found.latentNorm, norms) <= 1e-5)
        let unseen = seen.observed.map { Int32(29 - $0.nonzeroBitCount) }
        #expect(found.unobservedJoints == unseen)
        for person in 0..<seen.count where seen.observed[person] & 1 == 1 {
            for axis in 0..<3 {
                #expect(abs(found.joints[person * 87 + axis] - seen.joints[person * 87 + axis]) <= 1e-5)
            }
        }
    }

    @Test(arguments: Golden.all, ModelDescription.Precision.allCases)
    func `a pose does not depend on who shares the batch, bit for bit`(
        name: String, precision: ModelDescription.Precision
    ) throws {
        let golden = try Golden(name)
        let loaded = try ModelRepository(path: Golden.folder).load(name, precision: precision)
        let seen = try golden.observations()
        let together = try loaded.solve(seen, isCancelled: { false })
        for person in 0..<seen.count {
            let alone = try loaded.solve(
                PoseObservations(
                    count: 1, joints: Array(seen.joints[(person * 87)..<(person * 87 + 87)]),
                    sigma: Array(seen.sigma[(person * 29)..<(person * 29 + 29)]), observed: [seen.observed[person]],
                    twists: Array(seen.twists[(person * 23)..<(person * 23 + 23)]),
                    hasTwists: [seen.hasTwists[person]],
                    betas: Array(seen.betas[(person * 10)..<(person * 10 + 10)]), genders: [seen.genders[person]]),
                isCancelled: { false })
            #expect(alone.theta == Array(together.theta[(person * 72)..<(person * 72 + 72)]))
            #expect(alone.joints == Array(together.joints[(person * 87)..<(person * 87 + 87)]))
        }
    }

    @Test(arguments: Golden.flows)
    func `the FK direction places the joints where the trainer does`(name: String) throws {
        let golden = try Golden(name)
        let turn = try golden.floats("heading")
        let people = PosedPeople(
            count: golden.count, rotations: try golden.floats("fk_rotations"), betas: try golden.floats("betas"),
            genders: Array(repeating: .neutral, count: golden.count), latent: try golden.floats("fk_latent"),
            heading: (0..<golden.count).map { atan2f(turn[$0 * 2 + 1], turn[$0 * 2]) })
        let expected = try model(name).expectedObservations(
            of: people, restJoints: golden.floats("rest"), isCancelled: { false })
        #expect(largestDifference(expected.joints, try golden.floats("fk_joints")) <= 2e-5)
        #expect(expected.twists.count == (name.hasPrefix("niki_one") ? 0 : golden.count * 23))
    }

    @Test func `without a heading the pose's own heading is used, so turning a person turns the joints`() throws {
        let golden = try Golden("niki_ts_heading")
        let model = try model("niki_ts_heading")
        var people = PosedPeople(
            count: golden.count, rotations: try golden.floats("fk_rotations"), betas: try golden.floats("betas"),
            genders: Array(repeating: .neutral, count: golden.count), latent: try golden.floats("fk_latent"))
        let before = try model.expectedObservations(of: people)
        let turn = RotationMatrix(rows: SIMD3(0, 0, 1), SIMD3(0, 1, 0), SIMD3(-1, 0, 0))
        for person in 0..<golden.count {
            let root = turn * RotationMatrix(rowMajor: people.rotations, at: person * 216)
            root.write(into: &people.rotations, at: person * 216)
        }
        let after = try model.expectedObservations(of: people)
        var turned = before.joints
        for joint in 0..<(golden.count * 29) {
            turned[joint * 3] = before.joints[joint * 3 + 2]
            turned[joint * 3 + 2] = -before.joints[joint * 3]
        }
        #expect(largestDifference(after.joints, turned) <= 1e-4)
        #expect(largestDifference(after.sigma, before.sigma) <= 1e-4)
    }
}
