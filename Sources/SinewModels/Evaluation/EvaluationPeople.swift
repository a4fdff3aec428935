internal import Glibc
package import SinewBody

/// People in poses of real clips, drawn as every accuracy figure demands: uniform over the poses, a uniform yaw in front of the root
/// rotation, a standard normal shape.
///
/// - Shape: `theta` `[count, 24, 3]`, `betas` `[count, 10]`, `restJoints` and `joints` `[count, 29, 3]` (pelvis at 0), `twists`
///   `[count, 23]`; metres and radians, model frame.
/// - Source: noise.md.
package struct EvaluationPeople: Sendable {
    /// The number of people, or of frames where they move.
    package let count: Int
    /// True poses.
    package let theta: [Float]
    /// True shapes.
    package let betas: [Float]
    /// Which body each has.
    package let genders: [Gender]
    /// Rest joints of the shapes.
    package let restJoints: [Float]
    /// True joints, relative to the pelvis.
    package let joints: [Float]
    /// True twists.
    package let twists: [Float]
    /// Rows with the same number are consecutive frames of one person; empty where every row is a person of its own.
    package let tracks: [UInt32]

    /// Draws people, all of the neutral body or of any of the three.
    ///
    /// - Parameter poses: `[n, 24, 3]` axis-angle, at least one.
    package init(
        count: Int, poses: [Float], bodies: BodyLibrary, drawsGender: Bool = false,
        using random: inout some RandomNumberGenerator
    ) {
        precondition(!poses.isEmpty && poses.count % 72 == 0)
        var theta: [Float] = []
        theta.reserveCapacity(count * 72)
        var betas: [Float] = []
        var genders: [Gender] = []
        for _ in 0..<count {
            let row = Int.random(in: 0..<(poses.count / 72), using: &random) * 72
            theta += poses[row..<(row + 72)]
            Self.turn(&theta, rows: (theta.count / 72 - 1)..<(theta.count / 72), using: &random)
            betas += Self.shape(using: &random)
            genders.append(drawsGender ? Gender.allCases[Int.random(in: 0..<3, using: &random)] : .neutral)
        }
        self.init(theta: theta, betas: betas, genders: genders, tracks: [], bodies: bodies)
    }

    /// People who move: each stretch of frames with one heading and one shape.
    ///
    /// - Parameter stretches: `[frames, 24, 3]` axis-angle each.
    package init(stretches: [[Float]], bodies: BodyLibrary, using random: inout some RandomNumberGenerator) {
        var theta: [Float] = []
        var betas: [Float] = []
        var tracks: [UInt32] = []
        for (track, stretch) in stretches.enumerated() {
            precondition(stretch.count % 72 == 0)
            theta += stretch
            let frames = stretch.count / 72
            Self.turn(&theta, rows: (theta.count / 72 - frames)..<(theta.count / 72), using: &random)
            let shape = Self.shape(using: &random)
            for _ in 0..<frames { betas += shape }
            tracks += Array(repeating: UInt32(track), count: frames)
        }
        let genders = [Gender](repeating: .neutral, count: tracks.count)
        self.init(theta: theta, betas: betas, genders: genders, tracks: tracks, bodies: bodies)
    }

    private init(theta: [Float], betas: [Float], genders: [Gender], tracks: [UInt32], bodies: BodyLibrary) {
        let rest = bodies.restJoints(betas: betas, genders: genders)
        let rotations = PoseRows.matrices(ofTheta: theta)
        var joints = PoseRows.joints(rotations: rotations, restJoints: rest)
        count = genders.count
        for person in 0..<count {
            let pelvis = joints.vector(at: person * 87)
            for joint in 0..<29 {
                let at = person * 87 + joint * 3
                joints.store(joints.vector(at: at) - pelvis, at: at)
            }
        }
        self.theta = theta
        self.betas = betas
        self.genders = genders
        self.joints = joints
        self.tracks = tracks
        restJoints = rest
        twists = (0..<count).flatMap { TwistAngles.angles(rotations: rotations, restJoints: rest, person: $0) }
    }

    /// Turns some rows together about the vertical, by an angle uniform over the circle.
    private static func turn(_ theta: inout [Float], rows: Range<Int>, using random: inout some RandomNumberGenerator) {
        let yaw = RotationMatrix(AxisAngle(SIMD3(0, random.uniform((-.pi)...(.pi)), 0)))
        for row in rows {
            let root = RotationMatrix(AxisAngle(theta.vector(at: row * 72)))
            theta.store(AxisAngle(yaw * root).vector, at: row * 72)
        }
    }

    package static func shape(using random: inout some RandomNumberGenerator) -> [Float] {
        (0..<10).map { _ in Float(random.normal()) }
    }

    /// What a detector might have seen of them; people who move are seen without twists, and every frame has errors of its own.
    package func observations(
        noise: DetectorNoise?, using random: inout some RandomNumberGenerator
    ) -> PoseObservations {
        var seen = PoseObservations(
            count: count, joints: joints, sigma: [Float](repeating: 0.02, count: count * 29),
            observed: [UInt32](repeating: 0x1FFF_FFFF, count: count), twists: twists,
            hasTwists: [Bool](repeating: tracks.isEmpty, count: count), betas: betas, genders: genders, tracks: tracks)
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
        var metrics = PoseMetrics.compare(theta: solved, truth: theta, restJoints: restJoints)
        if !tracks.isEmpty {
            let found = PoseRows.joints(rotations: PoseRows.matrices(ofTheta: solved), restJoints: restJoints)
            metrics.acceleration = PoseMetrics.accelerationError(joints: found, truth: joints, tracks: tracks)
        }
        return metrics
    }

    /// Errors of observed joints.
    package func errors(ofJoints seen: [Float]) -> PoseMetrics {
        var metrics = PoseMetrics.compare(joints: seen, truth: joints)
        if !tracks.isEmpty {
            metrics.acceleration = PoseMetrics.accelerationError(joints: seen, truth: joints, tracks: tracks)
        }
        return metrics
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
