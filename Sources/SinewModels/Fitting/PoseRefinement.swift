package import SinewBody

/// Brings the poses of any solver closer to what was observed, by damped Gauss-Newton steps (Levenberg-Marquardt).
///
/// A step minimises `Σ ‖p_j + t − k_j‖² / σ_j²` over the observed joints, linearised in a rotation increment of each joint and in the
/// translation, plus a soft spring (4 rad) on every joint that keeps what nobody observed where the solver put it.
///
/// - Note: the weighted residual of a person never becomes larger; where no step makes it smaller, the solver's numbers stay, bit for
///   bit. A person's result does not depend on who shares the batch, bit for bit.
public enum PoseRefinement {
    /// Refines poses towards observations.
    ///
    /// - Parameters:
    ///   - solutions: what a model made of `observations`; theta, translation, joints and the joint residual change. The translation
    ///     becomes the one that fits best, where the solver's puts pelvis on pelvis.
    ///   - steps: how many steps each person gets; twenty suffice even far from the solution.
    /// - Throws: ``ModelError/cancelled``, or ``ModelError`` when the bundled bodies cannot be loaded.
    /// - Cost: about 11 µs per person and step on one core for 29 joints, 4 µs for ten effectors; memory is allocated once for four
    ///   people.
    public static func refine(
        _ solutions: inout PoseSolutions, toward observations: PoseObservations, steps: [Int],
        isCancelled: () -> Bool
    ) throws(ModelError) {
        guard steps.contains(where: { $0 > 0 }) else { return }
        let rest = try BodyLibrary.shared().restJoints(for: observations)
        try refine(
            &solutions, toward: FitTargets(observations), restJoints: rest, steps: steps, isCancelled: isCancelled)
        var seen = ObservedLanes()
        for people in LanePeople.groups(of: observations.count) {
            seen.read(people, observations)
            let joints = (0..<Skeleton.positionCount).map { people.vector(solutions.joints, width: 87, at: $0 * 3) }
            let residual = 1000 * seen.residual(to: joints, translation: .zero)
            for lane in 0..<people.count where steps[people.row(lane)] > 0 {
                solutions.jointResidualMillimetres[people.row(lane)] = Float(residual[lane])
            }
        }
    }

    /// Refines poses towards any targets; the quality numbers stay as they are.
    ///
    /// - Parameter restJoints: `[count, 29, 3]`.
    package static func refine(
        _ solutions: inout PoseSolutions, toward targets: FitTargets, restJoints: [Float], steps: [Int],
        isCancelled: () -> Bool
    ) throws(ModelError) {
        precondition(targets.count == solutions.count && steps.count == solutions.count)
        precondition(steps.allSatisfy { $0 >= 0 })
        var laneTargets = LaneTargets()
        for people in LanePeople.groups(of: solutions.count) {
            if isCancelled() { throw .cancelled }
            var laneSteps = SIMD4<Int64>.zero
            for lane in 0..<Lanes.scalarCount { laneSteps[lane] = Int64(steps[people.row(lane)]) }
            guard any(laneSteps .> .zero) else { continue }
            let rest = (0..<Skeleton.positionCount).map { people.vector(restJoints, width: 87, at: $0 * 3) }
            let origin = people.vector(solutions.translation, width: 3, at: 0)
            laneTargets.read(people, targets, origin: origin)
            var refinement = LaneRefinement(
                start: locals(people, solutions.theta), rest: rest, targets: laneTargets)
            let startError = refinement.targetError
            refinement.run(steps: laneSteps)
            store(refinement, people, origin, startError: startError, into: &solutions)
        }
    }

    /// Local rotations from `[count, 24, 3]` axis-angle.
    package static func locals(_ people: LanePeople, _ theta: [Float]) -> [LaneMatrix] {
        (0..<Skeleton.rotationCount).map {
            LaneMatrix(rotationVector: people.vector(theta, width: 72, at: $0 * 3))
        }
    }

    /// Stores the refined people whose error is smaller even after rounding to single precision.
    private static func store(
        _ refinement: LaneRefinement, _ people: LanePeople, _ origin: LaneVector, startError: Lanes,
        into solutions: inout PoseSolutions
    ) {
        let theta = refinement.pose.locals.map { $0.rotationVector.rounded }
        let translation = (origin + refinement.pose.translation).rounded
        let (rounded, error) = refinement.rounded(
            locals: theta.map { LaneMatrix(rotationVector: $0) }, translation: translation - origin)
        let isBetter = error .< startError
        for lane in 0..<people.count where isBetter[lane] {
            let row = people.row(lane)
            for joint in 0..<Skeleton.rotationCount {
                solutions.theta.store(theta[joint][lane], at: row * 72 + joint * 3)
            }
            solutions.translation.store(translation[lane], at: row * 3)
            for joint in 0..<Skeleton.positionCount {
                solutions.joints.store(rounded.positions[joint][lane] + translation[lane], at: row * 87 + joint * 3)
            }
        }
    }
}

extension LaneVector {
    /// Rounded to single precision.
    fileprivate var rounded: LaneVector {
        LaneVector(Lanes(SIMD4<Float>(x)), Lanes(SIMD4<Float>(y)), Lanes(SIMD4<Float>(z)))
    }
}

extension LaneMatrix {
    /// Rotations from rotation vectors (Rodrigues).
    @inline(__always)
    init(rotationVector v: LaneVector) {
        let angle = v.length
        let isSmall = angle .< Lanes(repeating: 1e-12)
        let one = Lanes(repeating: 1)
        let (cosine, sine) = LaneTrigonometry.cosineAndSine(angle)
        self.init(unitAxis: (1 / one.selected(isSmall, else: angle)) * v, cosine: cosine, sine: sine)
    }
}
