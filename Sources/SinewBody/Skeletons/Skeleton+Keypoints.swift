// Keypoints that detectors, lifters and multi-camera tools give. The orders are their documentation's.

extension Skeleton {
    private typealias Joint = (name: String, parent: Int)

    /// Human3.6M's 17 joints as HybrIK and NIKI order them: the left leg first (models.md §1.1).
    public static let h36m17 = Skeleton(
        name: "h36m-17", joints: h36mJoints(first: "left", second: "right"), aliases: ["h36m-17-left-first"])

    /// Human3.6M's 17 joints as VideoPose3D, MotionBERT and MMPose order them: the right leg first, the left arm before the right.
    public static let h36m17RightFirst = Skeleton(
        name: "h36m-17-right-first",
        joints: h36mJoints(first: "right", second: "left"), aliases: ["h36m-17-mmpose", "videopose3d-17"])

    private static func h36mJoints(first: String, second: String) -> [Joint] {
        [
            ("pelvis", -1), ("\(first)_hip", 0), ("\(first)_knee", 1), ("\(first)_ankle", 2), ("\(second)_hip", 0),
            ("\(second)_knee", 4), ("\(second)_ankle", 5), ("torso", 0), ("thorax", 7), ("nose", 8), ("head_top", 9),
            ("left_shoulder", 8), ("left_elbow", 11), ("left_wrist", 12), ("right_shoulder", 8), ("right_elbow", 14),
            ("right_wrist", 15),
        ]
    }

    /// OpenPose's BODY_25, which EasyMocap uses as well.
    public static let body25 = Skeleton(
        name: "body-25",
        joints: [
            ("nose", -1), ("neck", 0), ("right_shoulder", 1), ("right_elbow", 2), ("right_wrist", 3),
            ("left_shoulder", 1), ("left_elbow", 5), ("left_wrist", 6), ("pelvis", 1), ("right_hip", 8),
            ("right_knee", 9), ("right_ankle", 10), ("left_hip", 8), ("left_knee", 12), ("left_ankle", 13),
            ("right_eye", 0), ("left_eye", 0), ("right_ear", 15), ("left_ear", 16), ("left_big_toe", 14),
            ("left_small_toe", 19), ("left_heel", 14), ("right_big_toe", 11), ("right_small_toe", 22),
            ("right_heel", 11),
        ], aliases: ["body25", "openpose-25", "easymocap-25"])

    /// OpenPose's COCO model.
    public static let openpose18 = Skeleton(
        name: "openpose-18",
        joints: [
            ("nose", -1), ("neck", 0), ("right_shoulder", 1), ("right_elbow", 2), ("right_wrist", 3),
            ("left_shoulder", 1), ("left_elbow", 5), ("left_wrist", 6), ("right_hip", 1), ("right_knee", 8),
            ("right_ankle", 9), ("left_hip", 1), ("left_knee", 11), ("left_ankle", 12), ("right_eye", 0),
            ("left_eye", 0), ("right_ear", 14), ("left_ear", 15),
        ], aliases: ["coco-18"])

    private static let cocoJoints: [Joint] = [
        ("nose", -1), ("left_eye", 0), ("right_eye", 0), ("left_ear", 1), ("right_ear", 2), ("left_shoulder", 0),
        ("right_shoulder", 0), ("left_elbow", 5), ("right_elbow", 6), ("left_wrist", 7), ("right_wrist", 8),
        ("left_hip", 5), ("right_hip", 6), ("left_knee", 11), ("right_knee", 12), ("left_ankle", 13),
        ("right_ankle", 14),
    ]

    /// COCO's 17 keypoints.
    public static let coco17 = Skeleton(name: "coco-17", joints: cocoJoints, aliases: ["coco", "coco17"])

    /// COCO-WholeBody's 133 keypoints: body, feet, face, left hand, right hand. The face says nothing of SMPL's joints.
    public static let cocoWholeBody133 = Skeleton(
        name: "coco-wholebody-133",
        joints: cocoJoints + wholeBodyFeet + face + hand("left", wrist: 9)
            + hand("right", wrist: 10), aliases: ["coco-wholebody", "coco-133"])

    private static let wholeBodyFeet: [Joint] = [
        ("left_big_toe", 15), ("left_small_toe", 15), ("left_heel", 15), ("right_big_toe", 16),
        ("right_small_toe", 16), ("right_heel", 16),
    ]
    private static let face: [Joint] = (0..<68).map { ("face_\($0)", 0) }

    /// A hand's 21 keypoints: its root, then four of each finger from knuckle to tip.
    private static func hand(_ side: String, wrist: Int) -> [Joint] {
        let root = side == "left" ? 91 : 112
        var joints: [Joint] = [("\(side)_hand_root", wrist)]
        for (finger, name) in ["thumb", "index", "middle", "ring", "pinky"].enumerated() {
            for knuckle in 1...4 {
                joints.append(("\(side)_hand_\(name)\(knuckle)", knuckle == 1 ? root : root + finger * 4 + knuckle - 1))
            }
        }
        return joints
    }

    /// Halpe's 26 body keypoints (AlphaPose, RTMPose, Pose2Sim).
    public static let halpe26 = Skeleton(
        name: "halpe-26",
        joints: cocoJoints + [
            ("head_top", 0), ("neck", 0), ("pelvis", 18), ("left_big_toe", 15), ("right_big_toe", 16),
            ("left_small_toe", 15), ("right_small_toe", 16), ("left_heel", 15), ("right_heel", 16),
        ], aliases: ["halpe26", "body-26"])

    /// CMU Panoptic's 19 joints.
    public static let panoptic19 = Skeleton(
        name: "panoptic-19",
        joints: [
            ("neck", -1), ("nose", 0), ("pelvis", 0), ("left_shoulder", 0), ("left_elbow", 3), ("left_wrist", 4),
            ("left_hip", 2), ("left_knee", 6), ("left_ankle", 7), ("right_shoulder", 0), ("right_elbow", 9),
            ("right_wrist", 10), ("right_hip", 2), ("right_knee", 12), ("right_ankle", 13), ("left_eye", 1),
            ("left_ear", 15), ("right_eye", 1), ("right_ear", 17),
        ], aliases: ["cmu-panoptic-19", "cmu-panoptic"])
}
