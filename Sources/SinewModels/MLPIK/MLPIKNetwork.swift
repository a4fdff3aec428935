internal import SinewKernels

/// The MLP baseline of NIKI's Table 5 on conditioned vectors: four linear layers, LeakyReLU between them.
///
/// - Source: models.md §4; input `[bones 87, sigma 29, phi 46]`, output 24 row-6D rotations.
package struct MLPIKNetwork: Sendable {
    /// Bones, sigma, twists.
    package static let inputCount = 162
    private let layers: [PackedMatrix]
    private let hidden: Int
    private let pool: Pool<Workspace>

    /// Scratch rows; see ``FlowWorkspace`` for the strides.
    final class Workspace {
        static let rowsMax = 126
        let hiddenStride: Int
        let inputStride = 176
        var input: AlignedBuffer
        var hiddenA: AlignedBuffer
        var hiddenB: AlignedBuffer
        var output: AlignedBuffer

        init(hidden: Int) {
            hiddenStride = (hidden + 15) / 16 * 16 + 16
            input = AlignedBuffer(count: Self.rowsMax * inputStride)
            hiddenA = AlignedBuffer(count: Self.rowsMax * hiddenStride)
            hiddenB = AlignedBuffer(count: Self.rowsMax * hiddenStride)
            output = AlignedBuffer(count: Self.rowsMax * NIKINetwork.rotationCount)
        }
    }

    /// Reads and packs `layers.{0…3}.{weight,bias}`.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` for anything missing, superfluous, misshapen or not finite.
    package init(_ files: ModelFiles) throws(ModelError) {
        let hidden = files.description.hidden
        var reader = files.reader
        let sizes = [Self.inputCount, hidden, hidden, hidden, NIKINetwork.rotationCount]
        var packed: [PackedMatrix] = []
        for index in 0..<4 {
            let layer = try reader.linear("layers.\(index)", inputs: sizes[index], outputs: sizes[index + 1])
            packed.append(layer.packed(files.description.precision))
        }
        try reader.finish()
        layers = packed
        self.hidden = hidden
        pool = Pool { Workspace(hidden: hidden) }
    }

    /// Observations to rotations.
    ///
    /// - Parameters:
    ///   - input: `[count, 116]`, bones and sigma.
    ///   - phi: `[count, 46]`.
    /// - Returns: `[count, 144]`.
    /// - Throws: ``ModelError/cancelled``, between layers.
    package func solve(
        count: Int, input: [Float], phi: [Float], isCancelled: () -> Bool
    ) throws(ModelError) -> [Float] {
        let (observation, twists) = (NIKINetwork.observationCount, NIKINetwork.phiCount)
        precondition(input.count == count * observation && phi.count == count * twists)
        var rotation6d = [Float](repeating: 0, count: count * NIKINetwork.rotationCount)
        try pool.lend { workspace throws(ModelError) in
            let block = RowBlocks.rows(of: count, rowsMax: Workspace.rowsMax)
            for start in stride(from: 0, to: count, by: block) {
                let rows = min(block, count - start)
                Self.copy(
                    input.span, width: observation, start: start, rows: rows, to: 0, of: &workspace.input,
                    stride: workspace.inputStride)
                Self.copy(
                    phi.span, width: twists, start: start, rows: rows, to: observation, of: &workspace.input,
                    stride: workspace.inputStride)
                let hiddenStride = workspace.hiddenStride
                if isCancelled() { throw .cancelled }
                layers[0].multiply(
                    workspace.input, rows: rows, aStride: workspace.inputStride, activation: .leakyReLU,
                    into: &workspace.hiddenA, cStride: hiddenStride)
                if isCancelled() { throw .cancelled }
                layers[1].multiply(
                    workspace.hiddenA, rows: rows, aStride: hiddenStride, activation: .leakyReLU,
                    into: &workspace.hiddenB, cStride: hiddenStride)
                if isCancelled() { throw .cancelled }
                layers[2].multiply(
                    workspace.hiddenB, rows: rows, aStride: hiddenStride, activation: .leakyReLU,
                    into: &workspace.hiddenA, cStride: hiddenStride)
                if isCancelled() { throw .cancelled }
                let width = NIKINetwork.rotationCount
                layers[3].multiply(
                    workspace.hiddenA, rows: rows, aStride: hiddenStride, activation: .identity,
                    into: &workspace.output, cStride: width)
                Self.copy(workspace.output, count: rows * width, to: start * width, of: &rotation6d)
            }
        }
        return rotation6d
    }

    private static func copy(
        _ source: Span<Float>, width: Int, start: Int, rows: Int, to column: Int, of buffer: inout AlignedBuffer,
        stride: Int
    ) {
        var span = buffer.mutableSpan
        for row in 0..<rows {
            for index in 0..<width { span[row * stride + column + index] = source[(start + row) * width + index] }
        }
    }

    private static func copy(_ source: borrowing AlignedBuffer, count: Int, to start: Int, of target: inout [Float]) {
        let span = source.span
        for index in 0..<count { target[start + index] = span[index] }
    }
}

/// Only one call at a time holds a workspace (see ``Pool``).
extension MLPIKNetwork.Workspace: @unchecked Sendable {}
