internal import SinewKernels

/// One block of the residual stacks of SMPL-IK, packed: three hidden layers, a forecast, and a backcast where it is used.
///
/// `h = LReLU(L3 LReLU(L2 LReLU(L0 x)))`, forecast `F h`, backcast `ReLU(h + B x)`.
/// - Source: models.md §5.2; the scale and shift of a leading layer norm are folded into `L0`.
internal struct ResidualBlock: Sendable {
    let first: PackedMatrix
    let second: PackedMatrix
    let third: PackedMatrix
    let forecast: PackedMatrix
    /// nil in the last block of a stack, whose backcast nobody reads.
    let backcast: PackedMatrix?

    /// Of the layers that see each row; the forecast is counted apart, because the encoder makes it once per person.
    var hiddenMultiplyAdds: Int {
        first.multiplyAdds + second.multiplyAdds + third.multiplyAdds + (backcast?.multiplyAdds ?? 0)
    }

    /// The hidden part of the dense block as it lies in a file.
    struct Dense {
        var first: Linear
        var second: Linear
        var third: Linear
        var forecast: Linear
        var backcast: Linear
    }

    init(
        _ dense: Dense, isLast: Bool, precision: ModelDescription.Precision,
        inputPrecision: ModelDescription.Precision
    ) {
        first = dense.first.packed(inputPrecision)
        second = dense.second.packed(precision)
        third = dense.third.packed(precision)
        forecast = dense.forecast.packed(precision)
        backcast = isLast ? nil : dense.backcast.packed(inputPrecision)
    }
}

extension WeightsReader {
    /// Reads `prefix.fc_layers.{0,2,3}`, `prefix.forward_projection` and `prefix.backward_projection`; slot 1 was the dropout.
    mutating func residualBlock(
        _ prefix: String, inputs: Int, width: Int, outputs: Int
    ) throws(ModelError) -> ResidualBlock.Dense {
        ResidualBlock.Dense(
            first: try linear("\(prefix).fc_layers.0", inputs: inputs, outputs: width),
            second: try linear("\(prefix).fc_layers.2", inputs: width, outputs: width),
            third: try linear("\(prefix).fc_layers.3", inputs: width, outputs: width),
            forecast: try linear("\(prefix).forward_projection", inputs: width, outputs: outputs),
            backcast: try linear("\(prefix).backward_projection", inputs: inputs, outputs: width))
    }
}

extension Linear {
    /// The layer after a layer norm's scale and shift: `L (a ∘ z + b) = (L diag a) z + (L b + bias)`.
    func afterNorm(scale: [Float], shift: [Float]) -> Linear {
        precondition(scale.count == inputs && shift.count == inputs)
        var folded = self
        for row in 0..<outputs {
            var sum = Double(bias[row])
            for column in 0..<inputs {
                let value = weight[row * inputs + column]
                sum += Double(value) * Double(shift[column])
                folded.weight[row * inputs + column] = value * scale[column]
            }
            folded.bias[row] = Float(sum)
        }
        return folded
    }

    /// The product with a constant part of the input, in double precision: `W[:, columns] · values`, without the bias.
    func contribution(ofColumns start: Int, _ values: [Float]) -> [Double] {
        (0..<outputs).map { row in
            var sum = 0.0
            for (index, value) in values.enumerated() {
                sum += Double(weight[row * inputs + start + index]) * Double(value)
            }
            return sum
        }
    }
}
