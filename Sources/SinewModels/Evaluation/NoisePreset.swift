internal import SinewBody

/// The three corruptions that every accuracy figure is given for.
///
/// - Source: noise.md, `clean`, `standard` and `occlusion`. They are fixed: a change would make figures incomparable.
package enum NoisePreset: String, Sendable, CaseIterable {
    /// Exact joints and twists.
    case clean
    /// A detector's errors: larger at the ends of limbs, correlated along the tree.
    case standard
    /// `standard`, and limbs lost altogether.
    case occlusion

    /// What a model is given of one person.
    package struct Sample: Sendable, Equatable {
        /// `[29, 3]`, metres.
        package var joints: [Float]
        /// `[29]`, metres, in `[0, 0.4]`.
        package var sigma: [Float]
        /// `[23]`, radians.
        package var twists: [Float]
    }

    /// Base deviations of joints 0…28 in millimetres.
    static let baseDeviations: [Double] = [
        5, 10, 10, 10, 18, 18, 12, 25, 25, 14, 30, 30, 16, 14, 14, 20, 16, 16, 22, 22, 30, 30, 36, 36, 26, 45, 45, 36,
        36,
    ]

    /// The joint sets that are lost together, each with probability ``lossProbability``.
    static let limbs: [[Int]] = [
        [4, 7, 10, 27], [5, 8, 11, 28], [18, 20, 22, 25], [19, 21, 23, 26], [16, 18, 20, 22, 25], [17, 19, 21, 23, 26],
        [1, 4, 7, 10, 27], [2, 5, 8, 11, 28], [7, 10, 27, 8, 11, 28, 4, 5], [15, 24, 12],
    ]
    static let lossProbability = 0.16

    /// Corrupts one person.
    ///
    /// - Shape: `joints` `[29, 3]` metres, `twists` `[23]` radians.
    /// - Parameter isRootRelative: subtracts the corrupted pelvis afterwards, as the evaluation does; a scene of several people
    ///   keeps its places with false.
    package func corrupt(
        joints: [Float], twists: [Float], isRootRelative: Bool = true, using random: inout some RandomNumberGenerator
    ) -> Sample {
        precondition(joints.count == 87 && twists.count == 23)
        var errors = [SIMD3<Double>](repeating: .zero, count: 29)
        var deviations = [Double](repeating: 0, count: 29)
        var twistDeviations = [Double](repeating: 0, count: 23)
        var sigma = [Double](repeating: 0.02, count: 29)
        switch self {
        case .clean: break
        case .standard:
            Self.drawDetectorErrors(&errors, &deviations, using: &random)
            twistDeviations = [Double](repeating: 0.12, count: 23)
        case .occlusion:
            Self.drawDetectorErrors(&errors, &deviations, using: &random)
            twistDeviations = [Double](repeating: 0.12, count: 23)
            for limb in Self.limbs where random.uniform(0...1) < Self.lossProbability {
                Self.lose(limb, &errors, &deviations, &twistDeviations, using: &random)
            }
        }
        if self != .clean {
            for joint in 0..<29 { sigma[joint] = min(max(deviations[joint] * random.uniform(0.7...1.3), 0), 0.4) }
        }
        var sample = Sample(joints: joints, sigma: sigma.map(Float.init), twists: twists)
        for joint in 0..<29 { sample.joints.store(joints.vector(at: joint * 3) + errors[joint], at: joint * 3) }
        if self != .clean {
            for index in 0..<23 { sample.twists[index] += Float(twistDeviations[index] * random.normal()) }
        }
        if isRootRelative {
            let pelvis = sample.joints.vector(at: 0)
            for joint in 0..<29 { sample.joints.store(sample.joints.vector(at: joint * 3) - pelvis, at: joint * 3) }
        }
        return sample
    }

    private static func drawDetectorErrors(
        _ errors: inout [SIMD3<Double>], _ deviations: inout [Double], using random: inout some RandomNumberGenerator
    ) {
        let personFactor = random.uniform(0.5...1.5)
        for joint in 0..<29 {
            deviations[joint] = baseDeviations[joint] / 1000 * personFactor * random.uniform(0.7...1.3)
            let own = deviations[joint] * random.normalVector()
            let parent = Skeleton.smpl29.parents[joint]
            errors[joint] =
                parent < 0 ? own : 0.6 * errors[parent] * (deviations[joint] / deviations[parent]) + 0.8 * own
        }
    }

    private static func lose(
        _ limb: [Int], _ errors: inout [SIMD3<Double>], _ deviations: inout [Double], _ twists: inout [Double],
        using random: inout some RandomNumberGenerator
    ) {
        let deviation = random.uniform(0.09...0.20)
        let shared = deviation * random.normalVector()
        for joint in limb {
            errors[joint] = shared + 0.6 * deviation * random.normalVector()
            deviations[joint] = deviation
            if (1...23).contains(joint) { twists[joint - 1] = 0.8 }
        }
    }
}
