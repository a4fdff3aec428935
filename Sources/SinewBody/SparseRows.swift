/// A sparse matrix by rows: row `r` owns the entries `rowStarts[r]..<rowStarts[r + 1]`.
package struct SparseRows: Sendable, Hashable {
    package let rowStarts: [Int]
    package let columns: [Int]
    package let values: [Float]

    package var rowCount: Int { rowStarts.count - 1 }

    /// Takes the arrays as a file gives them; nil when they do not describe `rowCount` rows over `columnCount` columns.
    package init?(rowStarts: [Int], columns: [Int], values: [Float], rowCount: Int, columnCount: Int) {
        guard rowStarts.count == rowCount + 1, rowStarts[0] == 0, rowStarts[rowCount] == columns.count,
            columns.count == values.count, zip(rowStarts, rowStarts.dropFirst()).allSatisfy({ $0 <= $1 }),
            columns.allSatisfy({ (0..<columnCount).contains($0) }), values.allSatisfy(\.isFinite)
        else { return nil }
        self.rowStarts = rowStarts
        self.columns = columns
        self.values = values
    }

    /// Keeps the non-zero entries of a row-major matrix.
    package init(dense: [Float], columnCount: Int) {
        var starts = [0]
        var columns: [Int] = []
        var values: [Float] = []
        for row in stride(from: 0, to: dense.count, by: columnCount) {
            for column in 0..<columnCount where dense[row + column] != 0 {
                columns.append(column)
                values.append(dense[row + column])
            }
            starts.append(columns.count)
        }
        rowStarts = starts
        self.columns = columns
        self.values = values
    }

    /// The entries of a row.
    package func entries(of row: Int) -> Range<Int> { rowStarts[row]..<rowStarts[row + 1] }

    /// The sum of a row.
    package func sum(of row: Int) -> Double { entries(of: row).reduce(0) { $0 + Double(values[$1]) } }
}
