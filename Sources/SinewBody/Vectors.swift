// The vector algebra that the standard library's SIMD types lack.

/// The dot product.
@inline(__always)
package func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { a.x * b.x + a.y * b.y + a.z * b.z }

/// The cross product.
@inline(__always)
package func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

/// The Euclidean norm.
@inline(__always)
package func length(_ a: SIMD3<Double>) -> Double { dot(a, a).squareRoot() }

/// `a` divided by its norm, or nil when it is too short to have a direction.
@inline(__always)
package func direction(_ a: SIMD3<Double>) -> SIMD3<Double>? {
    let norm = length(a)
    return norm > 1e-12 ? a / norm : nil
}

/// A unit vector at a right angle to the unit vector `a`, the same one every time.
package func perpendicular(to a: SIMD3<Double>) -> SIMD3<Double> {
    // Crossing with the coordinate axis that is furthest from `a` keeps the result well conditioned.
    let magnitude = SIMD3(abs(a.x), abs(a.y), abs(a.z))
    let axis: SIMD3<Double> =
        magnitude.x <= magnitude.y && magnitude.x <= magnitude.z
        ? SIMD3(1, 0, 0) : magnitude.y <= magnitude.z ? SIMD3(0, 1, 0) : SIMD3(0, 0, 1)
    let normal = cross(a, axis)
    return normal / length(normal)
}

extension [Float] {
    /// The vector at `offset`, `offset + 1`, `offset + 2`.
    @inline(__always)
    package func vector(at offset: Int) -> SIMD3<Double> {
        SIMD3(Double(self[offset]), Double(self[offset + 1]), Double(self[offset + 2]))
    }

    /// Stores a vector at `offset`, `offset + 1`, `offset + 2`.
    @inline(__always)
    package mutating func store(_ vector: SIMD3<Double>, at offset: Int) {
        self[offset] = Float(vector.x)
        self[offset + 1] = Float(vector.y)
        self[offset + 2] = Float(vector.z)
    }
}
