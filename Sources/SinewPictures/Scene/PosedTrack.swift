internal import SinewBody

/// The joints of a track's rows on its own body.
struct PosedTrack {
    let track: PoseTrack
    let shape: SceneBodies.Shape

    /// `[24, 3, 3]` parent-relative rotations of a row.
    func rotations(_ row: Int) -> [Float] {
        var rotations = [Float](repeating: 0, count: 216)
        for joint in 0..<Skeleton.rotationCount {
            RotationMatrix(AxisAngle(track.theta.vector(at: row * 72 + joint * 3))).write(
                into: &rotations, at: joint * 9)
        }
        return rotations
    }

    func translation(_ row: Int) -> SIMD3<Float> {
        SIMD3(track.translation[row * 3], track.translation[row * 3 + 1], track.translation[row * 3 + 2])
    }

    /// `[29, 3]` metres.
    func joints(_ row: Int) -> [Float] {
        var joints = ForwardKinematics.pose(rotations: rotations(row), restJoints: shape.restJoints).joints
        let shift = translation(row)
        for index in joints.indices { joints[index] += shift[index % 3] }
        return joints
    }
}
