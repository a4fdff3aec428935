internal import Glibc

/// Draws triangles with a depth buffer, several samples to a pixel.
///
/// Pure arithmetic in a fixed order, so the same scene gives the same pixels on every machine with IEEE 754 floats.
struct Rasteriser {
    /// A camera on a sphere around a point, y up.
    struct Camera {
        var target: SIMD3<Float>
        /// Radians around y, from +z towards +x.
        var azimuth: Float
        /// Radians above the horizon.
        var elevation: Float
        /// Metres from the target.
        var distance: Float
        /// Half the vertical angle's tangent.
        var halfHeight: Float
    }

    /// Samples to a pixel along each axis.
    static let samples = 3

    let width: Int
    let height: Int
    private let columns: Int
    private let rows: Int
    private let camera: Camera
    private let axes: (right: SIMD3<Float>, up: SIMD3<Float>, back: SIMD3<Float>)
    /// Linear colours of all samples.
    private var colours: [SIMD3<Float>]
    /// One over the distance to the camera; larger is nearer.
    private var depths: [Float]

    init(width: Int, height: Int, camera: Camera, background: SIMD3<Float>) {
        self.width = width
        self.height = height
        self.camera = camera
        (columns, rows) = (width * Self.samples, height * Self.samples)
        colours = [SIMD3<Float>](repeating: background, count: columns * rows)
        depths = [Float](repeating: 0, count: columns * rows)
        let (sa, ca, se, ce) = (
            sinf(camera.azimuth), cosf(camera.azimuth), sinf(camera.elevation), cosf(camera.elevation)
        )
        axes = (SIMD3(ca, 0, -sa), SIMD3(-sa * se, ce, -ca * se), SIMD3(sa * ce, se, ca * ce))
    }

    /// Lets what is drawn next lie over all that was drawn before.
    mutating func clearDepth() {
        for index in depths.indices { depths[index] = 0 }
    }

    /// Column, row and one over the depth; nil behind the camera.
    private func projected(_ point: SIMD3<Float>) -> SIMD3<Float>? {
        let seen = point - camera.target
        let depth = camera.distance - (seen * axes.back).sum()
        guard depth > 0.05 else { return nil }
        let scale = Float(rows) / (2 * camera.halfHeight * depth)
        return SIMD3(
            Float(columns) / 2 + (seen * axes.right).sum() * scale, Float(rows) / 2 - (seen * axes.up).sum() * scale,
            1 / depth)
    }

    /// Draws a shaded surface.
    ///
    /// - Parameters:
    ///   - vertices: metres; `normals` of the same number, unit length.
    ///   - faces: three indices each.
    ///   - colour: linear.
    mutating func draw(vertices: [SIMD3<Float>], normals: [SIMD3<Float>], faces: [UInt32], colour: SIMD3<Float>) {
        let places = vertices.map(projected)
        let lights = normals.map(light)
        for face in stride(from: 0, to: faces.count, by: 3) {
            let (a, b, c) = (Int(faces[face]), Int(faces[face + 1]), Int(faces[face + 2]))
            guard let pa = places[a], let pb = places[b], let pc = places[c] else { continue }
            fill(pa, pb, pc) { weights, _ in
                colour * (weights.x * lights[a] + weights.y * lights[b] + weights.z * lights[c])
            }
        }
    }

    /// Darkens the ground where a surface keeps the light from it.
    mutating func drawShadow(vertices: [SIMD3<Float>], faces: [UInt32], floor: Float) {
        let places = vertices.map { vertex in
            projected(vertex - Self.sun * ((vertex.y - floor) / Self.sun.y))
        }
        var covered = [Bool](repeating: false, count: colours.count)
        for face in stride(from: 0, to: faces.count, by: 3) {
            let corners = (places[Int(faces[face])], places[Int(faces[face + 1])], places[Int(faces[face + 2])])
            guard let pa = corners.0, let pb = corners.1, let pc = corners.2 else { continue }
            visit(pa, pb, pc) { index, _, _ in covered[index] = true }
        }
        for index in covered.indices where covered[index] { colours[index] *= 0.8 }
    }

    /// Where the light comes from.
    private static let sun = SIMD3<Float>(0.35, 0.85, 0.4)

    /// Hemisphere light and a sun, as in the viewer.
    private func light(_ normal: SIMD3<Float>) -> Float {
        let toSun = max(0, (normal * Self.sun).sum())
        let toCamera = max(0, (normal * axes.back).sum())
        return 0.3 + 0.12 * normal.y + 0.55 * toSun + 0.18 * toCamera
    }

    private mutating func fill(
        _ a: SIMD3<Float>, _ b: SIMD3<Float>, _ c: SIMD3<Float>,
        _ shade: (_ weights: SIMD3<Float>, _ depth: Float) -> SIMD3<Float>
    ) {
        // Borrowed for the closure, which cannot touch `self`.
        var (colours, depths) = (self.colours, self.depths)
        self.colours = []
        self.depths = []
        visit(a, b, c) { index, weights, depth in
            guard depth > depths[index] else { return }
            depths[index] = depth
            colours[index] = shade(weights, depth)
        }
        self.colours = colours
        self.depths = depths
    }

    /// Calls `body` for each sample whose middle lies in a triangle, with the weights of its corners and the depth there.
    private func visit(
        _ a: SIMD3<Float>, _ b: SIMD3<Float>, _ c: SIMD3<Float>,
        _ body: (_ index: Int, _ weights: SIMD3<Float>, _ depth: Float) -> Void
    ) {
        let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
        guard abs(area) > 1e-9 else { return }
        let left = max(0, Int(min(a.x, b.x, c.x).rounded(.down)))
        let right = min(columns - 1, Int(max(a.x, b.x, c.x).rounded(.up)))
        let top = max(0, Int(min(a.y, b.y, c.y).rounded(.down)))
        let bottom = min(rows - 1, Int(max(a.y, b.y, c.y).rounded(.up)))
        guard left <= right, top <= bottom else { return }
        for row in top...bottom {
            let y = Float(row) + 0.5
            for column in left...right {
                let x = Float(column) + 0.5
                let wb = ((x - a.x) * (c.y - a.y) - (y - a.y) * (c.x - a.x)) / area
                let wc = ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)) / area
                let wa = 1 - wb - wc
                guard wa >= 0, wb >= 0, wc >= 0 else { continue }
                body(row * columns + column, SIMD3(wa, wb, wc), wa * a.z + wb * b.z + wc * c.z)
            }
        }
    }

    /// The picture: samples averaged in linear light, then coded as sRGB.
    func canvas() -> PixelCanvas {
        var canvas = PixelCanvas(width: width, height: height, colour: .zero)
        let count = Float(Self.samples * Self.samples)
        for y in 0..<height {
            for x in 0..<width {
                var sum = SIMD3<Float>.zero
                for row in (y * Self.samples)..<((y + 1) * Self.samples) {
                    for column in (x * Self.samples)..<((x + 1) * Self.samples) {
                        sum += colours[row * columns + column]
                    }
                }
                canvas.blend(SRGB.bytes(linear: sum / count), share: 255, x: x, y: y)
            }
        }
        return canvas
    }
}

/// The transfer curve of screens (IEC 61966-2-1).
enum SRGB {
    static func bytes(linear: SIMD3<Float>) -> SIMD3<UInt8> {
        let coded = [linear.x, linear.y, linear.z].map { value -> UInt8 in
            let v = min(max(value, 0), 1)
            let share = v <= 0.003_130_8 ? 12.92 * v : 1.055 * powf(v, 1 / 2.4) - 0.055
            return UInt8((share * 255).rounded())
        }
        return SIMD3(coded[0], coded[1], coded[2])
    }

    static func linear(_ bytes: SIMD3<UInt8>) -> SIMD3<Float> {
        let values = [bytes.x, bytes.y, bytes.z].map { byte -> Float in
            let share = Float(byte) / 255
            return share <= 0.040_45 ? share / 12.92 : powf((share + 0.055) / 1.055, 2.4)
        }
        return SIMD3(values[0], values[1], values[2])
    }
}
