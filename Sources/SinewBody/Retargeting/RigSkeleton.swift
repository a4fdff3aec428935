/// A humanoid skeleton of somebody's own at rest: a tree of named joints.
///
/// - Units and axes: the rig's own; ``Retargeting`` finds out which way is up and how large the rig is.
public struct RigSkeleton: Sendable, Equatable {
    /// A joint of the tree.
    public struct Joint: Sendable, Equatable {
        /// Its name, unique in the rig.
        public let name: String
        /// The index of its parent, which comes earlier; −1 for the root.
        public let parent: Int
        /// Where it is at rest, from its parent and in its parent's frame.
        public let offset: SIMD3<Double>
        /// How it is turned at rest against its parent (identity in BVH).
        public let restRotation: RotationMatrix

        /// Creates a joint.
        public init(
            name: String, parent: Int, offset: SIMD3<Double>, restRotation: RotationMatrix = .identity
        ) {
            self.name = name
            self.parent = parent
            self.offset = offset
            self.restRotation = restRotation
        }
    }

    /// The joints; parents come before their children.
    public let joints: [Joint]
    /// Each joint's rest rotation in the rig's world.
    public let restWorldRotations: [RotationMatrix]
    /// Each joint's rest position in the rig's world.
    public let restPositions: [SIMD3<Double>]

    /// More joints than any humanoid has, faces and fingers included.
    public static let jointsMax = 1024

    /// Checks a tree and lays it out at rest.
    ///
    /// - Throws: ``BodyError/Reason/invalidBody`` naming the joint, where there is no single root, a parent does not come before its
    ///   child, a name is empty or used twice, or a number is not finite or no rotation.
    public init(joints: [Joint]) throws(BodyError) {
        func wrong(_ what: String) -> BodyError { BodyError(.invalidBody, "the rig cannot be used: \(what)") }
        guard !joints.isEmpty, joints.count <= Self.jointsMax else {
            throw wrong("it has \(joints.count) joints; 1 to \(Self.jointsMax) are possible")
        }
        var seen: Set<String> = []
        var rotations: [RotationMatrix] = []
        var positions: [SIMD3<Double>] = []
        for (index, joint) in joints.enumerated() {
            guard !joint.name.isEmpty, seen.insert(joint.name).inserted else {
                throw wrong("joint \(index) has the name \"\(joint.name)\", which is empty or taken; names must differ")
            }
            guard index == 0 ? joint.parent == -1 : (0..<index).contains(joint.parent) else {
                throw wrong(
                    "joint \"\(joint.name)\" has the parent \(joint.parent); the first joint must be the only root "
                        + "(-1) and parents must come before their children")
            }
            let rows = [joint.offset, joint.restRotation.row0, joint.restRotation.row1, joint.restRotation.row2]
            guard rows.allSatisfy({ $0.x.isFinite && $0.y.isFinite && $0.z.isFinite }) else {
                throw wrong("the offset or rest rotation of \"\(joint.name)\" is not finite")
            }
            guard Self.isRotation(joint.restRotation) else {
                throw wrong("the rest rotation of \"\(joint.name)\" is no rotation (mirrored, scaled or sheared)")
            }
            let parentRotation = index == 0 ? .identity : rotations[joint.parent]
            rotations.append(parentRotation * joint.restRotation)
            positions.append((index == 0 ? .zero : positions[joint.parent]) + parentRotation * joint.offset)
        }
        self.joints = joints
        restWorldRotations = rotations
        restPositions = positions
    }

    /// The index of a joint, or nil for an unknown name.
    public func index(of name: String) -> Int? { joints.firstIndex { $0.name == name } }

    private static func isRotation(_ matrix: RotationMatrix) -> Bool {
        let product = matrix * matrix.transposed
        let off = [
            product.row0 - SIMD3(1, 0, 0), product.row1 - SIMD3(0, 1, 0), product.row2 - SIMD3(0, 0, 1),
        ]
        return off.allSatisfy { length($0) < 1e-3 } && matrix.determinant > 0
    }
}

/// A pose of a rig.
public struct RigPose: Sendable, Equatable {
    /// Each joint's rotation against its parent, in the order of the rig.
    public var rotations: [RotationMatrix]
    /// Where the joint that stands for the pelvis is, from its parent, in the rig's units.
    public var pelvisOffset: SIMD3<Double>

    /// Creates a pose.
    public init(rotations: [RotationMatrix], pelvisOffset: SIMD3<Double>) {
        self.rotations = rotations
        self.pelvisOffset = pelvisOffset
    }
}

/// A pose of the SMPL skeleton.
public struct HumanPose: Sendable, Equatable {
    /// The 24 rotations against the parents; row 0 is the global orientation.
    public var rotations: [RotationMatrix]
    /// Where the pelvis is, metres, y up.
    public var pelvis: SIMD3<Double>

    /// Creates a pose.
    public init(rotations: [RotationMatrix], pelvis: SIMD3<Double>) {
        precondition(rotations.count == Skeleton.rotationCount, "SMPL has 24 rotations")
        self.rotations = rotations
        self.pelvis = pelvis
    }
}
