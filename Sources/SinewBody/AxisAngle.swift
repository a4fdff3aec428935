#if canImport(Glibc)
    internal import Glibc
#endif

/// A right-handed rotation vector: its direction is the axis, its norm the angle in radians.
public struct AxisAngle: Sendable, Hashable {
    /// The rotation vector.
    public var vector: SIMD3<Double>

    /// Creates a rotation from its vector.
    public init(_ vector: SIMD3<Double>) { self.vector = vector }

    /// Creates a rotation about a unit axis.
    public init(axis: SIMD3<Double>, angle: Double) { vector = axis * angle }

    /// The angle in radians, never negative.
    public var angle: Double { length(vector) }

    /// The rotation of a matrix, angle in `[0, π]`.
    public init(_ matrix: RotationMatrix) { self.init(Quaternion(matrix)) }

    /// The rotation of a unit quaternion, angle in `[0, π]`.
    public init(_ quaternion: Quaternion) {
        let sign: Double = quaternion.w < 0 ? -1 : 1
        let imaginary = sign * quaternion.imaginary
        let sine = length(imaginary)
        // For a vanishing angle, angle / sin(angle / 2) tends to 2.
        vector = sine < 1e-12 ? 2 * imaginary : imaginary * (2 * atan2(sine, sign * quaternion.w) / sine)
    }
}

extension RotationMatrix {
    /// The matrix of a rotation vector (Rodrigues).
    public init(_ rotation: AxisAngle) {
        let angle = rotation.angle
        // sin(a)/a and (1 − cos(a))/a², by their series where the quotients lose digits.
        let sine: Double
        let versine: Double
        if angle < 1e-4 {
            sine = 1 - angle * angle / 6
            versine = 0.5 - angle * angle / 24
        } else {
            sine = sin(angle) / angle
            versine = (1 - cos(angle)) / (angle * angle)
        }
        let v = rotation.vector
        let cosine = 1 - versine * dot(v, v)
        self.init(
            rows: SIMD3(
                cosine + versine * v.x * v.x, versine * v.x * v.y - sine * v.z, versine * v.x * v.z + sine * v.y),
            SIMD3(versine * v.x * v.y + sine * v.z, cosine + versine * v.y * v.y, versine * v.y * v.z - sine * v.x),
            SIMD3(versine * v.x * v.z - sine * v.y, versine * v.y * v.z + sine * v.x, cosine + versine * v.z * v.z))
    }

    /// The rotation about a unit axis by an angle given as cosine and sine.
    @inline(__always)
    package init(unitAxis v: SIMD3<Double>, cosine: Double, sine: Double) {
        let versine = 1 - cosine
        self.init(
            rows: SIMD3(
                cosine + versine * v.x * v.x, versine * v.x * v.y - sine * v.z, versine * v.x * v.z + sine * v.y),
            SIMD3(versine * v.x * v.y + sine * v.z, cosine + versine * v.y * v.y, versine * v.y * v.z - sine * v.x),
            SIMD3(versine * v.x * v.z - sine * v.y, versine * v.y * v.z + sine * v.x, cosine + versine * v.z * v.z))
    }
}
