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

    /// The errors that the preset makes; nil for none.
    package var noise: DetectorNoise? {
        switch self {
        case .clean: nil
        case .standard: DetectorNoise()
        case .occlusion: DetectorNoise(lossProbability: DetectorNoise.occlusionLossProbability)
        }
    }

    /// Corrupts one person.
    ///
    /// - Shape: `joints` `[29, 3]` metres, `twists` `[23]` radians.
    /// - Parameter isRootRelative: subtracts the corrupted pelvis afterwards, as the evaluation does; a scene of several people
    ///   keeps its places with false.
    package func corrupt(
        joints: [Float], twists: [Float], isRootRelative: Bool = true, using random: inout some RandomNumberGenerator
    ) -> Sample {
        DetectorNoise.corrupt(
            joints: joints, twists: twists, by: noise, isRootRelative: isRootRelative, using: &random)
    }
}
