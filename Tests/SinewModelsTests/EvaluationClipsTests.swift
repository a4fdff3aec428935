import SinewBody
import SinewModels
import TestSupport
import Testing

/// People who move, for models that see time.
@Suite struct EvaluationClipsTests {
    private func clips(_ lengths: [Int], seed: UInt64) throws -> EvaluationPeople {
        var random = SplitMix64(seed: seed)
        let stretches = try lengths.map { length -> [Float] in
            let ends = try RandomPeople(count: 2, angleMax: 0.6, bodies: .shared(), using: &random).theta
            return (0..<length).flatMap { frame -> [Float] in
                let part = Float(frame) / Float(length)
                return (0..<72).map { (1 - part) * ends[$0] + part * ends[72 + $0] }
            }
        }
        return EvaluationPeople(stretches: stretches, bodies: try .shared(), using: &random)
    }

    @Test func `a track has one shape and one heading, and its frames follow each other`() throws {
        let people = try clips([5, 3, 4], seed: 71)
        #expect(people.tracks == [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2] && people.count == 12)
        for row in 1..<12 where people.tracks[row] == people.tracks[row - 1] {
            #expect(people.betas[(row * 10)..<(row * 10 + 10)] == people.betas[(row * 10 - 10)..<(row * 10)])
            let turned = (0..<2).map { RotationMatrix(AxisAngle(people.theta.vector(at: (row - $0) * 72))) }
            #expect(turned[0].angle(to: turned[1]) < 0.5)
        }
        #expect(people.betas[..<10] != people.betas[50..<60])
        let seen = try observations(people, noise: nil)
        #expect(seen.tracks == people.tracks && !seen.hasTwists.contains(true))
    }

    private func observations(_ people: EvaluationPeople, noise: DetectorNoise?) throws -> PoseObservations {
        var random = SplitMix64(seed: 5)
        return people.observations(noise: noise, using: &random)
    }

    @Test func `the true poses have no error, and every frame of a noisy track errs by itself`() throws {
        let people = try clips([30, 30], seed: 72)
        let exact = people.errors(ofTheta: people.theta)
        let shaken = try #require(exact.acceleration)
        #expect(exact.mpjpe < 1e-6 && shaken < 1e-3)
        let seen = try observations(people, noise: NoisePreset.standard.noise)
        let errors = people.errors(ofJoints: seen.joints)
        // Independent errors e of one size: the second difference e₁ − 2e₂ + e₃ is √6 times as large as one of them.
        let ratio = try #require(errors.acceleration) / errors.mpjpe
        #expect(abs(ratio - 6.0.squareRoot()) < 0.25, "\(ratio)")
    }

    @Test func `the acceleration error is the mean second difference of the errors, within tracks`() {
        let tracks: [UInt32] = [0, 0, 0, 0, 0, 7, 7, 9, 9, 9]
        let truth = (0..<(tracks.count * 87)).map { Float($0 % 13) * 0.01 }
        #expect(PoseMetrics.accelerationError(joints: truth, truth: truth, tracks: tracks) == 0)
        // Everybody moved: pelvises are put on each other.
        let moved = truth.indices.map { truth[$0] + [1, 2, 3][$0 % 3] * Float($0 / 87) }
        #expect(PoseMetrics.accelerationError(joints: moved, truth: truth, tracks: tracks) < 1e-2)
        // One joint of 24 is 24 mm off in the middle frame of the first track: differences 24, 48 and 24 mm over 3 + 1 windows.
        var spiked = truth
        spiked[2 * 87 + 5 * 3] += 0.024
        let error = PoseMetrics.accelerationError(joints: spiked, truth: truth, tracks: tracks)
        #expect(abs(error - (1 + 2 + 1) / 4) < 1e-3, "\(error)")
        // A leaf does not count, and a track of two frames has no acceleration.
        var leaf = truth
        leaf[2 * 87 + 25 * 3] += 1
        leaf[6 * 87 + 5 * 3] += 1
        #expect(PoseMetrics.accelerationError(joints: leaf, truth: truth, tracks: tracks) == 0)
        #expect(PoseMetrics.accelerationError(joints: [], truth: [], tracks: []) == 0)
    }
}
