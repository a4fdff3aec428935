internal import Glibc
internal import SinewArrayFiles
internal import SinewBody
package import SinewFormats

/// Draws frames of a scene side by side as one PNG, to put into a review.
///
/// Every cell looks at the people of its frame from the same side and distance. The first layer of poses is drawn as bodies, other layers of poses
/// and observed joints as skeletons over them. Drawn in software and in a fixed order: the same scene gives the same bytes.
package struct ContactSheet: Sendable {
    package struct Options: Sendable {
        /// At most this many cells.
        package var frames = 12
        /// Cells in a row.
        package var columns = 4
        package var order = FrameChoice.Order.worst
        /// Whether the first layer of poses is drawn as bodies, else as skeletons too.
        package var showsMeshes = true

        package init() {}

        /// More pixels than a page of a review wants.
        package static let framesMax = 200
        package static let columnsMax = 20
    }

    private let scene: PictureScene
    private let options: Options
    private let font: LabelFont
    private let choice: FrameChoice
    private let layers: [DrawnLayer]
    /// For every shape that is drawn as a body.
    private let skins: [LinearBlendSkinning]

    /// A person in a layer.
    private enum Drawn {
        case body(PosedTrack, skin: Int)
        case skeleton(PosedTrack)
        case observed(ObservedTrack)
    }
    private struct DrawnPerson {
        let person: Int
        let rows: [Int?]
        let drawn: Drawn
    }
    private struct DrawnLayer {
        let name: String
        let colour: SIMD3<UInt8>
        let isBodies: Bool
        let people: [DrawnPerson]
    }

    private static let cell = (width: 260, height: 300, gap: 1, label: 19)
    private static let paper = SIMD3<UInt8>(250, 250, 251)
    private static let line = SIMD3<UInt8>(217, 221, 227)
    private static let ink = SIMD3<UInt8>(30, 34, 42)
    private static let soft = SIMD3<UInt8>(91, 100, 114)
    private static let people: [SIMD3<UInt8>] = [
        SIMD3(92, 146, 212), SIMD3(98, 172, 128), SIMD3(178, 126, 198), SIMD3(206, 172, 84), SIMD3(88, 176, 188),
        SIMD3(202, 120, 140), SIMD3(128, 128, 204), SIMD3(156, 166, 92),
    ]
    private static let layerColours: [SIMD3<UInt8>] = [
        SIMD3(66, 120, 210), SIMD3(196, 72, 132), SIMD3(38, 158, 130), SIMD3(146, 96, 200), SIMD3(176, 140, 40),
    ]
    private static let observedColour = SIMD3<UInt8>(240, 110, 28)

    /// Prepares a sheet.
    ///
    /// - Throws: ``FormatError`` when the scene has no frame, or a file of the package is missing.
    package init(_ scene: PictureScene, options: Options = Options()) throws(FormatError) {
        guard !scene.frameNumbers.isEmpty else {
            throw FormatError(.invalidData, "\(scene.title): there is no frame to show")
        }
        self.scene = scene
        self.options = options
        font = try LabelFont()
        var bodies = SceneBodies()
        var layers: [DrawnLayer] = []
        var poseLayerCount = 0
        do throws(BodyError) {
            choice = try FrameChoice(scene, count: options.frames, order: options.order)
            for layer in scene.layers {
                switch layer.content {
                case .observed(let tracks):
                    let people = tracks.map {
                        DrawnPerson(person: $0.person, rows: $0.rows, drawn: .observed($0.track))
                    }
                    layers.append(
                        DrawnLayer(name: layer.name, colour: Self.observedColour, isBodies: false, people: people))
                case .poses(let tracks):
                    let isBodies = poseLayerCount == 0 && options.showsMeshes
                    var people: [DrawnPerson] = []
                    for placed in tracks {
                        let shape = try bodies.shape(of: placed.track)
                        let posed = PosedTrack(track: placed.track, shape: bodies.shapes[shape])
                        people.append(
                            DrawnPerson(
                                person: placed.person, rows: placed.rows,
                                drawn: isBodies ? .body(posed, skin: shape) : .skeleton(posed)))
                    }
                    let colour = Self.layerColours[poseLayerCount % Self.layerColours.count]
                    layers.append(DrawnLayer(name: layer.name, colour: colour, isBodies: isBodies, people: people))
                    poseLayerCount += 1
                }
            }
        } catch {
            throw FormatError(error.reason == .missingFile ? .missingFile : .unreadableFile, error.message)
        }
        self.layers = layers
        skins = bodies.shapes.map { LinearBlendSkinning($0.body) }
    }

    /// The PNG.
    package func bytes() -> [UInt8] {
        let sheet = drawn()
        return PNGFile.bytes(pixels: sheet.pixels, width: sheet.width, height: sheet.height)
    }

    /// The sheet's pixels, `[height, width, 3]` sRGB.
    package func drawn() -> (pixels: [UInt8], width: Int, height: Int) {
        let columns = min(options.columns, choice.frames.count)
        let rows = (choice.frames.count + columns - 1) / columns
        let (cell, header) = (Self.cell, 48)
        let width = columns * (cell.width + cell.gap) + cell.gap
        let height = header + rows * (cell.height + cell.gap) + cell.gap
        var sheet = PixelCanvas(width: width, height: height, colour: Self.line)
        sheet.fill(x: 0, y: 0, width: width, height: header, SIMD3(255, 255, 255))
        drawHeader(on: &sheet, width: width)
        let camera = camera()
        for (index, frame) in choice.frames.enumerated() {
            let x = cell.gap + index % columns * (cell.width + cell.gap)
            let y = header + cell.gap + index / columns * (cell.height + cell.gap)
            sheet.draw(picture(of: frame, camera), x: x, y: y)
            drawLabels(of: index, on: &sheet, x: x, y: y)
        }
        for empty in choice.frames.count..<(rows * columns) {
            sheet.fill(
                x: cell.gap + empty % columns * (cell.width + cell.gap),
                y: header + cell.gap + empty / columns * (cell.height + cell.gap), width: cell.width,
                height: cell.height, Self.paper)
        }
        return (sheet.pixels, width, height)
    }

    /// Writes the PNG; it appears complete or not at all.
    package func write(to path: String) throws(FormatError) {
        do throws(ArrayFileError) { try AtomicFile.write(bytes(), to: path) } catch {
            throw FormatError(error.reason == .missingFile ? .missingFile : .io, error.message)
        }
    }

    // MARK: Labels

    private func drawHeader(on sheet: inout PixelCanvas, width: Int) {
        font.draw(scene.title, on: &sheet, x: 10, y: 7, width: width - 20, colour: Self.ink)
        var x = 10
        for layer in layers {
            let colour = layer.isBodies ? Self.people[0] : layer.colour
            sheet.fill(x: x, y: 30, width: 9, height: 9, colour)
            let room = width - x - 14
            font.draw(layer.name, on: &sheet, x: x + 14, y: 27, width: room, colour: Self.soft)
            x += 14 + (layer.name.count + 2) * font.glyphWidth
        }
        if let measure = choice.measure {
            font.draw("numbers: \(measure)", on: &sheet, x: x, y: 27, width: width - x, colour: Self.soft)
        }
    }

    private func drawLabels(of index: Int, on sheet: inout PixelCanvas, x: Int, y: Int) {
        let frame = choice.frames[index]
        font.draw(
            "\(scene.frameNumbers[frame])", on: &sheet, x: x + 7, y: y + 4, width: Self.cell.width / 2, colour: Self.ink
        )
        var right = x + Self.cell.width - 7
        for (person, value) in choice.values[index].enumerated().reversed() where !value.isNaN {
            let tenths = Int((value * 10).rounded())
            let text = "\(tenths / 10).\(abs(tenths % 10))"
            right -= text.count * font.glyphWidth
            guard right > x + Self.cell.width / 3 else { return }
            font.draw(text, on: &sheet, x: right, y: y + 4, width: Self.cell.width, colour: Self.ink)
            right -= 12
            sheet.fill(x: right, y: y + 8, width: 8, height: 8, Self.people[person % Self.people.count])
            right -= 10
        }
    }

    // MARK: Pictures

    /// The joints of everyone in a frame.
    private func joints(_ frame: Int) -> [SIMD3<Float>] {
        layers.flatMap { layer in
            layer.people.flatMap { person -> [SIMD3<Float>] in
                guard let row = person.rows[frame] else { return [] }
                switch person.drawn {
                case .body(let posed, _), .skeleton(let posed):
                    let joints = posed.joints(row)
                    return (0..<Skeleton.positionCount).map { SIMD3<Float>(joints.vector(at: $0 * 3)) }
                case .observed(let track):
                    return (0..<Skeleton.positionCount).filter { track.observed[row] >> UInt32($0) & 1 == 1 }
                        .map { SIMD3<Float>(track.joints.vector(at: row * 87 + $0 * 3)) }
                }
            }
        }
    }

    /// A camera far enough for the widest of the chosen frames.
    private func camera() -> Rasteriser.Camera {
        var camera = Rasteriser.Camera(
            target: .zero, azimuth: 0.42, elevation: 0.2, distance: 3, halfHeight: 0.34)
        let aspect = Float(Self.cell.width) / Float(Self.cell.height)
        for frame in choice.frames {
            let points = joints(frame)
            let middle = Self.middle(points)
            for point in points {
                let away = point - middle
                let side = max((away.x * away.x + away.z * away.z).squareRoot() / aspect, abs(away.y) * 1.1)
                camera.distance = max(camera.distance, 1.08 * side / camera.halfHeight + 0.6)
            }
        }
        return camera
    }

    private static func middle(_ points: [SIMD3<Float>]) -> SIMD3<Float> {
        guard var low = points.first else { return .zero }
        var high = low
        for point in points {
            low = pointwiseMin(low, point)
            high = pointwiseMax(high, point)
        }
        return (low + high) / 2
    }

    private func picture(of frame: Int, _ camera: Rasteriser.Camera) -> PixelCanvas {
        let points = joints(frame)
        var camera = camera
        camera.target = Self.middle(points)
        var raster = Rasteriser(
            width: Self.cell.width, height: Self.cell.height, camera: camera, background: SRGB.linear(Self.paper))
        let meshes = layers.filter(\.isBodies).flatMap(\.people).compactMap { mesh(of: $0, frame) }
        let floor = points.map(\.y).min() ?? 0
        for mesh in meshes { raster.drawShadow(vertices: mesh.vertices, faces: mesh.faces, floor: floor - 0.01) }
        for mesh in meshes {
            raster.draw(vertices: mesh.vertices, normals: mesh.normals, faces: mesh.faces, colour: mesh.colour)
        }
        raster.clearDepth()
        for layer in layers {
            let colour = SRGB.linear(layer.colour)
            for person in layer.people {
                guard let shape = skeleton(of: person, frame) else { continue }
                raster.draw(vertices: shape.vertices, normals: shape.normals, faces: shape.faces, colour: colour)
            }
        }
        return raster.canvas()
    }

    private struct Mesh {
        let vertices: [SIMD3<Float>]
        let normals: [SIMD3<Float>]
        let faces: [UInt32]
        let colour: SIMD3<Float>
    }

    private func mesh(of person: DrawnPerson, _ frame: Int) -> Mesh? {
        guard case .body(let posed, let skin) = person.drawn, let row = person.rows[frame] else { return nil }
        let flat = skins[skin].vertices(
            rotations: posed.rotations(row), betas: posed.shape.betas, translation: posed.translation(row))
        let faces = posed.shape.body.faces
        let colour = Self.people[person.person % Self.people.count]
        return Mesh(
            vertices: stride(from: 0, to: flat.count, by: 3).map { SIMD3(flat[$0], flat[$0 + 1], flat[$0 + 2]) },
            normals: VertexNormals.of(flat, faces: faces), faces: faces, colour: SRGB.linear(colour))
    }

    private func skeleton(of person: DrawnPerson, _ frame: Int) -> SkeletonShape? {
        guard let row = person.rows[frame] else { return nil }
        switch person.drawn {
        case .body: return nil
        case .skeleton(let posed):
            return SkeletonShape(joints: posed.joints(row), observed: .max, radius: 0.013)
        case .observed(let track):
            let joints = Array(track.joints[(row * 87)..<(row * 87 + 87)])
            return SkeletonShape(joints: joints, observed: track.observed[row], radius: 0.017)
        }
    }
}
