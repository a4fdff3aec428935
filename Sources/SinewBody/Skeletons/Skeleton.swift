/// A named tree of joints.
///
/// Joint 0 is the root and every parent comes before its children, so one pass in order visits parents first.
public struct Skeleton: Sendable, Hashable {
    /// The name that files and requests use.
    public let name: String
    /// The joints' names, in order.
    public let jointNames: [String]
    /// Each joint's parent; −1 for the root.
    public let parents: [Int]
    /// For each of SMPL's 29 joints, the joints of this skeleton that tell where it is.
    public let smplSources: [JointBlend]
    /// Other names that files use for the same joints in the same order.
    public let aliases: [String]

    /// The number of joints.
    public var jointCount: Int { parents.count }

    /// Each joint's children, in order.
    public var children: [[Int]] {
        var children = [[Int]](repeating: [], count: jointCount)
        for joint in 1..<jointCount { children[parents[joint]].append(joint) }
        return children
    }

    /// The index of a joint, or nil for an unknown name.
    public func index(of jointName: String) -> Int? { jointNames.firstIndex(of: jointName) }

    /// Each joint's counterpart on the other side of the body; its own index in the middle, or where there is none.
    public var mirrored: [Int] {
        jointNames.indices.map { joint in
            let name = jointNames[joint]
            for (side, other) in [("left_", "right_"), ("right_", "left_")] where name.hasPrefix(side) {
                return index(of: other + name.dropFirst(side.count)) ?? joint
            }
            return joint
        }
    }

    /// SMPL's joints that this skeleton says nothing of; they count as unobserved.
    public var missingJoints: [String] {
        Skeleton.smpl29.jointNames.indices.filter { smplSources[$0].terms.isEmpty }.map {
            Skeleton.smpl29.jointNames[$0]
        }
    }

    /// A skeleton whose joints tell SMPL's by ``JointBlend/keypoints(_:)``, or by `sources`.
    init(
        name: String, joints: [(name: String, parent: Int)], aliases: [String] = [], sources: [JointBlend]? = nil
    ) {
        self.name = name
        jointNames = joints.map(\.name)
        parents = joints.map(\.parent)
        self.aliases = aliases
        smplSources = sources ?? JointBlend.keypoints(joints.map(\.name))
    }

    /// The joints of a file that belong to no known skeleton, told by their names.
    ///
    /// - Parameters:
    ///   - jointNames: in the words of ``JointBlend/keypoints(_:)`` or of SMPL; at least one.
    ///   - isSMPL: whether the names are SMPL's, each meaning SMPL's joint.
    package init(ofFile name: String, jointNames: [String], isSMPL: Bool) {
        precondition(!jointNames.isEmpty, "a skeleton without joints")
        let same = Self.smpl29.jointNames.map { joint in
            JointBlend(jointNames.firstIndex(of: joint).map { [.init($0, 1)] } ?? [])
        }
        self.init(
            name: name, joints: jointNames.enumerated().map { ($1, $0 == 0 ? -1 : 0) }, sources: isSMPL ? same : nil)
    }

    /// The 24 joints of SMPL; every one has a rotation.
    public static let smpl24 = Skeleton(name: "smpl-24", joints: smplJoints, aliases: ["smpl"], sources: .prefix(24))

    /// SMPL's joints and five leaves of the mesh: head top, finger tips and big toes. Leaves have no rotation of their own.
    ///
    /// - Source: HybrIK's 29-joint extension, models.md §1.1.
    public static let smpl29 = Skeleton(
        name: "smpl-29", joints: smplJoints + leafJoints, aliases: ["hybrik-29"], sources: .prefix(29))

    /// All known skeletons.
    public static let all = [
        smpl24, smpl29, smpl22, smplh52, smplx55, h36m17, h36m17RightFirst, body25, openpose18, coco17,
        cocoWholeBody133, halpe26, panoptic19,
    ]

    /// The skeleton of that name or alias, or nil; ``all`` lists the names. Case does not matter, `_` and `-` are the same.
    public static func named(_ name: String) -> Skeleton? {
        let plain = String(name.lowercased().map { $0 == "_" ? "-" : $0 })
        return all.first { $0.name == plain } ?? all.first { $0.aliases.contains(plain) }
    }

    /// Joints with a rotation.
    public static let rotationCount = 24
    /// Joints with a position: ``rotationCount`` and the leaves.
    public static let positionCount = 29

    static let smplJoints: [(name: String, parent: Int)] = [
        ("pelvis", -1), ("left_hip", 0), ("right_hip", 0), ("spine1", 0), ("left_knee", 1), ("right_knee", 2),
        ("spine2", 3), ("left_ankle", 4), ("right_ankle", 5), ("spine3", 6), ("left_foot", 7), ("right_foot", 8),
        ("neck", 9), ("left_collar", 9), ("right_collar", 9), ("head", 12), ("left_shoulder", 13),
        ("right_shoulder", 14), ("left_elbow", 16), ("right_elbow", 17), ("left_wrist", 18), ("right_wrist", 19),
        ("left_hand", 20), ("right_hand", 21),
    ]

    private static let leafJoints: [(name: String, parent: Int)] = [
        ("head_top", 15), ("left_middle", 22), ("right_middle", 23), ("left_bigtoe", 10), ("right_bigtoe", 11),
    ]
}
