// SMPL's relatives: the first 22 joints are SMPL's, the hands differ.

extension Skeleton {
    private typealias Joint = (name: String, parent: Int)

    /// SMPL without hands, as HumanML3D and AMASS's body pose have it.
    public static let smpl22 = Skeleton(
        name: "smpl-22", joints: Array(smplJoints.prefix(22)), aliases: ["humanml3d-22"], sources: .prefix(22))

    /// SMPL+H: 22 joints and 15 of each hand.
    public static let smplh52 = Skeleton(
        name: "smplh-52", joints: smplJoints.prefix(22) + fingers("left", from: 22) + fingers("right", from: 37),
        aliases: ["smplh", "smpl-h"], sources: withKnuckles(left: 25, right: 40))

    /// SMPL-X: 22 joints, jaw, eyes and 15 of each hand.
    public static let smplx55 = Skeleton(
        name: "smplx-55",
        joints: smplJoints.prefix(22) + [("jaw", 15), ("left_eye", 15), ("right_eye", 15)]
            + fingers("left", from: 25) + fingers("right", from: 40), aliases: ["smplx", "smpl-x"],
        sources: withKnuckles(left: 28, right: 43))

    private static func fingers(_ side: String, from first: Int) -> [Joint] {
        var joints: [Joint] = []
        for (finger, name) in ["index", "middle", "pinky", "ring", "thumb"].enumerated() {
            for knuckle in 1...3 {
                let parent = knuckle == 1 ? (side == "left" ? 20 : 21) : first + finger * 3 + knuckle - 2
                joints.append(("\(side)_\(name)\(knuckle)", parent))
            }
        }
        return joints
    }

    /// SMPL's hand joint lies at the knuckle of the middle finger.
    private static func withKnuckles(left: Int, right: Int) -> [JointBlend] {
        var sources = [JointBlend].prefix(22)
        sources[22] = JointBlend([.init(left, 1)])
        sources[23] = JointBlend([.init(right, 1)])
        return sources
    }
}
