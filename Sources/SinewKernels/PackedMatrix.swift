/// The weights and bias of a linear layer, laid out once at load for the kernels of one instruction set.
///
/// The depth is cut into blocks of ``depthBlock``. Within a block the outputs are cut into micropanels of NR columns; a
/// micropanel holds, for each input in turn, its NR weights side by side. The last micropanel is as narrow as
/// ``KernelSet/quantum`` allows; what is left of it and of the bias is filled up with zeros. A product that uses only the first inputs or the first outputs reads a prefix of the same panels.
package final class PackedMatrix: Sendable {
    /// The instruction set the panels were made for.
    package let isa: ISA
    /// Rows of the weight matrix: outputs, N.
    package let outputs: Int
    /// Columns of the weight matrix: inputs, K.
    package let inputs: Int
    /// Multiply-adds of a product with one row; padding is not counted.
    package var multiplyAdds: Int { inputs * outputs }

    internal let kernels: KernelSet
    internal let panels: Panels
    internal let bias: AlignedBuffer

    /// How the weights are stored. Inputs, biases and results are floats in every format, and but for int8 the sums too.
    package enum Format: Sendable, CaseIterable {
        case float32
        /// Rounded to ``BFloat16``: half the bytes to read, which is what small batches wait for.
        case bfloat16
        /// Rounded to ``Int8Panels``, and the inputs with them: a quarter of the bytes, and four products where a float set does one.
        case int8
    }

    /// The micropanels in one of the formats.
    internal enum Panels: ~Copyable, Sendable {
        case float32(AlignedBuffer)
        /// Columns in the order of `sinew_sgemm_bf16_function`.
        case bfloat16(AlignedMemory<UInt16>)
        case int8(Int8Panels)
    }

    /// KC: a micropanel of this depth (128 KiB with AVX-512) stays in L2 while all row tiles of a block pass over it, and the
    /// layers of the published networks need no second pass over their sums: 1024 → 1024 gains 3 to 7 % over blocks of 512.
    package static let depthBlock = 1024

    /// Packs `weights` and `bias` for `isa`.
    ///
    /// - Shape: `weights` `[outputs, inputs]` row-major as in PyTorch; `bias` `[outputs]`, always kept as floats.
    package init(
        weights: [Float], bias: [Float], inputs: Int, format: Format = .float32, isa: ISA = .selected
    ) {
        let outputs = bias.count
        precondition(inputs >= 1 && outputs >= 1, "a layer needs inputs and outputs, got \(inputs) and \(outputs)")
        precondition(weights.count == inputs * outputs, "\(weights.count) weights are not \(outputs) by \(inputs)")
        self.isa = isa
        self.inputs = inputs
        self.outputs = outputs
        let kernels = KernelSet(isa)
        self.kernels = kernels
        let width = kernels.tileColumns
        // What the width of the last micropanel is a multiple of; int8 has whole panels.
        let unit =
            switch format {
            case .float32: kernels.quantum
            case .bfloat16: 2 * kernels.lanes
            case .int8: Int8KernelSet(isa).tileColumns
            }
        let paddedOutputs = (outputs + unit - 1) / unit * unit
        switch format {
        case .float32:
            panels = .float32(
                Self.pack(
                    weights, inputs: inputs, outputs: outputs, paddedOutputs: paddedOutputs, width: width,
                    column: { $0 }, convert: { $0 }))
        case .bfloat16:
            panels = .bfloat16(
                Self.pack(
                    weights, inputs: inputs, outputs: outputs, paddedOutputs: paddedOutputs, width: width,
                    column: { Self.interleaved($0, lanes: kernels.lanes) }, convert: BFloat16.bits(rounding:)))
        case .int8:
            panels = .int8(Int8Panels(weights: weights, inputs: inputs, outputs: outputs, isa: isa))
        }
        var paddedBias = AlignedBuffer(weights: paddedOutputs)
        var biases = paddedBias.mutableSpan
        for output in 0..<outputs { biases[output] = bias[output] }
        self.bias = paddedBias
    }

    /// Lays out the micropanels; `column` says where a column of a micropanel lies within each of its rows.
    private static func pack<Element>(
        _ weights: [Float], inputs: Int, outputs: Int, paddedOutputs: Int, width: Int, column: (Int) -> Int,
        convert: (Float) -> Element
    ) -> AlignedMemory<Element> {
        var panels = AlignedMemory<Element>(weights: paddedOutputs * inputs)
        var packed = panels.mutableSpan
        for start in stride(from: 0, to: inputs, by: depthBlock) {
            let depth = min(depthBlock, inputs - start)
            for output in 0..<outputs {
                let first = output / width * width
                let panelWidth = min(width, paddedOutputs - first)
                let panel = start * paddedOutputs + first * depth + column(output - first)
                for input in 0..<depth {
                    packed[panel + input * panelWidth] = convert(weights[output * inputs + start + input])
                }
            }
        }
        return panels
    }

    /// The place of a column in a row of a bfloat16 micropanel: two vectors, interleaved, after each other.
    private static func interleaved(_ column: Int, lanes: Int) -> Int {
        let (group, within) = (column / (2 * lanes), column % (2 * lanes))
        return group * 2 * lanes + (within < lanes ? 2 * within : 2 * (within - lanes) + 1)
    }

    /// Bytes held, padding included.
    package var packedBytes: Int {
        let panelBytes =
            switch panels {
            case .float32(let panels): panels.count * MemoryLayout<Float>.size
            case .bfloat16(let panels): panels.count * MemoryLayout<UInt16>.size
            case .int8(let panels): panels.packedBytes
            }
        return panelBytes + bias.count * MemoryLayout<Float>.size
    }

    /// Weights in a row of the micropanel that holds output `column`.
    internal func panelWidth(column: Int) -> Int {
        let width = kernels.tileColumns
        return min(width, bias.count - kernels.panelsBefore(column: column) * width)
    }
}
