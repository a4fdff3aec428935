internal import Glibc
internal import SinewBody

/// People in poses of real clips, drawn as every accuracy figure demands: uniform over the poses, a uniform yaw in front of the root
/// rotation, a standard normal shape on the neutral body.
///
/// - Shape: `theta` `[count, 24, 3]`, `betas` `[count, 10]`, `restJoints` and `joints` `[count, 29, 3]` (pelvis at 0), `twists`
///   `[count, 23]`; metres and radians, model frame.
/// - Source: noise.md.
package struct EvaluationPeople: Sendable {
    /// The number of people.
    package let count: Int
    /// True poses.
    package let theta: [Float]
    /// True shapes.
    package let betas: [Float]
    /// Rest joints of the shapes.
    package let restJoints: [Float]
    /// True joints, relative to the pelvis.
    package let joints: [Float]
    /// True twists.
    package let twists: [Float]

    /// Draws people.
    ///
    /// - Parameter poses: `[n, 24, 3]` axis-angle, at least one.
    package init(count: Int, poses: [Float], bodies: BodyLibrary, using random: inout some RandomNumberGenerator) {
        precondition(!poses.isEmpty && poses.count % 72 == 0)
        var theta: [Float] = []
        theta.reserveCapacity(count * 72)
        var betas: [Float] = []
        for _ in 0..<count {
            let row = Int.random(in: 0..<(poses.count / 72), using: &random) * 72
            theta += poses[row..<(row + 72)]
            let yaw = RotationMatrix(AxisAngle(SIMD3(0, random.uniform((-.pi)...(.pi)), 0)))
            let root = theta.count - 72
            theta.store(AxisAngle(yaw * RotationMatrix(AxisAngle(theta.vector(at: root)))).vector, at: root)
            for _ in 0..<10 { betas.append(Float(random.normal())) }
        }
        let rest = bodies.restJoints(betas: betas, genders: [Gender](repeating: .neutral, count: count))
        let rotations = PoseRows.matrices(ofTheta: theta)
        var joints = PoseRows.joints(rotations: rotations, restJoints: rest)
        for person in 0..<count {
            let pelvis = joints.vector(at: person * 87)
            for joint in 0..<29 {
                let at = person * 87 + joint * 3
                joints.store(joints.vector(at: at) - pelvis, at: at)
            }
        }
        self.count = count
        self.theta = theta
        self.betas = betas
        self.joints = joints
        restJoints = rest
        twists = (0..<count).flatMap { TwistAngles.angles(rotations: rotations, restJoints: rest, person: $0) }
    }

    /// What a detector might have seen of them.
    package func observations(
        noise: DetectorNoise?, using random: inout some RandomNumberGenerator
    ) -> PoseObservations {
        var seen = PoseObservations(
            count: count, joints: joints, sigma: [Float](repeating: 0.02, count: count * 29),
            observed: [UInt32](repeating: 0x1FFF_FFFF, count: count), twists: twists,
            hasTwists: [Bool](repeating: true, count: count), betas: betas,
            genders: [Gender](repeating: .neutral, count: count))
        for person in 0..<count {
            let sample = DetectorNoise.corrupt(
                joints: Array(joints[(person * 87)..<(person * 87 + 87)]),
                twists: Array(twists[(person * 23)..<(person * 23 + 23)]), by: noise, using: &random)
            seen.joints.replaceSubrange((person * 87)..<(person * 87 + 87), with: sample.joints)
            seen.sigma.replaceSubrange((person * 29)..<(person * 29 + 29), with: sample.sigma)
            seen.twists.replaceSubrange((person * 23)..<(person * 23 + 23), with: sample.twists)
        }
        return seen
    }

    /// Errors of solved poses, both posed with the true shape.
    package func errors(ofTheta solved: [Float]) -> PoseMetrics {
        PoseMetrics.compare(theta: solved, truth: theta, restJoints: restJoints)
    }

    /// Mean error of each of the 24 joints after the pelvises are put on each other, millimetres.
    package func errorsByJoint(ofTheta solved: [Float]) -> [Double] {
        let found = PoseRows.joints(rotations: PoseRows.matrices(ofTheta: solved), restJoints: restJoints)
        var sums = [Double](repeating: 0, count: Skeleton.rotationCount)
        for person in 0..<count {
            let pelvis = found.vector(at: person * 87)
            for joint in sums.indices {
                let at = person * 87 + joint * 3
                sums[joint] += length(found.vector(at: at) - pelvis - joints.vector(at: at))
            }
        }
        return sums.map { $0 / Double(max(count, 1)) * 1000 }
    }
}
