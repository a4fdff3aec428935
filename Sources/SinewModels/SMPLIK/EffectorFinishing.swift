internal import Glibc
internal import SinewBody

/// Turns what SMPL-IK found into rows of ``PoseSolutions``, with quality measured against the effectors.
package enum EffectorFinishing {
    /// Finishes a whole batch.
    ///
    /// - Shape: `restJoints` `[count, 29, 3]`.
    package static func finish(
        _ poses: EffectorPoses, effectors: EffectorObservations, restJoints: [Float]
    ) -> PoseSolutions {
        let count = effectors.count
        var solutions = PoseSolutions(count: count)
        var globals = [Float](repeating: 0, count: count * 216)
        solutions.translation = poses.roots
        ForwardKinematics.pose(
            count: count, rotations: poses.rotations, restJoints: restJoints, joints: &solutions.joints,
            globalRotations: &globals)
        RotationRows.rotationVectors(ofMatrices: poses.rotations, into: &solutions.theta)
        for person in 0..<count {
            for index in 0..<87 { solutions.joints[person * 87 + index] += poses.roots[person * 3 + index % 3] }
            let residual = EffectorResidual(
                EffectorRows.canonical(effectors, person), joints: solutions.joints, globals: globals,
                restJoints: restJoints, person: person)
            solutions.jointResidualMillimetres[person] = Float(1000 * residual.position)
            solutions.orientationResidualRadians[person] = Float(residual.orientation)
            solutions.boneLengthChange[person] = Float(residual.boneLengthChange)
            solutions.unobservedJoints[person] = Int32(Skeleton.positionCount - residual.placedJoints)
        }
        return solutions
    }
}

/// How far a solved person is from its effectors.
package struct EffectorResidual: Sendable {
    /// Weighted mean distance of positional effectors from their joints, metres.
    package private(set) var position = 0.0
    /// Weighted mean angle by which rotation and look-at effectors are missed, radians.
    package private(set) var orientation = 0.0
    /// Largest relative difference between a bone whose two ends have positional effectors and the body's bone.
    package private(set) var boneLengthChange = 0.0
    /// How many joints have a positional effector.
    package private(set) var placedJoints = 0

    /// - Parameters:
    ///   - effectors: of one person, all of positive weight.
    ///   - joints: `[count, 29, 3]` in the frame of the effectors.
    ///   - globals: `[count, 24, 3, 3]` world rotations.
    ///   - restJoints: `[count, 29, 3]`.
    package init(_ effectors: [Effector], joints: [Float], globals: [Float], restJoints: [Float], person: Int) {
        var placed = [SIMD3<Double>?](repeating: nil, count: Skeleton.rotationCount)
        var (placeWeight, turnWeight) = (0.0, 0.0)
        for effector in effectors {
            let joint = Int(effector.joint)
            let weight = Double(effector.weight)
            let found = joints.vector(at: person * 87 + joint * 3)
            let global = RotationMatrix(rowMajor: globals, at: person * 216 + joint * 9)
            switch effector.kind {
            case .position:
                position += weight * length(effector.place - found)
                placeWeight += weight
                placed[joint] = placed[joint] ?? effector.place
            case .rotation:
                orientation += weight * effector.orientation.angle(to: global)
                turnWeight += weight
            case .lookAt:
                let seen = global * effector.unitAxis
                let asked = effector.place - found
                orientation += weight * angle(seen, asked)
                turnWeight += weight
            }
        }
        if placeWeight > 0 { position /= placeWeight }
        if turnWeight > 0 { orientation /= turnWeight }
        placedJoints = placed.count { $0 != nil }
        for joint in 1..<Skeleton.rotationCount {
            let parent = Skeleton.smpl24.parents[joint]
            guard let end = placed[joint], let start = placed[parent] else { continue }
            let rest = restJoints.vector(at: person * 87 + joint * 3) - restJoints.vector(at: person * 87 + parent * 3)
            boneLengthChange = max(boneLengthChange, abs(length(end - start) / length(rest) - 1))
        }
    }

    /// The angle between two vectors, which need not be of unit length; 0 where one has no direction.
    private func angle(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
        atan2(length(cross(a, b)), dot(a, b))
    }
}
