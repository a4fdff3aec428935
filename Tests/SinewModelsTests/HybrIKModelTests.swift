import SinewArrayFiles
import SinewBody
import SinewModels
import TestSupport
import Testing

struct HybrIKModelTests {
    /// Golden vectors: tools/golden/analytic_ik.py (float64, numpy's SVD, written from the same description).
    @Test(arguments: [HybrIKModel.Variant.adaptive, .naive])
    func `both variants match the float64 reference`(variant: HybrIKModel.Variant) throws {
        let golden = try NPZFile(path: Golden.folder + "/analytic_ik.npz")
        let joints = try golden.array("joints").floats()
        let count = joints.count / 87
        let observations = PoseObservations(
            count: count, joints: joints, sigma: [Float](repeating: 0, count: count * 29),
            observed: [UInt32](repeating: 0x1FFF_FFFF, count: count), twists: try golden.array("twists").floats(),
            hasTwists: [Bool](repeating: true, count: count), betas: try golden.array("betas").floats(),
            genders: [Gender](repeating: .neutral, count: count))
        let model = HybrIKModel(bodies: try .shared(), variant: variant)
        let solutions = try model.solve(observations) { false }
        let expected = try golden.array(variant == .adaptive ? "adaptive" : "naive").floats()
        #expect(largestAngle(PoseRows.matrices(ofTheta: solutions.theta), expected) < 2e-5)
    }

    @Test func `exact joints and twists give back the pose`() throws {
        let seed: UInt64 = 31
        var random = SplitMix64(seed: seed)
        let bodies = try BodyLibrary.shared()
        let people = RandomPeople(count: 200, angleMax: 2.5, bodies: bodies, using: &random)
        let solutions = try HybrIKModel(bodies: bodies).solve(people.observations()) { false }
        #expect(largestDifference(solutions.joints, people.joints) < 1e-4, "seed \(seed)")
        let rotations = PoseRows.matrices(ofTheta: solutions.theta)
        #expect(largestAngle(rotations, people.rotations) < 2e-3, "seed \(seed)")
        for person in 0..<people.count {
            let twists = TwistAngles.angles(rotations: rotations, restJoints: people.restJoints, person: person)
            for (ours, theirs) in zip(twists, row(people.twists, person, 23)) {
                let difference = abs(ours - theirs)
                #expect(min(difference, abs(difference - 2 * .pi)) < 2e-3, "seed \(seed), person \(person)")
            }
        }
        let metrics = PoseMetrics.compare(
            theta: solutions.theta, truth: people.theta, restJoints: people.restJoints)
        #expect(metrics.mpjpe < 0.01)
        #expect((metrics.geodesic ?? 1) < 1e-3)
    }

    @Test func `joints stay right without twists`() throws {
        let seed: UInt64 = 32
        var random = SplitMix64(seed: seed)
        let bodies = try BodyLibrary.shared()
        let people = RandomPeople(count: 50, angleMax: 0.4, bodies: bodies, using: &random)
        let known = try HybrIKModel(bodies: bodies).solve(people.observations()) { false }
        let unknown = try HybrIKModel(bodies: bodies).solve(people.observations(hasTwists: false)) { false }
        let zero = try HybrIKModel(bodies: bodies).solve(
            people.observations(twists: [Float](repeating: 0, count: people.twists.count))
        ) { false }
        #expect(unknown.theta == zero.theta)
        #expect(unknown.joints == zero.joints)
        #expect(unknown.theta != known.theta)
        // Only the collars hang on spine3's twist; limbs reach their targets in any case.
        for joint in [4, 7, 12, 15] {
            for person in 0..<people.count {
                let difference = largestDifference(
                    row(unknown.joints, person * 29 + joint, 3), row(people.joints, person * 29 + joint, 3))
                #expect(difference < 1e-3, "seed \(seed)")
            }
        }
    }

    @Test(arguments: [HybrIKModel.Variant.adaptive, .naive])
    func `a bone folded straight back is turned half round, not left alone`(variant: HybrIKModel.Variant) throws {
        let bodies = try BodyLibrary.shared()
        var joints = bodies[.neutral].restJoints(betas: [])
        // The left forearm lies back on the upper arm: elbow → wrist points exactly against its rest direction.
        let (elbow, wrist) = (joints.vector(at: 18 * 3), joints.vector(at: 20 * 3))
        let moved = [20, 22, 25]
        let shift = 2 * (elbow - wrist)
        for joint in moved { joints.store(joints.vector(at: joint * 3) + shift, at: joint * 3) }
        let observations = PoseObservations(
            count: 1, joints: joints, sigma: [Float](repeating: 0, count: 29), observed: [0x1FFF_FFFF],
            twists: [Float](repeating: 0, count: 23), hasTwists: [true], betas: [Float](repeating: 0, count: 10),
            genders: [.neutral])
        let solutions = try HybrIKModel(bodies: bodies, variant: variant).solve(observations) { false }
        let turned = AxisAngle(solutions.theta.vector(at: 18 * 3)).angle
        #expect(abs(turned - .pi) < 1e-3)
        #expect(largestDifference(row(solutions.joints, 20, 3), row(joints, 20, 3)) < 1e-4)
    }

    @Test func `a person's result does not depend on the batch`() throws {
        let seed: UInt64 = 33
        var random = SplitMix64(seed: seed)
        let bodies = try BodyLibrary.shared()
        let people = RandomPeople(count: 5, angleMax: 1, bodies: bodies, using: &random)
        let together = try HybrIKModel(bodies: bodies).solve(people.observations()) { false }
        for person in 0..<people.count {
            let alone = PoseObservations(
                count: 1, joints: row(people.joints, person, 87), sigma: [Float](repeating: 0.02, count: 29),
                observed: [0x1FFF_FFFF], twists: row(people.twists, person, 23), hasTwists: [true],
                betas: row(people.betas, person, 10), genders: [people.genders[person]])
            let solved = try HybrIKModel(bodies: bodies).solve(alone) { false }
            #expect(solved.theta == row(together.theta, person, 72))
            #expect(solved.joints == row(together.joints, person, 87))
        }
    }

    @Test func `unobserved leaves leave their bones at rest and everything else right`() throws {
        let seed: UInt64 = 34
        var random = SplitMix64(seed: seed)
        let bodies = try BodyLibrary.shared()
        let people = RandomPeople(count: 50, angleMax: 1.5, bodies: bodies, using: &random)
        // SMPL's 24 joints without the five leaves; the coordinates of the leaves must not matter.
        var joints = people.joints
        for person in 0..<people.count { for index in 72..<87 { joints[person * 87 + index] = .nan } }
        let solutions = try HybrIKModel(bodies: bodies).solve(
            people.observations(joints: joints, observed: 0x00FF_FFFF)
        ) { false }
        for person in 0..<people.count {
            let difference = largestDifference(
                Array(row(solutions.joints, person, 87)[..<72]), Array(row(people.joints, person, 87)[..<72]))
            #expect(difference < 1e-4, "seed \(seed)")
        }
        #expect(solutions.unobservedJoints == [Int32](repeating: 5, count: people.count))
        #expect(solutions.theta.allSatisfy { $0.isFinite })
    }

    @Test func `a lost elbow lets the upper arm aim at the wrist`() throws {
        let bodies = try BodyLibrary.shared()
        var theta = [Float](repeating: 0, count: 72)
        theta[16 * 3 + 2] = -1
        let rest = bodies[.neutral].restJoints(betas: [])
        let truth = PoseRows.joints(rotations: PoseRows.matrices(ofTheta: theta), restJoints: rest)
        let observations = PoseObservations(
            count: 1, joints: truth, sigma: [Float](repeating: 0, count: 29), observed: [0x1FFF_FFFF & ~(1 << 18)],
            twists: [Float](repeating: 0, count: 23), hasTwists: [true], betas: [Float](repeating: 0, count: 10),
            genders: [.neutral])
        let solutions = try HybrIKModel(bodies: bodies).solve(observations) { false }
        #expect(largestDifference(solutions.joints, truth) < 0.01)
    }

    @Test(arguments: [UInt32(0x1FFF_FFFE), 0x1FFF_FFF0, 0x1FFF_FFF6])
    func `a hidden pelvis or hidden hips still give a whole person`(observed: UInt32) throws {
        let bodies = try BodyLibrary.shared()
        let rest = bodies[.neutral].restJoints(betas: [])
        var theta = [Float](repeating: 0, count: 72)
        theta[1] = 1.2
        let truth = PoseRows.joints(rotations: PoseRows.matrices(ofTheta: theta), restJoints: rest)
        let observations = PoseObservations(
            count: 1, joints: truth, sigma: [Float](repeating: 0, count: 29), observed: [observed],
            twists: [Float](repeating: 0, count: 23), hasTwists: [true], betas: [Float](repeating: 0, count: 10),
            genders: [.neutral])
        let solutions = try HybrIKModel(bodies: bodies).solve(observations) { false }
        let metrics = PoseMetrics.compare(joints: solutions.joints, truth: truth)
        #expect(metrics.mpjpe < 60, "a pelvis guessed from what is left shifts the body by centimetres")
        #expect(abs(Double(solutions.theta[1]) - 1.2) < 0.2)
    }

    @Test func `too few joints are refused by person`() throws {
        let bodies = try BodyLibrary.shared()
        var random = SplitMix64(seed: 35)
        let people = RandomPeople(count: 2, angleMax: 1, bodies: bodies, using: &random)
        var observations = people.observations()
        observations.observed[1] = 0b11
        let error = #expect(throws: ModelError.self) { try HybrIKModel(bodies: bodies).solve(observations) { false } }
        #expect(error?.reason == .degenerateInput)
        #expect(error?.person == 1)
    }

    @Test func `joints that all lie on one point give finite rotations`() throws {
        let bodies = try BodyLibrary.shared()
        var random = SplitMix64(seed: 36)
        let people = RandomPeople(count: 1, angleMax: 1, bodies: bodies, using: &random)
        for variant in [HybrIKModel.Variant.adaptive, .naive] {
            let solutions = try HybrIKModel(bodies: bodies, variant: variant).solve(
                people.observations(joints: [Float](repeating: 0.7, count: 87))
            ) { false }
            #expect((solutions.theta + solutions.joints + solutions.translation).allSatisfy { $0.isFinite })
        }
    }

    @Test func `a cancelled batch is not solved`() throws {
        let bodies = try BodyLibrary.shared()
        var random = SplitMix64(seed: 37)
        let people = RandomPeople(count: 2, angleMax: 1, bodies: bodies, using: &random)
        let error = #expect(throws: ModelError.self) {
            try HybrIKModel(bodies: bodies).solve(people.observations()) { true }
        }
        #expect(error?.reason == .cancelled)
    }
}
