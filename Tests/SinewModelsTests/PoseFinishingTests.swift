import SinewBody
import SinewModels
import TestSupport
import Testing

struct PoseFinishingTests {
    private static func people(_ seed: UInt64, count: Int = 20) throws -> RandomPeople {
        var random = SplitMix64(seed: seed)
        return RandomPeople(count: count, angleMax: 2, bodies: try .shared(), using: &random)
    }

    @Test func `the translation puts the pelvis where it was seen`() throws {
        let people = try Self.people(41)
        var joints = people.joints
        for index in joints.indices { joints[index] += [3, -1, 7][index % 3] }
        let observations = people.observations(joints: joints)
        let solutions = PoseFinishing.finish(
            rotations: people.rotations, observations: observations, restJoints: people.restJoints)
        #expect(largestDifference(solutions.joints, joints) < 1e-5)
        #expect(
            largestDifference(solutions.translation, (0..<(people.count * 3)).map { [3, -1, 7][$0 % 3] }) < 1e-5)
        #expect(solutions.jointResidualMillimetres.allSatisfy { $0 < 0.01 })
        #expect(solutions.boneLengthChange.allSatisfy { $0 < 1e-4 })
        #expect(solutions.unobservedJoints.allSatisfy { $0 == 0 })
        #expect(largestAngle(PoseRows.matrices(ofTheta: solutions.theta), people.rotations) < 1e-5)
    }

    @Test func `without a pelvis the observed joints are centred`() throws {
        let people = try Self.people(42)
        let observations = people.observations(observed: 0x1FFF_FFFE)
        let solutions = PoseFinishing.finish(
            rotations: people.rotations, observations: observations, restJoints: people.restJoints)
        #expect(largestDifference(solutions.joints, people.joints) < 1e-5)
        #expect(solutions.unobservedJoints.allSatisfy { $0 == 1 })
    }

    @Test func `quality says how far joints and bones are off`() throws {
        let people = try Self.people(43, count: 1)
        var joints = people.joints
        // The left middle finger is seen 29 mm further along its bone.
        let (hand, finger) = (joints.vector(at: 22 * 3), joints.vector(at: 25 * 3))
        let bone = length(finger - hand)
        joints.store(finger + (finger - hand) / bone * 0.029, at: 25 * 3)
        let solutions = PoseFinishing.finish(
            rotations: people.rotations, observations: people.observations(joints: joints),
            restJoints: people.restJoints, latentNorms: [2.5])
        #expect(abs(solutions.jointResidualMillimetres[0] - 1) < 0.01)
        #expect(abs(Double(solutions.boneLengthChange[0]) - 0.029 / bone) < 1e-4)
        #expect(solutions.latentNorm == [2.5])
        // What was not observed does not count.
        let hidden = PoseFinishing.finish(
            rotations: people.rotations,
            observations: people.observations(joints: joints, observed: 0x1FFF_FFFF & ~(1 << 25)),
            restJoints: people.restJoints)
        #expect(hidden.jointResidualMillimetres[0] < 0.01)
        #expect(hidden.boneLengthChange[0] < 1e-4)
    }
}
