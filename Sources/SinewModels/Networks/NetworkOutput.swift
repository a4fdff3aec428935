internal import SinewBody

/// What a network makes of a batch, before it becomes poses.
///
/// - Shape: `rotations` `[count, 24, 3, 3]` row-major, parent-relative, model frame; `latentNorm` `[count]`.
package struct NetworkOutput: Sendable {
    /// Local rotations; the root is in the frame of the observations.
    package var rotations: [Float]
    /// Norm of the error code, 0 for networks without one.
    package var latentNorm: [Float]

    /// Decodes row-6D rotations and turns the root out of the heading frame (CONDITIONING.md, step 8).
    init(rotation6d: [Float], heading: [Float], latent: [Float]) {
        let count = heading.count / 2
        rotations = [Float](repeating: 0, count: count * 216)
        Rotation6DRows.decode(rotation6d, count: count * 24, into: &rotations)
        HeadingFrame.restore(&rotations, heading: heading)
        let width = latent.count / max(count, 1)
        latentNorm = (0..<count).map { person in
            var sum: Float = 0
            for index in 0..<width { sum += latent[person * width + index] * latent[person * width + index] }
            return sum.squareRoot()
        }
    }
}
