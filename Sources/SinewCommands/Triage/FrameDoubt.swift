internal import SinewBody
package import SinewFormats

/// How doubtful a solved frame is, by what the solver measured of its own answer.
///
/// Each measure is divided by the value at which somebody should look at the frame: 50 mm of joint residual, 0.35 rad of orientation
/// residual, a bone that seems twice as long (1), a latent norm of 20, 10 unobserved joints; a start pose that was kept counts 0.5 and a
/// person who was lost and begun anew 1. The *score* is the root of the sum of their squares: the worst measure decides, and
/// others add to it. A frame without a pose has no score and comes before all others.
package struct FrameDoubt: Sendable, Equatable {
    /// What frames can be ranked by.
    package enum Criterion: String, CaseIterable, Sendable {
        /// All measures together.
        case score
        /// Joint residual, millimetres.
        case residual
        /// Orientation residual, radians.
        case orientation
        /// Bone-length change.
        case bones
        /// Norm of the latent error code.
        case latent
        /// Unobserved joints.
        case unobserved
    }

    /// Millimetres.
    package var residual: Float = 0
    /// Radians.
    package var orientation: Float = 0
    /// Relative.
    package var bones: Float = 0
    package var latent: Float = 0
    package var unobserved: Int32 = 0
    /// As ``PoseOutput/Track/outcome``.
    package var outcome: Int32 = 0

    /// Nothing is doubtful.
    package init() {}

    /// The measures of a row of a track; what is no number is as bad as can be.
    package init(_ track: PoseOutput.Track, row: Int) {
        func number(_ value: Float) -> Float { value.isNaN ? .infinity : value }
        residual = number(track.jointResidualMillimetres[row])
        orientation = number(track.orientationResidualRadians[row])
        bones = number(track.boneLengthChange[row])
        latent = number(track.latentNorm[row])
        unobserved = track.unobservedJoints[row]
        outcome = track.outcome[row]
    }

    /// The number that a criterion ranks by; larger is worse.
    package func value(_ criterion: Criterion) -> Float {
        switch criterion {
        case .score: score
        case .residual: residual
        case .orientation: orientation
        case .bones: bones
        case .latent: latent
        case .unobserved: Float(unobserved)
        }
    }

    /// All measures together; from about 1 on a frame deserves a look.
    package var score: Float { shares.reduce(0) { $0 + $1.share * $1.share }.squareRoot() }

    /// Why the frame is doubtful, in words: what makes up the score, the largest share first.
    package var reason: String {
        let ordered = shares.enumerated().sorted { ($1.element.share, $0.offset) < ($0.element.share, $1.offset) }
        guard let worst = ordered.first?.element, worst.share > 0 else { return "nothing stands out" }
        return ordered.map(\.element).filter { $0.share >= 0.6 * worst.share }.map(\.words).joined(separator: ", ")
    }

    private var shares: [(share: Float, words: String)] {
        let kept = outcome == 1
        return [
            (residual / 50, "joints \(fixed(Double(residual), 0)) mm from where they were seen"),
            (orientation / 0.35, "turned \(fixed(Double(orientation) * 180 / .pi, 0))° away from what was asked"),
            (bones, "a bone \(fixed(Double(bones) * 100, 0)) % off its length"),
            (latent / 20, "joints that no body moves to (latent norm \(fixed(Double(latent), 1)))"),
            (Float(unobserved) / 10, "\(unobserved) of \(Skeleton.positionCount) joints not seen"),
            (
                kept ? 0.5 : outcome == 2 ? 1 : 0,
                kept ? "the start pose was kept" : "the person was lost and begun anew"
            ),
        ]
    }
}
