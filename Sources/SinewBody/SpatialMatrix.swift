/// A vector for each lane.
@usableFromInline package struct SpatialVector<Number: LaneNumber>: Sendable {
    @usableFromInline package var x: Number
    @usableFromInline package var y: Number
    @usableFromInline package var z: Number

    @inlinable @inline(__always)
    package init(_ x: Number, _ y: Number, _ z: Number) {
        self.x = x
        self.y = y
        self.z = z
    }

    @inlinable package static var zero: SpatialVector { SpatialVector(.zero, .zero, .zero) }

    /// The vector of one lane.
    @inlinable package subscript(lane: Int) -> SIMD3<Double> {
        @inline(__always) get { SIMD3(x[lane: lane], y[lane: lane], z[lane: lane]) }
        @inline(__always) set {
            x[lane: lane] = newValue.x
            y[lane: lane] = newValue.y
            z[lane: lane] = newValue.z
        }
    }

    @inlinable @inline(__always)
    package static func + (a: SpatialVector, b: SpatialVector) -> SpatialVector {
        SpatialVector(a.x + b.x, a.y + b.y, a.z + b.z)
    }

    @inlinable @inline(__always)
    package static func - (a: SpatialVector, b: SpatialVector) -> SpatialVector {
        SpatialVector(a.x - b.x, a.y - b.y, a.z - b.z)
    }

    @inlinable @inline(__always)
    package static func * (a: Number, b: SpatialVector) -> SpatialVector { SpatialVector(a * b.x, a * b.y, a * b.z) }

    /// The Euclidean norms.
    @inlinable @inline(__always)
    package var length: Number { dot(self, self).squareRoot() }

    /// This where `mask` is set, `other` elsewhere.
    @inlinable @inline(__always)
    package func selected(_ mask: Number.Mask, else other: SpatialVector) -> SpatialVector {
        SpatialVector(
            x.selected(mask, else: other.x), y.selected(mask, else: other.y), z.selected(mask, else: other.z))
    }
}

/// The dot products.
@inlinable @inline(__always)
package func dot<Number: LaneNumber>(_ a: SpatialVector<Number>, _ b: SpatialVector<Number>) -> Number {
    a.x * b.x + a.y * b.y + a.z * b.z
}

/// The cross products.
@inlinable @inline(__always)
package func cross<Number: LaneNumber>(
    _ a: SpatialVector<Number>, _ b: SpatialVector<Number>
) -> SpatialVector<Number> {
    SpatialVector(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

/// A rotation matrix for each lane.
@usableFromInline package struct SpatialMatrix<Number: LaneNumber>: Sendable {
    @usableFromInline package var row0: SpatialVector<Number>
    @usableFromInline package var row1: SpatialVector<Number>
    @usableFromInline package var row2: SpatialVector<Number>

    @inlinable @inline(__always)
    package init(rows row0: SpatialVector<Number>, _ row1: SpatialVector<Number>, _ row2: SpatialVector<Number>) {
        self.row0 = row0
        self.row1 = row1
        self.row2 = row2
    }

    @inlinable package static var identity: SpatialMatrix {
        let one = Number(repeating: 1)
        return SpatialMatrix(
            rows: SpatialVector(one, .zero, .zero), SpatialVector(.zero, one, .zero), SpatialVector(.zero, .zero, one))
    }

    /// The matrix of one lane.
    @inlinable package subscript(lane: Int) -> RotationMatrix {
        @inline(__always) get { RotationMatrix(rows: row0[lane], row1[lane], row2[lane]) }
        @inline(__always) set {
            row0[lane] = newValue.row0
            row1[lane] = newValue.row1
            row2[lane] = newValue.row2
        }
    }

    /// The rotations about unit axes by angles given as cosine and sine.
    @inlinable @inline(__always)
    package init(unitAxis v: SpatialVector<Number>, cosine: Number, sine: Number) {
        let scaled = cosine.subtracted(from: 1) * v
        let turned = sine * v
        row0 = SpatialVector(cosine + scaled.x * v.x, scaled.x * v.y - turned.z, scaled.x * v.z + turned.y)
        row1 = SpatialVector(scaled.x * v.y + turned.z, cosine + scaled.y * v.y, scaled.y * v.z - turned.x)
        row2 = SpatialVector(scaled.x * v.z - turned.y, scaled.y * v.z + turned.x, cosine + scaled.z * v.z)
    }

    /// The inverse.
    @inlinable @inline(__always)
    package var transposed: SpatialMatrix {
        SpatialMatrix(
            rows: SpatialVector(row0.x, row1.x, row2.x), SpatialVector(row0.y, row1.y, row2.y),
            SpatialVector(row0.z, row1.z, row2.z))
    }

    /// `a * b` rotates by `b` first.
    @inlinable @inline(__always)
    package static func * (a: SpatialMatrix, b: SpatialMatrix) -> SpatialMatrix {
        SpatialMatrix(
            rows: b.inverseRotated(a.row0), b.inverseRotated(a.row1), b.inverseRotated(a.row2))
    }

    /// Rotates a vector.
    @inlinable @inline(__always)
    package static func * (matrix: SpatialMatrix, vector: SpatialVector<Number>) -> SpatialVector<Number> {
        SpatialVector(dot(matrix.row0, vector), dot(matrix.row1, vector), dot(matrix.row2, vector))
    }

    /// Rotates a vector back: the row vector times the matrix.
    @inlinable @inline(__always)
    package func inverseRotated(_ vector: SpatialVector<Number>) -> SpatialVector<Number> {
        let x: SpatialVector<Number> = vector.x * row0
        let y: SpatialVector<Number> = vector.y * row1
        let z: SpatialVector<Number> = vector.z * row2
        return x + y + z
    }

    /// This where `mask` is set, `other` elsewhere.
    @inlinable @inline(__always)
    package func selected(_ mask: Number.Mask, else other: SpatialMatrix) -> SpatialMatrix {
        SpatialMatrix(
            rows: row0.selected(mask, else: other.row0), row1.selected(mask, else: other.row1),
            row2.selected(mask, else: other.row2))
    }
}
