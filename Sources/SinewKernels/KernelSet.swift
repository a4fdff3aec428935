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

    /// One tile; contract: `sinew_sgemm_ukr_function`.
    package func multiplyTile(
        rows: Int, columns: Int, depth: Int, a: Span<Float>, aOffset: Int, aStride: Int,
        panels: borrowing AlignedBuffer,
        panelOffset: Int, bias: borrowing AlignedBuffer, biasOffset: Int, c: inout MutableSpan<Float>, cOffset: Int,
        cStride: Int,
        accumulate: Bool, activation: Activation
    ) {
        let (mr, nr) = (tileRows, tileColumns)
        precondition(rows >= 1 && rows <= mr && columns >= 1 && columns <= nr && depth >= 1)
        precondition(aOffset >= 0 && aOffset + (rows - 1) * aStride + depth <= a.count)
        precondition(panelOffset >= 0 && panelOffset + depth * nr <= panels.count)
        precondition(biasOffset >= 0 && biasOffset + nr <= bias.count)
        precondition(cOffset >= 0 && cOffset + (rows - 1) * cStride + columns <= c.count)
        unsafe a.withUnsafeBufferPointer { a in
            unsafe panels.span.withUnsafeBufferPointer { panels in
                unsafe bias.span.withUnsafeBufferPointer { bias in
                    unsafe c.withUnsafeMutableBufferPointer { c in
                        unsafe table.pointee.sgemm_ukr(
                            rows, columns, depth, a.baseAddress! + aOffset, aStride, panels.baseAddress! + panelOffset,
                            bias.baseAddress! + biasOffset, c.baseAddress! + cOffset, cStride, accumulate,
                            sinew_activation(rawValue: activation.rawValue))
                    }
                }
            }
        }
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

/// The table is a constant with static storage.
extension KernelSet: @unchecked Sendable {}
