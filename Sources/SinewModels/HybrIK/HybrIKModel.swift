internal import SinewBody

/// Analytic inverse kinematics as a model: no weights, exact for exact joints, and as noisy as what it is given.
///
/// - Source: HybrIK; models.md §2. Unknown twists count as zero.
public struct HybrIKModel: PoseModel {
    /// How target directions are formed.
    public enum Variant: Sendable {
        /// HybrIK's inference: compensates small accumulated errors.
        case adaptive
        /// HybrIK's training: every bone straight from its two observed ends.
        case naive
    }

    /// `hybrik/1`; the naive variant is `hybrik-naive/1`.
    public let identity: ModelIdentity
    private let variant: AnalyticIK.Variant
    private let bodies: BodyLibrary

    /// Creates the solver.
    public init(bodies: BodyLibrary, variant: Variant = .adaptive) {
        self.bodies = bodies
        switch variant {
        case .adaptive:
            self.variant = .adaptive
            identity = ModelIdentity(name: "hybrik", version: "1", weightsSHA256: "", architecture: "hybrik")
        case .naive:
            self.variant = .naive
            identity = ModelIdentity(name: "hybrik-naive", version: "1", weightsSHA256: "", architecture: "hybrik")
        }
    }

    /// Solves every person; each on its own, so that the batch changes nothing.
    ///
    /// - Throws: ``ModelError/Reason/degenerateInput`` for a person of whom fewer than three joints were observed.
    /// - Cost: about 10 kFLOP per person.
    public func solve(
        _ observations: PoseObservations, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        let restJoints = bodies.restJoints(for: observations)
        var rotations = [Float](repeating: 0, count: observations.count * 216)
        for person in 0..<observations.count {
            // Asking may cost a lock; a person costs microseconds.
            if person % 64 == 0, isCancelled() { throw .cancelled }
            let seen = ObservedJoints(observations, person: person)
            guard seen.count >= 3 else {
                throw ModelError(
                    .degenerateInput,
                    "person \(person): \(seen.count) joints are observed, analytic IK needs at least 3; "
                        + "leave the person out or use a learned model",
                    person: person)
            }
            let solver = AnalyticIK(
                variant: variant,
                rest: (0..<Skeleton.positionCount).map { restJoints.vector(at: person * 87 + $0 * 3) }, seen: seen,
                twists: (0..<23).map {
                    observations.hasTwists[person] ? Double(observations.twists[person * 23 + $0]) : 0
                })
            for (joint, local) in solver.solve().enumerated() {
                local.write(into: &rotations, at: person * 216 + joint * 9)
            }
        }
        return PoseFinishing.finish(rotations: rotations, observations: observations, restJoints: restJoints)
    }
}
