/// One number each of several people: lane = person.
///
/// Everything in a lane depends on that lane alone, so a person's bits do not depend on who shares the vector. Four doubles fill the
/// vector registers that every 64-bit machine has; double precision is what the one-person geometry uses too. The operations are
/// inlinable: as calls from another module they would cost more than what they do.
@usableFromInline package typealias Lanes = SIMD4<Double>
/// A choice for every lane.
@usableFromInline package typealias LaneMask = SIMDMask<SIMD4<Int64>>

extension Lanes {
    /// This where `mask` is set, `other` elsewhere.
    @inlinable @inline(__always)
    package func selected(_ mask: LaneMask, else other: Lanes) -> Lanes { other.replacing(with: self, where: mask) }
}

/// A vector for each lane.
@usableFromInline package struct LaneVector: Sendable {
    @usableFromInline package var x: Lanes
    @usableFromInline package var y: Lanes
    @usableFromInline package var z: Lanes

    @inlinable @inline(__always)
    package init(_ x: Lanes, _ y: Lanes, _ z: Lanes) {
        self.x = x
        self.y = y
        self.z = z
    }

    @inlinable package static var zero: LaneVector { LaneVector(.zero, .zero, .zero) }

    /// The vector of one lane.
    package subscript(lane: Int) -> SIMD3<Double> {
        @inlinable @inline(__always) get { SIMD3(x[lane], y[lane], z[lane]) }
        @inlinable @inline(__always) set {
            x[lane] = newValue.x
            y[lane] = newValue.y
            z[lane] = newValue.z
        }
    }

    @inlinable @inline(__always)
    package static func + (a: LaneVector, b: LaneVector) -> LaneVector {
        LaneVector(a.x + b.x, a.y + b.y, a.z + b.z)
    }

    @inlinable @inline(__always)
    package static func - (a: LaneVector, b: LaneVector) -> LaneVector {
        LaneVector(a.x - b.x, a.y - b.y, a.z - b.z)
    }

    @inlinable @inline(__always)
    package static func * (a: Lanes, b: LaneVector) -> LaneVector { LaneVector(a * b.x, a * b.y, a * b.z) }

    /// The Euclidean norms.
    @inlinable @inline(__always)
    package var length: Lanes { dot(self, self).squareRoot() }

    /// This where `mask` is set, `other` elsewhere.
    @inlinable @inline(__always)
    package func selected(_ mask: LaneMask, else other: LaneVector) -> LaneVector {
        LaneVector(
            x.selected(mask, else: other.x), y.selected(mask, else: other.y), z.selected(mask, else: other.z))
    }
}

/// The dot products.
@inlinable @inline(__always)
package func dot(_ a: LaneVector, _ b: LaneVector) -> Lanes { a.x * b.x + a.y * b.y + a.z * b.z }

/// The cross products.
@inlinable @inline(__always)
package func cross(_ a: LaneVector, _ b: LaneVector) -> LaneVector {
    LaneVector(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

/// A rotation matrix for each lane.
@usableFromInline package struct LaneMatrix: Sendable {
    @usableFromInline package var row0: LaneVector
    @usableFromInline package var row1: LaneVector
    @usableFromInline package var row2: LaneVector

    @inlinable @inline(__always)
    package init(rows row0: LaneVector, _ row1: LaneVector, _ row2: LaneVector) {
        self.row0 = row0
        self.row1 = row1
        self.row2 = row2
    }

    @inlinable package static var identity: LaneMatrix {
        let one = Lanes(repeating: 1)
        return LaneMatrix(
            rows: LaneVector(one, .zero, .zero), LaneVector(.zero, one, .zero), LaneVector(.zero, .zero, one))
    }

    /// The matrix of one lane.
    package subscript(lane: Int) -> RotationMatrix {
        get { RotationMatrix(rows: row0[lane], row1[lane], row2[lane]) }
        set {
            row0[lane] = newValue.row0
            row1[lane] = newValue.row1
            row2[lane] = newValue.row2
        }
    }

    /// The rotations about unit axes by angles given as cosine and sine.
    @inlinable @inline(__always)
    package init(unitAxis v: LaneVector, cosine: Lanes, sine: Lanes) {
        let scaled = (1 - cosine) * v
        let turned = sine * v
        row0 = LaneVector(cosine + scaled.x * v.x, scaled.x * v.y - turned.z, scaled.x * v.z + turned.y)
        row1 = LaneVector(scaled.x * v.y + turned.z, cosine + scaled.y * v.y, scaled.y * v.z - turned.x)
        row2 = LaneVector(scaled.x * v.z - turned.y, scaled.y * v.z + turned.x, cosine + scaled.z * v.z)
    }

    /// The inverse.
    @inlinable @inline(__always)
    package var transposed: LaneMatrix {
        LaneMatrix(
            rows: LaneVector(row0.x, row1.x, row2.x), LaneVector(row0.y, row1.y, row2.y),
            LaneVector(row0.z, row1.z, row2.z))
    }

    /// `a * b` rotates by `b` first.
    @inlinable @inline(__always)
    package static func * (a: LaneMatrix, b: LaneMatrix) -> LaneMatrix {
        LaneMatrix(
            rows: a.row0.x * b.row0 + a.row0.y * b.row1 + a.row0.z * b.row2,
            a.row1.x * b.row0 + a.row1.y * b.row1 + a.row1.z * b.row2,
            a.row2.x * b.row0 + a.row2.y * b.row1 + a.row2.z * b.row2)
    }

    /// Rotates a vector.
    @inlinable @inline(__always)
    package static func * (matrix: LaneMatrix, vector: LaneVector) -> LaneVector {
        LaneVector(dot(matrix.row0, vector), dot(matrix.row1, vector), dot(matrix.row2, vector))
    }

    /// Rotates a vector back.
    @inlinable @inline(__always)
    package func inverseRotated(_ vector: LaneVector) -> LaneVector {
        vector.x * row0 + vector.y * row1 + vector.z * row2
    }

    /// This where `mask` is set, `other` elsewhere.
    @inlinable @inline(__always)
    package func selected(_ mask: LaneMask, else other: LaneMatrix) -> LaneMatrix {
        LaneMatrix(
            rows: row0.selected(mask, else: other.row0), row1.selected(mask, else: other.row1),
            row2.selected(mask, else: other.row2))
    }
}
