/// Two of a rotation's three rows or columns; Gram-Schmidt restores the third (Zhou et al., "On the continuity of rotation
/// representations", 2019).
///
/// Codebases disagree about where the six numbers sit, and a mix-up silently transposes every rotation, so each layout is a type.
/// - Source: models.md §1.4.
public protocol Rotation6D: Sendable, Hashable {
    /// The six numbers in file order.
    var values: SIMD8<Double> { get }
    /// Takes six numbers in file order; entries 6 and 7 are ignored.
    init(values: SIMD8<Double>)
    /// Reads off a rotation.
    init(_ matrix: RotationMatrix)
    /// The rotation; numbers that span no plane are completed by a fixed direction instead of giving a singular matrix.
    var matrix: RotationMatrix { get }
}

extension Rotation6D {
    /// Six numbers in file order.
    public init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double) {
        self.init(values: SIMD8(a, b, c, d, e, f, 0, 0))
    }

    /// Reads six numbers from `offset` on.
    public init(_ numbers: [Float], at offset: Int) {
        var values = SIMD8<Double>.zero
        for index in 0..<6 { values[index] = Double(numbers[offset + index]) }
        self.init(values: values)
    }

    /// Writes six numbers from `offset` on.
    public func write(into numbers: inout [Float], at offset: Int) {
        for index in 0..<6 { numbers[offset + index] = Float(values[index]) }
    }

    /// Decodes `count` rotations that lie one after the other into row-major 3×3 matrices.
    public static func decode(_ numbers: [Float], count: Int, into matrices: inout [Float]) {
        for index in 0..<count { Self(numbers, at: 6 * index).matrix.write(into: &matrices, at: 9 * index) }
    }
}

/// The first two **rows**, `[r1, r2]`: NIKI and SMPL-IK (pytorch3d).
public struct Rotation6DRows: Rotation6D {
    /// The six numbers in file order.
    public let values: SIMD8<Double>
    /// Takes six numbers in file order.
    public init(values: SIMD8<Double>) { self.values = values }
    /// Reads off a rotation.
    public init(_ matrix: RotationMatrix) {
        self.init(matrix.row0.x, matrix.row0.y, matrix.row0.z, matrix.row1.x, matrix.row1.y, matrix.row1.z)
    }
    /// The rotation.
    public var matrix: RotationMatrix {
        let (a, b, c) = orthonormal(
            SIMD3(values[0], values[1], values[2]), SIMD3(values[3], values[4], values[5]))
        return RotationMatrix(rows: a, b, c)
    }
}

/// The first two **columns**, one after the other, `[c1, c2]`: ProtoRes and RotationContinuity.
public struct Rotation6DColumns: Rotation6D {
    /// The six numbers in file order.
    public let values: SIMD8<Double>
    /// Takes six numbers in file order.
    public init(values: SIMD8<Double>) { self.values = values }
    /// Reads off a rotation.
    public init(_ matrix: RotationMatrix) {
        let (a, b, _) = matrix.columns
        self.init(a.x, a.y, a.z, b.x, b.y, b.z)
    }
    /// The rotation.
    public var matrix: RotationMatrix {
        let (a, b, c) = orthonormal(
            SIMD3(values[0], values[1], values[2]), SIMD3(values[3], values[4], values[5]))
        return RotationMatrix(columns: a, b, c)
    }
}

/// The first two **columns, interleaved**: the 3×2 matrix `[c1 c2]` flattened row by row. Learnable SMPLify and SPIN.
public struct Rotation6DInterleavedColumns: Rotation6D {
    /// The six numbers in file order.
    public let values: SIMD8<Double>
    /// Takes six numbers in file order.
    public init(values: SIMD8<Double>) { self.values = values }
    /// Reads off a rotation.
    public init(_ matrix: RotationMatrix) {
        let (a, b, _) = matrix.columns
        self.init(a.x, b.x, a.y, b.y, a.z, b.z)
    }
    /// The rotation.
    public var matrix: RotationMatrix {
        let (a, b, c) = orthonormal(
            SIMD3(values[0], values[2], values[4]), SIMD3(values[1], values[3], values[5]))
        return RotationMatrix(columns: a, b, c)
    }
}

/// Gram-Schmidt, with a fixed direction where a vector vanishes or the two are parallel.
private func orthonormal(
    _ first: SIMD3<Double>, _ second: SIMD3<Double>
) -> (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>) {
    let a = direction(first) ?? SIMD3(1, 0, 0)
    let b = direction(second - dot(a, second) * a) ?? perpendicular(to: a)
    return (a, b, cross(a, b))
}
