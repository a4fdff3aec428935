import SinewBody
import SinewModels
import TestSupport
import Testing

/// Learnable SMPLify behind another estimator: whatever the network says, the pose fits what was observed at least as well as the start,
/// up to what the observation's own noise explains.
@Suite struct PoseGuardTests {
    /// How far a pose is from what was observed, and how noisy the bones say that this is: written down anew, one person at a time.
    private struct Fit {
        var misfit = 0.0
        var boneNoise = 0.0

        init(_ seen: PoseObservations, person: Int, theta: [Float], rest: [Float]) {
            let posed = PoseRows.joints(rotations: PoseRows.matrices(ofTheta: theta), restJoints: rest)
            func observed(_ joint: Int) -> SIMD3<Double> { seen.joints.vector(at: person * 87 + joint * 3) }
            let confidence = (0..<29).map { joint -> Double in
                guard seen.observed[person] & (1 << UInt32(joint)) != 0 else { return 0 }
                return 0.02 / (0.02 + min(max(Double(seen.sigma[person * 29 + joint]), 0), 0.4))
            }
            let total = confidence.reduce(0) { $0 + $1 * $1 }
            var shift = SIMD3<Double>.zero
            for joint in 0..<29 where confidence[joint] > 0 {
                let weight = confidence[joint] * confidence[joint] / total
                shift += weight * (observed(joint) - posed.vector(at: joint * 3))
            }
            var (bones, weights) = (0.0, 0.0)
            for joint in 0..<29 where confidence[joint] > 0 {
                let difference = posed.vector(at: joint * 3) + shift - observed(joint)
                misfit += confidence[joint] * confidence[joint] / total * dot(difference, difference)
                let parent = Skeleton.smpl29.parents[joint]
                guard parent >= 0, confidence[parent] > 0 else { continue }
                let bone = length(rest.vector(at: joint * 3) - rest.vector(at: parent * 3))
                let wrong = length(observed(joint) - observed(parent)) - bone
                bones += confidence[joint] * confidence[parent] * wrong * wrong
                weights += confidence[joint] * confidence[parent]
            }
            misfit = misfit.squareRoot()
            boneNoise = weights > 0 ? (bones / weights).squareRoot() : 0
        }
    }

    private static func fits(
        _ seen: PoseObservations, theta: [Float], rest: [Float]
    ) -> [Fit] {
        (0..<seen.count).map { person in
            Fit(
                seen, person: person, theta: Array(theta[(person * 72)..<(person * 72 + 72)]),
                rest: Array(rest[(person * 87)..<(person * 87 + 87)]))
        }
    }

    /// The trained network, and one of random weights that turns every joint anywhere.
    private static let models: [(folder: String?, name: String)] = [
        (nil, "learnable-smplify"), (Golden.folder, "learnable_smplify_ours"),
    ]

    @Test(arguments: models.indices, [0, 0.01, 0.05])
    func `no answer fits worse than its start, beyond what noise explains`(model: Int, noise: Double) throws {
        let (folder, name) = Self.models[model]
        let solver = try ModelRepository(path: folder).load(name)
        for seed in UInt64(1)...4 {
            var random = SplitMix64(seed: seed)
            let count = 96
            let people = RandomPeople(count: count, angleMax: 1, bodies: try .shared(), using: &random)
            // Starts from true to hopeless, joints from all seen to half of them, sigmas from too small to too large.
            let turn = (0..<count).map { 0.6 * Double($0 % 8) / 7 }
            let start = people.theta.indices.map { people.theta[$0] + Float(turn[$0 / 72] * random.normal()) }
            let seen = PoseObservations(
                count: count, joints: people.joints.map { $0 + Float(noise * random.normal()) },
                sigma: (0..<(count * 29)).map { _ in Float(random.uniform(0...0.1)) },
                observed: (0..<count).map { person in
                    person % 3 == 0 ? UInt32(random.next() & 0x1FFF_FFFF) | 0x7 : 0x1FFF_FFFF
                },
                twists: Array(repeating: 0, count: count * 23), hasTwists: Array(repeating: false, count: count),
                betas: people.betas, genders: people.genders, startTheta: start,
                hasStart: Array(repeating: true, count: count))
            let solved = try solver.solve(seen, isCancelled: { false })
            let before = Self.fits(seen, theta: start, rest: people.restJoints)
            let after = Self.fits(seen, theta: solved.theta, rest: people.restJoints)
            for person in 0..<count {
                // Floats: a tenth of a millimetre in ten thousand.
                let most = max(before[person].misfit, 2 * before[person].boneNoise) * 1.0001 + 1e-5
                #expect(after[person].misfit <= most, "\(name), seed \(seed), person \(person), noise \(noise)")
            }
            if model == 1 { #expect(solved.outcome.contains { $0 != .solved }, "the guard had nothing to do") }
        }
    }
}
