import SinewBody
import Testing

struct SkeletonRegistryTests {
    @Test(arguments: Skeleton.all) func `every skeleton is a tree with names of its own`(skeleton: Skeleton) {
        #expect(skeleton.parents[0] == -1)
        for joint in 1..<skeleton.jointCount {
            #expect((0..<joint).contains(skeleton.parents[joint]), "\(skeleton.jointNames[joint])")
        }
        #expect(Set(skeleton.jointNames).count == skeleton.jointCount)
        #expect(skeleton.name.split(separator: "-").contains("\(skeleton.jointCount)"))
        #expect(Skeleton.named(skeleton.name) == skeleton)
        #expect(Skeleton.named(skeleton.name.uppercased()) == skeleton)
        for alias in skeleton.aliases { #expect(Skeleton.named(alias) == skeleton, "\(alias)") }
    }

    @Test func `names and aliases mean one skeleton each`() {
        let names = Skeleton.all.flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
        #expect(Skeleton.named("BODY_25") == .body25)
        #expect(Skeleton.named("horse") == nil)
    }

    @Test(arguments: Skeleton.all) func `left and right are each other's mirror, in joints, parents and blends`(
        skeleton: Skeleton
    ) {
        let mirrored = skeleton.mirrored
        for joint in 0..<skeleton.jointCount {
            let name = skeleton.jointNames[joint]
            #expect(mirrored[mirrored[joint]] == joint)
            if name.hasPrefix("left_") || name.hasPrefix("right_") {
                #expect(mirrored[joint] != joint, "\(name) has no counterpart")
            }
            let parent = skeleton.parents[joint]
            if parent >= 0 { #expect(mirrored[parent] == skeleton.parents[mirrored[joint]], "\(name)") }
        }
        let smpl = Skeleton.smpl29.mirrored
        for (joint, blend) in skeleton.smplSources.enumerated() {
            let other = skeleton.smplSources[smpl[joint]]
            let turned = blend.terms.map { JointBlend.Term(mirrored[$0.joint], $0.weight) }
            #expect(Set(turned) == Set(other.terms), "\(Skeleton.smpl29.jointNames[joint])")
        }
    }

    @Test(arguments: Skeleton.all) func `a blend moves with the body`(skeleton: Skeleton) {
        #expect(skeleton.smplSources.count == 29)
        for blend in skeleton.smplSources where !blend.terms.isEmpty {
            #expect(abs(blend.terms.reduce(0) { $0 + $1.weight } - 1) < 1e-12)
        }
        for joint in [1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21] {
            let source = skeleton.smplSources[joint]
            #expect(source.isPlain, "\(Skeleton.smpl29.jointNames[joint])")
            #expect(skeleton.jointNames[source.terms[0].joint] == Skeleton.smpl29.jointNames[joint])
        }
    }

    /// The places of the keypoints are documented by their makers.
    @Test func `the orders are those of the documentation`() {
        let places: [(Skeleton, [(Int, String)])] = [
            (.body25, [(2, "right_shoulder"), (8, "pelvis"), (12, "left_hip"), (19, "left_big_toe")]),
            (.coco17, [(0, "nose"), (5, "left_shoulder"), (10, "right_wrist"), (16, "right_ankle")]),
            (
                .cocoWholeBody133,
                [
                    (17, "left_big_toe"), (22, "right_heel"), (91, "left_hand_root"), (112, "right_hand_root"),
                    (100, "left_hand_middle1"), (124, "right_hand_middle4"),
                ]
            ),
            (.halpe26, [(17, "head_top"), (19, "pelvis"), (20, "left_big_toe"), (21, "right_big_toe")]),
            (.openpose18, [(8, "right_hip"), (11, "left_hip"), (17, "left_ear")]),
            (.h36m17, [(1, "left_hip"), (4, "right_hip"), (11, "left_shoulder")]),
            (.h36m17RightFirst, [(1, "right_hip"), (4, "left_hip"), (11, "left_shoulder"), (14, "right_shoulder")]),
            (.panoptic19, [(2, "pelvis"), (3, "left_shoulder"), (8, "left_ankle"), (18, "right_ear")]),
            (.smplh52, [(22, "left_index1"), (25, "left_middle1"), (40, "right_middle1"), (51, "right_thumb3")]),
            (.smplx55, [(22, "jaw"), (25, "left_index1"), (54, "right_thumb3")]),
        ]
        for (skeleton, joints) in places {
            for (index, name) in joints { #expect(skeleton.jointNames[index] == name, "\(skeleton.name) \(index)") }
        }
    }

    @Test(arguments: Gender.allCases) func `pelvis and neck of the bundled bodies follow from hips and shoulders`(
        gender: Gender
    ) throws {
        let rest = try BodyModel.bundled(gender).restJoints(betas: [])
        let skeleton = Skeleton.coco17
        let position = { (joint: Int) -> SIMD3<Double>? in
            Skeleton.smpl29.index(of: skeleton.jointNames[joint]).map { rest.vector(at: $0 * 3) }
        }
        for (joint, metres) in [(0, 0.02), (12, 0.03)] {
            let told = try #require(skeleton.smplSources[joint].position(position))
            #expect(length(told - rest.vector(at: joint * 3)) < metres, "\(Skeleton.smpl29.jointNames[joint])")
        }
    }

    @Test func `errors of a blend add up as those of independent joints`() {
        let blend = JointBlend([.init(0, 0.5), .init(1, 0.5)])
        #expect(abs(blend.sigma { [Float(0.03), 0.04][$0] } - 0.025) < 1e-7)
        #expect(blend.position { $0 == 0 ? SIMD3(1, 0, 0) : nil } == nil)
        #expect(JointBlend([]).position { _ in .zero } == nil)
    }
}
