internal import SinewBody

/// Conversions of whole batches of poses that evaluations need.
package enum PoseRows {
    /// Axis-angle `[count, 24, 3]` to row-major matrices `[count, 24, 3, 3]`.
    package static func matrices(ofTheta theta: [Float]) -> [Float] {
        var rotations = [Float](repeating: 0, count: theta.count * 3)
        RotationRows.matrices(ofRotationVectors: theta, into: &rotations)
        return rotations
    }

    /// Rotations `[count, 24, 3, 3]` on rest joints `[count, 29, 3]` to joints `[count, 29, 3]`, pelvis at its rest place.
    package static func joints(rotations: [Float], restJoints: [Float]) -> [Float] {
        let count = rotations.count / 216
        var joints = [Float](repeating: 0, count: count * 87)
        var globals = [Float](repeating: 0, count: count * 216)
        ForwardKinematics.pose(
            count: count, rotations: rotations, restJoints: restJoints, joints: &joints, globalRotations: &globals)
        return joints
    }
}
