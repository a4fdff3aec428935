import SinewArrayFiles
import SinewBody
import SinewFormats
import SinewPictures
import TestSupport
import Testing

struct BodyGLBTests {
    /// Every joint of a rig in a frame: where it is and how it is turned.
    private func posed(_ clip: RigClip, _ frame: Int) -> [String: (place: SIMD3<Double>, turn: RotationMatrix)] {
        var world: [(place: SIMD3<Double>, turn: RotationMatrix)] = []
        var named: [String: (place: SIMD3<Double>, turn: RotationMatrix)] = [:]
        let pose = clip.frames[frame]
        for (index, joint) in clip.rig.joints.enumerated() {
            let offset = index == clip.mapping.rigJoints[0] ? pose.pelvisOffset : joint.offset
            let above = joint.parent < 0 ? (.zero, .identity) : world[joint.parent]
            world.append((above.place + above.turn * offset, above.turn * pose.rotations[index]))
            named[joint.name] = world[index]
        }
        return named
    }

    @Test func `our own reader finds every joint and rotation where they were`() throws {
        try withScratchFolder { folder in
            var random = SplitMix64(seed: 21)
            let betas = (0..<10).map { _ in Float.random(in: -2...2, using: &random) }
            let track = solvedTrack(named: "walk", count: 5, gender: .female, betas: betas, using: &random)
            let path = folder + "/walk.glb"
            try PictureFormat.glb.write(scene([track]), to: path)
            let clip = try RigClip.read(path: path)
            #expect(clip.frames.count == 5 && clip.framesPerSecond == 30)
            let rest = try BodyModel.bundled(.female).restJoints(betas: betas)
            for frame in 0..<5 {
                let found = posed(clip, frame)
                let rotations = (0..<24).flatMap { joint -> [Float] in
                    var values = [Float](repeating: 0, count: 9)
                    RotationMatrix(AxisAngle(track.theta.vector(at: frame * 72 + joint * 3))).write(
                        into: &values, at: 0)
                    return values
                }
                let expected = ForwardKinematics.pose(rotations: rotations, restJoints: rest)
                let shift = track.translation.vector(at: frame * 3)
                for (joint, name) in Skeleton.smpl24.jointNames.enumerated() {
                    let own = try #require(found[name])
                    #expect(length(own.place - expected.joints.vector(at: joint * 3) - shift) < 1e-4, "\(name)")
                    let turn = RotationMatrix(rowMajor: expected.globalRotations, at: joint * 9)
                    #expect(own.turn.angle(to: turn) < 0.01 * .pi / 180, "\(name)")
                }
            }
        }
    }

    @Test func `a gap has no keys and everyone keeps their own times`() throws {
        var random = SplitMix64(seed: 22)
        var left = solvedTrack(named: "left", count: 4, using: &random)
        left.isSolved[1] = false
        let right = solvedTrack(named: "right", count: 4, using: &random)
        let made = scene([left, right])
        let bytes = try BodyGLB.bytes(of: made.poseLayers[0].tracks, people: made.people, framesPerSecond: 10)
        let json = try glbJSON(bytes)
        // One mesh, for both have the same shape, and two skins.
        #expect(json["meshes"]?.array?.count == 1 && json["skins"]?.array?.count == 2)
        let accessors = try #require(json["accessors"]?.array)
        let samplers = try #require(json["animations"]?.array?[0]["samplers"]?.array)
        let inputs = samplers.compactMap { $0["input"]?.int }
        #expect(inputs.count == 50 && Set(inputs).count == 2)
        let counts = inputs.map { accessors[$0]["count"]?.int }
        #expect(counts[0] == 3 && counts[49] == 4)
        #expect(samplers.allSatisfy { $0["interpolation"]?.string == "LINEAR" })
    }

    @Test func `a scene without poses or with two models is refused`() throws {
        var random = SplitMix64(seed: 23)
        let poses = [PoseTrack(solvedTrack(named: "a", count: 1, using: &random))]
        let two = PictureScene(
            title: "", framesPerSecond: 30, sources: [.poses(name: "a", poses), .poses(name: "b", poses)])
        #expect(throws: FormatError.self) { try BodyGLB.write(two, to: "/nowhere/x.glb") }
        #expect(throws: FormatError.self) { try BodyGLB.write(scene([]), to: "/nowhere/x.glb") }
    }

    private func glbJSON(_ bytes: [UInt8]) throws -> JSONValue {
        let count = (0..<4).reduce(0) { $0 | Int(bytes[12 + $1]) << (8 * $1) }
        return try JSONValue.parse(bytes[20..<(20 + count)], name: "glb")
    }
}
