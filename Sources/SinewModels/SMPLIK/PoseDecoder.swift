internal import SinewKernels

/// A decoder of SMPL-IK: one residual stack with layer norms over the rows of people; its output is the sum of the forecasts.
///
/// - Source: models.md §5.2 and §5.4; the last backcast, which nobody reads, is left out.
internal struct PoseDecoder: Sendable {
    let inputs: Int
    let width: Int
    let outputs: Int
    private let blocks: [ResidualBlock]

    /// Multiply-adds of one person.
    var multiplyAdds: Int { blocks.reduce(0) { $0 + $1.hiddenMultiplyAdds + $1.forecast.multiplyAdds } }

    /// Reads and packs `prefix.blocks.*`.
    init(
        _ reader: inout WeightsReader, prefix: String, inputs: Int, outputs: Int, _ description: ModelDescription
    ) throws(ModelError) {
        self.inputs = inputs
        self.outputs = outputs
        width = description.hidden
        var packed: [ResidualBlock] = []
        for index in 0..<description.blocks {
            let name = "\(prefix).blocks.\(index)"
            let columns = index == 0 ? inputs : width
            var dense = try reader.residualBlock(name, inputs: columns, width: width, outputs: outputs)
            // The norm stands before the hidden layers alone; the backcast sees the raw input.
            dense.first = dense.first.afterNorm(
                scale: try reader.values("\(name).norm.a_2", shape: [columns]),
                shift: try reader.values("\(name).norm.b_2", shape: [columns]))
            packed.append(
                ResidualBlock(
                    dense, isLast: index == description.blocks - 1, precision: description.precision,
                    inputPrecision: description.precision))
        }
        blocks = packed
    }

    /// Decodes `rows` people of `input`, the first of which begins at `start`.
    ///
    /// - Parameters:
    ///   - input: rows of ``inputs`` floats, `stride` apart.
    ///   - sums: receives `rows` rows of ``outputs`` floats, the hidden stride of the workspace apart.
    func run(
        _ input: borrowing AlignedBuffer, stride inputStride: Int, start: Int, rows: Int, _ workspace: SMPLIKWorkspace,
        sums: inout AlignedBuffer, isCancelled: () -> Bool
    ) throws(ModelError) {
        let stride = workspace.hiddenStride
        for (index, block) in blocks.enumerated() {
            if isCancelled() { throw .cancelled }
            if index == 0 {
                let raw = input.span.extracting(start..<(start + (rows - 1) * inputStride + inputs))
                Self.normalise(
                    raw, stride: inputStride, columns: inputs, rows: rows, into: &workspace.hiddenB, stride)
                block.backcast?.multiply(
                    raw, rows: rows, aStride: inputStride, into: &workspace.back, cStride: stride)
            } else {
                Self.normalise(
                    workspace.x.span, stride: stride, columns: width, rows: rows, into: &workspace.hiddenB, stride)
                block.backcast?.multiply(
                    workspace.x.span, rows: rows, aStride: stride, into: &workspace.back, cStride: stride)
            }
            block.first.multiply(
                workspace.hiddenB, rows: rows, aStride: stride, activation: .leakyReLU, into: &workspace.hiddenA,
                cStride: stride)
            block.second.multiply(
                workspace.hiddenA, rows: rows, aStride: stride, activation: .leakyReLU, into: &workspace.hiddenB,
                cStride: stride)
            block.third.multiply(
                workspace.hiddenB, rows: rows, aStride: stride, activation: .leakyReLU, into: &workspace.hiddenA,
                cStride: stride)
            block.forecast.multiply(
                workspace.hiddenA, rows: rows, aStride: stride, activation: .identity, into: &workspace.forecast,
                cStride: stride)
            add(workspace.forecast, rows: rows, isFirst: index == 0, to: &sums, stride: stride)
            if block.backcast != nil {
                passOn(workspace.hiddenA, workspace.back, rows: rows, into: &workspace.x, stride: stride)
            }
        }
    }

    private static func normalise(
        _ raw: Span<Float>, stride: Int, columns: Int, rows: Int, into target: inout AlignedBuffer,
        _ targetStride: Int
    ) {
        var target = target.mutableSpan
        for row in 0..<rows {
            RowArithmetic.normalise(
                raw.extracting((row * stride)..<(row * stride + columns)), into: &target, at: row * targetStride)
        }
    }

    private func add(
        _ forecast: borrowing AlignedBuffer, rows: Int, isFirst: Bool, to sums: inout AlignedBuffer, stride: Int
    ) {
        let forecast = forecast.span
        var target = sums.mutableSpan
        for row in 0..<rows {
            RowArithmetic.accumulate(
                forecast.extracting((row * stride)..<(row * stride + outputs)), times: 1, onto: &target,
                at: row * stride, isFirst: isFirst)
        }
    }

    /// The backcast becomes the next block's input.
    private func passOn(
        _ hidden: borrowing AlignedBuffer, _ back: borrowing AlignedBuffer, rows: Int, into x: inout AlignedBuffer,
        stride: Int
    ) {
        let (hidden, back) = (hidden.span, back.span)
        var x = x.mutableSpan
        for row in 0..<rows {
            let columns = (row * stride)..<(row * stride + width)
            RowArithmetic.backcast(
                hidden.extracting(columns), back.extracting(columns), into: &x, at: columns.lowerBound)
        }
    }
}

extension PackedMatrix {
    /// The plain product of a span, from its beginning, into a whole buffer.
    fileprivate func multiply(
        _ a: Span<Float>, rows: Int, aStride: Int, into c: inout AlignedBuffer, cStride: Int
    ) {
        var span = c.mutableSpan
        multiply(a, rows: rows, aStride: aStride, activation: .identity, into: &span, cStride: cStride)
    }
}
