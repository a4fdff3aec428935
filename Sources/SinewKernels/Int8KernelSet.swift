internal import CSinewKernels

/// The int8 kernels of one instruction set; beside ``KernelSet`` the only file that calls C.
@safe
package struct Int8KernelSet {
    private let table: UnsafePointer<sinew_int8_kernel_set>

    /// - Precondition: `isa` is in ``ISA/available``.
    package init(_ isa: ISA) {
        guard let table = unsafe sinew_int8_kernels(isa.kernelCode) else {
            preconditionFailure("the instruction set \(isa) is not available on this machine")
        }
        unsafe self.table = unsafe table
    }

    /// Rows of the register tile.
    package var tileRows: Int { unsafe table.pointee.mr }
    /// Columns of the register tile.
    package var tileColumns: Int { unsafe table.pointee.nr }
    /// Inputs whose weights lie side by side within a column.
    package var group: Int { unsafe table.pointee.group }

    /// The largest number of inputs: a quantised row must fit into the scratch memory, its sums into 31 bits.
    package static var inputsMax: Int { Int(SINEW_INT8_INPUTS_MAX) }

    /// Columns `first..<columns` of a product, `first` a multiple of ``tileColumns``; the columns before stay as they are in `c`.
    /// Contract: `sinew_int8_multiply`.
    package func multiply(
        _ a: Span<Float>, rows: Int, aStride: Int, depth: Int, by weights: borrowing Int8Panels,
        bias: borrowing AlignedBuffer, first: Int, columns: Int, activation: Activation,
        into c: inout MutableSpan<Float>, cStride: Int
    ) {
        guard rows > 0 else { return }
        precondition(depth >= 1 && depth <= weights.inputs && first >= 0 && first < columns && first % tileColumns == 0)
        precondition((rows - 1) * aStride + depth <= a.count && (rows - 1) * cStride + columns <= c.count)
        let width = (columns + tileColumns - 1) / tileColumns * tileColumns
        let panelBytes = (weights.inputs + group - 1) / group * group
        precondition(width <= bias.count && width <= weights.scales.count && width <= weights.sums.count)
        precondition(width * panelBytes <= weights.panels.count)
        unsafe a.withUnsafeBufferPointer { a in
            unsafe weights.panels.span.withUnsafeBufferPointer { panels in
                unsafe weights.scales.span.withUnsafeBufferPointer { scales in
                    unsafe weights.sums.span.withUnsafeBufferPointer { sums in
                        unsafe bias.span.withUnsafeBufferPointer { bias in
                            unsafe c.withUnsafeMutableBufferPointer { c in
                                var packed = unsafe sinew_int8_weights(
                                    inputs: weights.inputs, panels: panels.baseAddress!, scales: scales.baseAddress!,
                                    sums: sums.baseAddress!, bias: bias.baseAddress!)
                                unsafe sinew_int8_multiply(
                                    table, &packed, rows, depth, first, columns - first, a.baseAddress!, aStride,
                                    c.baseAddress! + first, cStride, sinew_activation(rawValue: activation.rawValue))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The table is a constant with static storage.
extension Int8KernelSet: @unchecked Sendable {}
