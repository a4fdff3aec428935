import SinewKernels
import TestSupport
import Testing

@Suite struct BFloat16Tests {
    private func value(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    @Test func `every bfloat16 rounds to itself, and a middle between two to the even one`() {
        for bits in UInt16.min...0x7F7F {
            for bits in [bits, bits | 0x8000] {
                #expect(BFloat16.bits(rounding: value(bits)) == bits)
                guard bits & 0x7FFF < 0x7F7F else { continue }
                let middle = Float(bitPattern: UInt32(bits) << 16 | 0x8000)
                #expect(BFloat16.bits(rounding: middle) == (bits % 2 == 0 ? bits : bits + 1))
                #expect(BFloat16.bits(rounding: Float(bitPattern: middle.bitPattern - 1)) == bits)
                #expect(BFloat16.bits(rounding: Float(bitPattern: middle.bitPattern + 1)) == bits + 1)
            }
        }
    }

    @Test func `finite floats stay finite and NaN stays NaN`() {
        #expect(BFloat16.bits(rounding: .greatestFiniteMagnitude) == 0x7F7F)
        #expect(BFloat16.bits(rounding: -.greatestFiniteMagnitude) == 0xFF7F)
        #expect(value(BFloat16.bits(rounding: .nan)).isNaN)
        // A payload in the lower half alone, which cutting would turn into infinity.
        #expect(value(BFloat16.bits(rounding: Float(bitPattern: 0x7F80_0001))).isNaN)
    }

    private struct Case {
        var rows: Int
        var outputs: Int
        var inputs: Int
        var depth: Int
        var columns: Int
        var activation: Activation
    }

    private func product(_ matrix: PackedMatrix, _ a: [Float], _ at: Case) -> [Float] {
        var c = [Float](repeating: -77, count: at.rows * (at.columns + 3))
        var span = c.mutableSpan
        matrix.multiply(
            a.span, rows: at.rows, aStride: at.inputs, depth: at.depth, columns: at.columns, activation: at.activation,
            into: &span, cStride: at.columns + 3)
        return c
    }

    /// Against the float tile of the same set bit for bit, and against double precision and the portable set within the bound
    /// of a float chain.
    private func check(_ at: Case, isa: ISA, seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let a = randomFloats(at.rows * at.inputs, &generator)
        let weights = randomFloats(at.outputs * at.inputs, &generator)
        let bias = randomFloats(at.outputs, &generator)
        let rounded = weights.map(BFloat16.rounded)
        func packed(_ weights: [Float], _ format: PackedMatrix.Format, _ isa: ISA) -> PackedMatrix {
            PackedMatrix(weights: weights, bias: bias, inputs: at.inputs, format: format, isa: isa)
        }
        let found = product(packed(weights, .bfloat16, isa), a, at)
        let place: Comment = "\(isa) \(at) seed \(seed)"
        #expect(found.map(\.bitPattern) == product(packed(rounded, .float32, isa), a, at).map(\.bitPattern), place)
        let portable = product(packed(weights, .bfloat16, .portable), a, at)
        let (values, bounds) = reference(
            a: a, rows: at.rows, aStride: at.inputs, weights: rounded, bias: bias, inputs: at.inputs, depth: at.depth,
            columns: at.columns, activation: at.activation)
        var (worst, worstPortable) = (0.0, 0.0)
        for row in 0..<at.rows {
            for column in 0..<(at.columns + 3) {
                let value = found[row * (at.columns + 3) + column]
                guard column < at.columns else {
                    #expect(value == -77, place)
                    continue
                }
                let index = row * at.columns + column
                worst = max(worst, abs(Double(value) - values[index]) / bounds[index])
                let other = Double(portable[row * (at.columns + 3) + column])
                worstPortable = max(worstPortable, abs(Double(value) - other) / (2 * bounds[index]))
            }
        }
        #expect(worst <= 1, place)
        #expect(worstPortable <= 1, place)
    }

    @Test(arguments: ISA.available)
    func `every tile remainder gives the float product of the rounded weights`(isa: ISA) {
        let kernels = KernelSet(isa)
        for rows in 1...(kernels.tileRows + 1) {
            for outputs in 1...(2 * kernels.tileColumns + 1) {
                let activation = Activation.allCases[(rows + outputs) % 4]
                check(
                    Case(
                        rows: rows, outputs: outputs, inputs: 7, depth: 7, columns: outputs, activation: activation),
                    isa: isa, seed: UInt64(rows * 1000 + outputs))
            }
        }
    }

    @Test(arguments: ISA.available)
    func `every depth and every cut gives the float product of the rounded weights`(isa: ISA) {
        for depth in Array(1...40) + [511, 512, 513, 1025] {
            check(
                Case(rows: 3, outputs: 35, inputs: depth, depth: depth, columns: 35, activation: .leakyReLU), isa: isa,
                seed: UInt64(depth))
        }
        for activation in Activation.allCases {
            check(
                Case(rows: 15, outputs: 88, inputs: 88, depth: 58, columns: 72, activation: activation), isa: isa,
                seed: 1)
            check(
                Case(rows: 5, outputs: 70, inputs: 1200, depth: 700, columns: 3, activation: activation), isa: isa,
                seed: 2)
        }
    }

    @Test(arguments: ISA.available)
    func `a row gives the same bits in bfloat16 whoever shares the batch`(isa: ISA) {
        var generator = SplitMix64(seed: 5)
        var at = Case(rows: 31, outputs: 47, inputs: 530, depth: 530, columns: 47, activation: .tanh)
        let matrix = PackedMatrix(
            weights: randomFloats(at.outputs * at.inputs, &generator), bias: randomFloats(at.outputs, &generator),
            inputs: at.inputs, format: .bfloat16, isa: isa)
        let a = randomFloats(at.rows * at.inputs, &generator)
        let together = product(matrix, a, at)
        at.rows = 1
        for row in 0..<31 {
            let alone = product(matrix, Array(a[(row * at.inputs)..<((row + 1) * at.inputs)]), at)
            #expect(alone.map(\.bitPattern) == together[(row * 50)..<((row + 1) * 50)].map(\.bitPattern))
        }
    }

    @Test func `bfloat16 halves the bytes of the panels`() {
        func bytes(_ format: PackedMatrix.Format) -> Int {
            PackedMatrix(
                weights: [Float](repeating: 1, count: 64 * 100), bias: [Float](repeating: 0, count: 64), inputs: 100,
                format: format
            ).packedBytes
        }
        #expect(bytes(.float32) == 64 * 100 * 4 + 64 * 4)
        #expect(bytes(.bfloat16) == 64 * 100 * 2 + 64 * 4)
    }
}
