internal import SinewArrayFiles
internal import SinewBody
package import SinewFormats

/// Writes the people of a scene as one `.glb`: a skinned mesh and an armature of SMPL's 24 joints for each, and their motion.
///
/// The mesh is the body at rest in its own shape, once for each distinct shape, with the four largest weights of each vertex. Joints stand along
/// the world's axes at rest and have a key per frame: rotations all, the pelvis its place as well, LINEAR. glTF cannot take a person away, so in
/// a gap they move from the frame before it to the one after. Metres, y up.
/// - Source: glTF 2.0, §3.6 to §3.11.
package enum BodyGLB {
    /// The file.
    ///
    /// - Parameter tracks: the people; those without a single pose are left out.
    /// - Throws: ``FormatError`` when nobody has a pose, or the bundled body cannot be read.
    package static func bytes(
        of tracks: [PictureScene.Placed<PoseTrack>], people: [String], framesPerSecond: Double
    ) throws(FormatError) -> [UInt8] {
        let shown = tracks.filter { $0.rows.contains { $0 != nil } }
        guard !shown.isEmpty else { throw FormatError(.invalidData, "there is no pose to write to a .glb") }
        var file = BodyGLBFile(framesPerSecond: framesPerSecond)
        do throws(BodyError) {
            for placed in shown { try file.add(placed, name: people[placed.person]) }
        } catch {
            throw FormatError(error.reason == .missingFile ? .missingFile : .unreadableFile, error.message)
        }
        return file.container()
    }

    /// Writes the people of a scene's only layer of poses; the file appears complete or not at all.
    ///
    /// - Throws: ``FormatError`` when the scene has none or several, since they would stand in each other.
    package static func write(_ scene: PictureScene, to path: String) throws(FormatError) {
        let layers = scene.poseLayers
        guard layers.count == 1 else {
            throw FormatError(
                .invalidData,
                layers.isEmpty
                    ? "there are no poses to write to \(path); a .glb shows no joints alone"
                    : "a .glb holds the poses of one model, and \(layers.map(\.name).joined(separator: ", ")) are given; "
                        + "write one file for each")
        }
        let bytes = try bytes(of: layers[0].tracks, people: scene.people, framesPerSecond: scene.framesPerSecond)
        do throws(ArrayFileError) { try AtomicFile.write(bytes, to: path) } catch {
            throw FormatError(error.reason == .missingFile ? .missingFile : .io, error.message)
        }
    }
}

/// A `.glb` that people are added to.
private struct BodyGLBFile {
    private let framesPerSecond: Double
    private var binary = GLTFBinary()
    /// Node 0 is above everyone: readers of rigs want one root.
    private var nodes: [JSONValue] = [.null]
    private var peopleNodes: [Int] = []
    private var meshNodes: [Int] = []
    private var meshes: [JSONValue] = []
    private var skins: [JSONValue] = []
    private var channels: [JSONValue] = []
    private var samplers: [JSONValue] = []
    private var bodies = SceneBodies()
    /// The accessors that all meshes share.
    private var shared: (faces: Int, joints: Int, weights: Int)?
    /// The accessors of the frames' times, for people who are there in the same frames.
    private var times: [(rows: [Bool], accessor: Int)] = []

    /// Linear base colours, the viewer's.
    private static let colours: [[Double]] = [
        [0.107, 0.287, 0.658], [0.122, 0.413, 0.216], [0.445, 0.209, 0.565], [0.617, 0.413, 0.089],
        [0.098, 0.434, 0.503],
        [0.591, 0.188, 0.262],
    ]

    init(framesPerSecond: Double) { self.framesPerSecond = framesPerSecond }

    mutating func add(_ placed: PictureScene.Placed<PoseTrack>, name: String) throws(BodyError) {
        let known = bodies.shapes.count
        let shape = try bodies.shape(of: placed.track)
        if shape == known { addMesh(bodies.shapes[shape]) }
        let rest = bodies.shapes[shape].restJoints
        let armature = nodes.count
        let first = armature + 1
        peopleNodes.append(armature)
        nodes.append(.object([.init("name", .string(name)), .init("children", .array([.integer(first)]))]))
        let skeleton = Skeleton.smpl24
        for joint in 0..<skeleton.jointCount {
            let parent = skeleton.parents[joint]
            let place = rest.vector(at: joint * 3)
            let offset = parent < 0 ? place : place - rest.vector(at: parent * 3)
            var node: [JSONValue.Member] = [
                .init("name", .string(skeleton.jointNames[joint])), .init("translation", Self.numbers(offset)),
            ]
            let children = skeleton.children[joint]
            if !children.isEmpty { node.append(.init("children", .array(children.map { .integer(first + $0) }))) }
            nodes.append(.object(node))
        }
        addSkin(first: first, rest: rest, name: name)
        meshNodes.append(nodes.count)
        nodes.append(
            .object([
                .init("name", .string("\(name) body")), .init("mesh", .integer(shape)),
                .init("skin", .integer(skins.count - 1)),
            ]))
        addMotion(placed, first: first, rest: rest)
    }

    // MARK: Bodies

    private mutating func addMesh(_ shape: SceneBodies.Shape) {
        let body = shape.body
        // All bodies that ship have the same faces and weights.
        let parts: (faces: Int, joints: Int, weights: Int)
        if let shared {
            parts = shared
        } else {
            let skin = FourWeights(body)
            parts = (
                binary.add(indices: body.faces, vertexCount: body.vertexCount), binary.add(fourBytes: skin.joints),
                binary.add(.vector4, skin.weights, use: .vertices)
            )
            shared = parts
        }
        let positions = binary.add(.vector3, shape.vertices, hasBounds: true, use: .vertices)
        let normals = binary.add(
            .vector3, VertexNormals.of(shape.vertices, faces: body.faces).flatMap { [$0.x, $0.y, $0.z] }, use: .vertices
        )
        let attributes = JSONValue.object([
            .init("POSITION", .integer(positions)), .init("NORMAL", .integer(normals)),
            .init("JOINTS_0", .integer(parts.joints)), .init("WEIGHTS_0", .integer(parts.weights)),
        ])
        meshes.append(
            .object([
                .init("name", .string("\(body.name) \(body.gender.rawValue) \(meshes.count)")),
                .init(
                    "primitives",
                    .array([
                        .object([
                            .init("attributes", attributes), .init("indices", .integer(parts.faces)),
                            .init("material", .integer(meshes.count)),
                        ])
                    ])),
            ]))
    }

    private mutating func addSkin(first: Int, rest: [Float], name: String) {
        let matrices = (0..<Skeleton.rotationCount).flatMap { joint -> [Float] in
            [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0] + (0..<3).map { -rest[joint * 3 + $0] } + [1]
        }
        skins.append(
            .object([
                .init("name", .string(name)), .init("inverseBindMatrices", .integer(binary.add(.matrix4, matrices))),
                .init("skeleton", .integer(first)),
                .init("joints", .array((0..<Skeleton.rotationCount).map { .integer(first + $0) })),
            ]))
    }

    // MARK: Motion

    private mutating func addMotion(_ placed: PictureScene.Placed<PoseTrack>, first: Int, rest: [Float]) {
        let present = placed.rows.map { $0 != nil }
        let input: Int
        if let known = times.first(where: { $0.rows == present }) {
            input = known.accessor
        } else {
            let seconds = present.indices.filter { present[$0] }.map { Float(Double($0) / framesPerSecond) }
            input = binary.add(.scalar, seconds, hasBounds: true)
            times.append((present, input))
        }
        let rows = placed.rows.compactMap(\.self)
        let track = placed.track
        for joint in 0..<Skeleton.rotationCount {
            var last = SIMD4<Float>(0, 0, 0, 1)
            let keys = rows.flatMap { row -> [Float] in
                let turn = RotationMatrix(AxisAngle(track.theta.vector(at: row * 72 + joint * 3)))
                let q = Quaternion(turn)
                var key = SIMD4<Float>(SIMD4(q.imaginary.x, q.imaginary.y, q.imaginary.z, q.w))
                // Of the two quaternions of a rotation the one that is near the last: programs that mix keys plainly then go the short way.
                if (key * last).sum() < 0 { key = -key }
                last = key
                return [key.x, key.y, key.z, key.w]
            }
            addChannel(first + joint, "rotation", input, binary.add(.vector4, keys))
        }
        let places = rows.flatMap { row in (0..<3).map { rest[$0] + track.translation[row * 3 + $0] } }
        addChannel(first, "translation", input, binary.add(.vector3, places))
    }

    private mutating func addChannel(_ node: Int, _ path: String, _ input: Int, _ output: Int) {
        channels.append(
            .object([
                .init("sampler", .integer(samplers.count)),
                .init("target", .object([.init("node", .integer(node)), .init("path", .string(path))])),
            ]))
        samplers.append(
            .object([
                .init("input", .integer(input)), .init("interpolation", .string("LINEAR")),
                .init("output", .integer(output)),
            ]))
    }

    // MARK: The file

    func container() -> [UInt8] {
        var nodes = nodes
        nodes[0] = .object([
            .init("name", .string("people")), .init("children", .array(peopleNodes.map { .integer($0) })),
        ])
        let materials = meshes.indices.map { index in
            JSONValue.object([
                .init(
                    "pbrMetallicRoughness",
                    .object([
                        .init(
                            "baseColorFactor",
                            .array(
                                Self.colours[index % Self.colours.count].map { .number($0) } + [.integer(1)])),
                        .init("metallicFactor", .integer(0)), .init("roughnessFactor", .number(0.75)),
                    ]))
            ])
        }
        // A node that wears a skin stands at the root: what is above it would not move it.
        let roots = [0] + meshNodes
        return binary.container([
            .init("asset", .object([.init("version", .string("2.0")), .init("generator", .string("sinew"))])),
            .init("scene", .integer(0)),
            .init("scenes", .array([.object([.init("nodes", .array(roots.map { .integer($0) }))])])),
            .init("nodes", .array(nodes)), .init("meshes", .array(meshes)), .init("materials", .array(materials)),
            .init("skins", .array(skins)),
            .init(
                "animations",
                .array([
                    .object([
                        .init("name", .string("motion")), .init("channels", .array(channels)),
                        .init("samplers", .array(samplers)),
                    ])
                ])),
        ])
    }

    private static func numbers(_ v: SIMD3<Double>) -> JSONValue {
        .array([.number(v.x), .number(v.y), .number(v.z)])
    }
}
