internal import CSinewKernels

/// The kernels of one instruction set: the only file that calls C.
///
/// Every call checks its sizes against its spans, so that no caller can make a kernel leave its arrays.
@safe
package struct KernelSet {
    private let table: UnsafePointer<sinew_kernel_set>

    /// - Precondition: `isa` is in ``ISA/available``.
    package init(_ isa: ISA) {
        guard let table = unsafe sinew_kernels(isa.kernelCode) else {
            preconditionFailure("the instruction set \(isa) is not available on this machine")
        }
        unsafe self.table = unsafe table
    }

    /// Rows of the register tile.
    package var tileRows: Int { unsafe Int(table.pointee.mr) }
    /// Columns of the register tile.
    package var tileColumns: Int { unsafe Int(table.pointee.nr) }

    /// Whole micropanels before a column. The width of a micropanel is a power of two, so this is a shift: for one row of a
    /// narrow layer the divisions of a call were a twentieth of its time.
    package func panelsBefore(column: Int) -> Int { unsafe column >> table.pointee.nr.trailingZeroBitCount }

    /// Floats of a vector; see `sinew_sgemm_bf16_function` for what depends on it.
    package var lanes: Int { unsafe Int(table.pointee.lanes) }

    /// Floats that the width of a last micropanel of floats is a multiple of.
    package var quantum: Int { unsafe Int(table.pointee.quantum) }

    /// A product with float weights; contract: `sinew_sgemm_function`.
    package func multiply(
        _ product: Product, a: Span<Float>, panels: borrowing AlignedBuffer, bias: borrowing AlignedBuffer,
        c: inout MutableSpan<Float>
    ) {
        check(product, a: a, panelCount: panels.count, biasCount: bias.count, c: c, unit: quantum)
        unsafe a.withUnsafeBufferPointer { a in
            unsafe panels.span.withUnsafeBufferPointer { panels in
                unsafe bias.span.withUnsafeBufferPointer { bias in
                    unsafe c.withUnsafeMutableBufferPointer { c in
                        var operands = unsafe product.operands(
                            a: a.baseAddress!, bias: bias.baseAddress!, c: c.baseAddress!)
                        unsafe table.pointee.sgemm(&operands, panels.baseAddress! + product.panelOffset)
                    }
                }
            }
        }
    }

    /// A product with bfloat16 weights; contract: `sinew_sgemm_bf16_function`.
    package func multiply(
        _ product: Product, a: Span<Float>, panels: borrowing AlignedMemory<UInt16>, bias: borrowing AlignedBuffer,
        c: inout MutableSpan<Float>
    ) {
        check(product, a: a, panelCount: panels.count, biasCount: bias.count, c: c, unit: 2 * lanes)
        unsafe a.withUnsafeBufferPointer { a in
            unsafe panels.span.withUnsafeBufferPointer { panels in
                unsafe bias.span.withUnsafeBufferPointer { bias in
                    unsafe c.withUnsafeMutableBufferPointer { c in
                        var operands = unsafe product.operands(
                            a: a.baseAddress!, bias: bias.baseAddress!, c: c.baseAddress!)
                        unsafe table.pointee.sgemm_bf16(&operands, panels.baseAddress! + product.panelOffset)
                    }
                }
            }
        }
    }

    /// - Parameter unit: the power of two that the width of the last micropanel is a multiple of.
    private func check(
        _ product: Product, a: Span<Float>, panelCount: Int, biasCount: Int, c: borrowing MutableSpan<Float>,
        unit: Int
    ) {
        let nr = tileColumns
        precondition(product.rows >= 1 && product.columns >= 1 && product.depth >= 1)
        precondition(product.aStride >= 0 && product.cStride >= 0 && product.panelStride >= 0)
        let whole = panelsBefore(column: product.columns - 1)
        let lastColumns = product.columns - whole * nr
        precondition(product.lastWidth >= lastColumns && product.lastWidth <= nr)
        precondition(product.lastWidth & (unit - 1) == 0)
        precondition(
            product.aOffset >= 0 && product.aOffset + (product.rows - 1) * product.aStride + product.depth <= a.count)
        precondition(whole == 0 || product.panelStride >= product.depth * nr)
        precondition(
            product.panelOffset >= 0
                && product.panelOffset + whole * product.panelStride + product.depth * product.lastWidth <= panelCount)
        precondition(product.biasOffset >= 0 && product.biasOffset + whole * nr + product.lastWidth <= biasCount)
        precondition(
            product.cOffset >= 0
                && product.cOffset + (product.rows - 1) * product.cStride + product.columns <= c.count)
    }

    /// `x ← x · exp(s) + t`, or its inverse, on `count` floats from each offset.
    package func couple(
        inverted: Bool, count: Int, x: inout MutableSpan<Float>, xOffset: Int, s: Span<Float>, t: Span<Float>,
        offset: Int
    ) {
        precondition(count >= 1 && xOffset >= 0 && xOffset + count <= x.count)
        precondition(offset >= 0 && offset + count <= s.count && offset + count <= t.count)
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe s.withUnsafeBufferPointer { s in
                unsafe t.withUnsafeBufferPointer { t in
                    let function = unsafe inverted ? table.pointee.coupling_invert : table.pointee.coupling_update
                    unsafe function!(
                        count, x.baseAddress! + xOffset, s.baseAddress! + offset, t.baseAddress! + offset)
                }
            }
        }
    }

    /// Weighted sums of rows of one table; contract: `sinew_mix_rows_function`.
    ///
    /// - Precondition: every term names a row of `source`, which ``RowMixing`` makes sure of.
    package func mix(
        starts: Span<Int>, rows: Span<Int>, weights: Span<Float>, group: Int, frames: Int, width: Int,
        _ source: Span<Float>, into mixed: inout MutableSpan<Float>, at offset: Int
    ) {
        let count = starts.count - 1
        precondition(count >= 0 && group >= 1 && count.isMultiple(of: group) && frames >= 1 && width >= 1)
        precondition(starts[count] <= rows.count && rows.count == weights.count)
        precondition(offset >= 0 && offset + count * frames * width <= mixed.count)
        unsafe starts.withUnsafeBufferPointer { starts in
            unsafe rows.withUnsafeBufferPointer { rows in
                unsafe weights.withUnsafeBufferPointer { weights in
                    unsafe source.withUnsafeBufferPointer { source in
                        unsafe mixed.withUnsafeMutableBufferPointer { mixed in
                            // Lists without a single term read neither rows nor weights nor the table.
                            var lists = unsafe sinew_row_lists(
                                count: count, group: group, starts: starts.baseAddress, rows: rows.baseAddress,
                                weights: weights.baseAddress)
                            guard let from = source.baseAddress, let to = mixed.baseAddress else { return }
                            unsafe table.pointee.mix_rows(&lists, frames, width, from, to + offset)
                        }
                    }
                }
            }
        }
    }

    /// `y ← exp(x)`; see `sinew_map_function` for range and error.
    package func exponential(of x: Span<Float>, into y: inout MutableSpan<Float>) {
        precondition(x.count == y.count)
        unsafe x.withUnsafeBufferPointer { x in
            unsafe y.withUnsafeMutableBufferPointer { y in
                guard let from = x.baseAddress, let to = y.baseAddress else { return }
                unsafe table.pointee.exp(x.count, from, to)
            }
        }
    }

    /// `y ← tanh(x)`; see `sinew_map_function` for the error.
    package func hyperbolicTangent(of x: Span<Float>, into y: inout MutableSpan<Float>) {
        precondition(x.count == y.count)
        unsafe x.withUnsafeBufferPointer { x in
            unsafe y.withUnsafeMutableBufferPointer { y in
                guard let from = x.baseAddress, let to = y.baseAddress else { return }
                unsafe table.pointee.tanh(x.count, from, to)
            }
        }
    }
}

/// What a product works on, as places in arrays; offsets and strides in elements. Contract: `sinew_product`.
package struct Product {
    package var rows: Int
    package var columns: Int
    package var depth: Int
    package var aOffset: Int
    package var aStride: Int
    package var panelOffset: Int
    package var panelStride: Int
    /// Weights in a row of the last micropanel.
    package var lastWidth: Int
    package var biasOffset: Int
    package var cOffset: Int
    package var cStride: Int
    /// Whether the sums go on from `c` and not from the bias.
    package var accumulate: Bool
    package var activation: Activation
    package var source: WeightSource

    fileprivate func operands(
        a: UnsafePointer<Float>, bias: UnsafePointer<Float>, c: UnsafeMutablePointer<Float>
    ) -> sinew_product {
        unsafe sinew_product(
            rows: rows, columns: columns, depth: depth, a: a + aOffset, a_stride: aStride, panel_stride: panelStride,
            last_width: lastWidth, bias: bias + biasOffset, c: c + cOffset, c_stride: cStride, accumulate: accumulate,
            activation: sinew_activation(rawValue: activation.rawValue), streamed: source == .memory)
    }
}

/// The table is a constant with static storage.
extension KernelSet: @unchecked Sendable {}
