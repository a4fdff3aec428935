internal import SinewBody

/// Mean errors over a set of people; joint set SMPL-24 unless said otherwise.
///
/// - Source: models.md §9.
package struct PoseMetrics: Sendable, Equatable {
    /// MPJPE in millimetres: mean joint distance after the pelvises are put on each other.
    package var mpjpe: Double
    /// PA-MPJPE in millimetres: mean joint distance after the best similarity (scale, proper rotation, translation).
    package var paMPJPE: Double
    /// GE in radians: mean angle between local rotations, root included; nil where only joints are compared.
    package var geodesic: Double?
    /// Acceleration error in millimetres per frame²: mean norm of the difference of second differences over time, pelvises on each
    /// other; nil where nobody moves.
    package var acceleration: Double?
    /// The number of people.
    package var count: Int

    /// Compares joints.
    ///
    /// - Shape: both `[count, 29, 3]`, metres.
    /// - Parameter jointCount: how many of the 29 are compared; 24 leaves out the five leaves of the mesh.
    package static func compare(joints: [Float], truth: [Float], jointCount: Int = 24) -> PoseMetrics {
        precondition(joints.count == truth.count && joints.count % 87 == 0)
        let count = joints.count / 87
        var (mpjpe, paMPJPE) = (0.0, 0.0)
        for person in 0..<count {
            let ours = (0..<jointCount).map { joints.vector(at: person * 87 + $0 * 3) }
            let theirs = (0..<jointCount).map { truth.vector(at: person * 87 + $0 * 3) }
            mpjpe += meanDistance(ours.map { $0 - ours[0] }, theirs.map { $0 - theirs[0] })
            paMPJPE += meanDistance(similarity(from: ours, to: theirs), theirs)
        }
        let scale = count > 0 ? 1000 / Double(count) : 0
        return PoseMetrics(mpjpe: mpjpe * scale, paMPJPE: paMPJPE * scale, geodesic: nil, count: count)
    }

    /// Compares poses: both are run through forward kinematics on the same rest joints.
    ///
    /// - Shape: `theta` and `truth` `[count, 24, 3]` axis-angle, `restJoints` `[count, 29, 3]`.
    package static func compare(theta: [Float], truth: [Float], restJoints: [Float]) -> PoseMetrics {
        precondition(theta.count == truth.count && theta.count % 72 == 0 && restJoints.count == theta.count / 72 * 87)
        let (ours, theirs) = (PoseRows.matrices(ofTheta: theta), PoseRows.matrices(ofTheta: truth))
        var metrics = compare(
            joints: PoseRows.joints(rotations: ours, restJoints: restJoints),
            truth: PoseRows.joints(rotations: theirs, restJoints: restJoints))
        var sum = 0.0
        for offset in stride(from: 0, to: ours.count, by: 9) {
            sum += RotationMatrix(rowMajor: ours, at: offset).angle(to: RotationMatrix(rowMajor: theirs, at: offset))
        }
        metrics.geodesic = ours.isEmpty ? 0 : sum / Double(ours.count / 9)
        return metrics
    }

    /// The acceleration error of joints `[count, 29, 3]` (metres) over the frames of each track; 0 where none has three.
    package static func accelerationError(
        joints: [Float], truth: [Float], tracks: [UInt32], jointCount: Int = 24
    ) -> Double {
        precondition(joints.count == truth.count && joints.count == tracks.count * 87)
        func error(_ row: Int, _ joint: Int) -> SIMD3<Double> {
            let at = row * 87 + joint * 3
            return (joints.vector(at: at) - joints.vector(at: row * 87))
                - (truth.vector(at: at) - truth.vector(at: row * 87))
        }
        var (sum, count) = (0.0, 0)
        for row in tracks.indices.dropFirst(2) where tracks[row] == tracks[row - 1] && tracks[row] == tracks[row - 2] {
            for joint in 0..<jointCount {
                sum += length(error(row, joint) - 2 * error(row - 1, joint) + error(row - 2, joint))
            }
            count += jointCount
        }
        return count > 0 ? sum / Double(count) * 1000 : 0
    }

    private static func meanDistance(_ a: [SIMD3<Double>], _ b: [SIMD3<Double>]) -> Double {
        zip(a, b).reduce(0) { $0 + length($1.0 - $1.1) } / Double(a.count)
    }

    /// `points` after the similarity that brings them closest to `target` (Procrustes with a proper rotation).
    private static func similarity(from points: [SIMD3<Double>], to target: [SIMD3<Double>]) -> [SIMD3<Double>] {
        let middle = points.reduce(.zero, +) / Double(points.count)
        let targetMiddle = target.reduce(.zero, +) / Double(target.count)
        var fit = RotationFit()
        var square = 0.0
        for (point, wanted) in zip(points, target) {
            fit.add(point - middle, to: wanted - targetMiddle)
            square += dot(point - middle, point - middle)
        }
        let rotation = fit.rotation
        let scale = square > 0 ? fit.agreement(of: rotation) / square : 1
        return points.map { scale * (rotation * ($0 - middle)) + targetMiddle }
    }
}
