#if canImport(Glibc)
    internal import Glibc
#endif

/// Sine, cosine and arctangent of several angles at once.
///
/// - Source: the polynomials and the rational approximation are those of Cephes (Moshier, "Methods and Programs for Mathematical
///   Functions", 1989); errors stay below 1e-15 of the largest result
///   for the angles of a turn, below 1e-14 for a thousand turns.
package enum LaneTrigonometry {
    /// Above this angle the reduction below would lose digits, so the C library takes over; no joint turns a thousand times.
    private static let angleMax = 8192.0

    /// Cosines and sines.
    ///
    /// - Note: angles that are not finite give NaN.
    @inline(__always)
    package static func cosineAndSine(_ angle: Lanes) -> (cosine: Lanes, sine: Lanes) {
        let isLarge = .!(LaneTrigonometry.magnitude(angle) .<= Lanes(repeating: angleMax))
        if any(isLarge) { return ofLarge(angle) }
        let turns = nearest(angle * (2 / Double.pi))
        // π/2 in three parts: the products with the first two are exact for the quadrants that occur.
        let rest =
            ((angle - turns * 1.570796251296997) - turns * 7.549789415861596e-8) - turns * 5.39030285815811905e-15
        let z = rest * rest
        let sine =
            rest + rest * z
            * polynomial(
                z, 1.58962301576546568060E-10, -2.50507477628578072866E-8, 2.75573136213857245213E-6,
                -1.98412698295895385996E-4, 8.33333333332211858878E-3, -1.66666666666666307295E-1)
        let cosine =
            (1 - 0.5 * z) + z * z
            * polynomial(
                z, -1.13585365213876817300E-11, 2.08757008419747316778E-9, -2.75573141792967388112E-7,
                2.48015872888517045348E-5, -1.38888888888730564116E-3, 4.16666666666665929218E-2)
        // The quadrant swaps sine and cosine and turns their signs.
        let half = nearest(turns * 0.5 - 0.25)
        let isOdd = (turns - 2 * half) .> Lanes(repeating: 0.5)
        let isSecondHalf = (half - 2 * nearest(half * 0.5 - 0.25)) .> Lanes(repeating: 0.5)
        let sign = Lanes(repeating: -1).selected(isSecondHalf, else: Lanes(repeating: 1))
        return (
            cosine: sign * (-sine).selected(isOdd, else: cosine), sine: sign * cosine.selected(isOdd, else: sine)
        )
    }

    /// The angles in `[0, π/2]` of points with `x ≥ 0`, `y ≥ 0`, not both zero.
    @inline(__always)
    package static func firstQuadrantAngle(y: Lanes, x: Lanes) -> Lanes {
        let isSteep = y .> 2.414213562373095 * x
        let isMiddle = (y .> 0.66 * x) .& .!isSteep
        let numerator = (-x).selected(isSteep, else: (y - x).selected(isMiddle, else: y))
        let denominator = y.selected(isSteep, else: (y + x).selected(isMiddle, else: x))
        let offset = Lanes(repeating: .pi / 2).selected(
            isSteep, else: Lanes(repeating: .pi / 4).selected(isMiddle, else: .zero))
        let t = numerator / denominator
        let z = t * t
        let above = polynomial(
            z, -8.750608600031904122785E-1, -1.615753718733365076637E1, -7.500855792314704667340E1,
            -1.228866684490136173410E2, -6.485021904942025371773E1)
        let below = polynomial(
            z, 1, 2.485846490142306297962E1, 1.650270098316988542046E2, 4.328810604912902668951E2,
            4.853903996359136964868E2, 1.945506571482613964425E2)
        return offset + (t + t * z * (above / below))
    }

    @inline(__always)
    private static func magnitude(_ a: Lanes) -> Lanes { a.selected(a .>= .zero, else: -a) }

    /// The nearest whole numbers, for magnitudes far below 2⁵¹.
    ///
    /// Adding 1.5·2⁵² leaves no bits for a fraction; the vector instruction for it is newer than the oldest x86-64.
    @inline(__always)
    private static func nearest(_ a: Lanes) -> Lanes { (a + 6_755_399_441_055_744) - 6_755_399_441_055_744 }

    /// Horner's rule, highest power first.
    @inline(__always)
    private static func polynomial(_ z: Lanes, _ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double) -> Lanes
    {
        (((a * z + b) * z + c) * z + d) * z + e
    }

    @inline(__always)
    private static func polynomial(
        _ z: Lanes, _ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double
    ) -> Lanes {
        ((((a * z + b) * z + c) * z + d) * z + e) * z + f
    }

    /// Each lane by its own size, so that a neighbour's huge angle does not change anybody's bits.
    @inline(never)
    private static func ofLarge(_ angle: Lanes) -> (cosine: Lanes, sine: Lanes) {
        var small = angle
        for lane in angle.indices where !(abs(angle[lane]) <= angleMax) { small[lane] = 0 }
        var (cosine, sine) = cosineAndSine(small)
        for lane in angle.indices where !(abs(angle[lane]) <= angleMax) {
            cosine[lane] = cos(angle[lane])
            sine[lane] = sin(angle[lane])
        }
        return (cosine, sine)
    }
}
