internal import SinewKernels

/// A stack of affine couplings between vectors of `dimension` values, run in either direction.
///
/// - Source: models.md §3.2 and §3.8. The nets of a coupling run one after the other through the same scratch rows and not
///   side by side: rows are read where they lie, so a shared first product would save nothing and the block would be half
///   again as large. The last coupling computes the rows of the error code too, because answers carry its norm (0.1 % of the work).
internal struct CouplingFlow: Sendable {
    let dimension: Int
    let hidden: Int
    let layers: [CouplingLayer]

    var half: Int { dimension / 2 }

    /// IK direction, in place on the first `rows` rows of the workspace's halves.
    ///
    /// - Parameter firstDepth: how many values of the odd half can differ from zero at the start; the others are not
    ///   multiplied in the first coupling.
    /// - Throws: ``ModelError/cancelled`` between couplings.
    func inverse(
        _ workspace: FlowWorkspace, rows: Int, betas: Span<Float>, firstDepth: Int, isCancelled: () -> Bool
    ) throws(ModelError) {
        for (index, layer) in layers.enumerated() {
            if isCancelled() { throw .cancelled }
            let depth = index == 0 && !layer.seesBetas ? firstDepth : nil
            couple(layer, updatesEven: index % 2 == 0, .update, workspace, rows: rows, betas: betas, depth: depth)
        }
    }

    /// FK direction, the inverse of ``inverse(_:rows:betas:firstDepth:isCancelled:)``.
    func forward(
        _ workspace: FlowWorkspace, rows: Int, betas: Span<Float>, isCancelled: () -> Bool
    ) throws(ModelError) {
        for (index, layer) in layers.enumerated().reversed() {
            if isCancelled() { throw .cancelled }
            couple(layer, updatesEven: index % 2 == 0, .invert, workspace, rows: rows, betas: betas, depth: nil)
        }
    }

    private func couple(
        _ layer: CouplingLayer, updatesEven: Bool, _ direction: Coupling, _ workspace: FlowWorkspace, rows: Int,
        betas: Span<Float>, depth: Int?
    ) {
        if layer.seesBetas {
            if updatesEven {
                append(betas, to: &workspace.odd, rows: rows, stride: workspace.halfStride)
            } else {
                append(betas, to: &workspace.even, rows: rows, stride: workspace.halfStride)
            }
        }
        evaluate(layer.scale, workspace, keptIsOdd: updatesEven, rows: rows, depth: depth, last: .tanh)
        evaluate(layer.translation, workspace, keptIsOdd: updatesEven, rows: rows, depth: depth, last: .identity)
        let stride = workspace.halfStride
        let isa = layer.scale.layers[0].isa
        if updatesEven {
            direction.apply(
                to: &workspace.even, rows: rows, width: half, xStride: stride, s: workspace.scale,
                t: workspace.translation, stride: stride, isa: isa)
        } else {
            direction.apply(
                to: &workspace.odd, rows: rows, width: half, xStride: stride, s: workspace.scale,
                t: workspace.translation, stride: stride, isa: isa)
        }
    }

    /// Runs one net; the log-scale goes to `scale`, the translation to `translation`, told apart by the last activation.
    private func evaluate(
        _ net: CouplingNet, _ workspace: FlowWorkspace, keptIsOdd: Bool, rows: Int, depth: Int?, last: Activation
    ) {
        let (stride, hiddenStride) = (workspace.halfStride, workspace.hiddenStride)
        if keptIsOdd {
            net.layers[0].multiply(
                workspace.odd, rows: rows, aStride: stride, depth: depth, activation: .leakyReLU,
                into: &workspace.hiddenA, cStride: hiddenStride)
        } else {
            net.layers[0].multiply(
                workspace.even, rows: rows, aStride: stride, depth: depth, activation: .leakyReLU,
                into: &workspace.hiddenA, cStride: hiddenStride)
        }
        net.layers[1].multiply(
            workspace.hiddenA, rows: rows, aStride: hiddenStride, activation: .leakyReLU, into: &workspace.hiddenB,
            cStride: hiddenStride)
        if last == .tanh {
            net.layers[2].multiply(
                workspace.hiddenB, rows: rows, aStride: hiddenStride, activation: last, into: &workspace.scale,
                cStride: stride)
        } else {
            net.layers[2].multiply(
                workspace.hiddenB, rows: rows, aStride: hiddenStride, activation: last, into: &workspace.translation,
                cStride: stride)
        }
    }

    private func append(_ betas: Span<Float>, to buffer: inout AlignedBuffer, rows: Int, stride: Int) {
        var span = buffer.mutableSpan
        let count = FlowWorkspace.betaCount
        for row in 0..<rows {
            for beta in 0..<count { span[row * stride + half + beta] = betas[row * count + beta] }
        }
    }
}
