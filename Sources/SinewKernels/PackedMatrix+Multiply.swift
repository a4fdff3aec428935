extension PackedMatrix {
    /// MC: rows that pass over a micropanel before the next one is taken; with KC = 512 they fill a quarter of a 1 MiB L2.
    private static let rowBlock = 126
    /// NC: columns whose panels (2 MiB at KC = 512) stay in L3 while all row blocks pass over them.
    private static let columnBlock = 1024

    /// `c = activation(a · Wᵀ + bias)`.
    ///
    /// - Parameters:
    ///   - a: `rows` rows of at least `depth` floats, `aStride` apart.
    ///   - depth: how many of the inputs to use, from the first; the others count as zero. All by default.
    ///   - columns: how many of the outputs to compute, from the first. All by default.
    ///   - c: `rows` rows of `columns` floats, `cStride` apart; floats between the rows stay as they are.
    /// - Cost: no allocation; `2 · rows · columns · depth` floating-point operations.
    /// - Note: a row's result does not depend on the other rows, bit for bit.
    package func multiply(
        _ a: Span<Float>, rows: Int, aStride: Int, depth: Int? = nil, columns: Int? = nil, activation: Activation,
        into c: inout MutableSpan<Float>, cStride: Int
    ) {
        let depth = depth ?? inputs
        let columns = columns ?? outputs
        precondition(depth >= 1 && depth <= inputs && columns >= 1 && columns <= outputs)
        precondition(aStride >= depth && cStride >= columns)
        let (mr, nr) = (kernels.tileRows, kernels.tileColumns)
        for columnStart in stride(from: 0, to: columns, by: Self.columnBlock) {
            let columnEnd = min(columns, columnStart + Self.columnBlock)
            for depthStart in stride(from: 0, to: depth, by: Self.depthBlock) {
                let depthEnd = min(depth, depthStart + Self.depthBlock)
                for rowStart in stride(from: 0, to: rows, by: Self.rowBlock) {
                    let rowEnd = min(rows, rowStart + Self.rowBlock)
                    for column in stride(from: columnStart, to: columnEnd, by: nr) {
                        let panelOffset = panelOffset(depthStart: depthStart, panel: column / nr)
                        for row in stride(from: rowStart, to: rowEnd, by: mr) {
                            let tile = Tile(
                                rows: min(mr, rowEnd - row), columns: min(nr, columnEnd - column),
                                depth: depthEnd - depthStart, aOffset: row * aStride + depthStart, aStride: aStride,
                                panelOffset: panelOffset, biasOffset: column, cOffset: row * cStride + column,
                                cStride: cStride, accumulate: depthStart > 0,
                                activation: depthEnd == depth ? activation : .identity)
                            switch panels {
                            case .float32(let panels):
                                kernels.multiplyTile(tile, a: a, panels: panels, bias: bias, c: &c)
                            case .bfloat16(let panels):
                                kernels.multiplyTile(tile, a: a, panels: panels, bias: bias, c: &c)
                            }
                        }
                    }
                }
            }
        }
    }
}

extension PackedMatrix {
    /// The same product between whole buffers.
    package func multiply(
        _ a: borrowing AlignedBuffer, rows: Int, aStride: Int, depth: Int? = nil, columns: Int? = nil,
        activation: Activation, into c: inout AlignedBuffer, cStride: Int
    ) {
        var span = c.mutableSpan
        multiply(
            a.span, rows: rows, aStride: aStride, depth: depth, columns: columns, activation: activation, into: &span,
            cStride: cStride)
    }
}
