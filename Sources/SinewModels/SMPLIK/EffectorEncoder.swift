internal import SinewKernels

/// The encoder of SMPL-IK: sets of effectors to one embedding per person.
///
/// - Source: models.md §5.3, with the exact reductions of §5.5: pooling commutes with the forecast, so that is applied to the pooled
///   hidden values, once per person; the last backcast is left out; joint and kind of an effector, and shape and gender of a person,
///   enter the first block through tables made at load and one small product per person.
internal struct EffectorEncoder: Sendable {
    /// What the first block adds to a product with the seven features of an effector.
    struct Lookup: Sendable {
        /// `[72, width]`: joint and kind, with the layer's bias.
        let table: [Float]
        /// Shape and gender; no bias.
        let shape: PackedMatrix
    }

    let width: Int
    let blocks: [ResidualBlock]
    let firstLookup: Lookup
    let backcastLookup: Lookup

    /// Multiply-adds of one effector.
    var multiplyAddsPerEffector: Int { blocks.reduce(0) { $0 + $1.hiddenMultiplyAdds } }

    /// Multiply-adds of one person, whatever the effectors.
    var multiplyAddsPerPerson: Int {
        blocks.reduce(firstLookup.shape.multiplyAdds + backcastLookup.shape.multiplyAdds) {
            $0 + $1.forecast.multiplyAdds
        }
    }

    /// Reads and packs the tensors `embeddings.*` and `encoder.*`.
    init(_ reader: inout WeightsReader, _ description: ModelDescription) throws(ModelError) {
        let (width, embedding) = (description.hidden, description.embedding)
        let (own, shape) = (EffectorRows.featureCount, EffectorRows.shapeCount)
        self.width = width
        let joints = try reader.linear(
            "embeddings.0.projection", inputs: Self.embeddingRows, outputs: embedding)
        let kinds = try reader.linear(
            "embeddings.1.projection", inputs: Self.embeddingRows, outputs: embedding)
        var dense: [ResidualBlock.Dense] = []
        for index in 0..<description.blocks {
            let inputs = index == 0 ? own + shape + 2 * embedding : width
            dense.append(
                try reader.residualBlock(
                    "encoder.blocks.\(index)", inputs: inputs, width: width, outputs: width))
        }
        func lookup(_ layer: Linear) -> Lookup {
            var table: [Float] = []
            for kind in EffectorObservations.Kind.allCases {
                let ofKind = layer.contribution(
                    ofColumns: own + shape + embedding, kinds.embedding(Int(kind.rawValue)))
                for joint in 0..<24 {
                    let ofJoint = layer.contribution(ofColumns: own + shape, joints.embedding(joint))
                    for row in 0..<width { table.append(Float(Double(layer.bias[row]) + ofJoint[row] + ofKind[row])) }
                }
            }
            let columns = Linear(
                weight: layer.keeping(inputs: Array(own..<(own + shape)), outputs: Array(0..<width)).weight,
                bias: [Float](repeating: 0, count: width), inputs: shape)
            return Lookup(table: table, shape: columns.packed(.float32))
        }
        firstLookup = lookup(dense[0].first)
        backcastLookup = lookup(dense[0].backcast)
        dense[0].first = Self.features(of: dense[0].first)
        dense[0].backcast = Self.features(of: dense[0].backcast)
        blocks = dense.indices.map { index in
            ResidualBlock(
                dense[index], isLast: index == dense.count - 1, precision: description.precision,
                // Seven columns save no time in bfloat16, and they act on the positions themselves.
                inputPrecision: index == 0 ? .float32 : description.precision)
        }
    }

    /// Rows of the embedding tables of the published network; 24 joints and 3 kinds are used.
    private static let embeddingRows = 65

    private static func features(of layer: Linear) -> Linear {
        Linear(
            weight: layer.keeping(
                inputs: Array(0..<EffectorRows.featureCount), outputs: Array(0..<layer.outputs)
            ).weight, bias: [Float](repeating: 0, count: layer.outputs), inputs: EffectorRows.featureCount)
    }

    /// Writes the embedding of the people of `range` to its place in their rows of `embeddings`.
    func run(
        _ rows: EffectorRows, people range: Range<Int>, _ workspace: SMPLIKWorkspace,
        embeddings: inout AlignedBuffer, layout: PersonRows, isCancelled: () -> Bool
    ) throws(ModelError) {
        let start = rows.offsets[range.lowerBound]
        let count = rows.offsets[range.upperBound] - start
        let stride = workspace.hiddenStride
        workspace.take(rows, people: range)
        for (index, block) in blocks.enumerated() {
            if isCancelled() { throw .cancelled }
            if index == 0 {
                begin(block, rows, range, workspace)
            } else {
                block.first.multiply(
                    workspace.x, rows: count, aStride: stride, activation: .leakyReLU, into: &workspace.hiddenA,
                    cStride: stride)
                block.backcast?.multiply(
                    workspace.x, rows: count, aStride: stride, activation: .identity, into: &workspace.back,
                    cStride: stride)
            }
            block.second.multiply(
                workspace.hiddenA, rows: count, aStride: stride, activation: .leakyReLU, into: &workspace.hiddenB,
                cStride: stride)
            block.third.multiply(
                workspace.hiddenB, rows: count, aStride: stride, activation: .leakyReLU, into: &workspace.hiddenA,
                cStride: stride)
            pool(rows, range, workspace.hiddenA, into: &workspace.pooled, stride: stride)
            block.forecast.multiply(
                workspace.pooled, rows: range.count, aStride: stride, activation: .identity,
                into: &workspace.forecast, cStride: stride)
            accumulate(
                workspace.forecast, range, stride: stride, isFirst: index == 0, into: &embeddings, layout)
            guard block.backcast != nil else { continue }
            subtract(
                embeddings, layout, divisor: Float(index + 1), from: workspace.hiddenA, workspace.back, rows, range,
                into: &workspace.x, stride: stride)
        }
    }
}

// MARK: The parts between the products

extension EffectorEncoder {
    private func columns(from start: Int) -> Range<Int> { start..<(start + width) }

    /// The products of the first block with the features, each with what its lookup adds.
    private func begin(
        _ block: ResidualBlock, _ rows: EffectorRows, _ range: Range<Int>, _ workspace: SMPLIKWorkspace
    ) {
        let stride = workspace.hiddenStride
        let count = rows.offsets[range.upperBound] - rows.offsets[range.lowerBound]
        block.first.multiply(
            workspace.features, rows: count, aStride: SMPLIKWorkspace.featureStride, activation: .identity,
            into: &workspace.hiddenA, cStride: stride)
        firstLookup.shape.multiply(
            workspace.shape, rows: range.count, aStride: SMPLIKWorkspace.shapeStride, activation: .identity,
            into: &workspace.pooled, cStride: stride)
        add(firstLookup, workspace.pooled, rows, range, to: &workspace.hiddenA, stride: stride, isLeaky: true)
        guard let backcast = block.backcast else { return }
        backcast.multiply(
            workspace.features, rows: count, aStride: SMPLIKWorkspace.featureStride, activation: .identity,
            into: &workspace.back, cStride: stride)
        backcastLookup.shape.multiply(
            workspace.shape, rows: range.count, aStride: SMPLIKWorkspace.shapeStride, activation: .identity,
            into: &workspace.pooled, cStride: stride)
        add(backcastLookup, workspace.pooled, rows, range, to: &workspace.back, stride: stride, isLeaky: false)
    }

    /// `values = activation(values + table[slot] + constant of the person)`.
    private func add(
        _ lookup: Lookup, _ constants: borrowing AlignedBuffer, _ rows: EffectorRows, _ range: Range<Int>,
        to values: inout AlignedBuffer, stride: Int, isLeaky: Bool
    ) {
        let start = rows.offsets[range.lowerBound]
        let (table, constants) = (lookup.table.span, constants.span)
        var values = values.mutableSpan
        for person in range {
            let own = constants.extracting(columns(from: (person - range.lowerBound) * stride))
            for row in rows.offsets[person]..<rows.offsets[person + 1] {
                let entry = table.extracting(columns(from: rows.slots[row] * width))
                RowArithmetic.add(entry, own, to: &values, at: (row - start) * stride, isLeaky: isLeaky)
            }
        }
    }

    /// The weighted mean of the hidden values of each person's effectors.
    private func pool(
        _ rows: EffectorRows, _ range: Range<Int>, _ hidden: borrowing AlignedBuffer,
        into pooled: inout AlignedBuffer, stride: Int
    ) {
        let start = rows.offsets[range.lowerBound]
        let hidden = hidden.span
        var pooled = pooled.mutableSpan
        for person in range {
            for row in rows.offsets[person]..<rows.offsets[person + 1] {
                RowArithmetic.accumulate(
                    hidden.extracting(columns(from: (row - start) * stride)), times: rows.shares[row],
                    onto: &pooled, at: (person - range.lowerBound) * stride, isFirst: row == rows.offsets[person])
            }
        }
    }

    private func accumulate(
        _ forecast: borrowing AlignedBuffer, _ range: Range<Int>, stride: Int, isFirst: Bool,
        into embeddings: inout AlignedBuffer, _ layout: PersonRows
    ) {
        let forecast = forecast.span
        var target = embeddings.mutableSpan
        for person in range {
            RowArithmetic.accumulate(
                forecast.extracting(columns(from: (person - range.lowerBound) * stride)), times: 1, onto: &target,
                at: layout.embedding(of: person), isFirst: isFirst)
        }
    }

    /// `x = ReLU(ReLU(h + B x) − P / divisor)` with the person's prototype P.
    private func subtract(
        _ prototypes: borrowing AlignedBuffer, _ layout: PersonRows, divisor: Float,
        from hidden: borrowing AlignedBuffer, _ back: borrowing AlignedBuffer, _ rows: EffectorRows,
        _ range: Range<Int>, into x: inout AlignedBuffer, stride: Int
    ) {
        let start = rows.offsets[range.lowerBound]
        let (hidden, back, prototypes) = (hidden.span, back.span, prototypes.span)
        var x = x.mutableSpan
        for person in range {
            let prototype = prototypes.extracting(columns(from: layout.embedding(of: person)))
            for row in rows.offsets[person]..<rows.offsets[person + 1] {
                let own = columns(from: (row - start) * stride)
                RowArithmetic.backcast(
                    hidden.extracting(own), back.extracting(own), minus: prototype, over: divisor, into: &x,
                    at: own.lowerBound)
            }
        }
    }
}

extension Linear {
    /// What an embedding table gives for an index: its column and the bias.
    fileprivate func embedding(_ index: Int) -> [Float] {
        (0..<outputs).map { weight[$0 * inputs + index] + bias[$0] }
    }
}
