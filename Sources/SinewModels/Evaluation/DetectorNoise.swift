internal import SinewBody

/// The errors of a joint detector, of any strength: the presets are two points of it.
///
/// - Source: noise.md.
package struct DetectorNoise: Sendable, Equatable {
    /// Factor of all deviations; 1 is the preset `standard`.
    package var level = 1.0
    /// How likely each limb is lost.
    package var lossProbability = 0.0
    /// Joints that are always lost, together.
    package var lostJoints: [Int] = []

    /// Creates a strength; without arguments that of the preset `standard`.
    package init(level: Double = 1, lossProbability: Double = 0, lostJoints: [Int] = []) {
        self.level = level
        self.lossProbability = lossProbability
        self.lostJoints = lostJoints
    }

    /// The loss probability of the preset `occlusion`.
    package static let occlusionLossProbability = 0.16

    /// Base deviations of joints 0…28 in millimetres.
    private static let baseDeviations: [Double] = [
        5, 10, 10, 10, 18, 18, 12, 25, 25, 14, 30, 30, 16, 14, 14, 20, 16, 16, 22, 22, 30, 30, 36, 36, 26, 45, 45, 36,
        36,
    ]

    /// The joint sets that are lost together.
    private static let limbs: [[Int]] = [
        [4, 7, 10, 27], [5, 8, 11, 28], [18, 20, 22, 25], [19, 21, 23, 26], [16, 18, 20, 22, 25], [17, 19, 21, 23, 26],
        [1, 4, 7, 10, 27], [2, 5, 8, 11, 28], [7, 10, 27, 8, 11, 28, 4, 5], [15, 24, 12],
    ]

    /// What is drawn for one person.
    private struct Drawn {
        var errors = [SIMD3<Double>](repeating: .zero, count: 29)
        var deviations = [Double](repeating: 0, count: 29)
        var twistDeviations: [Double]
    }

    /// Corrupts one person; without noise the joints are exact and sigma is 0.02.
    ///
    /// - Shape: `joints` `[29, 3]` metres, `twists` `[23]` radians.
    package static func corrupt(
        joints: [Float], twists: [Float], by noise: DetectorNoise?, isRootRelative: Bool = true,
        using random: inout some RandomNumberGenerator
    ) -> NoisePreset.Sample {
        precondition(joints.count == 87 && twists.count == 23)
        var sample = NoisePreset.Sample(joints: joints, sigma: [Float](repeating: 0.02, count: 29), twists: twists)
        if let noise {
            let drawn = noise.draw(using: &random)
            for joint in 0..<29 {
                sample.sigma[joint] = Float(min(max(drawn.deviations[joint] * random.uniform(0.7...1.3), 0), 0.4))
            }
            for joint in 0..<29 {
                sample.joints.store(joints.vector(at: joint * 3) + drawn.errors[joint], at: joint * 3)
            }
            for index in 0..<23 { sample.twists[index] += Float(drawn.twistDeviations[index] * random.normal()) }
        }
        if isRootRelative {
            let pelvis = sample.joints.vector(at: 0)
            for joint in 0..<29 { sample.joints.store(sample.joints.vector(at: joint * 3) - pelvis, at: joint * 3) }
        }
        return sample
    }

    private func draw(using random: inout some RandomNumberGenerator) -> Drawn {
        var drawn = Drawn(twistDeviations: [Double](repeating: 0.12 * level, count: 23))
        let personFactor = random.uniform(0.5...1.5)
        for joint in 0..<29 {
            let factor = personFactor * random.uniform(0.7...1.3)
            drawn.deviations[joint] = Self.baseDeviations[joint] / 1000 * factor * level
            let own = drawn.deviations[joint] * random.normalVector()
            let parent = Skeleton.smpl29.parents[joint]
            guard parent >= 0, drawn.deviations[parent] > 0 else {
                drawn.errors[joint] = own
                continue
            }
            let ratio = drawn.deviations[joint] / drawn.deviations[parent]
            drawn.errors[joint] = 0.6 * drawn.errors[parent] * ratio + 0.8 * own
        }
        if lossProbability > 0 {
            for limb in Self.limbs where random.uniform(0...1) < lossProbability { lose(limb, &drawn, using: &random) }
        }
        if !lostJoints.isEmpty { lose(lostJoints, &drawn, using: &random) }
        return drawn
    }

    private func lose(_ limb: [Int], _ drawn: inout Drawn, using random: inout some RandomNumberGenerator) {
        let deviation = random.uniform(0.09...0.20)
        let shared = deviation * random.normalVector()
        for joint in limb {
            drawn.errors[joint] = shared + 0.6 * deviation * random.normalVector()
            drawn.deviations[joint] = deviation
            if (1...23).contains(joint) { drawn.twistDeviations[joint - 1] = 0.8 }
        }
    }
}
