internal import SinewArrayFiles
internal import SinewBody

/// A scene as the page reads it: JSON that describes it, and the numbers that it points to (`viewer/scene.js` is the other side).
struct PageData {
    private(set) var numbers = NumberBlock()
    private var meshes: [JSONValue] = []
    private var bodies = SceneBodies()
    /// The mesh of each shape, or −1 for those beyond ``meshesMax``.
    private var meshOfShape: [Int] = []
    private var topology: JSONValue = .null
    private var notes: [String]

    /// Each shape's mesh takes 80 kB; people beyond these are drawn as skeletons.
    static let meshesMax = 16
    /// A page carries at most this many bytes of motion, before they are compressed.
    static let motionBytesMax = 4 << 20
    /// Bytes of one person in one frame: 72 + 3 numbers and a flag, with a measure or two; or 87 numbers and a bit set.
    static let bytesPerRow = (poses: 320, observed: 356)

    /// The description as JSON text.
    private(set) var json = ""

    init(_ scene: PictureScene) throws(BodyError) {
        var scene = scene
        notes = scene.notes
        let step = Self.step(for: scene)
        if step > 1 {
            notes.append(
                "The clip is long: of \(scene.frameNumbers.count) frames every \(ordinal(step)) is here; the file of poses has them all"
            )
            scene.thin(keepingEvery: step)
        }
        var layers: [JSONValue] = []
        for layer in scene.layers {
            var tracks: [JSONValue] = []
            switch layer.content {
            case .poses(let placed):
                for one in placed { tracks.append(try describe(one)) }
            case .observed(let placed):
                for one in placed { tracks.append(describe(one)) }
            }
            let kind =
                switch layer.content {
                case .poses: "poses"
                case .observed: "joints"
                }
            layers.append(
                .object([
                    .init("name", .string(layer.name)), .init("kind", .string(kind)), .init("tracks", .array(tracks)),
                ]))
        }
        let skeleton = Skeleton.smpl29
        json = JSONValue.object([
            .init("title", .string(scene.title)), .init("framesPerSecond", .number(scene.framesPerSecond)),
            .init("frameNumbers", .array(scene.frameNumbers.map { .integer($0) })),
            .init("people", .array(scene.people.map { .string($0) })),
            .init("notes", .array(notes.map { .string($0) })),
            .init(
                "skeleton",
                .object([
                    .init("parents", .array(skeleton.parents.map { .integer($0) })),
                    .init("names", .array(skeleton.jointNames.map { .string($0) })),
                ])),
            .init("topology", topology), .init("meshes", .array(meshes)), .init("layers", .array(layers)),
        ]).encoded()
    }

    /// How many frames to step over so that the motion fits.
    private static func step(for scene: PictureScene) -> Int {
        let perFrame = scene.layers.reduce(0) { sum, layer in
            switch layer.content {
            case .poses(let tracks): sum + tracks.count * bytesPerRow.poses
            case .observed(let tracks): sum + tracks.count * bytesPerRow.observed
            }
        }
        return max(1, (perFrame * scene.frameNumbers.count + motionBytesMax - 1) / motionBytesMax)
    }

    private func ordinal(_ number: Int) -> String {
        switch number % 10 {
        case 2 where number % 100 != 12: number == 2 ? "second" : "\(number)nd"
        case 3 where number % 100 != 13: number == 3 ? "third" : "\(number)rd"
        case 1 where number % 100 != 11: "\(number)st"
        default: "\(number)th"
        }
    }

    // MARK: Tracks

    private mutating func describe(_ placed: PictureScene.Placed<PoseTrack>) throws(BodyError) -> JSONValue {
        let track = placed.track
        let shape = try bodies.shape(of: track)
        let mesh = mesh(of: shape)
        let series = track.series.map { series in
            let values = numbers.add(spread(series.values, 1, placed.rows, gap: .nan))
            return JSONValue.object([
                .init("key", .string(series.key)), .init("name", .string(series.name)),
                .init("unit", .string(series.unit)), .init("values", .integer(values)),
            ])
        }
        return .object([
            .init("person", .integer(placed.person)), .init("mesh", .integer(mesh)),
            .init("present", .integer(numbers.add(presence(placed.rows)))),
            .init("theta", .integer(numbers.add(spread(track.theta, 72, placed.rows, gap: 0)))),
            .init("translation", .integer(numbers.add(spread(track.translation, 3, placed.rows, gap: 0)))),
            .init("rest", .integer(numbers.add(bodies.shapes[shape].restJoints))), .init("series", .array(series)),
        ])
    }

    private mutating func describe(_ placed: PictureScene.Placed<ObservedTrack>) -> JSONValue {
        .object([
            .init("person", .integer(placed.person)),
            .init("present", .integer(numbers.add(presence(placed.rows)))),
            .init("joints", .integer(numbers.add(spread(placed.track.joints, 87, placed.rows, gap: 0)))),
            .init("observed", .integer(numbers.add(placed.rows.map { $0.map { placed.track.observed[$0] } ?? 0 }))),
        ])
    }

    private func presence(_ rows: [Int?]) -> [UInt8] { rows.map { $0 == nil ? 0 : 1 } }

    /// The values of a track's rows for every frame of the timeline.
    private func spread(_ values: [Float], _ width: Int, _ rows: [Int?], gap: Float) -> [Float] {
        rows.flatMap { row -> [Float] in
            guard let row else { return [Float](repeating: gap, count: width) }
            return Array(values[(row * width)..<((row + 1) * width)])
        }
    }

    // MARK: Meshes

    /// The index of a shape's mesh in the page; it is written on first use.
    private mutating func mesh(of shape: Int) -> Int {
        if shape < meshOfShape.count { return meshOfShape[shape] }
        guard meshes.count < Self.meshesMax else {
            if !meshOfShape.contains(-1) {
                notes.append("More than \(Self.meshesMax) different bodies: those after them are drawn as skeletons")
            }
            meshOfShape.append(-1)
            return -1
        }
        let body = bodies.shapes[shape].body
        // All bodies that ship have the same faces and weights, so a page carries them once.
        if meshes.isEmpty { topology = describeTopology(body) }
        meshes.append(describeMesh(bodies.shapes[shape].vertices))
        meshOfShape.append(meshes.count - 1)
        return meshes.count - 1
    }

    private mutating func describeTopology(_ body: BodyModel) -> JSONValue {
        let skin = FourWeights(body)
        let isWide = body.vertexCount > 65_536
        let faces = isWide ? numbers.add(body.faces) : numbers.add(body.faces.map { UInt16($0) })
        return .object([
            .init("vertexCount", .integer(body.vertexCount)), .init("faceCount", .integer(body.faces.count / 3)),
            .init("wide", .bool(isWide)), .init("faces", .integer(faces)),
            .init("joints", .integer(numbers.add(skin.joints))), .init("weights", .integer(numbers.add(skin.bytes))),
        ])
    }

    /// Vertices in steps of a 65 535th of the body's largest extent, about 0.03 mm.
    private mutating func describeMesh(_ vertices: [Float]) -> JSONValue {
        let axes = (0..<3).map { axis in stride(from: axis, to: vertices.count, by: 3).map { vertices[$0] } }
        let low = axes.map { $0.min() ?? 0 }
        let extent = zip(axes, low).map { ($0.max() ?? 0) - $1 }.max() ?? 0
        let step = max(extent, 1e-6) / 65_535
        let packed = vertices.indices.map { UInt16(min(max((vertices[$0] - low[$0 % 3]) / step, 0), 65_535).rounded()) }
        return .object([
            .init("positions", .integer(numbers.add(packed))), .init("low", .array(low.map { .number(Double($0)) })),
            .init("step", .number(Double(step))),
        ])
    }
}
