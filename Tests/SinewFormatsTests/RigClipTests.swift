import SinewArrayFiles
import SinewBody
import SinewFormats
import TestSupport
import Testing

/// A rig of Mixamo's words in the body's own build, its joint frames turned anywhere, and random motion of it.
func randomClip(seed: UInt64, frames: Int = 3) throws -> (RigClip, [Float], [HumanPose]) {
    var random = SplitMix64(seed: seed)
    func turn(_ spread: Double) -> RotationMatrix {
        RotationMatrix(
            AxisAngle(
                SIMD3(
                    .random(in: -spread...spread, using: &random), .random(in: -spread...spread, using: &random),
                    .random(in: -spread...spread, using: &random))))
    }
    let names = [
        "Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot", "Spine2",
        "LeftToeBase", "RightToeBase", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm",
        "LeftForeArm", "RightForeArm", "LeftHand", "RightHand", "LeftHandMiddle1", "RightHandMiddle1",
    ]
    let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
    let parents = Skeleton.smpl24.parents
    let worlds = (0..<24).map { _ in turn(2) }
    let joints = (0..<24).map { joint in
        let parent = parents[joint]
        let above = parent < 0 ? .identity : worlds[parent]
        let origin = parent < 0 ? SIMD3<Double>.zero : rest.vector(at: parent * 3)
        return RigSkeleton.Joint(
            name: names[joint], parent: parent,
            offset: above.transposed * (100 * (rest.vector(at: joint * 3) - origin)),
            restRotation: above.transposed * worlds[joint])
    }
    let rig = try RigSkeleton(joints: joints)
    let mapping = try RigMapping(rig)
    let poses = (0..<frames).map { _ in
        HumanPose(rotations: (0..<24).map { _ in turn(0.8) }, pelvis: 0.5 * (turn(1) * SIMD3(1, 1, 1)))
    }
    let retargeting = try Retargeting(rig: rig, mapping: mapping, restJoints: rest)
    return (
        RigClip(rig: rig, mapping: mapping, frames: poses.map(retargeting.rigPose), framesPerSecond: 24), rest, poses
    )
}

/// Writes to a file of its own, reads it back, and removes it.
private func throughFile(_ clip: RigClip, ending: String) throws -> RigClip {
    let folder = try scratchFolder()
    defer { discard(folder) }
    let path = "\(folder)/rig\(ending)"
    try clip.write(to: path)
    return try RigClip.read(path: path)
}

private func refusal(_ text: String, ending: String) -> FormatError? {
    return #expect(throws: FormatError.self) {
        let folder = try scratchFolder()
        defer { discard(folder) }
        try AtomicFile.write(Array(text.utf8), to: "\(folder)/rig\(ending)")
        return try RigClip.read(path: "\(folder)/rig\(ending)")
    }
}

struct RigClipTests {
    @Test(arguments: [".json", ".bvh", ".glb"], [1, 2, 3] as [UInt64])
    func `a motion written and read back poses the body the same`(ending: String, seed: UInt64) throws {
        let (clip, rest, poses) = try randomClip(seed: seed)
        let back = try throughFile(clip, ending: ending)
        #expect(back.frames.count == 3 && abs(back.framesPerSecond - 24) < 1e-6)
        let retargeting = try Retargeting(rig: back.rig, mapping: back.mapping, restJoints: rest)
        for (frame, pose) in zip(back.frames, poses) {
            let found = retargeting.humanPose(of: frame)
            for joint in 0..<24 {
                #expect(found.rotations[joint].angle(to: pose.rotations[joint]) < 1e-6, "seed \(seed)")
            }
            #expect(length(found.pelvis - pose.pelvis) < 1e-6)
        }
    }

    @Test(arguments: [".json", ".glb"])
    func `a rig without motion is read, and JSON and glTF keep its rest frames`(ending: String) throws {
        var (clip, _, _) = try randomClip(seed: 4)
        clip.frames = []
        let back = try throughFile(clip, ending: ending)
        #expect(back.frames.isEmpty && back.rig.joints.map(\.name) == clip.rig.joints.map(\.name))
        for (a, b) in zip(back.rig.restWorldRotations, clip.rig.restWorldRotations) { #expect(a.angle(to: b) < 1e-6) }
        // Centimetres; glTF keeps them as floats.
        for (a, b) in zip(back.rig.restPositions, clip.rig.restPositions) { #expect(length(a - b) < 1e-5) }
    }

    /// As a hand writes it: channels in another order, names with blanks, a root above the hips that moves.
    static let bvh = """
        HIERARCHY
        ROOT Reference
        {
          OFFSET 0 0 0
          CHANNELS 6 Xposition Yposition Zposition Xrotation Yrotation Zrotation
          JOINT Hips
          {
            OFFSET 0 90 0
            CHANNELS 3 Yrotation Xrotation Zrotation
            \(limb("Left", 1))
            \(limb("Right", -1))
            JOINT Bip01 Spine
            {
              OFFSET 0 10 0
              CHANNELS 3 Zrotation Xrotation Yrotation
              JOINT Neck
              {
                OFFSET 0 40 0
                CHANNELS 0
                End Site
                {
                  OFFSET 0 10 0
                }
              }
              \(arm("Left", 1))
              \(arm("Right", -1))
            }
          }
        }
        MOTION
        Frames: 1
        Frame Time: 0.04

        """

    static func limb(_ side: String, _ sign: Int) -> String {
        """
        JOINT \(side)UpLeg
        { OFFSET \(sign * 10) 0 0 CHANNELS 0
          JOINT \(side)Leg
          { OFFSET 0 -40 0 CHANNELS 0
            JOINT \(side)Foot
            { OFFSET 0 -40 0 CHANNELS 0 End Site { OFFSET 0 0 10 } }
          }
        }
        """
    }

    static func arm(_ side: String, _ sign: Int) -> String {
        """
        JOINT \(side)Arm
        { OFFSET \(sign * 20) 35 0 CHANNELS 0
          JOINT \(side)ForeArm
          { OFFSET \(sign * 25) 0 0 CHANNELS 1 Yrotation
            JOINT \(side)Hand
            { OFFSET \(sign * 25) 0 0 CHANNELS 0 End Site { OFFSET \(sign * 10) 0 0 } }
          }
        }
        """
    }

    @Test func `channels turn in the order in which they stand, and a root above the hips carries them`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = "\(folder)/rig.bvh"
        // Root moved by (5, 0, 0) and turned 90° about y; hips 90° about y, then 90° about x; left elbow 30° about y.
        let numbers = "5 0 0 0 90 0  90 90 0  0 0 0  30 0"
        try AtomicFile.write(Array((Self.bvh + numbers + "\n").utf8), to: path)
        let clip = try RigClip.read(path: path)
        #expect(clip.framesPerSecond == 25 && clip.frames.count == 1)
        #expect(clip.rig.joints.map(\.name).contains("Bip01 Spine"))
        let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
        let retargeting = try Retargeting(rig: clip.rig, mapping: clip.mapping, restJoints: rest)
        let pose = retargeting.humanPose(of: clip.frames[0])
        let halfTurn = RotationMatrix(AxisAngle(SIMD3(0, .pi, 0)))
        let forward = RotationMatrix(AxisAngle(SIMD3(.pi / 2, 0, 0)))
        #expect(pose.rotations[0].angle(to: halfTurn * forward) < 1e-6)
        #expect(pose.rotations[18].angle(to: RotationMatrix(AxisAngle(SIMD3(0, .pi / 6, 0)))) < 1e-3)
        let hips = pose.pelvis / retargeting.metresPerUnit
        #expect(length(hips - SIMD3(5, 90, 0)) < 1e-6)
    }

    @Test(arguments: [
        ("HIERARCHY\nROOT Hips\n{\nOFFSET 0 0\n}", "line 5"), ("MOTION", "HIERARCHY"),
        ("HIERARCHY\nROOT Hips\n{\n OFFSET 0 0 0\n CHANNELS 7 Xposition\n}", "7 channels"),
        ("HIERARCHY\nROOT Hips\n{\n OFFSET 0 0 0\n CHANNELS 1 Wrotation\n}", "\"Wrotation\" is no channel"),
        ("HIERARCHY\nROOT Hips\n{\n OFFSET 0 0 0\n", "ends too early"),
        (bvh.replacingFrames("2000000"), "2000000 frames"),
        (bvh + "5 0 0 0 90 0  90 90 0  0 0 0  30", "ends too early"),
        (bvh + "5 0 0 0 90 0  90 x 0  0 0 0  30 0", "\"x\" is not"), ("", "ends too early"),
    ])
    func `a damaged BVH is refused with its line`(text: String, message: String) {
        let error = refusal(text, ending: ".bvh")
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        (#"{"joints": 3}"#, "list of joints"), (#"{"joints": [{"name": "a", "offset": [0, 0]}]}"#, "3 numbers"),
        (#"{"joints": [{"name": "a", "parent": "b", "offset": [0, 0, 0]}]}"#, "does not come before"),
        (#"{"joints": [{"name": "a", "parent": 0, "offset": [0, 0, 0]}]}"#, "neither a name nor null"),
        (#"{"joints": [{"name": "a", "offset": [0, 0, 0], "rotation": [2, 0, 0, 0]}]}"#, "no unit quaternion"),
        (#"{"joints": [{"name": "a", "offset": [0, 0, 0]}]}"#, "left_hip"), ("{", "ends too early"),
    ])
    func `a JSON rig that is none is refused with what is wrong`(text: String, message: String) {
        let error = refusal(text, ending: ".json")
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func `poses in AMASS's layout come back as they were, fingers left out`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = "\(folder)/poses.npz"
        let rest = try BodyModel.bundled(.female).restJoints(betas: [1])
        let (_, _, poses) = try randomClip(seed: 6)
        var clip = PoseClip(
            theta: [], translation: [], betas: [1] + [Float](repeating: 0, count: 9), gender: .female,
            framesPerSecond: 120)
        for pose in poses { clip.append(pose, restJoints: rest) }
        try clip.write(to: path)
        let back = try PoseClip.read(path: path)
        #expect(back.theta == clip.theta && back.translation == clip.translation && back.betas == clip.betas)
        #expect(back.gender == .female && back.framesPerSecond == 120)
        for (frame, pose) in poses.enumerated() {
            let found = back.pose(frame, restJoints: rest)
            #expect(length(found.pelvis - pose.pelvis) < 1e-6)
            for joint in 0..<24 { #expect(found.rotations[joint].angle(to: pose.rotations[joint]) < 1e-5) }
        }
        var writer = NPZWriter(compression: .stored)
        writer.add("poses", .float32((0..<156).map { Float($0) }, shape: [1, 156]))
        try AtomicFile.write(try writer.encode(), to: path)
        #expect(try PoseClip.read(path: path).theta == (0..<66).map { Float($0) } + [0, 0, 0, 0, 0, 0])
    }
}

extension String {
    fileprivate func replacingFrames(_ count: String) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.hasPrefix("Frames:") ? "Frames: \(count)" : $0
        }
        .joined(separator: "\n")
    }
}
