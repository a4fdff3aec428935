/// The element-wise half of an affine coupling layer.
package enum Coupling: Sendable {
    /// IK direction: `x ← x · exp(s) + t`.
    case update
    /// FK direction: `x ← (x − t) · exp(−s)`.
    case invert

    /// Applies the coupling to `rows` rows of `width` floats, in place.
    ///
    /// - Parameters:
    ///   - x: rows `xStride` apart.
    ///   - s: log-scales, rows `stride` apart; clamped to [-87, 88].
    ///   - t: translations, rows `stride` apart.
    /// - Cost: no allocation.
    package func apply(
        to x: inout MutableSpan<Float>, rows: Int, width: Int, xStride: Int, s: Span<Float>, t: Span<Float>,
        stride: Int, isa: ISA
    ) {
        let kernels = KernelSet(isa)
        for row in 0..<rows {
            switch self {
            case .update:
                kernels.couple(
                    inverted: false, count: width, x: &x, xOffset: row * xStride, s: s, t: t, offset: row * stride)
            case .invert:
                kernels.couple(
                    inverted: true, count: width, x: &x, xOffset: row * xStride, s: s, t: t, offset: row * stride)
            }
        }
    }
}

extension Coupling {
    /// The same coupling between whole buffers.
    package func apply(
        to x: inout AlignedBuffer, rows: Int, width: Int, xStride: Int, s: borrowing AlignedBuffer,
        t: borrowing AlignedBuffer, stride: Int, isa: ISA
    ) {
        var span = x.mutableSpan
        apply(to: &span, rows: rows, width: width, xStride: xStride, s: s.span, t: t.span, stride: stride, isa: isa)
    }
}
