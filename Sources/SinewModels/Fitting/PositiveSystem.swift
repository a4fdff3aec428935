/// A symmetric positive definite system of ``SMPLifyObjective/unknownCount`` equations, solved by Cholesky's factorisation.
///
/// Columns of the lower triangle, four rows to a vector: the inner loop is a column minus a multiple of another, which fills the
/// vector registers without changing the order of any sum.
package struct PositiveSystem {
    private let count: Int
    private let blocks: Int
    /// Column `j`, rows `4 b …` at `j * blocks + b`.
    private var columns: [SIMD4<Double>]

    package init(count: Int) {
        self.count = count
        blocks = (count + 3) / 4
        columns = [SIMD4<Double>](repeating: .zero, count: count * blocks)
    }

    /// An entry of the lower triangle, `row ≥ column`.
    package subscript(row: Int, column: Int) -> Double {
        get { columns[column * blocks + row / 4][row % 4] }
        set { columns[column * blocks + row / 4][row % 4] = newValue }
    }

    /// The solution for a right side, and nil when the matrix is not positive definite.
    package func solution(of right: [Double]) -> [Double]? {
        var factor = self
        guard factor.factorise() else { return nil }
        var x = right
        for column in 0..<count {
            x[column] /= factor[column, column]
            let value = x[column]
            for row in (column + 1)..<max(count, column + 1) { x[row] -= factor[row, column] * value }
        }
        for column in (0..<count).reversed() {
            var value = x[column]
            for row in (column + 1)..<max(count, column + 1) { value -= factor[row, column] * x[row] }
            x[column] = value / factor[column, column]
        }
        return x
    }

    /// Puts the lower triangular factor in place of the matrix; false when it is not positive definite.
    private mutating func factorise() -> Bool {
        for pivot in 0..<count {
            let square = self[pivot, pivot]
            guard square > 0, square.isFinite else { return false }
            let scale = 1 / square.squareRoot()
            for block in (pivot / 4)..<blocks { columns[pivot * blocks + block] *= scale }
            for column in (pivot + 1)..<max(count, pivot + 1) {
                let multiple = self[column, pivot]
                // Without a prior, joints on different limbs share nothing.
                guard multiple != 0 else { continue }
                let (into, from) = (column * blocks, pivot * blocks)
                for block in (column / 4)..<blocks { columns[into + block] -= multiple * columns[from + block] }
            }
        }
        return true
    }
}
