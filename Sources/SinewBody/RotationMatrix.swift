#if canImport(Glibc)
    internal import Glibc
#endif

/// A 3×3 rotation matrix; `matrix * vector` rotates a column vector.
///
/// Geometry is computed in double precision: next to a network's forward pass it costs nothing, and no accuracy question is left.
public struct RotationMatrix: Sendable, Hashable {
    /// The first row.
    public var row0: SIMD3<Double>
    /// The second row.
    public var row1: SIMD3<Double>
    /// The third row.
    public var row2: SIMD3<Double>

    /// Creates a matrix from its rows; they are not checked to be orthonormal.
    @inline(__always)
    public init(rows row0: SIMD3<Double>, _ row1: SIMD3<Double>, _ row2: SIMD3<Double>) {
        self.row0 = row0
        self.row1 = row1
        self.row2 = row2
    }

    /// Creates a matrix from its columns; they are not checked to be orthonormal.
    @inline(__always)
    public init(columns column0: SIMD3<Double>, _ column1: SIMD3<Double>, _ column2: SIMD3<Double>) {
        row0 = SIMD3(column0.x, column1.x, column2.x)
        row1 = SIMD3(column0.y, column1.y, column2.y)
        row2 = SIMD3(column0.z, column1.z, column2.z)
    }

    /// No rotation.
    public static let identity = RotationMatrix(rows: SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1))

    /// The inverse.
    @inline(__always)
    public var transposed: RotationMatrix { RotationMatrix(columns: row0, row1, row2) }

    /// The columns.
    @inline(__always)
    public var columns: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>) {
        (SIMD3(row0.x, row1.x, row2.x), SIMD3(row0.y, row1.y, row2.y), SIMD3(row0.z, row1.z, row2.z))
    }

    /// `a * b` rotates by `b` first.
    @inline(__always)
    public static func * (a: RotationMatrix, b: RotationMatrix) -> RotationMatrix {
        RotationMatrix(
            rows: a.row0.x * b.row0 + a.row0.y * b.row1 + a.row0.z * b.row2,
            a.row1.x * b.row0 + a.row1.y * b.row1 + a.row1.z * b.row2,
            a.row2.x * b.row0 + a.row2.y * b.row1 + a.row2.z * b.row2)
    }

    /// Rotates a vector.
    @inline(__always)
    public static func * (matrix: RotationMatrix, vector: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3(dot(matrix.row0, vector), dot(matrix.row1, vector), dot(matrix.row2, vector))
    }

    /// +1 for a rotation, −1 for a mirrored one.
    public var determinant: Double { dot(row0, cross(row1, row2)) }

    /// The sum of the diagonal.
    public var trace: Double { row0.x + row1.y + row2.z }

    /// The angle in radians, `[0, π]`.
    ///
    /// - Note: by atan2 of sine and cosine; acos loses half the digits near 0 and π.
    public var angle: Double {
        let axis = SIMD3(row2.y - row1.z, row0.z - row2.x, row1.x - row0.y)
        return atan2(0.5 * length(axis), 0.5 * (trace - 1))
    }

    /// The angle in radians of the rotation between two orientations.
    public func angle(to other: RotationMatrix) -> Double { (self * other.transposed).angle }

    /// Reads nine row-major numbers from `offset` on.
    @inline(__always)
    public init(rowMajor values: [Float], at offset: Int = 0) {
        row0 = SIMD3(Double(values[offset]), Double(values[offset + 1]), Double(values[offset + 2]))
        row1 = SIMD3(Double(values[offset + 3]), Double(values[offset + 4]), Double(values[offset + 5]))
        row2 = SIMD3(Double(values[offset + 6]), Double(values[offset + 7]), Double(values[offset + 8]))
    }

    /// Writes nine row-major numbers from `offset` on.
    @inline(__always)
    public func write(into values: inout [Float], at offset: Int) {
        for (index, row) in [row0, row1, row2].enumerated() {
            values[offset + 3 * index] = Float(row.x)
            values[offset + 3 * index + 1] = Float(row.y)
            values[offset + 3 * index + 2] = Float(row.z)
        }
    }
}
