internal import SinewBody

/// Turns local rotations into a person's row of ``PoseSolutions``: axis-angle, translation, joints and quality.
///
/// Every model ends here, so that translation and quality mean the same whoever solved.
package enum PoseFinishing {
    /// Finishes a whole batch.
    ///
    /// - Shape: `rotations` `[count, 24, 3, 3]` row-major, `restJoints` `[count, 29, 3]`, `latentNorms` `[count]` or empty for
    ///   solvers without an error code.
    package static func finish(
        rotations: [Float], observations: PoseObservations, restJoints: [Float], latentNorms: [Float] = []
    ) -> PoseSolutions {
        var solutions = PoseSolutions(count: observations.count)
        for person in 0..<observations.count {
            finish(
                rotations: rotations, observations: observations, restJoints: restJoints, person: person,
                latentNorm: latentNorms.isEmpty ? 0 : latentNorms[person], into: &solutions)
        }
        return solutions
    }

    /// Finishes row `person` of a batch.
    ///
    /// - Shape: `rotations` `[count, 24, 3, 3]` row-major and `restJoints` `[count, 29, 3]`, both of the whole batch.
    /// - Frame: rotations are in the frame of the observations. The translation puts the posed pelvis on the observed one; where the
    ///   pelvis was not observed, it centres the solved joints on the observed ones.
    package static func finish(
        rotations: [Float], observations: PoseObservations, restJoints: [Float], person: Int, latentNorm: Float,
        into solutions: inout PoseSolutions
    ) {
        let chain = ForwardKinematics.Chain(rotations: rotations, rest: restJoints, person: person)
        for joint in 0..<Skeleton.rotationCount {
            let local = RotationMatrix(rowMajor: rotations, at: person * 216 + joint * 9)
            solutions.theta.store(AxisAngle(local).vector, at: person * 72 + joint * 3)
        }
        let seen = ObservedJoints(observations, person: person)
        let translation = self.translation(from: chain.positions, to: seen)
        solutions.translation.store(translation, at: person * 3)
        var residual = 0.0
        for joint in 0..<Skeleton.positionCount {
            let position = chain.positions[joint] + translation
            solutions.joints.store(position, at: person * 87 + joint * 3)
            if seen.contains(joint) { residual += length(position - seen.positions[joint]) }
        }
        solutions.latentNorm[person] = latentNorm
        solutions.jointResidualMillimetres[person] = seen.count > 0 ? Float(1000 * residual / Double(seen.count)) : 0
        solutions.boneLengthChange[person] = boneLengthChange(of: seen, rest: restJoints, person: person)
        solutions.unobservedJoints[person] = Int32(Skeleton.positionCount - seen.count)
    }

    private static func translation(from posed: [SIMD3<Double>], to seen: ObservedJoints) -> SIMD3<Double> {
        if seen.contains(0) { return seen.positions[0] - posed[0] }
        var sum = SIMD3<Double>.zero
        for joint in 0..<Skeleton.positionCount where seen.contains(joint) {
            sum += seen.positions[joint] - posed[joint]
        }
        return seen.count > 0 ? sum / Double(seen.count) : .zero
    }

    private static func boneLengthChange(of seen: ObservedJoints, rest: [Float], person: Int) -> Float {
        var largest = 0.0
        for joint in 1..<Skeleton.positionCount {
            let parent = Skeleton.smpl29.parents[joint]
            guard seen.contains(joint), seen.contains(parent) else { continue }
            let base = person * 87
            let restLength = length(rest.vector(at: base + joint * 3) - rest.vector(at: base + parent * 3))
            guard restLength > 0 else { continue }
            let change = length(seen.positions[joint] - seen.positions[parent]) / restLength - 1
            largest = max(largest, abs(change))
        }
        return Float(largest)
    }
}

/// One person's observed joints.
struct ObservedJoints {
    /// All 29 positions; those of unobserved joints mean nothing.
    let positions: [SIMD3<Double>]
    private let mask: UInt32

    init(_ observations: PoseObservations, person: Int) {
        positions = (0..<Skeleton.positionCount).map { observations.joints.vector(at: person * 87 + $0 * 3) }
        mask = observations.observed[person] & 0x1FFF_FFFF
    }

    init(positions: [SIMD3<Double>], mask: UInt32) {
        self.positions = positions
        self.mask = mask & 0x1FFF_FFFF
    }

    /// Whether the joint was observed.
    func contains(_ joint: Int) -> Bool { mask & (1 << UInt32(joint)) != 0 }

    /// How many joints were observed.
    var count: Int { mask.nonzeroBitCount }

    /// The pelvis, or the best guess at it: the middle of the observed hips, then of all observed joints.
    var pelvis: SIMD3<Double> {
        if contains(0) { return positions[0] }
        let hips = [1, 2].filter(contains)
        let joints = hips.isEmpty ? (0..<Skeleton.positionCount).filter(contains) : hips
        guard !joints.isEmpty else { return .zero }
        return joints.reduce(.zero) { $0 + positions[$1] } / Double(joints.count)
    }
}
