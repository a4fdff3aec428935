internal import SinewBody

/// Spheres at joints and rods between them, as triangles.
struct SkeletonShape {
    private(set) var vertices: [SIMD3<Float>] = []
    private(set) var normals: [SIMD3<Float>] = []
    private(set) var faces: [UInt32] = []

    /// - Parameters:
    ///   - joints: `[29, 3]` metres.
    ///   - observed: a bit for each joint that has a place.
    init(joints: [Float], observed: UInt32, radius: Float) {
        let parents = Skeleton.smpl29.parents
        func isSeen(_ joint: Int) -> Bool { observed >> UInt32(joint) & 1 == 1 }
        for joint in parents.indices where isSeen(joint) {
            let place = SIMD3<Float>(joints.vector(at: joint * 3))
            addSphere(place, joint < Skeleton.rotationCount ? radius : radius * 0.7)
            let parent = parents[joint]
            guard parent >= 0, isSeen(parent) else { continue }
            addRod(from: SIMD3<Float>(joints.vector(at: parent * 3)), to: place, radius * 0.5)
        }
    }

    /// The corners of an octahedron and the middles of its edges, pushed out to the sphere.
    private static let sphere: (points: [SIMD3<Float>], faces: [UInt32]) = {
        var points: [SIMD3<Float>] = [
            SIMD3(1, 0, 0), SIMD3(-1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, -1, 0), SIMD3(0, 0, 1), SIMD3(0, 0, -1),
        ]
        var faces: [UInt32] = []
        func middle(_ a: UInt32, _ b: UInt32) -> UInt32 {
            let sum = points[Int(a)] + points[Int(b)]
            let point = sum / (sum * sum).sum().squareRoot()
            if let known = points.firstIndex(of: point) { return UInt32(known) }
            points.append(point)
            return UInt32(points.count - 1)
        }
        for x: UInt32 in [0, 1] {
            for y: UInt32 in [2, 3] {
                for z: UInt32 in [4, 5] {
                    let (xy, yz, zx) = (middle(x, y), middle(y, z), middle(z, x))
                    faces += [x, xy, zx, y, yz, xy, z, zx, yz, xy, yz, zx]
                }
            }
        }
        return (points, faces)
    }()

    private mutating func addSphere(_ place: SIMD3<Float>, _ radius: Float) {
        let start = UInt32(vertices.count)
        for point in Self.sphere.points {
            vertices.append(place + radius * point)
            normals.append(point)
        }
        faces += Self.sphere.faces.map { start + $0 }
    }

    private mutating func addRod(from start: SIMD3<Float>, to end: SIMD3<Float>, _ radius: Float) {
        let way = SIMD3<Double>(end - start)
        guard let along = direction(way) else { return }
        let first = perpendicular(to: along)
        let second = cross(along, first)
        // An octagon's corners: cosines and sines of eighths of a turn.
        let half = 0.5.squareRoot()
        let corners = [(1, 0), (half, half), (0, 1), (-half, half), (-1, 0), (-half, -half), (0, -1), (half, -half)]
        let base = UInt32(vertices.count)
        for (cosine, sine) in corners {
            let normal = SIMD3<Float>(cosine * first + sine * second)
            vertices += [start + radius * normal, end + radius * normal]
            normals += [normal, normal]
        }
        for corner: UInt32 in 0..<8 {
            let (a, b) = (base + 2 * corner, base + 2 * ((corner + 1) % 8))
            faces += [a, b, a + 1, b, b + 1, a + 1]
        }
    }
}
