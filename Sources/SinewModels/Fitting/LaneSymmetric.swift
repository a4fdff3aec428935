internal import SinewBody

/// A symmetric 3×3 matrix for each lane.
struct LaneSymmetric {
    var xx: Lanes
    var xy: Lanes
    var xz: Lanes
    var yy: Lanes
    var yz: Lanes
    var zz: Lanes

    @inline(__always)
    init(_ xx: Lanes, _ xy: Lanes, _ xz: Lanes, _ yy: Lanes, _ yz: Lanes, _ zz: Lanes) {
        self.xx = xx
        self.xy = xy
        self.xz = xz
        self.yy = yy
        self.yz = yz
        self.zz = zz
    }

    /// A multiple of the identity.
    @inline(__always)
    init(diagonal: Lanes) { self.init(diagonal, .zero, .zero, diagonal, .zero, diagonal) }

    static var zero: LaneSymmetric { LaneSymmetric(diagonal: .zero) }

    @inline(__always)
    static func + (a: LaneSymmetric, b: LaneSymmetric) -> LaneSymmetric {
        LaneSymmetric(a.xx + b.xx, a.xy + b.xy, a.xz + b.xz, a.yy + b.yy, a.yz + b.yz, a.zz + b.zz)
    }

    @inline(__always)
    static func - (a: LaneSymmetric, b: LaneSymmetric) -> LaneSymmetric {
        LaneSymmetric(a.xx - b.xx, a.xy - b.xy, a.xz - b.xz, a.yy - b.yy, a.yz - b.yz, a.zz - b.zz)
    }

    @inline(__always)
    static func * (a: Lanes, b: LaneSymmetric) -> LaneSymmetric {
        LaneSymmetric(a * b.xx, a * b.xy, a * b.xz, a * b.yy, a * b.yz, a * b.zz)
    }

    @inline(__always)
    static func * (a: LaneSymmetric, v: LaneVector) -> LaneVector {
        LaneVector(
            a.xx * v.x + a.xy * v.y + a.xz * v.z, a.xy * v.x + a.yy * v.y + a.yz * v.z,
            a.xz * v.x + a.yz * v.y + a.zz * v.z)
    }

    @inline(__always)
    static func * (a: LaneSymmetric, b: LaneMatrix) -> LaneMatrix {
        LaneMatrix(
            rows: a.xx * b.row0 + a.xy * b.row1 + a.xz * b.row2, a.xy * b.row0 + a.yy * b.row1 + a.yz * b.row2,
            a.xz * b.row0 + a.yz * b.row1 + a.zz * b.row2)
    }

    /// `aᵀ b` of two matrices whose product is known to be symmetric.
    @inline(__always)
    init(transposed a: LaneMatrix, times b: LaneMatrix) {
        self.init(
            a.row0.x * b.row0.x + a.row1.x * b.row1.x + a.row2.x * b.row2.x,
            a.row0.x * b.row0.y + a.row1.x * b.row1.y + a.row2.x * b.row2.y,
            a.row0.x * b.row0.z + a.row1.x * b.row1.z + a.row2.x * b.row2.z,
            a.row0.y * b.row0.y + a.row1.y * b.row1.y + a.row2.y * b.row2.y,
            a.row0.y * b.row0.z + a.row1.y * b.row1.z + a.row2.y * b.row2.z,
            a.row0.z * b.row0.z + a.row1.z * b.row1.z + a.row2.z * b.row2.z)
    }

    /// `|v|² I − v vᵀ`, which is `[v]ₓᵀ [v]ₓ`.
    @inline(__always)
    init(squaredCrossOf v: LaneVector) {
        let (x2, y2, z2) = (v.x * v.x, v.y * v.y, v.z * v.z)
        self.init(y2 + z2, -(v.x * v.y), -(v.x * v.z), x2 + z2, -(v.y * v.z), x2 + y2)
    }

    /// The inverse of a positive definite matrix, by cofactors.
    @inline(__always)
    var inverse: LaneSymmetric {
        let xx = self.yy * self.zz - self.yz * self.yz
        let xy = self.xz * self.yz - self.xy * self.zz
        let xz = self.xy * self.yz - self.xz * self.yy
        let scale = 1 / (self.xx * xx + self.xy * xy + self.xz * xz)
        return scale
            * LaneSymmetric(
                xx, xy, xz, self.xx * self.zz - self.xz * self.xz, self.xy * self.xz - self.xx * self.yz,
                self.xx * self.yy - self.xy * self.xy)
    }
}

extension LaneVector {
    static prefix func - (v: LaneVector) -> LaneVector { LaneVector(-v.x, -v.y, -v.z) }
}

extension LaneMatrix {
    /// `[v]ₓ`, so that `crossing(v) * u` is `cross(v, u)`.
    @inline(__always)
    static func crossing(_ v: LaneVector) -> LaneMatrix {
        LaneMatrix(rows: LaneVector(.zero, -v.z, v.y), LaneVector(v.z, .zero, -v.x), LaneVector(-v.y, v.x, .zero))
    }

    @inline(__always)
    static func + (a: LaneMatrix, b: LaneMatrix) -> LaneMatrix {
        LaneMatrix(rows: a.row0 + b.row0, a.row1 + b.row1, a.row2 + b.row2)
    }

    @inline(__always)
    static func * (a: Lanes, b: LaneMatrix) -> LaneMatrix { LaneMatrix(rows: a * b.row0, a * b.row1, a * b.row2) }

    /// `(M₃₂ − M₂₃, M₁₃ − M₃₁, M₂₁ − M₁₂)`: for a rotation, twice the sine times the axis.
    @inline(__always)
    var doubledSineAxis: LaneVector { LaneVector(row2.y - row1.z, row0.z - row2.x, row1.x - row0.y) }

    /// The sum of the diagonal.
    @inline(__always)
    var trace: Lanes { row0.x + row1.y + row2.z }

    /// Cayley's rotation of a small rotation vector: the quaternion `(1, v/2)`, normalised.
    ///
    /// Equal to the exponential up to the second order, free of trigonometry, and never more than half a turn.
    @inline(__always)
    init(cayley v: LaneVector) {
        let half = Lanes(repeating: 0.5) * v
        let scale = 2 / (1 + dot(half, half))
        let (a, b) = (scale * half, half)
        self.init(
            rows: LaneVector(1 - (a.y * b.y + a.z * b.z), a.x * b.y - a.z, a.x * b.z + a.y),
            LaneVector(a.x * b.y + a.z, 1 - (a.x * b.x + a.z * b.z), a.y * b.z - a.x),
            LaneVector(a.x * b.z - a.y, a.y * b.z + a.x, 1 - (a.x * b.x + a.y * b.y)))
    }
}
