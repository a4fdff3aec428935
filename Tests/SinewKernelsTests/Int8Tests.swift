import SinewKernels
import TestSupport
import Testing

@Suite struct Int8Tests {
    private struct Case {
        var rows: Int
        var outputs: Int
        var inputs: Int
        var depth: Int
        var columns: Int
        var activation: Activation
    }

    private struct Layer {
        var weights: [Float]
        var bias: [Float]
        var inputs: Int

        func packed(_ isa: ISA, _ format: PackedMatrix.Format = .int8) -> PackedMatrix {
            PackedMatrix(weights: weights, bias: bias, inputs: inputs, format: format, isa: isa)
        }
    }

    private func layer(_ at: Case, _ generator: inout SplitMix64) -> Layer {
        Layer(
            weights: randomFloats(at.outputs * at.inputs, &generator), bias: randomFloats(at.outputs, &generator),
            inputs: at.inputs)
    }

    private func product(_ matrix: PackedMatrix, _ a: [Float], _ at: Case) -> [Float] {
        var c = [Float](repeating: -77, count: at.rows * (at.columns + 3))
        var span = c.mutableSpan
        matrix.multiply(
            a.span, rows: at.rows, aStride: at.inputs, depth: at.depth, columns: at.columns, activation: at.activation,
            into: &span, cStride: at.columns + 3)
        return c
    }

    /// The product as `sinew_int8.h` defines it, written a second time in integers and floats; -77 stays where nothing is written.
    private func defined(_ layer: Layer, _ a: [Float], _ at: Case) -> [Float] {
        var c = [Float](repeating: -77, count: at.rows * (at.columns + 3))
        for row in 0..<at.rows {
            let values = a[(row * at.inputs)..<(row * at.inputs + at.depth)]
            let (low, high) = (min(0, values.min() ?? 0), max(0, values.max() ?? 0))
            let range = high - low
            let inverse = range < 1e-30 ? 0 : 255 / range
            let zero = Int((-low * inverse).rounded(.toNearestOrEven))
            let quantised = values.map { min(255, Int(($0 * inverse).rounded(.toNearestOrEven)) + zero) - zero }
            for column in 0..<at.columns {
                let weights = layer.weights[(column * at.inputs)..<((column + 1) * at.inputs)]
                let scale = weights.reduce(0) { max($0, abs($1)) } / 127
                var sum = 0
                for (q, weight) in zip(quantised, weights) where scale > 0 {
                    sum += q * Int(max(-127, min(127, (weight / scale).rounded(.toNearestOrEven))))
                }
                let factor: Float = (range < 1e-30 ? 0 : range / 255) * scale
                let product: Float = Float(sum) * factor
                let value: Float = product + layer.bias[column]
                c[row * (at.columns + 3) + column] =
                    switch at.activation {
                    case .leakyReLU: max(value * 0.01, value)
                    case .reLU: max(0, value)
                    case .identity, .tanh: value
                    }
            }
        }
        return c
    }

    /// Bit for bit against the definition, but for tanh, which each set computes within its own bound.
    private func check(_ at: Case, isa: ISA, seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let layer = layer(at, &generator)
        let a = randomFloats(at.rows * at.inputs, &generator)
        #expect(product(layer.packed(isa), a, at) == defined(layer, a, at), "\(isa) \(at) seed \(seed)")
    }

    @Test(arguments: ISA.available)
    func `every tile remainder gives the defined product`(isa: ISA) {
        let kernels = Int8KernelSet(isa)
        for rows in 1...(kernels.tileRows + 1) {
            for outputs in 1...(2 * kernels.tileColumns + 1) {
                let activation: Activation = [.identity, .leakyReLU, .reLU][(rows + outputs) % 3]
                check(
                    Case(
                        rows: rows, outputs: outputs, inputs: 7, depth: 7, columns: outputs, activation: activation),
                    isa: isa, seed: UInt64(rows * 1000 + outputs))
            }
        }
    }

    @Test(arguments: ISA.available)
    func `every depth and every cut gives the defined product`(isa: ISA) {
        for depth in Array(1...40) + [511, 512, 513, 1025] {
            check(
                Case(rows: 3, outputs: 35, inputs: depth, depth: depth, columns: 35, activation: .leakyReLU), isa: isa,
                seed: UInt64(depth))
        }
        for activation in [Activation.identity, .leakyReLU, .reLU] {
            check(
                Case(rows: 15, outputs: 88, inputs: 88, depth: 58, columns: 72, activation: activation), isa: isa,
                seed: 1)
            check(
                Case(rows: 5, outputs: 70, inputs: 1200, depth: 700, columns: 3, activation: activation), isa: isa,
                seed: 2)
        }
    }

    @Test(arguments: ISA.available)
    func `more rows than are quantised together, and the widest layer, give the defined product`(isa: ISA) {
        check(
            Case(rows: 300, outputs: 3, inputs: 90, depth: 90, columns: 3, activation: .identity), isa: isa, seed: 3)
        let widest = Int8KernelSet.inputsMax
        check(
            Case(rows: 17, outputs: 2, inputs: widest, depth: widest, columns: 2, activation: .identity), isa: isa,
            seed: 4)
    }

    @Test(arguments: ISA.available)
    func `the largest sums do not overflow or saturate`(isa: ISA) {
        for inputs in [512, Int8KernelSet.inputsMax] {
            let at = Case(rows: 1, outputs: 2, inputs: inputs, depth: inputs, columns: 2, activation: .identity)
            let ones = [Float](repeating: 1, count: inputs)
            let layer = Layer(weights: ones + ones.map { -$0 }, bias: [0, 0], inputs: inputs)
            for sign in [Float(1), -1] {
                // Every product is 255 · 127, the largest there is, and every sum has one sign.
                let found = product(layer.packed(isa), ones.map { $0 * sign }, at)
                let wanted = sign * Float(inputs)
                #expect(abs(found[0] / wanted - 1) <= 1e-6 && abs(found[1] / -wanted - 1) <= 1e-6)
            }
        }
    }

    @Test(arguments: ISA.available)
    func `tanh of the product is within the bound of tanh`(isa: ISA) {
        var generator = SplitMix64(seed: 6)
        var at = Case(rows: 9, outputs: 50, inputs: 60, depth: 60, columns: 50, activation: .tanh)
        let layer = layer(at, &generator)
        let a = randomFloats(at.rows * at.inputs, &generator)
        let found = product(layer.packed(isa), a, at)
        at.activation = .identity
        for (value, before) in zip(found, product(layer.packed(isa), a, at)) where before != -77 {
            let wanted = exact(.tanh, Double(before))
            #expect(abs(Double(value) - wanted) <= 0x1p-21 * abs(wanted))
        }
    }

    @Test(arguments: ISA.available)
    func `a row gives the same bits in int8 whoever shares the batch`(isa: ISA) {
        var generator = SplitMix64(seed: 5)
        var at = Case(rows: 31, outputs: 47, inputs: 530, depth: 530, columns: 47, activation: .tanh)
        let matrix = layer(at, &generator).packed(isa)
        let a = randomFloats(at.rows * at.inputs, &generator)
        let together = product(matrix, a, at)
        at.rows = 1
        for row in 0..<31 {
            let alone = product(matrix, Array(a[(row * at.inputs)..<((row + 1) * at.inputs)]), at)
            #expect(alone.map(\.bitPattern) == together[(row * 50)..<((row + 1) * 50)].map(\.bitPattern))
        }
    }

    @Test(arguments: ISA.available)
    func `a row with a value that is not finite gives NaN and harms no other`(isa: ISA) {
        var generator = SplitMix64(seed: 7)
        let at = Case(rows: 3, outputs: 40, inputs: 37, depth: 37, columns: 40, activation: .leakyReLU)
        let matrix = layer(at, &generator).packed(isa)
        let clean = randomFloats(at.rows * at.inputs, &generator)
        let expected = product(matrix, clean, at)
        for value in [Float.nan, -.nan, .infinity, -.infinity] {
            for place in [0, 15, 36] {
                var a = clean
                a[at.inputs + place] = value
                let found = product(matrix, a, at)
                #expect(found[43..<83].allSatisfy { $0.isNaN }, "\(isa) \(value) at \(place)")
                #expect(found[..<40] == expected[..<40] && found[86..<126] == expected[86..<126])
            }
        }
    }

    @Test(arguments: ISA.available)
    func `zeros and very small numbers give the bias, and an output without weights its bias`(isa: ISA) {
        let layer = Layer(
            weights: [Float](repeating: 1, count: 20) + [Float](repeating: 0, count: 20), bias: [3, 5], inputs: 20)
        let at = Case(rows: 1, outputs: 2, inputs: 20, depth: 20, columns: 2, activation: .identity)
        for value in [Float(0), -0.0, 1e-31, -Float.leastNonzeroMagnitude] {
            let found = product(layer.packed(isa), [Float](repeating: value, count: 20), at)
            #expect(found[..<2] == [3, 5])
        }
        #expect(product(layer.packed(isa), [Float](repeating: 2, count: 20), at)[1] == 5)
    }

    @Test(arguments: ISA.available)
    func `the columns from a later panel on are those of the whole product`(isa: ISA) {
        var generator = SplitMix64(seed: 9)
        let kernels = Int8KernelSet(isa)
        let first = 2 * kernels.tileColumns
        let at = Case(rows: 5, outputs: first + 7, inputs: 33, depth: 30, columns: first + 5, activation: .leakyReLU)
        let layer = layer(at, &generator)
        let a = randomFloats(at.rows * at.inputs, &generator)
        let whole = product(layer.packed(isa), a, at)
        let panels = Int8Panels(weights: layer.weights, inputs: 33, outputs: at.outputs, isa: isa)
        var bias = AlignedBuffer(count: first + kernels.tileColumns)
        var biases = bias.mutableSpan
        for output in 0..<at.outputs { biases[output] = layer.bias[output] }
        let stride = at.columns + 3
        var c = [Float](repeating: -77, count: at.rows * stride)
        var span = c.mutableSpan
        kernels.multiply(
            a.span, rows: at.rows, aStride: 33, depth: 30, by: panels, bias: bias, first: first, columns: at.columns,
            activation: .leakyReLU, into: &span, cStride: stride)
        for index in c.indices { #expect(c[index] == (index % stride < first ? -77 : whole[index])) }
    }

    /// The distance to the exact product is that of the two roundings: half a step of the row for each weight, half a step of
    /// the weights for each value, half of each for their product, and the float error of the way back.
    @Test(arguments: ISA.available)
    func `int8 stays within half a step of each factor`(isa: ISA) {
        var generator = SplitMix64(seed: 8)
        let at = Case(rows: 20, outputs: 64, inputs: 300, depth: 300, columns: 64, activation: .identity)
        let layer = layer(at, &generator)
        let a = randomFloats(at.rows * at.inputs, &generator)
        let found = product(layer.packed(isa), a, at)
        for row in 0..<at.rows {
            let values = a[(row * 300)..<((row + 1) * 300)].map(Double.init)
            // A value at the very top may lose a whole step to the rounding of the zero point.
            let step = (max(0, values.max() ?? 0) - min(0, values.min() ?? 0)) / 255
            for column in 0..<at.columns {
                let weights = layer.weights[(column * 300)..<((column + 1) * 300)].map(Double.init)
                let half = (weights.map(abs).max() ?? 0) / 254
                var (exact, bound) = (Double(layer.bias[column]), 0.0)
                for (value, weight) in zip(values, weights) {
                    exact += value * weight
                    bound += step * abs(weight) + half * abs(value) + step * half
                }
                #expect(abs(Double(found[row * 67 + column]) - exact) <= bound * 1.0001 + 1e-5)
            }
        }
    }

    @Test func `int8 takes a quarter of the bytes of the panels`() {
        let matrix = Layer(
            weights: [Float](repeating: 1, count: 64 * 100), bias: [Float](repeating: 0, count: 64), inputs: 100
        ).packed(.selected)
        #expect(matrix.packedBytes == 64 * 100 + 3 * 64 * 4)
    }
}
