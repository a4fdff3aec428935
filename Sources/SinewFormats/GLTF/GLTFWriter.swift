internal import SinewArrayFiles
internal import SinewBody

/// Writes a rig and its motion as `.glb`: a node per joint, a skin that keeps the rest pose, and an animation with a key per frame.
enum GLTFWriter {
    static func bytes(of clip: RigClip) -> [UInt8] {
        var binary = Binary()
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
        let matrices = binary.add("MAT4", joints.indices.flatMap { inverseBindMatrix($0, clip.rig) })
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
        members += [
            .init("accessors", .array(binary.accessors)), .init("bufferViews", .array(binary.views)),
            .init("buffers", .array([.object([.init("byteLength", .integer(binary.bytes.count))])])),
        ]
        return container(json: Array(JSONValue.object(members).encoded().utf8), binary: binary.bytes)
    }

    private static func animation(of clip: RigClip, pelvis: Int, into binary: inout Binary) -> JSONValue {
        let times = binary.add("SCALAR", clip.frames.indices.map { Double($0) / clip.framesPerSecond }, hasBounds: true)
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
            add(joint, "rotation", binary.add("VEC4", clip.frames.flatMap { xyzw($0.rotations[joint]) }))
        }
        let moves = clip.frames.flatMap { [$0.pelvisOffset.x, $0.pelvisOffset.y, $0.pelvisOffset.z] }
        add(pelvis, "translation", binary.add("VEC3", moves))
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

    /// The floats of a file and what describes them.
    private struct Binary {
        var bytes: [UInt8] = []
        var accessors: [JSONValue] = []
        var views: [JSONValue] = []

        /// - Returns: the accessor's index.
        mutating func add(_ kind: String, _ values: [Double], hasBounds: Bool = false) -> Int {
            let floats = values.map(Float.init)
            views.append(
                .object([
                    .init("buffer", .integer(0)), .init("byteOffset", .integer(bytes.count)),
                    .init("byteLength", .integer(floats.count * 4)),
                ]))
            for float in floats { GLTFWriter.append(float.bitPattern, to: &bytes) }
            let width = ["SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16][kind] ?? 1
            var members: [JSONValue.Member] = [
                .init("bufferView", .integer(views.count - 1)), .init("componentType", .integer(5126)),
                .init("count", .integer(floats.count / width)), .init("type", .string(kind)),
            ]
            if hasBounds, let least = floats.min(), let most = floats.max() {
                members.append(.init("min", .array([.number(Double(least))])))
                members.append(.init("max", .array([.number(Double(most))])))
            }
            accessors.append(.object(members))
            return accessors.count - 1
        }
    }

    /// Header, JSON padded by blanks, numbers padded by zeros.
    private static func container(json: [UInt8], binary: [UInt8]) -> [UInt8] {
        let text = json + [UInt8](repeating: UInt8(ascii: " "), count: (4 - json.count % 4) % 4)
        var bytes = Array("glTF".utf8)
        bytes.reserveCapacity(28 + text.count + binary.count)
        append(2, to: &bytes)
        append(UInt32(28 + text.count + binary.count), to: &bytes)
        append(UInt32(text.count), to: &bytes)
        append(0x4E4F_534A, to: &bytes)
        bytes += text
        append(UInt32(binary.count), to: &bytes)
        append(0x004E_4942, to: &bytes)
        return bytes + binary
    }

    private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
    }
}
