import SinewBody
import SinewModels
import TestSupport
import Testing

/// Four people at once against one after the other.
struct LaneDifferentialTests {
    /// People with noise, hidden joints that are NaN, unknown twists and, sometimes, limbs folded straight back or onto a point.
    private static func people(_ seed: UInt64, count: Int) throws -> (RandomPeople, PoseObservations) {
        var random = SplitMix64(seed: seed)
        let people = RandomPeople(count: count, angleMax: 2.5, bodies: try .shared(), using: &random)
        var seen = people.observations()
        for person in 0..<count {
            let noise = [0, 0.005, 0.1][person % 3]
            for index in 0..<87 { seen.joints[person * 87 + index] += Float(noise * random.normal()) + 5 }
            seen.hasTwists[person] = person % 4 != 0
            if person % 5 == 1 {
                // A child on its parent, and one straight against the rest direction.
                seen.joints.store(seen.joints.vector(at: person * 87 + 4 * 3), at: person * 87 + 7 * 3)
            }
            if person % 5 == 2 { seen.twists[person * 23 + 3] = 20_000 }
            guard person % 2 == 1 else { continue }
            for joint in 0..<29
            where random.uniform(0...1) < [0.4, 0.8][person / 2 % 2] && seen.observed[person].nonzeroBitCount > 3 {
                seen.observed[person] &= ~(1 << UInt32(joint))
                for axis in 0..<3 { seen.joints[person * 87 + joint * 3 + axis] = .nan }
            }
        }
        return (people, seen)
    }

    private static func reference(
        _ observations: PoseObservations, rest: [Float], variant: HybrIKModel.Variant
    ) -> (rotations: [Float], solutions: PoseSolutions) {
        var rotations = [Float](repeating: 0, count: observations.count * 216)
        var solutions = PoseSolutions(count: observations.count)
        for person in 0..<observations.count {
            let solver = ReferenceAnalyticIK(
                variant: variant, rest: (0..<29).map { rest.vector(at: person * 87 + $0 * 3) },
                seen: ObservedJoints(observations, person: person),
                twists: (0..<23).map {
                    observations.hasTwists[person] ? Double(observations.twists[person * 23 + $0]) : 0
                })
            for (joint, local) in solver.solve().enumerated() {
                local.write(into: &rotations, at: person * 216 + joint * 9)
            }
            ReferencePoseFinishing.finish(
                rotations: rotations, observations: observations, restJoints: rest, person: person, into: &solutions)
        }
        return (rotations, solutions)
    }

    @Test(arguments: [HybrIKModel.Variant.adaptive, .naive], [1, 2, 3, 4, 5, 203])
    func `analytic IK in lanes is analytic IK`(variant: HybrIKModel.Variant, count: Int) throws {
        let seed: UInt64 = 51
        let (people, observations) = try Self.people(seed, count: count)
        let expected = Self.reference(observations, rest: people.restJoints, variant: variant)
        let solved = try HybrIKModel(bodies: .shared(), variant: variant).solve(observations) { false }
        #expect(
            largestAngle(PoseRows.matrices(ofTheta: solved.theta), expected.rotations) < 1e-5, "seed \(seed)")
        #expect(largestDifference(solved.joints, expected.solutions.joints) < 1e-5, "seed \(seed)")
        #expect(largestDifference(solved.translation, expected.solutions.translation) < 1e-5, "seed \(seed)")
    }

    @Test(arguments: [1, 2, 3, 4, 5, 203])
    func `finishing in lanes is finishing`(count: Int) throws {
        let seed: UInt64 = 52
        let (people, observations) = try Self.people(seed, count: count)
        var expected = PoseSolutions(count: count)
        for person in 0..<count {
            ReferencePoseFinishing.finish(
                rotations: people.rotations, observations: observations, restJoints: people.restJoints, person: person,
                into: &expected)
        }
        let finished = PoseFinishing.finish(
            rotations: people.rotations, observations: observations, restJoints: people.restJoints)
        #expect(largestDifference(finished.theta, expected.theta) < 1e-6, "seed \(seed)")
        #expect(largestDifference(finished.joints, expected.joints) < 1e-6, "seed \(seed)")
        #expect(largestDifference(finished.translation, expected.translation) < 1e-6, "seed \(seed)")
        #expect(
            largestDifference(finished.jointResidualMillimetres, expected.jointResidualMillimetres) < 1e-3,
            "seed \(seed)")
        #expect(largestDifference(finished.boneLengthChange, expected.boneLengthChange) < 1e-5, "seed \(seed)")
        #expect(finished.unobservedJoints == expected.unobservedJoints)
    }

    @Test(arguments: [HybrIKModel.Variant.adaptive, .naive])
    func `a person's bits do not depend on the neighbours, hidden joints or not`(variant: HybrIKModel.Variant) throws {
        let seed: UInt64 = 53
        let count = 21
        let (_, all) = try Self.people(seed, count: count)
        let model = HybrIKModel(bodies: try .shared(), variant: variant)
        let together = try model.solve(all) { false }
        for person in 0..<count {
            let alone = PoseObservations(
                count: 1, joints: row(all.joints, person, 87), sigma: row(all.sigma, person, 29),
                observed: [all.observed[person]], twists: row(all.twists, person, 23),
                hasTwists: [all.hasTwists[person]], betas: row(all.betas, person, 10), genders: [all.genders[person]])
            let solved = try model.solve(alone) { false }
            #expect(solved.theta == row(together.theta, person, 72), "seed \(seed), person \(person)")
            #expect(solved.joints == row(together.joints, person, 87), "seed \(seed), person \(person)")
            #expect(solved.translation == row(together.translation, person, 3), "seed \(seed), person \(person)")
            #expect(solved.jointResidualMillimetres[0] == together.jointResidualMillimetres[person])
            #expect(solved.boneLengthChange[0] == together.boneLengthChange[person])
        }
    }

    /// The pelvis, one joint of the torso and two hands are seen: every turn about the one direction fits equally well.
    @Test(arguments: [3, 12, 16, 1])
    func `a single direction of the torso turns the root no more than it must`(joint: Int) throws {
        let seed: UInt64 = 55
        let count = 7
        var random = SplitMix64(seed: seed)
        let people = RandomPeople(count: count, angleMax: 2.5, bodies: try .shared(), using: &random)
        let visible: UInt32 = 1 | 1 << UInt32(joint) | 1 << 22 | 1 << 23
        let seen = people.observations(observed: visible)
        for variant in [HybrIKModel.Variant.adaptive, .naive] {
            let solved = try HybrIKModel(bodies: .shared(), variant: variant).solve(seen) { false }
            for person in 0..<count {
                func bone(_ values: [Float]) -> SIMD3<Double> {
                    values.vector(at: person * 87 + joint * 3) - values.vector(at: person * 87)
                }
                let least = SwingTwist.swing(from: bone(people.restJoints), to: bone(seen.joints))
                let root = RotationMatrix(AxisAngle(solved.theta.vector(at: person * 72)))
                #expect(root.angle(to: least) < 1e-5, "seed \(seed), person \(person)")
            }
        }
    }

    @Test func `an empty batch is solved to nothing`() throws {
        let (_, none) = try Self.people(54, count: 0)
        #expect(try HybrIKModel(bodies: .shared()).solve(none) { false }.theta.isEmpty)
    }
}
