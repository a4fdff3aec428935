internal import SinewKernels

/// The dense weights of a linear layer as they lie in a file.
///
/// - Shape: `weight` `[outputs, inputs]` row-major as in PyTorch, `bias` `[outputs]`; `y = W x + b`.
internal struct Linear: Sendable, Equatable {
    /// Row-major weights.
    var weight: [Float]
    /// One value per output.
    var bias: [Float]
    /// Columns of the weights.
    var inputs: Int
    /// Rows of the weights.
    var outputs: Int { bias.count }

    /// Creates a layer from its arrays.
    init(weight: [Float], bias: [Float], inputs: Int) {
        precondition(weight.count == inputs * bias.count)
        self.weight = weight
        self.bias = bias
        self.inputs = inputs
    }

    /// The layer without the inputs and outputs that are not named, in the order named.
    func keeping(inputs columns: [Int], outputs rows: [Int]) -> Linear {
        var cut = Linear(weight: [], bias: rows.map { bias[$0] }, columns: columns.count)
        cut.weight.reserveCapacity(rows.count * columns.count)
        for row in rows {
            for column in columns { cut.weight.append(weight[row * inputs + column]) }
        }
        return cut
    }

    /// The layer laid out for the kernels of this machine.
    func packed(_ precision: ModelDescription.Precision) -> PackedMatrix {
        let format: PackedMatrix.Format =
            switch precision {
            case .float32: .float32
            case .bfloat16: .bfloat16
            case .int8: .int8
            }
        return PackedMatrix(weights: weight, bias: bias, inputs: inputs, format: format)
    }

    private init(weight: [Float], bias: [Float], columns: Int) {
        self.weight = weight
        self.bias = bias
        inputs = columns
    }
}
