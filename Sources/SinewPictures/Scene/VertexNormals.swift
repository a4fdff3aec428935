/// Normals of a mesh at its vertices.
enum VertexNormals {
    /// The mean of the normals of the faces around each vertex, weighted by their areas; unit length, or up where a vertex has none.
    ///
    /// - Shape: `vertices` `[n, 3]`, `faces` `[m, 3]` → `[n]`.
    static func of(_ vertices: [Float], faces: [UInt32]) -> [SIMD3<Float>] {
        var sums = [SIMD3<Float>](repeating: .zero, count: vertices.count / 3)
        func vertex(_ index: Int) -> SIMD3<Float> {
            SIMD3(vertices[index * 3], vertices[index * 3 + 1], vertices[index * 3 + 2])
        }
        for face in stride(from: 0, to: faces.count, by: 3) {
            let (a, b, c) = (Int(faces[face]), Int(faces[face + 1]), Int(faces[face + 2]))
            let (u, v) = (vertex(b) - vertex(a), vertex(c) - vertex(a))
            let normal = SIMD3(u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x)
            sums[a] += normal
            sums[b] += normal
            sums[c] += normal
        }
        return sums.map { sum in
            let length = (sum * sum).sum().squareRoot()
            return length > 0 ? sum / length : SIMD3(0, 1, 0)
        }
    }
}
