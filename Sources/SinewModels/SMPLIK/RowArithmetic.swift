/// What SMPL-IK does to rows of floats between its matrix products.
///
/// Every function takes spans of equal length, so that the checks are made once per row and the loops become vector code.
internal enum RowArithmetic {
    /// `target = activation(target + a + b)`, leaky or linear.
    static func add(
        _ a: Span<Float>, _ b: Span<Float>, to target: inout MutableSpan<Float>, at offset: Int, isLeaky: Bool
    ) {
        var row = target._mutatingExtracting(offset..<(offset + a.count))
        precondition(a.count == row.count && b.count == row.count)
        if isLeaky {
            for index in row.indices {
                let value = row[index] + (a[index] + b[index])
                row[index] = value > 0 ? value : 0.01 * value
            }
        } else {
            for index in row.indices { row[index] += a[index] + b[index] }
        }
    }

    /// `target += a · factor`, or `target = a · factor` for the first of a sum.
    static func accumulate(
        _ a: Span<Float>, times factor: Float, onto target: inout MutableSpan<Float>, at offset: Int, isFirst: Bool
    ) {
        var row = target._mutatingExtracting(offset..<(offset + a.count))
        precondition(a.count == row.count)
        if isFirst {
            for index in row.indices { row[index] = a[index] * factor }
        } else {
            for index in row.indices { row[index] += a[index] * factor }
        }
    }

    /// `target = ReLU(ReLU(hidden + back) − prototype / divisor)`.
    static func backcast(
        _ hidden: Span<Float>, _ back: Span<Float>, minus prototype: Span<Float>, over divisor: Float,
        into target: inout MutableSpan<Float>, at offset: Int
    ) {
        var row = target._mutatingExtracting(offset..<(offset + hidden.count))
        precondition(hidden.count == row.count && back.count == row.count && prototype.count == row.count)
        for index in row.indices {
            let sum = hidden[index] + back[index]
            let rest = (sum > 0 ? sum : 0) - prototype[index] / divisor
            row[index] = rest > 0 ? rest : 0
        }
    }

    /// `target = ReLU(hidden + back)`.
    static func backcast(
        _ hidden: Span<Float>, _ back: Span<Float>, into target: inout MutableSpan<Float>, at offset: Int
    ) {
        var row = target._mutatingExtracting(offset..<(offset + hidden.count))
        precondition(hidden.count == row.count && back.count == row.count)
        for index in row.indices {
            let sum = hidden[index] + back[index]
            row[index] = sum > 0 ? sum : 0
        }
    }

    /// `target = (x − mean) / (std + 1e−6)` with the unbiased deviation: a layer norm without its scale and shift.
    ///
    /// - Source: models.md §5.2; not PyTorch's layer norm, which has the biased variance and its epsilon under the root.
    static func normalise(_ x: Span<Float>, into target: inout MutableSpan<Float>, at offset: Int) {
        var row = target._mutatingExtracting(offset..<(offset + x.count))
        precondition(x.count == row.count && x.count > 1)
        let mean = sum(x) { $0 } / Float(x.count)
        let square = sum(x) { ($0 - mean) * ($0 - mean) }
        let factor = 1 / ((square / Float(x.count - 1)).squareRoot() + 1e-6)
        for index in row.indices { row[index] = (x[index] - mean) * factor }
    }

    /// A sum in sixteen lanes, always in the same order.
    @inline(__always)
    private static func sum(_ x: Span<Float>, _ term: (SIMD16<Float>) -> SIMD16<Float>) -> Float {
        var lanes = SIMD16<Float>.zero
        let whole = x.count / 16 * 16
        for start in stride(from: 0, to: whole, by: 16) {
            var part = SIMD16<Float>.zero
            for lane in 0..<16 { part[lane] = x[start + lane] }
            lanes += term(part)
        }
        var total = lanes.sum()
        for index in whole..<x.count { total += term(SIMD16(repeating: x[index]))[0] }
        return total
    }
}
