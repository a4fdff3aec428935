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

    /// Floats of a vector; see `sinew_sgemm_bf16_ukr_function` for what depends on it.
    package var lanes: Int { unsafe Int(table.pointee.lanes) }

    /// One tile with float weights; contract: `sinew_sgemm_ukr_function`.
    package func multiplyTile(
        _ tile: Tile, a: Span<Float>, panels: borrowing AlignedBuffer, bias: borrowing AlignedBuffer,
        c: inout MutableSpan<Float>
    ) {
        check(tile, a: a, panelCount: panels.count, biasCount: bias.count, c: c)
        unsafe a.withUnsafeBufferPointer { a in
            unsafe panels.span.withUnsafeBufferPointer { panels in
                unsafe bias.span.withUnsafeBufferPointer { bias in
                    unsafe c.withUnsafeMutableBufferPointer { c in
                        unsafe table.pointee.sgemm_ukr(
                            tile.rows, tile.columns, tile.depth, a.baseAddress! + tile.aOffset, tile.aStride,
                            panels.baseAddress! + tile.panelOffset, bias.baseAddress! + tile.biasOffset,
                            c.baseAddress! + tile.cOffset, tile.cStride, tile.accumulate,
                            sinew_activation(rawValue: tile.activation.rawValue))
                    }
                }
            }
        }
    }

    /// One tile with bfloat16 weights; contract: `sinew_sgemm_bf16_ukr_function`.
    package func multiplyTile(
        _ tile: Tile, a: Span<Float>, panels: borrowing AlignedMemory<UInt16>, bias: borrowing AlignedBuffer,
        c: inout MutableSpan<Float>
    ) {
        check(tile, a: a, panelCount: panels.count, biasCount: bias.count, c: c)
        unsafe a.withUnsafeBufferPointer { a in
            unsafe panels.span.withUnsafeBufferPointer { panels in
                unsafe bias.span.withUnsafeBufferPointer { bias in
                    unsafe c.withUnsafeMutableBufferPointer { c in
                        unsafe table.pointee.sgemm_bf16_ukr(
                            tile.rows, tile.columns, tile.depth, a.baseAddress! + tile.aOffset, tile.aStride,
                            panels.baseAddress! + tile.panelOffset, bias.baseAddress! + tile.biasOffset,
                            c.baseAddress! + tile.cOffset, tile.cStride, tile.accumulate,
                            sinew_activation(rawValue: tile.activation.rawValue))
                    }
                }
            }
        }
    }

    private func check(
        _ tile: Tile, a: Span<Float>, panelCount: Int, biasCount: Int, c: borrowing MutableSpan<Float>
    ) {
        let (mr, nr) = (tileRows, tileColumns)
        precondition(tile.rows >= 1 && tile.rows <= mr && tile.columns >= 1 && tile.columns <= nr && tile.depth >= 1)
        precondition(tile.aOffset >= 0 && tile.aOffset + (tile.rows - 1) * tile.aStride + tile.depth <= a.count)
        precondition(tile.panelOffset >= 0 && tile.panelOffset + tile.depth * nr <= panelCount)
        precondition(tile.biasOffset >= 0 && tile.biasOffset + nr <= biasCount)
        precondition(tile.cOffset >= 0 && tile.cOffset + (tile.rows - 1) * tile.cStride + tile.columns <= c.count)
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

/// Where one register tile lies in the arrays of a product; offsets and strides in elements.
package struct Tile {
    package var rows: Int
    package var columns: Int
    package var depth: Int
    package var aOffset: Int
    package var aStride: Int
    package var panelOffset: Int
    package var biasOffset: Int
    package var cOffset: Int
    package var cStride: Int
    /// Whether the sums go on from `c` and not from the bias.
    package var accumulate: Bool
    package var activation: Activation
}

/// The table is a constant with static storage.
extension KernelSet: @unchecked Sendable {}
