import SinewBody
import SinewModels
import TestSupport
import Testing

struct EvaluationPeopleTests {
    private func people(_ count: Int, seed: UInt64) throws -> EvaluationPeople {
        var random = SplitMix64(seed: seed)
        let drawn = RandomPeople(count: 5, angleMax: 0.6, bodies: try .shared(), using: &random)
        return EvaluationPeople(count: count, poses: drawn.theta, bodies: try .shared(), using: &random)
    }

    @Test func `exact observations of people are solved by analytic IK without error`() throws {
        let people = try people(40, seed: 61)
        var random = SplitMix64(seed: 1)
        let seen = people.observations(noise: nil, using: &random)
        let found = try ModelRepository().load("hybrik").solve(seen, isCancelled: { false })
        let errors = people.errors(ofTheta: found.theta)
        #expect(errors.mpjpe < 0.05 && errors.count == 40)
        #expect(people.errorsByJoint(ofTheta: found.theta).allSatisfy { $0 < 0.1 })
    }

    @Test func `the error of each joint is its own`() throws {
        let people = try people(30, seed: 62)
        var theta = people.theta
        // The left elbow turned moves what hangs on it and nothing else.
        for person in 0..<people.count { theta[person * 72 + 18 * 3 + 1] += 0.5 }
        let errors = people.errorsByJoint(ofTheta: theta)
        for joint in 0..<24 { #expect((errors[joint] > 1) == [20, 22].contains(joint), "joint \(joint)") }
        let mean = errors.reduce(0, +) / 24
        #expect(abs(mean - people.errors(ofTheta: theta).mpjpe) < 1e-3)
    }

    @Test func `people have every heading and shape, and the same seed draws them again`() throws {
        let people = try people(2000, seed: 63)
        #expect(try self.people(2000, seed: 63).theta == people.theta)
        #expect(try self.people(2000, seed: 64).theta != people.theta)
        let mean = people.betas.reduce(0.0) { $0 + Double($1) } / Double(people.betas.count)
        let square = people.betas.reduce(0.0) { $0 + Double($1 * $1) } / Double(people.betas.count)
        #expect(abs(mean) < 0.03 && abs(square - 1) < 0.04)
        // Left minus right hip, seen from above: its mean vanishes when all headings are as likely.
        var (x, z) = (0.0, 0.0)
        for person in 0..<people.count {
            let across = people.joints.vector(at: person * 87 + 3) - people.joints.vector(at: person * 87 + 6)
            x += across.x / length(across)
            z += across.z / length(across)
        }
        #expect(abs(x / 2000) < 0.06 && abs(z / 2000) < 0.06)
    }

    @Test func `noise of strength 1 is the preset, and a joint can be lost alone`() throws {
        let people = try people(300, seed: 65)
        func draw(_ noise: DetectorNoise?) -> PoseObservations {
            var random = SplitMix64(seed: 9)
            return people.observations(noise: noise, using: &random)
        }
        let standard = draw(NoisePreset.standard.noise)
        #expect(standard.joints == draw(DetectorNoise(level: 1)).joints)
        let double = draw(DetectorNoise(level: 2))
        func error(_ seen: PoseObservations) -> Double {
            PoseMetrics.compare(joints: seen.joints, truth: people.joints).mpjpe
        }
        #expect(abs(error(double) / error(standard) - 2) < 1e-3)
        let lost = draw(DetectorNoise(lostJoints: [20]))
        for person in 0..<300 {
            #expect(lost.sigma[person * 29 + 20] >= 0.06 && lost.sigma[person * 29 + 21] < 0.09)
        }
    }
}
