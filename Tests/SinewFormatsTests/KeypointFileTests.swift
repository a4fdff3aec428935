import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

/// Files in the layouts of other tools: tools/golden/keypoint_files.py, which says once more in numpy what SMPL's joints are.
struct KeypointFileTests {
    /// `[T, P, 29, 3]` metres, y up.
    private struct Expected {
        let joints: [Float]

        init() throws {
            joints = try NPZFile(path: fixture("keypoints/expected.npz")).array("joints").floats()
        }

        func row(_ frame: Int, _ person: Int) -> ArraySlice<Float> {
            let start = (frame * 2 + person) * 87
            return joints[start..<(start + 87)]
        }
    }

    /// Every observed joint is where numpy puts it.
    private func expectAgrees(
        _ input: PoseInput, person: (Int) -> Int, offset: Int = 0, tolerance: Float = 2e-5,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try Expected()
        for row in 0..<input.count {
            let wanted = Array(expected.row(input.frames[row] - offset, person(row)))
            for joint in 0..<29 where input.observed[row] & 1 << UInt32(joint) != 0 {
                let ours = Array(input.joints[(row * 87 + joint * 3)..<(row * 87 + joint * 3 + 3)])
                let difference = largestDifference(ours, Array(wanted[(joint * 3)..<(joint * 3 + 3)]))
                #expect(
                    difference < tolerance, "row \(row), \(Skeleton.smpl29.jointNames[joint])", sourceLocation: location
                )
            }
        }
    }

    private func bits(_ names: [String]) -> UInt32 {
        names.reduce(0) { $0 | 1 << UInt32(Skeleton.smpl29.index(of: $1) ?? 31) }
    }

    private let limbs = [
        "pelvis", "neck", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    ]

    @Test func `a folder of EasyMocap is read, its hands are left out, z is up`() throws {
        let input = try PoseInput.read(path: fixture("keypoints/easymocap"))
        #expect(input.count == 11)
        #expect(input.trackNames == ["7", "8"])
        #expect(input.skeleton == .body25)
        #expect(input.frames == [0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5])
        #expect(input.observed.allSatisfy { $0 == bits(limbs + ["head", "left_bigtoe", "right_bigtoe"]) })
        #expect(abs(input.sigma[18] - 0.1) < 1e-6)
        try expectAgrees(input, person: { input.tracks[$0] })
        let said = input.notes.joined(separator: "\n")
        for word in ["read as EasyMocap", "42 points of hands", "z was up", "bone lengths say metres"] {
            #expect(said.contains(word), "\(word) in \(said)")
        }
    }

    @Test func `one frame of EasyMocap is a file, too`() throws {
        let input = try PoseInput.read(path: fixture("keypoints/easymocap/000004.json"))
        #expect(input.count == 2)
        #expect(input.frames == [4, 4])
        try expectAgrees(input, person: { $0 })
    }

    @Test func `a folder of OpenPose with 3D is read, in millimetres and y down`() throws {
        let input = try PoseInput.read(path: fixture("keypoints/openpose"))
        #expect(input.count == 12)
        #expect(input.trackNames == ["person-0", "person-1"])
        try expectAgrees(input, person: { input.tracks[$0] })
        let wrist = UInt32(1) << 20
        #expect(input.observed[4] & wrist == 0)
        #expect(input.observed.enumerated().allSatisfy { $0.offset == 4 || $0.element & wrist != 0 })
        let said = input.notes.joined(separator: "\n")
        for word in ["read as OpenPose", "did not track", "millimetres", "-y was up"] {
            #expect(said.contains(word), "\(word) in \(said)")
        }
    }

    @Test func `COCO annotations with 3D are read by their image and track`() throws {
        let input = try PoseInput.read(path: fixture("keypoints/coco.json"))
        #expect(input.count == 12)
        #expect(input.skeleton == .coco17)
        #expect(input.trackNames == ["1", "2"])
        #expect(input.frames == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
        #expect(input.observed.allSatisfy { $0 == bits(limbs + ["head"]) })
        try expectAgrees(input, person: { input.tracks[$0] })
    }

    @Test func `MMPose names its keypoints, right leg first`() throws {
        let input = try PoseInput.read(path: fixture("keypoints/mmpose.json"))
        #expect(input.skeleton == .h36m17RightFirst)
        #expect(input.observed.allSatisfy { $0 == bits(limbs + ["head_top"]) })
        try expectAgrees(input, person: { input.tracks[$0] })
        #expect(input.notes.contains { $0.contains("go up to 1.25") })
        #expect(input.sigma[18] == 0)
    }

    @Test func `MMPose's joints taken in the other order are pointed out`() throws {
        let input = try PoseInput.read(
            path: fixture("keypoints/mmpose.json"), options: PoseInput.Options(skeletonName: "h36m-17"))
        #expect(input.notes.contains { $0.contains("hips and shoulders disagree") }, "\(input.notes)")
    }

    @Test func `markers of Pose2Sim are told by their names`() throws {
        let input = try PoseInput.read(path: fixture("keypoints/walk.trc"))
        #expect(input.count == 6)
        #expect(input.framesPerSecond == 60)
        #expect(input.frames == [1, 2, 3, 4, 5, 6])
        let all = bits(limbs + ["head_top", "left_bigtoe", "right_bigtoe"])
        #expect(input.observed == (0..<6).map { $0 == 4 ? all & ~(1 << 21) : all })
        try expectAgrees(input, person: { _ in 0 }, offset: 1)
        #expect(input.notes.contains { $0.contains("declared as metres") })
    }

    @Test(arguments: [
        ("openpose_2d.json", "OpenPose"), ("coco_results_2d.json", "COCO results"), ("alphapose_2d.json", "AlphaPose"),
    ]) func `places in an image are refused with what to do`(name: String, tool: String) {
        let error = #expect(throws: FormatError.self) { try PoseInput.read(path: fixture("keypoints/" + name)) }
        #expect(error?.reason == .invalidData)
        for word in [tool, "2D keypoints only", "Triangulate", "lift"] {
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test func `the format can be named, and a wrong name is an error`() {
        let coco = fixture("keypoints/coco.json")
        #expect(throws: Never.self) {
            try PoseInput.read(path: coco, options: PoseInput.Options(format: .coco))
        }
        for format in PoseFileFormat.allCases where format != .coco {
            #expect(throws: FormatError.self, "\(format)") {
                try PoseInput.read(path: coco, options: PoseInput.Options(format: format))
            }
        }
    }
}
