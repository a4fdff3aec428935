internal import SinewBody
internal import SinewFormats
internal import SinewModels

/// A solved frame and the places that an annotator moved some of its joints to.
struct FrameCorrection: Sendable {
    /// Which of SMPL's 24 joints is to be where, metres, y up; ordered by joint.
    let moved: [(joint: Int, place: SIMD3<Double>)]
    /// The place of the track in the file, and of the frame in the track.
    let track, row: Int
    /// Where the 29 joints are in the solved pose, `[29, 3]`.
    private let joints: [Float]
    /// World rotations of the 24 joints.
    private let rotations: [RotationMatrix]
    /// `[24, 3]`, parent-relative rotation vectors.
    private let theta: [Float]
    private let translation: [Float]
    let betas: [Float]
    let gender: Gender

    /// Joints that were moved by earlier corrections of the frame stay where they are, as if moved there again.
    init(_ track: Int, row: Int, of output: PoseOutput, moved: [Int: SIMD3<Double>]) {
        let source = output.tracks[track]
        self.track = track
        self.row = row
        joints = Array(source.joints[(row * 87)..<(row * 87 + 87)])
        theta = Array(source.theta[(row * 72)..<(row * 72 + 72)])
        translation = Array(source.translation[(row * 3)..<(row * 3 + 3)])
        betas = Array(source.betas[(row * 10)..<(row * 10 + 10)])
        gender = source.gender
        var rotations: [RotationMatrix] = []
        for joint in 0..<Skeleton.rotationCount {
            let local = RotationMatrix(AxisAngle(theta.vector(at: joint * 3)))
            let parent = Skeleton.smpl24.parents[joint]
            rotations.append(parent < 0 ? local : rotations[parent] * local)
        }
        self.rotations = rotations
        let earlier = source.corrections[row]?.joints ?? []
        let all = Set(moved.keys).union(earlier).sorted()
        self.moved = all.map { ($0, moved[$0] ?? source.joints.vector(at: row * 87 + $0 * 3)) }
    }

    // MARK: What is asked of the solver

    /// A joint that nobody moved is held where the solver had it, this far off, metres.
    private static let heldTolerance: Float = 0.02
    /// One between a moved joint and the trunk has to follow it.
    private static let followingTolerance: Float = 0.1
    /// A held joint keeps its turn in the world, this far off, radians.
    private static let turnTolerance: Float = 0.1
    /// Moved joints count for more, so that a pose out of reach costs the others and not them.
    private static let movedWeight: Float = 10
    /// Pelvis, spine, neck and collars: what a limb hangs on.
    private static let trunk: Set<Int> = [0, 3, 6, 9, 12, 13, 14]

    private var movedJoints: Set<Int> { Set(moved.map(\.joint)) }

    /// Joints that turn so that the moved ones get to their places: these, those above them in their limb, and where the limb is none,
    /// the one above.
    private var turningJoints: Set<Int> {
        var turning = movedJoints
        for joint in movedJoints {
            var above = Skeleton.smpl24.parents[joint]
            if above < 0 { continue }
            if Self.trunk.contains(above) { turning.insert(above) }
            while above >= 0, !Self.trunk.contains(above) {
                turning.insert(above)
                above = Skeleton.smpl24.parents[above]
            }
        }
        return turning
    }

    /// Hands, feet and the like whose wrist or ankle was moved, and the tips behind them: they go along.
    private var carriedJoints: Set<Int> {
        var carried: Set<Int> = []
        let parents = Skeleton.smpl29.parents
        for joint in 1..<Skeleton.positionCount where !movedJoints.contains(joint) {
            let isLast = !parents[..<Skeleton.rotationCount].contains(joint)
            guard isLast || joint >= Skeleton.rotationCount else { continue }
            if movedJoints.contains(parents[joint]) || carried.contains(parents[joint]) { carried.insert(joint) }
        }
        return carried
    }

    /// For models that take effectors: moved joints are exact places, the others are held by place and turn.
    var effectors: [Effector] {
        let (turning, carried) = (turningJoints, carriedJoints)
        var effectors = moved.map { Effector.position(UInt8($0.joint), at: $0.place, weight: Self.movedWeight) }
        for joint in 0..<Skeleton.rotationCount {
            if !movedJoints.contains(joint), !carried.contains(joint) {
                let tolerance = turning.contains(joint) ? Self.followingTolerance : Self.heldTolerance
                effectors.append(
                    .position(UInt8(joint), at: joints.vector(at: joint * 3), tolerance: tolerance))
            }
            if !turning.contains(joint) {
                effectors.append(.rotation(UInt8(joint), rotations[joint], tolerance: Self.turnTolerance))
            }
        }
        return effectors
    }

    /// The solved pose as a clip of its own, for models that take joints; ``observe(_:in:)`` then moves the joints.
    var clip: PoseClip {
        var clip = PoseClip(
            theta: theta, translation: translation, betas: betas, gender: gender, framesPerSecond: 30)
        clip.name = "\(track).\(row)"
        return clip
    }

    /// Says of the clip's row what was seen: the solved joints with their twists, the moved ones where they were moved to, with a sigma
    /// of 0.
    func observe(_ row: Int, in input: inout PoseInput) throws {
        let (turning, carried) = (turningJoints, carriedJoints)
        for joint in 0..<Skeleton.positionCount {
            input.sigma[row * 29 + joint] = turning.contains(joint) ? Self.followingTolerance : Self.heldTolerance
            if carried.contains(joint) { input.observed[row] &= ~(1 << UInt32(joint)) }
        }
        for (joint, place) in moved {
            input.joints.store(place, at: row * 87 + joint * 3)
            input.sigma[row * 29 + joint] = 0
        }
        var matrices = [Float](repeating: 0, count: 216)
        for joint in 0..<Skeleton.rotationCount {
            RotationMatrix(AxisAngle(theta.vector(at: joint * 3))).write(into: &matrices, at: joint * 9)
        }
        let rest = try BodyLibrary.shared().restJoints(betas: betas, genders: [gender])
        let twists = TwistAngles.angles(rotations: matrices, restJoints: rest)
        input.twists.replaceSubrange((row * 23)..<(row * 23 + 23), with: twists)
        input.hasTwists[row] = true
    }

    // MARK: What came of it

    /// How far the moved joints end from their places at most, metres.
    func miss(_ solved: PoseSolutions, _ person: Int) -> Double {
        moved.map { length(solved.joints.vector(at: person * 87 + $0.joint * 3) - $0.place) }.max() ?? 0
    }

    /// How far a joint went that nobody moved and that did not have to follow, at most, metres.
    func disturbance(_ solved: PoseSolutions, _ person: Int) -> Double {
        let following = turningJoints.union(carriedJoints)
        return (0..<Skeleton.rotationCount).filter { !following.contains($0) }.map {
            length(solved.joints.vector(at: person * 87 + $0 * 3) - joints.vector(at: $0 * 3))
        }.max() ?? 0
    }
}
