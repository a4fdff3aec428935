/// Carries poses from SMPL to a rig and back.
///
/// Every matched joint is turned in the world as its counterpart is, measured from rest; where the rest poses of arms and legs differ (an
/// A-pose, say) the limb's rest direction is first laid along SMPL's. There and back gives the same rotation for every matched joint. Joints
/// that only the rig has stay at rest against their parents; joints of the spine and neck that the rig lacks come back halfway between
/// their matched neighbours, others unturned.
/// - Source: the paper leaves the step open (models.md §6.3); this is its procedural reading.
public struct Retargeting: Sendable {
    /// The rig.
    public let rig: RigSkeleton
    /// Who stands for whom.
    public let mapping: RigMapping
    /// Metres of one unit of the rig, for a rig as tall as the body: hip height over hip height.
    public let metresPerUnit: Double
    /// The rig's world axes to left, up and front of the model frame.
    private let axes: RotationMatrix
    /// Per rig joint: the turn that lays its rest direction along SMPL's, in the model frame.
    private let alignments: [RotationMatrix]
    private let pelvisJoint: Int

    /// Prepares for one body.
    ///
    /// - Parameter restJoints: `[24 or more, 3]` rest joints of the body, metres.
    /// - Throws: ``BodyError/Reason/invalidBody`` where the rig at rest does not stand upright along an axis, or has legs of no length.
    public init(rig: RigSkeleton, mapping: RigMapping, restJoints: [Float]) throws(BodyError) {
        precondition(mapping.smplJoints.count == rig.joints.count, "the mapping belongs to another rig")
        let place = { (joint: Int) -> SIMD3<Double> in rig.restPositions[mapping.rigJoints[joint] ?? 0] }
        let axes = try Self.axes(of: place)
        let body = (0..<Skeleton.rotationCount).map { restJoints.vector(at: $0 * 3) }
        let rigLeg = (axes * ((place(1) + place(2)) - (place(7) + place(8)))).y
        let bodyLeg = ((body[1] + body[2]) - (body[7] + body[8])).y
        guard rigLeg > 1e-9, bodyLeg > 1e-9, (bodyLeg / rigLeg).isFinite else {
            throw BodyError(
                .invalidBody, "the rig's hips are not above its ankles at rest; give it a standing rest pose")
        }
        var alignments = [RotationMatrix](repeating: .identity, count: rig.joints.count)
        for (index, joint) in rig.joints.enumerated() {
            guard let smpl = mapping.smplJoints[index] else {
                // What hangs on an aligned limb goes with it; nothing asks for it unless a matched joint follows.
                if joint.parent >= 0 { alignments[index] = alignments[joint.parent] }
                continue
            }
            alignments[index] = Self.alignment(
                of: smpl, inherited: joint.parent >= 0 ? alignments[joint.parent] : .identity
            ) { from, to in
                guard let a = mapping.rigJoints[from], let b = mapping.rigJoints[to] else { return nil }
                return (axes * (rig.restPositions[b] - rig.restPositions[a]), body[to] - body[from])
            }
        }
        self.rig = rig
        self.mapping = mapping
        self.axes = axes
        self.alignments = alignments
        metresPerUnit = bodyLeg / rigLeg
        pelvisJoint = mapping.rigJoints[0] ?? 0
    }

    /// Poses the rig as the body is posed.
    public func rigPose(of pose: HumanPose) -> RigPose {
        let body = Self.worldRotations(pose.rotations)
        var world: [RotationMatrix] = []
        var local: [RotationMatrix] = []
        for (index, joint) in rig.joints.enumerated() {
            let parent = index == 0 ? .identity : world[joint.parent]
            if let smpl = mapping.smplJoints[index] {
                let turned = body[smpl] * alignments[index]
                world.append(axes.transposed * turned * axes * rig.restWorldRotations[index])
                local.append(parent.transposed * world[index])
            } else {
                world.append(parent * joint.restRotation)
                local.append(joint.restRotation)
            }
        }
        let (rotation, position) = rest(of: pelvisJoint)
        let pelvis = axes.transposed * pose.pelvis / metresPerUnit
        return RigPose(rotations: local, pelvisOffset: rotation.transposed * (pelvis - position))
    }

    /// Poses the body as the rig is posed.
    public func humanPose(of pose: RigPose) -> HumanPose {
        precondition(pose.rotations.count == rig.joints.count, "the pose belongs to another rig")
        var world: [RotationMatrix] = []
        var position: [SIMD3<Double>] = []
        for (index, joint) in rig.joints.enumerated() {
            let parent = index == 0 ? .identity : world[joint.parent]
            let offset = index == pelvisJoint ? pose.pelvisOffset : joint.offset
            position.append((index == 0 ? .zero : position[joint.parent]) + parent * offset)
            world.append(parent * pose.rotations[index])
        }
        let known = mapping.rigJoints.map { index -> RotationMatrix? in
            guard let index else { return nil }
            let turned = axes * world[index] * rig.restWorldRotations[index].transposed * axes.transposed
            return turned * alignments[index].transposed
        }
        return HumanPose(
            rotations: Self.localRotations(known), pelvis: metresPerUnit * (axes * position[pelvisJoint]))
    }

    /// The world rotation and position at rest of what a joint hangs on.
    private func rest(of joint: Int) -> (RotationMatrix, SIMD3<Double>) {
        let parent = rig.joints[joint].parent
        return parent < 0 ? (.identity, .zero) : (rig.restWorldRotations[parent], rig.restPositions[parent])
    }

    /// Left, up and front of the rig as rows, each along one of its axes.
    private static func axes(of place: (Int) -> SIMD3<Double>) throws(BodyError) -> RotationMatrix {
        let left = snapped((place(1) - place(2)) + (place(16) - place(17)))
        let up = snapped((place(16) + place(17)) - (place(1) + place(2)))
        guard let left, let up, dot(left, up) == 0 else {
            throw BodyError(
                .invalidBody,
                "the rig at rest does not stand upright along one of its axes with its hips and shoulders along another; "
                    + "give it a T-pose or A-pose")
        }
        return RotationMatrix(rows: left, up, cross(left, up))
    }

    /// The axis that a vector lies closest to, with its sign.
    private static func snapped(_ vector: SIMD3<Double>) -> SIMD3<Double>? {
        let sizes = [abs(vector.x), abs(vector.y), abs(vector.z)]
        guard let largest = sizes.indices.max(by: { sizes[$0] < sizes[$1] }), sizes[largest] > 1e-9 else { return nil }
        var axis = SIMD3<Double>.zero
        axis[largest] = vector[largest] > 0 ? 1 : -1
        return axis
    }

    /// Limbs whose rest directions are compared: SMPL joint to the joint that gives its direction.
    private static let limbs = [1: 4, 2: 5, 4: 7, 5: 8, 16: 18, 17: 19, 18: 20, 19: 21]
    /// Joints at the end of a limb, which keep the limb's alignment.
    private static let limbEnds: Set<Int> = [7, 8, 10, 11, 20, 21, 22, 23]

    private static func alignment(
        of joint: Int, inherited: RotationMatrix, bone: (Int, Int) -> (SIMD3<Double>, SIMD3<Double>)?
    ) -> RotationMatrix {
        if let child = limbs[joint], let (rig, body) = bone(joint, child) {
            return SwingTwist.swing(from: rig, to: body)
        }
        // Trunk, collars and head: rest poses agree there but for the shape of the spine, which is not a pose.
        return limbEnds.contains(joint) ? inherited : .identity
    }

    private static func worldRotations(_ local: [RotationMatrix]) -> [RotationMatrix] {
        var world: [RotationMatrix] = []
        for (joint, parent) in Skeleton.smpl24.parents.enumerated() {
            world.append(parent < 0 ? local[joint] : world[parent] * local[joint])
        }
        return world
    }

    /// Joints of the trunk, between whose neighbours a missing rotation is divided, and the head that they end in.
    private static let trunk = [3, 6, 9, 12, 15]

    /// Local rotations from world rotations of which some are missing.
    private static func localRotations(_ known: [RotationMatrix?]) -> [RotationMatrix] {
        let parents = Skeleton.smpl24.parents
        var world: [RotationMatrix] = []
        var local: [RotationMatrix] = []
        for joint in parents.indices {
            let parent = parents[joint] < 0 ? .identity : world[parents[joint]]
            world.append(known[joint] ?? between(parent, joint, known))
            local.append(parent.transposed * world[joint])
        }
        return local
    }

    /// A share of the way from the parent to the next matched joint up the spine.
    private static func between(_ parent: RotationMatrix, _ joint: Int, _ known: [RotationMatrix?]) -> RotationMatrix {
        guard let place = trunk.firstIndex(of: joint) else { return parent }
        var steps = 2.0
        for next in trunk[(place + 1)...] {
            if let target = known[next] {
                let turn = AxisAngle(parent.transposed * target)
                return parent * RotationMatrix(AxisAngle(turn.vector / steps))
            }
            steps += 1
        }
        return parent
    }
}
