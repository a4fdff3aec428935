/// The weights and bias of a linear layer, laid out once at load for the kernels of one instruction set.
///
/// The depth is cut into blocks of ``depthBlock``. Within a block the outputs are cut into micropanels of NR columns; a
/// micropanel holds, for each input in turn, its NR weights side by side. The last micropanel and the bias are filled up
/// with zeros. A product that uses only the first inputs or the first outputs reads a prefix of the same panels.
package final class PackedMatrix: Sendable {
    /// The instruction set the panels were made for.
    package let isa: ISA
    /// Rows of the weight matrix: outputs, N.
    package let outputs: Int
    /// Columns of the weight matrix: inputs, K.
    package let inputs: Int

    internal let kernels: KernelSet
    internal let panels: AlignedBuffer
    internal let bias: AlignedBuffer

    /// KC: a micropanel of this depth (64 KiB with AVX-512) stays in L2 while all row tiles of a block pass over it, and the
    /// layers of the released networks (depth ≤ 512) need no second pass over their sums.
    package static let depthBlock = 512

    /// Packs `weights` and `bias` for `isa`.
    ///
    /// - Shape: `weights` `[outputs, inputs]` row-major as in PyTorch; `bias` `[outputs]`.
    package init(weights: [Float], bias: [Float], inputs: Int, isa: ISA = .selected) {
        let outputs = bias.count
        precondition(inputs >= 1 && outputs >= 1, "a layer needs inputs and outputs, got \(inputs) and \(outputs)")
        precondition(weights.count == inputs * outputs, "\(weights.count) weights are not \(outputs) by \(inputs)")
        self.isa = isa
        self.inputs = inputs
        self.outputs = outputs
        kernels = KernelSet(isa)
        let width = kernels.tileColumns
        let paddedOutputs = (outputs + width - 1) / width * width
        var panels = AlignedBuffer(count: paddedOutputs * inputs)
        var packed = panels.mutableSpan
        for start in stride(from: 0, to: inputs, by: Self.depthBlock) {
            let depth = min(Self.depthBlock, inputs - start)
            for output in 0..<outputs {
                let panel = start * paddedOutputs + output / width * width * depth + output % width
                for input in 0..<depth { packed[panel + input * width] = weights[output * inputs + start + input] }
            }
        }
        var paddedBias = AlignedBuffer(count: paddedOutputs)
        var biases = paddedBias.mutableSpan
        for output in 0..<outputs { biases[output] = bias[output] }
        self.panels = panels
        self.bias = paddedBias
    }

    /// Floats held, padding included.
    package var packedCount: Int { panels.count + bias.count }

    /// Where the micropanel of `panel` begins in the depth block that starts at input `start`.
    internal func panelOffset(depthStart start: Int, panel: Int) -> Int {
        start * bias.count + panel * kernels.tileColumns * min(Self.depthBlock, inputs - start)
    }
}
