/// The rotation that best maps one set of vectors to another in the least-squares sense.
///
/// - Source: Horn, "Closed-form solution of absolute orientation using unit quaternions", 1987. The quaternion is the eigenvector of
///   the largest eigenvalue of a symmetric 4×4 matrix, found by Jacobi rotations: always a proper rotation (determinant +1) and
///   well defined for repeated or vanishing singular values, where the usual SVD recipe needs case distinctions.
/// - Note: where a whole circle of rotations fits equally well (all vectors along one line), the smallest of them is the answer: what
///   was not seen stays as it was. Only a line that is turned to its exact opposite leaves a choice.
public struct RotationFit: Sendable {
    /// `Σ w · a bᵀ`, by rows.
    private var covariance = (SIMD3<Double>.zero, SIMD3<Double>.zero, SIMD3<Double>.zero)

    /// How much the identity is wished for, relative to the vectors: far above the rounding of sums, far below any angle that
    /// matters.
    package static let identityWeight = 1e-9

    /// Starts without vectors; their best rotation is the identity.
    public init() {}

    /// Adds the wish that the rotation takes `source` to `target`.
    public mutating func add(_ source: SIMD3<Double>, to target: SIMD3<Double>, weight: Double = 1) {
        covariance.0 += weight * source.x * target
        covariance.1 += weight * source.y * target
        covariance.2 += weight * source.z * target
    }

    /// `tr(R Σ w · a bᵀ)`, what the best rotation maximises; the scale of a similarity fit is this over `Σ w‖a‖²`.
    public func agreement(of rotation: RotationMatrix) -> Double {
        // tr(R S) = Σ_ij R_ij S_ji.
        let (a, b, c) = rotation.columns
        return dot(a, covariance.0) + dot(b, covariance.1) + dot(c, covariance.2)
    }

    /// The best rotation.
    public var rotation: RotationMatrix {
        var (x, y, z) = covariance
        let wish = Self.identityWeight * (dot(x, x) + dot(y, y) + dot(z, z)).squareRoot()
        x.x += wish
        y.y += wish
        z.z += wish
        // Horn's matrix for the quaternion order w, x, y, z.
        let matrix: Rows = [
            SIMD4(x.x + y.y + z.z, y.z - z.y, z.x - x.z, x.y - y.x),
            SIMD4(y.z - z.y, x.x - y.y - z.z, x.y + y.x, z.x + x.z),
            SIMD4(z.x - x.z, x.y + y.x, y.y - x.x - z.z, y.z + z.y),
            SIMD4(x.y - y.x, z.x + x.z, y.z + z.y, z.z - x.x - y.y),
        ]
        let q = Self.principalEigenvector(of: matrix)
        return RotationMatrix(Quaternion(w: q[0], x: q[1], y: q[2], z: q[3]))
    }

    private typealias Rows = InlineArray<4, SIMD4<Double>>

    /// The eigenvector of a symmetric matrix's largest eigenvalue, by cyclic Jacobi rotations.
    private static func principalEigenvector(of symmetric: Rows) -> SIMD4<Double> {
        var a = symmetric
        var vectors: Rows = [SIMD4(1, 0, 0, 0), SIMD4(0, 1, 0, 0), SIMD4(0, 0, 1, 0), SIMD4(0, 0, 0, 1)]
        let scale = (a[0] * a[0] + a[1] * a[1] + a[2] * a[2] + a[3] * a[3]).sum()
        // Convergence is quadratic; a 4×4 matrix needs about five sweeps, the bound only guards against NaN.
        for _ in 0..<30 {
            var rest = 0.0
            for p in 0..<3 { for q in (p + 1)..<4 { rest += a[p][q] * a[p][q] } }
            if !(rest > 1e-30 * scale) { break }
            for p in 0..<3 { for q in (p + 1)..<4 { rotate(&a, &vectors, p, q) } }
        }
        var best = 0
        for index in 1..<4 where a[index][index] > a[best][best] { best = index }
        return vectors[best]
    }

    /// Zeroes entry (p, q); `vectors` holds the eigenvectors as rows.
    private static func rotate(_ a: inout Rows, _ vectors: inout Rows, _ p: Int, _ q: Int) {
        guard a[p][q] != 0 else { return }
        let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<4 {
            let (kp, kq) = (a[k][p], a[k][q])
            a[k][p] = c * kp - s * kq
            a[k][q] = s * kp + c * kq
        }
        let (rowP, rowQ) = (a[p], a[q])
        a[p] = c * rowP - s * rowQ
        a[q] = s * rowP + c * rowQ
        let (vectorP, vectorQ) = (vectors[p], vectors[q])
        vectors[p] = c * vectorP - s * vectorQ
        vectors[q] = s * vectorP + c * vectorQ
    }
}
