extension PackedMatrix {
    /// MC: floats of A that pass over a micropanel before the next one is taken; they fill half of a 1 MiB L2.
    private static let blockFloats = 128 << 10

    /// How many blocks `rows` rows of `depth` floats make, none of them smaller than a tile if that can be.
    private static func blocks(rows: Int, depth: Int, atLeast tileRows: Int) -> Int {
        let most = max(blockFloats / depth, tileRows)
        return (rows + most - 1) / most
    }

    /// `c = activation(a · Wᵀ + bias)`.
    ///
    /// - Parameters:
    ///   - a: `rows` rows of at least `depth` floats, `aStride` apart.
    ///   - depth: how many of the inputs to use, from the first; the others count as zero. All by default.
    ///   - columns: how many of the outputs to compute, from the first. All by default.
    ///   - firstColumn: leaves out the outputs before it, a multiple of ``panelColumns``; `c` keeps what stands in their place.
    ///   - source: where the weights come from; what holds for the process unless told otherwise. int8 weights are read alike.
    ///   - c: `rows` rows of `columns` floats, `cStride` apart; floats between the rows stay as they are.
    /// - Cost: no allocation; `2 · rows · columns · depth` floating-point operations.
    /// - Note: a row's result does not depend on the other rows, bit for bit.
    package func multiply(
        _ a: Span<Float>, rows: Int, aStride: Int, depth: Int? = nil, columns: Int? = nil, firstColumn: Int = 0,
        activation: Activation, source: WeightSource = .expected, into c: inout MutableSpan<Float>, cStride: Int
    ) {
        let depth = depth ?? inputs
        let columns = columns ?? outputs
        precondition(depth >= 1 && depth <= inputs && columns >= 1 && columns <= outputs)
        precondition(aStride >= depth && cStride >= columns)
        precondition(firstColumn >= 0 && firstColumn < columns && firstColumn & (panelColumns - 1) == 0)
        switch panels {
        case .float32: break
        case .bfloat16: break
        case .int8(let panels):
            // Every row is quantised once for all columns, so the whole product is one call.
            return panels.kernels.multiply(
                a, rows: rows, aStride: aStride, depth: depth, by: panels, bias: bias, first: firstColumn,
                columns: columns, activation: activation, into: &c, cStride: cStride)
        }
        for depthStart in stride(from: 0, to: depth, by: Self.depthBlock) {
            // A block is as deep as it was packed; a product may use less of the last one.
            let packedDepth = min(Self.depthBlock, inputs - depthStart)
            let blockDepth = min(packedDepth, depth - depthStart)
            // Few rows are one block, without a division.
            let rowsMax = max(Self.blockFloats / Self.depthBlock, kernels.tileRows)
            let blocks = rows <= rowsMax ? 1 : Self.blocks(rows: rows, depth: blockDepth, atLeast: kernels.tileRows)
            for block in 0..<blocks {
                // Blocks of nearly equal size: a small one at the end would read all weights for a few rows.
                let row = blocks == 1 ? 0 : rows * block / blocks
                let end = blocks == 1 ? rows : rows * (block + 1) / blocks
                let product = Product(
                    rows: end - row, columns: columns - firstColumn, depth: blockDepth,
                    aOffset: row * aStride + depthStart, aStride: aStride,
                    panelOffset: depthStart * bias.count + firstColumn * packedDepth,
                    panelStride: panelColumns * packedDepth, lastWidth: panelWidth(column: columns - 1),
                    biasOffset: firstColumn, cOffset: row * cStride + firstColumn, cStride: cStride,
                    accumulate: depthStart > 0,
                    activation: depthStart + blockDepth == depth ? activation : .identity,
                    source: source)
                switch panels {
                case .float32(let panels): kernels.multiply(product, a: a, panels: panels, bias: bias, c: &c)
                case .bfloat16(let panels): kernels.multiply(product, a: a, panels: panels, bias: bias, c: &c)
                case .int8: preconditionFailure("int8 panels are multiplied as a whole")
                }
            }
        }
    }
}

extension PackedMatrix {
    /// Columns of a micropanel, the unit in which threads share a product's outputs.
    package var panelColumns: Int { kernels.tileColumns }

    /// Micropanels, the last one perhaps not full.
    package var panelCount: Int { (outputs + panelColumns - 1) / panelColumns }

    /// The outputs of some micropanels.
    package func columns(ofPanels panels: Range<Int>) -> Range<Int> {
        min(panels.lowerBound * panelColumns, outputs)..<min(panels.upperBound * panelColumns, outputs)
    }

    /// The same product between buffers that a team shares, for the outputs `part`, which begins where a micropanel does.
    ///
    /// - Parameter part: may be empty. An output's value does not depend on the part it is computed in, bit for bit.
    package func multiply(
        _ a: SharedBuffer, rows: Int, aStride: Int, depth: Int? = nil, part: Range<Int>, activation: Activation,
        into c: SharedBuffer, cStride: Int
    ) {
        guard !part.isEmpty else { return }
        var span = c.mutableSpan
        multiply(
            a.span, rows: rows, aStride: aStride, depth: depth, columns: part.upperBound,
            firstColumn: part.lowerBound, activation: activation, into: &span, cStride: cStride)
    }

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
