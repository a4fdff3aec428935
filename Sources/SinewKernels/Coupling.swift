/// The element-wise half of an affine coupling layer.
package enum Coupling: Sendable {
    /// IK direction: `x ← x · exp(s) + t`.
    case update
    /// FK direction: `x ← (x − t) · exp(−s)`.
    case invert

    /// Applies the coupling to a rectangle of floats, in place.
    ///
    /// - Parameters:
    ///   - x: rows `xStride` apart.
    ///   - s: log-scales, rows `stride` apart; clamped to [-87, 88].
    ///   - t: translations, rows `stride` apart.
    /// - Cost: no allocation.
    package func apply(
        to x: inout MutableSpan<Float>, rows: Range<Int>, columns: Range<Int>, xStride: Int, s: Span<Float>,
        t: Span<Float>, stride: Int, isa: ISA
    ) {
        guard !columns.isEmpty else { return }
        let kernels = KernelSet(isa)
        for row in rows {
            let xOffset = row * xStride + columns.lowerBound
            let offset = row * stride + columns.lowerBound
            switch self {
            case .update:
                kernels.couple(
                    inverted: false, count: columns.count, x: &x, xOffset: xOffset, s: s, t: t, offset: offset)
            case .invert:
                kernels.couple(
                    inverted: true, count: columns.count, x: &x, xOffset: xOffset, s: s, t: t, offset: offset)
            }
        }
    }
}

extension Coupling {
    /// The same coupling between buffers that a team shares.
    package func apply(
        to x: SharedBuffer, rows: Range<Int>, columns: Range<Int>, xStride: Int, s: SharedBuffer, t: SharedBuffer,
        stride: Int, isa: ISA
    ) {
        var span = x.mutableSpan
        apply(
            to: &span, rows: rows, columns: columns, xStride: xStride, s: s.span, t: t.span, stride: stride, isa: isa)
    }
}
