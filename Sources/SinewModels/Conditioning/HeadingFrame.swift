/// Turns between the model frame and a person's heading frame, by R_y(ψ) = [[c, 0, s], [0, 1, 0], [−s, 0, c]].
internal enum HeadingFrame {
    /// `R_0 ← R_y(ψ) · R_0` for every person: out of the heading frame (step 8).
    ///
    /// - Parameter rotations: `[count, 24, 9]`.
    static func restore(_ rotations: inout [Float], heading: [Float]) {
        for person in 0..<(heading.count / 2) {
            turn(&rotations, at: person * 216, cos: heading[person * 2], sin: heading[person * 2 + 1])
        }
    }

    /// `R_0 ← R_y(−ψ) · R_0` for every person: into the heading frame (FK direction, step 1).
    static func remove(_ rotations: inout [Float], heading: [Float]) {
        for person in 0..<(heading.count / 2) {
            turn(&rotations, at: person * 216, cos: heading[person * 2], sin: -heading[person * 2 + 1])
        }
    }

    /// `R ← R_y(ψ) · R` for the nine numbers from `base` on.
    static func turn(_ rotations: inout [Float], at base: Int, cos: Float, sin: Float) {
        for column in 0..<3 {
            let (top, bottom) = (rotations[base + column], rotations[base + 6 + column])
            rotations[base + column] = cos * top + sin * bottom
            rotations[base + 6 + column] = -sin * top + cos * bottom
        }
    }

    /// Bones over rest length, heading frame, to pelvis-relative joints, model frame (FK direction, steps 3 and 4).
    ///
    /// - Parameters:
    ///   - observation: `[count, 176]`.
    ///   - lengths: `[count, 29]`.
    /// - Returns: `[count, 29, 3]`, metres.
    static func joints(ofBones observation: [Float], lengths: [Float], heading: [Float]) -> [Float] {
        let count = heading.count / 2
        var joints = [Float](repeating: 0, count: count * 87)
        for person in 0..<count {
            let (from, to) = (person * NIKINetwork.inputCount, person * 87)
            for joint in 1..<29 {
                let (parent, length) = (InputConditioning.parents[joint], lengths[person * 29 + joint])
                for axis in 0..<3 {
                    joints[to + joint * 3 + axis] =
                        joints[to + parent * 3 + axis] + observation[from + joint * 3 + axis] * length
                }
            }
            let (c, s) = (heading[person * 2], heading[person * 2 + 1])
            for joint in 1..<29 {
                let (x, z) = (joints[to + joint * 3], joints[to + joint * 3 + 2])
                joints[to + joint * 3] = c * x + s * z
                joints[to + joint * 3 + 2] = -s * x + c * z
            }
        }
        return joints
    }
}
