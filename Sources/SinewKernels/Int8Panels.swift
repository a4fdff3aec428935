/// Weights rounded to int8, one scale per output, laid out for ``Int8KernelSet``.
///
/// `w ≈ scale · q` with q = round(w / scale), ties to even, and scale = max |w| / 127 over the weights of the output; an output
/// whose weights are all zero has scale 0. A micropanel of NR outputs goes over the whole depth: for each group of G inputs, the
/// G weights of each output side by side. Absent inputs and outputs are zero.
///
/// - Note: activations are quantised row by row when they are multiplied (`sinew_quantise_row_function`), biases and results stay
///   floats. A row's result does not depend on the other rows, and is the same on every instruction set but for tanh.
package struct Int8Panels: ~Copyable, Sendable {
    /// K.
    package let inputs: Int
    internal let kernels: Int8KernelSet
    internal let panels: AlignedMemory<Int8>
    internal let scales: AlignedBuffer
    /// The sum of each output's rounded weights; multiplies the zero point of a row.
    internal let sums: AlignedMemory<Int32>

    /// Rounds and lays out.
    ///
    /// - Shape: `weights` `[outputs, inputs]` row-major.
    package init(weights: [Float], inputs: Int, outputs: Int, isa: ISA) {
        precondition(
            inputs <= Int8KernelSet.inputsMax,
            "int8 sums hold at most \(Int8KernelSet.inputsMax) products, the layer has \(inputs) inputs; use bfloat16")
        let kernels = Int8KernelSet(isa)
        let (width, group) = (kernels.tileColumns, kernels.group)
        let paddedOutputs = (outputs + width - 1) / width * width
        let paddedInputs = (inputs + group - 1) / group * group
        var panels = AlignedMemory<Int8>(weights: paddedOutputs * paddedInputs)
        var scales = AlignedBuffer(weights: paddedOutputs)
        var sums = AlignedMemory<Int32>(weights: paddedOutputs)
        var packed = panels.mutableSpan
        var factors = scales.mutableSpan
        var totals = sums.mutableSpan
        for output in 0..<outputs {
            let row = weights[(output * inputs)..<((output + 1) * inputs)]
            let scale = row.reduce(0) { max($0, abs($1)) } / 127
            guard scale > 0 else { continue }
            factors[output] = scale
            let panel = output / width * width * paddedInputs + output % width * group
            for (input, weight) in row.enumerated() {
                // The quotient may round to just above 127.
                let rounded = max(-127, min(127, (weight / scale).rounded(.toNearestOrEven)))
                packed[panel + input / group * width * group + input % group] = Int8(rounded)
                totals[output] += Int32(rounded)
            }
        }
        self.inputs = inputs
        self.kernels = kernels
        self.panels = panels
        self.scales = scales
        self.sums = sums
    }

    /// Bytes held, padding included.
    package var packedBytes: Int {
        panels.count + scales.count * MemoryLayout<Float>.size + sums.count * MemoryLayout<Int32>.size
    }
}
