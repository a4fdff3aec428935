/// The rotations that best map vectors to vectors, one fit for each lane; ``RotationFit`` does the same for one.
///
/// - Source: Horn, 1987. Every lane does the same six sweeps of Jacobi rotations: they converge quadratically, and a number that
///   depended on the slowest lane would make a person's bits depend on the neighbours.
package struct LaneRotationFit<Number: LaneNumber> {
    /// `Σ w · a bᵀ`, by rows.
    private var x = SpatialVector<Number>.zero
    private var y = SpatialVector<Number>.zero
    private var z = SpatialVector<Number>.zero

    private static var sweepCount: Int { 6 }

    /// Starts without vectors; their best rotation is the identity.
    package init() {}

    /// Adds the wish that the rotation takes `source` to `target`, in the lanes of `mask`.
    @specialized(where Number == Lanes)
    @specialized(where Number == Double)
    package mutating func add(
        _ source: SpatialVector<Number>, to target: SpatialVector<Number>, where mask: Number.Mask
    ) {
        let source = source.selected(mask, else: .zero)
        let target = target.selected(mask, else: .zero)
        x = x + source.x * target
        y = y + source.y * target
        z = z + source.z * target
    }

    /// The best rotations.
    package var rotation: SpatialMatrix<Number> { best() }

    @specialized(where Number == Lanes)
    @specialized(where Number == Double)
    private func best() -> SpatialMatrix<Number> {
        // Horn's symmetric matrix for the quaternion order w, x, y, z, of the vectors and a faint wish for the identity.
        let wish = (dot(x, x) + dot(y, y) + dot(z, z)).squareRoot().times(RotationFit.identityWeight)
        let (xx, yy, zz) = (x.x + wish, y.y + wish, z.z + wish)
        var a = LaneSymmetric<Number>(
            diagonal: [xx + yy + zz, xx - yy - zz, yy - xx - zz, zz - xx - yy],
            above: [y.z - z.y, z.x - x.z, x.y - y.x, x.y + y.x, z.x + x.z, y.z + z.y])
        for _ in 0..<Self.sweepCount { a.sweep() }
        var largest = a.diagonal[0]
        var q: InlineArray<4, Number> = [a.vectors[0], a.vectors[1], a.vectors[2], a.vectors[3]]
        for index in 1..<4 {
            let isLarger = a.diagonal[index] .> largest
            largest = a.diagonal[index].selected(isLarger, else: largest)
            for k in 0..<4 { q[k] = a.vectors[4 * index + k].selected(isLarger, else: q[k]) }
        }
        return SpatialMatrix(quaternionW: q[0], imaginary: SpatialVector(q[1], q[2], q[3]))
    }
}

/// A symmetric 4×4 matrix in each lane on its way to diagonal form.
private struct LaneSymmetric<Number: LaneNumber> {
    var diagonal: InlineArray<4, Number>
    /// Entries 01, 02, 03, 12, 13, 23.
    var above: InlineArray<6, Number>
    /// The eigenvectors as rows.
    var vectors: InlineArray<16, Number>

    init(diagonal: InlineArray<4, Number>, above: InlineArray<6, Number>) {
        self.diagonal = diagonal
        self.above = above
        vectors = InlineArray(repeating: .zero)
        for index in 0..<4 { vectors[5 * index] = Number(repeating: 1) }
    }

    /// Zeroes every entry above the diagonal once.
    @inline(__always)
    mutating func sweep() {
        rotate(0, 1, pq: 0, others: (1, 3), (2, 4))
        rotate(0, 2, pq: 1, others: (0, 3), (2, 5))
        rotate(0, 3, pq: 2, others: (0, 4), (1, 5))
        rotate(1, 2, pq: 3, others: (0, 1), (4, 5))
        rotate(1, 3, pq: 4, others: (0, 2), (3, 5))
        rotate(2, 3, pq: 5, others: (1, 2), (3, 4))
    }

    /// Zeroes entry (p, q); `others` are the places of (k, p) and (k, q) for the other two k.
    @inline(__always)
    private mutating func rotate(_ p: Int, _ q: Int, pq: Int, others first: (Int, Int), _ second: (Int, Int)) {
        let one = Number(repeating: 1)
        let entry = above[pq]
        // Far below what the diagonal can hold, the entry is zero already; it could only overflow the quotient.
        let isZero = entry * entry .<= (diagonal[p] * diagonal[p] + diagonal[q] * diagonal[q]).times(1e-40)
        let theta = (diagonal[q] - diagonal[p]) / (entry + entry).selected(.!isZero, else: one)
        let sign = (-one).selected(theta .< .zero, else: one)
        let t = (one / (theta + sign * (theta * theta + one).squareRoot())).selected(.!isZero, else: .zero)
        let c = one / (t * t + one).squareRoot()
        let s = t * c
        diagonal[p] = diagonal[p] - t * entry
        diagonal[q] = diagonal[q] + t * entry
        above[pq] = .zero
        Self.turn(&above, first.0, first.1, c, s)
        Self.turn(&above, second.0, second.1, c, s)
        for k in 0..<4 {
            let (a, b) = (vectors[4 * p + k], vectors[4 * q + k])
            vectors[4 * p + k] = c * a - s * b
            vectors[4 * q + k] = s * a + c * b
        }
    }

    @inline(__always)
    private static func turn(_ values: inout InlineArray<6, Number>, _ p: Int, _ q: Int, _ c: Number, _ s: Number) {
        let (a, b) = (values[p], values[q])
        values[p] = c * a - s * b
        values[q] = s * a + c * b
    }
}

extension SpatialMatrix {
    /// The matrices of quaternions, which are normalised first.
    ///
    /// - Precondition: no quaternion is zero.
    @inlinable
    package init(quaternionW w: Number, imaginary v: SpatialVector<Number>) {
        let scale = (w * w + dot(v, v)).squareRoot().reciprocal
        let (w, v) = (scale * w, scale * v)
        let one = Number(repeating: 1)
        let (xx, yy, zz) = ((v.x * v.x).times(2), (v.y * v.y).times(2), (v.z * v.z).times(2))
        let (xy, xz, yz) = ((v.x * v.y).times(2), (v.x * v.z).times(2), (v.y * v.z).times(2))
        let (wx, wy, wz) = ((w * v.x).times(2), (w * v.y).times(2), (w * v.z).times(2))
        self.init(
            rows: SpatialVector(one - (yy + zz), xy - wz, xz + wy), SpatialVector(xy + wz, one - (xx + zz), yz - wx),
            SpatialVector(xz - wy, yz + wx, one - (xx + yy)))
    }
}
