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
    private let variant: AnalyticIKVariant
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

    /// Solves every person, four at a time and a remainder one by one; a person's bits are the same either way.
    ///
    /// - Throws: ``ModelError/Reason/degenerateInput`` for a person of whom fewer than three joints were observed.
    /// - Cost: about 4 µs per person on one core; memory is allocated once per call.
    public func solve(
        _ observations: PoseObservations, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        for person in 0..<observations.count {
            let seen = (observations.observed[person] & 0x1FFF_FFFF).nonzeroBitCount
            guard seen >= 3 else {
                throw ModelError(
                    .degenerateInput,
                    "person \(person): \(seen) joints are observed, analytic IK needs at least 3; "
                        + "leave the person out or use a learned model",
                    person: person)
            }
        }
        let restJoints = bodies.restJoints(for: observations)
        var rotations = [Float](repeating: 0, count: observations.count * 216)
        let split = LaneSplit(rowCount: observations.count)
        try solve(Lanes.self, split.wide, observations, restJoints, into: &rotations, isCancelled)
        try solve(Double.self, split.single, observations, restJoints, into: &rotations, isCancelled)
        return PoseFinishing.finish(rotations: rotations, observations: observations, restJoints: restJoints)
    }

    private func solve<Number: LaneNumber>(
        _: Number.Type, _ range: Range<Int>, _ observations: PoseObservations, _ restJoints: [Float],
        into rotations: inout [Float], _ isCancelled: () -> Bool
    ) throws(ModelError) {
        guard !range.isEmpty else { return }
        var solver = AnalyticIK(Number.self, variant: variant)
        for people in LaneRows<Number>.groups(range) {
            // Asking may cost a lock; a person costs microseconds.
            if people.first % 64 == 0, isCancelled() { throw .cancelled }
            solver.solve(people, observations, restJoints: restJoints)
            for joint in 0..<Skeleton.rotationCount {
                people.store(solver.locals[joint], into: &rotations, width: 216, at: joint * 9)
            }
        }
    }
}
