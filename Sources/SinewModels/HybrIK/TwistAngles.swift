internal import SinewBody

/// The twists of joints 1…23 about the bone that orients them.
package enum TwistAngles {
    /// Reads row `person` of a batch of rotations.
    ///
    /// - Shape: `rotations` `[count, 24, 3, 3]` row-major, `restJoints` `[count, 29, 3]` → 23 angles in radians, `(−π, π]`.
    /// - Source: models.md §2.7.
    package static func angles(rotations: [Float], restJoints: [Float], person: Int = 0) -> [Float] {
        (1..<Skeleton.rotationCount).map { joint in
            let bone =
                restJoints.vector(at: person * 87 + BoneTopology.child[joint] * 3)
                - restJoints.vector(at: person * 87 + joint * 3)
            let local = RotationMatrix(rowMajor: rotations, at: person * 216 + joint * 9)
            return Float(SwingTwist(local, restBone: bone).twistAngle)
        }
    }
}
