/// Weighted sums of a few rows of a small table, the same for every table of a batch: a sparse matrix times dense ones.
///
/// - Note: a table's result does not depend on the others, bit for bit.
package struct RowMixing: Sendable {
    /// A row and its weight.
    package struct Term: Sendable {
        package let row: Int
        package let weight: Float

        package init(row: Int, weight: Float) {
            self.row = row
            self.weight = weight
        }
    }

    /// Rows of a table.
    package let rowCount: Int
    /// Lists whose sums lie side by side.
    package let group: Int
    private let kernels: KernelSet
    /// Where the terms of each list begin, and where the last list ends.
    private let starts: [Int]
    private let rows: [Int]
    private let weights: [Float]

    /// - Parameters:
    ///   - lists: what is summed; a list without terms gives zeros. Their number is a multiple of `group`.
    ///   - rowCount: rows of a table, which all terms must name.
    package init(_ lists: [[Term]], group: Int, rowCount: Int, isa: ISA = .selected) {
        precondition(group >= 1 && lists.count.isMultiple(of: group))
        precondition(lists.allSatisfy { $0.allSatisfy { (0..<rowCount).contains($0.row) } })
        self.rowCount = rowCount
        self.group = group
        kernels = KernelSet(isa)
        var starts = [0]
        for list in lists { starts.append(starts[starts.count - 1] + list.count) }
        self.starts = starts
        rows = lists.flatMap { $0.map(\.row) }
        weights = lists.flatMap { $0.map(\.weight) }
    }

    /// Sums in every table and frame.
    ///
    /// - Shape: `source` `[tables, rowCount, frames, width]` → `mixed` `[tables, lists / group, frames, group, width]`.
    /// - Cost: a multiply-add per term and value; no allocation.
    package func apply(
        tables: Int, frames: Int, width: Int, _ source: borrowing AlignedBuffer, into mixed: inout AlignedBuffer
    ) {
        let (values, sums) = (rowCount * frames * width, (starts.count - 1) * frames * width)
        precondition(tables >= 0 && frames >= 1 && width >= 1)
        precondition(tables * values <= source.count && tables * sums <= mixed.count)
        let source = source.span
        var mixed = mixed.mutableSpan
        for table in 0..<tables {
            kernels.mix(
                starts: starts.span, rows: rows.span, weights: weights.span, group: group, frames: frames, width: width,
                source.extracting((table * values)..<(table * values + values)), into: &mixed, at: table * sums)
        }
    }
}
