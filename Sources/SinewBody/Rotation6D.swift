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
    /// Decodes `count` rotations that lie one after the other into row-major 3×3 matrices.
    ///
    /// - Cost: four rotations at a time, about 10 ns each; no allocation.
    static func decode(_ numbers: [Float], count: Int, into matrices: inout [Float])
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
    /// Decodes `count` rotations; see ``Rotation6D/decode(_:count:into:)``.
    public static func decode(_ numbers: [Float], count: Int, into matrices: inout [Float]) {
        for rotations in LaneRows<Lanes>.groups(0..<count) {
            let matrix = SpatialMatrix(
                orthonormalising: rotations.vector(numbers, width: 6, at: 0),
                rotations.vector(numbers, width: 6, at: 3))
            rotations.store(matrix, into: &matrices, width: 9, at: 0)
        }
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
    /// Decodes `count` rotations; see ``Rotation6D/decode(_:count:into:)``.
    public static func decode(_ numbers: [Float], count: Int, into matrices: inout [Float]) {
        for rotations in LaneRows<Lanes>.groups(0..<count) {
            let transposed = SpatialMatrix(
                orthonormalising: rotations.vector(numbers, width: 6, at: 0),
                rotations.vector(numbers, width: 6, at: 3))
            rotations.store(transposed.transposed, into: &matrices, width: 9, at: 0)
        }
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
    /// Decodes `count` rotations; see ``Rotation6D/decode(_:count:into:)``.
    public static func decode(_ numbers: [Float], count: Int, into matrices: inout [Float]) {
        for rotations in LaneRows<Lanes>.groups(0..<count) {
            func number(_ index: Int) -> Lanes { rotations.number(numbers, width: 6, at: index) }
            let transposed = SpatialMatrix(
                orthonormalising: SpatialVector(number(0), number(2), number(4)),
                SpatialVector(number(1), number(3), number(5)))
            rotations.store(transposed.transposed, into: &matrices, width: 9, at: 0)
        }
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

extension SpatialMatrix {
    /// The same in every lane; the rows of the result are the orthonormal vectors.
    package init(orthonormalising first: SpatialVector<Number>, _ second: SpatialVector<Number>) {
        let one = Number(repeating: 1)
        let tiny = Number(repeating: 1e-12)
        let firstNorm = first.length
        let hasFirst = firstNorm .> tiny
        let a = (firstNorm.selected(hasFirst, else: one).reciprocal * first).selected(
            hasFirst, else: SpatialVector(one, .zero, .zero))
        let rest = second - dot(a, second) * a
        let restNorm = rest.length
        let hasSecond = restNorm .> tiny
        var b = restNorm.selected(hasSecond, else: one).reciprocal * rest
        // Parallel vectors are rare and need a case distinction: one by one.
        if !hasSecond.isAll {
            for lane in 0..<Number.laneCount where !hasSecond[lane: lane] { b[lane] = perpendicular(to: a[lane]) }
        }
        self.init(rows: a, b, cross(a, b))
    }
}
