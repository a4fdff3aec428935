/// A unit quaternion, stored (w, x, y, z).
public struct Quaternion: Sendable, Hashable {
    /// The real part, the cosine of half the angle.
    public var w: Double
    /// The imaginary part, the axis times the sine of half the angle.
    public var imaginary: SIMD3<Double>

    /// Creates a quaternion; it is not normalised.
    public init(w: Double, x: Double, y: Double, z: Double) {
        self.w = w
        imaginary = SIMD3(x, y, z)
    }

    /// The quaternion of a rotation matrix, with `w ≥ 0`.
    ///
    /// - Source: Shepperd, "Quaternion from rotation matrix", 1978: divide by the largest of the four components.
    public init(_ matrix: RotationMatrix) {
        let (a, b, c) = (matrix.row0, matrix.row1, matrix.row2)
        let squares = [matrix.trace, a.x, b.y, c.z]
        let largest = squares.indices.max { squares[$0] < squares[$1] }
        var q: SIMD4<Double>  // x y z w
        switch largest {
        case 1: q = SIMD4(1 + a.x - b.y - c.z, a.y + b.x, a.z + c.x, c.y - b.z)
        case 2: q = SIMD4(a.y + b.x, 1 - a.x + b.y - c.z, b.z + c.y, a.z - c.x)
        case 3: q = SIMD4(a.z + c.x, b.z + c.y, 1 - a.x - b.y + c.z, b.x - a.y)
        default: q = SIMD4(c.y - b.z, a.z - c.x, b.x - a.y, 1 + matrix.trace)
        }
        q /= (q * q).sum().squareRoot() * (q.w < 0 ? -1 : 1)
        self.init(w: q.w, x: q.x, y: q.y, z: q.z)
    }
}

extension RotationMatrix {
    /// The matrix of a quaternion, which is normalised first.
    ///
    /// - Precondition: the quaternion is not zero.
    public init(_ quaternion: Quaternion) {
        let norm = (quaternion.w * quaternion.w + dot(quaternion.imaginary, quaternion.imaginary)).squareRoot()
        let w = quaternion.w / norm
        let v = quaternion.imaginary / norm
        self.init(
            rows: SIMD3(
                1 - 2 * (v.y * v.y + v.z * v.z), 2 * (v.x * v.y - w * v.z), 2 * (v.x * v.z + w * v.y)),
            SIMD3(2 * (v.x * v.y + w * v.z), 1 - 2 * (v.x * v.x + v.z * v.z), 2 * (v.y * v.z - w * v.x)),
            SIMD3(2 * (v.x * v.z - w * v.y), 2 * (v.y * v.z + w * v.x), 1 - 2 * (v.x * v.x + v.y * v.y)))
    }
}
