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

    private init(name: String, joints: [(name: String, parent: Int)]) {
        self.name = name
        jointNames = joints.map(\.name)
        parents = joints.map(\.parent)
    }

    /// The 24 joints of SMPL; every one has a rotation.
    public static let smpl24 = Skeleton(name: "smpl-24", joints: smplJoints)

    /// SMPL's joints and five leaves of the mesh: head top, finger tips and big toes. Leaves have no rotation of their own.
    ///
    /// - Source: HybrIK's 29-joint extension, models.md §1.1.
    public static let smpl29 = Skeleton(name: "smpl-29", joints: smplJoints + leafJoints)

    /// All known skeletons.
    public static let all = [smpl24, smpl29]

    /// The skeleton of that name, or nil; ``all`` lists the names.
    public static func named(_ name: String) -> Skeleton? { all.first { $0.name == name } }

    /// Joints with a rotation.
    public static let rotationCount = 24
    /// Joints with a position: ``rotationCount`` and the leaves.
    public static let positionCount = 29

    private static let smplJoints: [(name: String, parent: Int)] = [
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
