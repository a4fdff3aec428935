internal import SinewArrayFiles
internal import SinewBody

/// Writes a rig and its motion as `.glb`: a node per joint, a skin that keeps the rest pose, and an animation with a key per frame.
enum GLTFWriter {
    static func bytes(of clip: RigClip) -> [UInt8] {
        var binary = GLTFBinary()
        let joints = clip.rig.joints
        let pelvis = clip.mapping.rigJoints[0] ?? 0
        let nodes = joints.indices.map { index in
            let children = joints.indices.filter { joints[$0].parent == index }
            var members: [JSONValue.Member] = [
                .init("name", .string(joints[index].name)),
                .init("translation", .array(numbers(joints[index].offset))),
                .init("rotation", .array(xyzw(joints[index].restRotation).map { .number($0) })),
            ]
            if !children.isEmpty { members.append(.init("children", .array(children.map { .integer($0) }))) }
            return JSONValue.object(members)
        }
        let matrices = binary.add(.matrix4, joints.indices.flatMap { inverseBindMatrix($0, clip.rig) }.map(Float.init))
        var members: [JSONValue.Member] = [
            .init("asset", .object([.init("version", .string("2.0")), .init("generator", .string("sinew"))])),
            .init("scene", .integer(0)),
            .init("scenes", .array([.object([.init("nodes", .array([.integer(0)]))])])),
            .init("nodes", .array(nodes)),
            .init(
                "skins",
                .array([
                    .object([
                        .init("inverseBindMatrices", .integer(matrices)), .init("skeleton", .integer(0)),
                        .init("joints", .array(joints.indices.map { .integer($0) })),
                    ])
                ])),
        ]
        if !clip.frames.isEmpty {
            members.append(.init("animations", .array([animation(of: clip, pelvis: pelvis, into: &binary)])))
        }
        return binary.container(members)
    }

    private static func animation(of clip: RigClip, pelvis: Int, into binary: inout GLTFBinary) -> JSONValue {
        let times = binary.add(
            .scalar, clip.frames.indices.map { Float(Double($0) / clip.framesPerSecond) }, hasBounds: true)
        var channels: [JSONValue] = []
        var samplers: [JSONValue] = []
        func add(_ node: Int, _ path: String, _ output: Int) {
            channels.append(
                .object([
                    .init("sampler", .integer(samplers.count)),
                    .init("target", .object([.init("node", .integer(node)), .init("path", .string(path))])),
                ]))
            samplers.append(
                .object([
                    .init("input", .integer(times)), .init("interpolation", .string("LINEAR")),
                    .init("output", .integer(output)),
                ]))
        }
        for joint in clip.rig.joints.indices {
            add(
                joint, "rotation",
                binary.add(.vector4, clip.frames.flatMap { xyzw($0.rotations[joint]) }.map(Float.init)))
        }
        let moves = clip.frames.flatMap { [$0.pelvisOffset.x, $0.pelvisOffset.y, $0.pelvisOffset.z] }
        add(pelvis, "translation", binary.add(.vector3, moves.map(Float.init)))
        return .object([
            .init("name", .string("motion")), .init("channels", .array(channels)), .init("samplers", .array(samplers)),
        ])
    }

    private static func inverseBindMatrix(_ joint: Int, _ rig: RigSkeleton) -> [Double] {
        let inverse = rig.restWorldRotations[joint].transposed
        let place = -(inverse * rig.restPositions[joint])
        let (x, y, z) = inverse.columns
        return [x.x, x.y, x.z, 0, y.x, y.y, y.z, 0, z.x, z.y, z.z, 0, place.x, place.y, place.z, 1]
    }

    private static func xyzw(_ matrix: RotationMatrix) -> [Double] {
        let q = Quaternion(matrix)
        return [q.imaginary.x, q.imaginary.y, q.imaginary.z, q.w]
    }

    private static func numbers(_ v: SIMD3<Double>) -> [JSONValue] { [.number(v.x), .number(v.y), .number(v.z)] }
}
