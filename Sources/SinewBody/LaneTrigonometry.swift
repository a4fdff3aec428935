#if canImport(Glibc)
    internal import Glibc
#endif

/// Sine, cosine and arctangent of several angles at once.
///
/// - Source: the polynomials and the rational approximation are those of Cephes (Moshier, "Methods and Programs for Mathematical
///   Functions", 1989); errors stay below 1e-15 of the largest result
///   for the angles of a turn, below 1e-14 for a thousand turns.
@usableFromInline package enum LaneTrigonometry {
    /// Above this angle the reduction below would lose digits, so the C library takes over; no joint turns a thousand times.
    @inlinable static var angleMax: Double { 8192 }

    /// Cosines and sines.
    ///
    /// - Note: angles that are not finite give NaN.
    @inlinable @inline(__always)
    package static func cosineAndSine<Number: LaneNumber>(_ angle: Number) -> (cosine: Number, sine: Number) {
        let isLarge = .!(angle.magnitudes .<= Number(repeating: angleMax))
        if isLarge.isAny { return ofLarge(angle) }
        let turns = nearest(angle.times(2 / Double.pi))
        // π/2 in three parts: the products with the first two are exact for the quadrants that occur.
        let rest =
            ((angle - turns.times(1.570796251296997)) - turns.times(7.549789415861596e-8))
            - turns.times(5.39030285815811905e-15)
        let z = rest * rest
        let sine =
            rest + rest * z
            * polynomial(
                z, 1.58962301576546568060E-10, -2.50507477628578072866E-8, 2.75573136213857245213E-6,
                -1.98412698295895385996E-4, 8.33333333332211858878E-3, -1.66666666666666307295E-1)
        let cosine =
            z.times(0.5).subtracted(from: 1) + z * z
            * polynomial(
                z, -1.13585365213876817300E-11, 2.08757008419747316778E-9, -2.75573141792967388112E-7,
                2.48015872888517045348E-5, -1.38888888888730564116E-3, 4.16666666666665929218E-2)
        // The quadrant swaps sine and cosine and turns their signs.
        let half = nearest(turns.times(0.5).plus(-0.25))
        let isOdd = (turns - half.times(2)) .> Number(repeating: 0.5)
        let isSecondHalf = (half - nearest(half.times(0.5).plus(-0.25)).times(2)) .> Number(repeating: 0.5)
        let sign = Number(repeating: -1).selected(isSecondHalf, else: Number(repeating: 1))
        return (
            cosine: sign * (-sine).selected(isOdd, else: cosine), sine: sign * cosine.selected(isOdd, else: sine)
        )
    }

    /// The angles in `[0, π/2]` of points with `x ≥ 0`, `y ≥ 0`, not both zero.
    @inlinable @inline(__always)
    package static func firstQuadrantAngle<Number: LaneNumber>(y: Number, x: Number) -> Number {
        let isSteep = y .> x.times(2.414213562373095)
        let isMiddle = (y .> x.times(0.66)) .& .!isSteep
        let numerator = (-x).selected(isSteep, else: (y - x).selected(isMiddle, else: y))
        let denominator = y.selected(isSteep, else: (y + x).selected(isMiddle, else: x))
        let offset = Number(repeating: .pi / 2).selected(
            isSteep, else: Number(repeating: .pi / 4).selected(isMiddle, else: .zero))
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

    /// The nearest whole numbers, for magnitudes far below 2⁵¹.
    ///
    /// Adding 1.5·2⁵² leaves no bits for a fraction; the vector instruction for it is newer than the oldest x86-64.
    @inlinable @inline(__always)
    static func nearest<Number: LaneNumber>(_ a: Number) -> Number {
        a.plus(6_755_399_441_055_744).plus(-6_755_399_441_055_744)
    }

    /// Horner's rule, highest power first.
    @inlinable @inline(__always)
    static func polynomial<Number: LaneNumber>(
        _ z: Number, _ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double
    ) -> Number {
        let cubic: Number = (z.times(a).plus(b) * z).plus(c)
        return ((cubic * z).plus(d) * z).plus(e)
    }

    @inlinable @inline(__always)
    static func polynomial<Number: LaneNumber>(
        _ z: Number, _ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double
    ) -> Number {
        polynomial(z, a, b, c, d, e) * z + Number(repeating: f)
    }

    /// Each lane by its own size, so that a neighbour's huge angle does not change anybody's bits.
    @usableFromInline @inline(never)
    static func ofLarge<Number: LaneNumber>(_ angle: Number) -> (cosine: Number, sine: Number) {
        var small = angle
        for lane in 0..<Number.laneCount where !(abs(angle[lane: lane]) <= angleMax) { small[lane: lane] = 0 }
        var (cosine, sine) = cosineAndSine(small)
        for lane in 0..<Number.laneCount where !(abs(angle[lane: lane]) <= angleMax) {
            cosine[lane: lane] = cos(angle[lane: lane])
            sine[lane: lane] = sin(angle[lane: lane])
        }
        return (cosine, sine)
    }
}
