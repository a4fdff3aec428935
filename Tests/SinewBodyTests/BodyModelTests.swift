import SinewArrayFiles
import SinewBody
import TestSupport
import Testing

/// Golden vectors: tools/golden/body.py (numpy and scipy in float64).
struct BodyModelTests {
    private func compare(_ body: BodyModel, with file: String) throws {
        let golden = try NPZFile(path: fixture(file))
        let theta = try golden.array("theta").floats()
        let betas = try golden.array("betas").floats()
        let rest = try golden.array("rest").floats()
        let joints = try golden.array("joints").floats()
        let vertices = try golden.array("vertices").floats()
        let leaves = try golden.array("skinned_leaves").floats()
        let vertexIDs = try golden.array("vertex_ids").ints()
        let skinning = LinearBlendSkinning(body)
        var worst: (rest: Float, joints: Float, vertices: Float) = (0, 0, 0)
        for person in 0..<(theta.count / 72) {
            let rotations = matrices(ofAxisAngles: theta[(person * 72)..<((person + 1) * 72)])
            let beta = Array(betas[(person * 10)..<((person + 1) * 10)])
            let ours = body.restJoints(betas: beta)
            worst.rest = max(worst.rest, largestDifference(ours, rest[(person * 87)..<((person + 1) * 87)]))
            let posed = ForwardKinematics.pose(rotations: rotations, restJoints: ours)
            worst.joints = max(
                worst.joints, largestDifference(posed.joints, joints[(person * 87)..<((person + 1) * 87)]))
            let mesh = skinning.vertices(rotations: rotations, betas: beta)
            let picked = vertexIDs.flatMap { mesh[($0 * 3)..<($0 * 3 + 3)] }
            let range = (person * picked.count)..<((person + 1) * picked.count)
            worst.vertices = max(worst.vertices, largestDifference(picked, vertices[range]))
            let exact = skinning.joints(rotations: rotations, betas: beta)
            worst.vertices = max(
                worst.vertices, largestDifference(exact[72...], leaves[(person * 15)..<((person + 1) * 15)]))
            #expect(exact[..<72] == posed.joints[..<72])
        }
        #expect(worst.rest < 1e-6)
        #expect(worst.joints < 1e-6)
        #expect(worst.vertices < 1e-6)
    }

    @Test(arguments: Gender.allCases)
    func `joints and vertices of the open body match float64 within a micrometre`(gender: Gender) throws {
        let body = try BodyModel.bundled(gender)
        #expect(body.gender == gender)
        #expect(body.licence == "CC0-1.0")
        #expect(body.vertexCount == 13_380)
        try compare(body, with: "open_\(gender.rawValue).npz")
    }

    @Test func `a body with pose blend shapes matches float64 within a micrometre`() throws {
        let body = try BodyModel(smplLayoutNPZ: fixture("tiny_smpl_layout.npz"))
        #expect(body.gender == .female)
        #expect(body.name == "tiny_smpl_layout")
        try compare(body, with: "tiny_golden.npz")
    }

    @Test func `an imported body is the same after it was written and read`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let body = try BodyModel(smplLayoutNPZ: fixture("tiny_smpl_layout.npz"), gender: .male)
        try body.write(safetensors: folder + "/b.safetensors")
        let copy = try BodyModel(safetensors: folder + "/b.safetensors")
        #expect(copy.gender == .male)
        #expect(copy.name == body.name)
        #expect(copy.faces == body.faces)
        #expect(copy.leafVertices == body.leafVertices)
        let theta = (0..<72).map { Float($0 % 7) * 0.1 - 0.3 }
        let rotations = matrices(ofAxisAngles: theta[...])
        let betas: [Float] = [1, -1, 0.5]
        #expect(
            LinearBlendSkinning(copy).vertices(rotations: rotations, betas: betas)
                == LinearBlendSkinning(body).vertices(rotations: rotations, betas: betas))
    }

    @Test func `the translation moves every vertex alike`() throws {
        let skinning = LinearBlendSkinning(try BodyModel(smplLayoutNPZ: fixture("tiny_smpl_layout.npz")))
        let rest = matrices(ofAxisAngles: [Float](repeating: 0, count: 72)[...])
        let still = skinning.vertices(rotations: rest, betas: [])
        let moved = skinning.vertices(rotations: rest, betas: [], translation: SIMD3(1, 2, 3))
        let difference = zip(moved, still).map { $0 - $1 }
        #expect(largestDifference(difference, (0..<still.count).map { Float($0 % 3 + 1) }) < 1e-6)
    }

    @Test func `the open body stands upright, faces forward and grows with its first coefficient`() throws {
        let body = try BodyModel.bundled(.neutral)
        let joints = body.restJoints(betas: [])
        #expect(joints[15 * 3 + 1] > joints[7 * 3 + 1] + 1, "the head is a metre above the ankles")
        #expect(joints[1 * 3] > joints[2 * 3], "the left hip is on +x")
        #expect(joints[27 * 3 + 2] > joints[7 * 3 + 2], "the toes point to +z")
        let taller = body.restJoints(betas: [1])
        let growth = taller[24 * 3 + 1] - taller[27 * 3 + 1] - (joints[24 * 3 + 1] - joints[27 * 3 + 1])
        #expect(growth > 0.05 && growth < 0.13)
    }

    @Test func `the skeletons have their joints in place`() throws {
        #expect(Skeleton.smpl24.jointCount == 24)
        #expect(Skeleton.smpl29.jointCount == 29)
        #expect(Skeleton.named("smpl-29") == .smpl29)
        #expect(Skeleton.named("horse-25") == nil)
        for skeleton in Skeleton.all {
            #expect(Set(skeleton.jointNames).count == skeleton.jointCount)
            #expect((1..<skeleton.jointCount).allSatisfy { skeleton.parents[$0] < $0 && skeleton.parents[$0] >= 0 })
            for (joint, name) in skeleton.jointNames.enumerated() where name.hasPrefix("left_") {
                let other = try #require(skeleton.index(of: "right_" + name.dropFirst(5)))
                let (parent, otherParent) = (skeleton.parents[joint], skeleton.parents[other])
                let expected = skeleton.jointNames[parent].replacing("left_", with: "right_")
                #expect(skeleton.jointNames[otherParent] == expected)
            }
        }
        #expect(Skeleton.smpl29.children[9] == [12, 13, 14])
        #expect(Skeleton.smpl29.children[22] == [25])
    }
}
