import SinewKernels
import TestSupport
import Testing

/// Marks floats that a kernel must not touch.
private let poison = Float(bitPattern: 0x7FC0_BEEF)

@Suite struct MultiplyTests {
    /// Multiplies into a poisoned array with a wider stride and returns it.
    private func product(
        _ matrix: PackedMatrix, a: [Float], rows: Int, aStride: Int, depth: Int, columns: Int, activation: Activation,
        source: WeightSource = .cache, cStride: Int
    ) -> [Float] {
        var c = [Float](repeating: poison, count: rows * cStride)
        var cSpan = c.mutableSpan
        matrix.multiply(
            a.span, rows: rows, aStride: aStride, depth: depth, columns: columns, activation: activation,
            source: source, into: &cSpan, cStride: cStride)
        return c
    }

    private func check(
        isa: ISA, rows: Int, outputs: Int, inputs: Int, depth: Int, columns: Int, activation: Activation, seed: UInt64
    ) {
        var generator = SplitMix64(seed: seed)
        let aStride = inputs + 3
        // What lies between the rows is poisoned: a kernel that reads past a row's end shows NaN.
        var a = [Float](repeating: poison, count: rows * aStride)
        for row in 0..<rows {
            for input in 0..<depth { a[row * aStride + input] = Float.random(in: -1..<1, using: &generator) }
        }
        let weights = randomFloats(outputs * inputs, &generator)
        let bias = randomFloats(outputs, &generator)
        let matrix = PackedMatrix(weights: weights, bias: bias, inputs: inputs, isa: isa)
        let cStride = columns + 5
        let c = product(
            matrix, a: a, rows: rows, aStride: aStride, depth: depth, columns: columns, activation: activation,
            cStride: cStride)
        let (values, bounds) = reference(
            a: a, rows: rows, aStride: aStride, weights: weights, bias: bias, inputs: inputs, depth: depth,
            columns: columns, activation: activation)
        var worst = 0.0
        var touched = false
        for row in 0..<rows {
            for column in 0..<cStride {
                let value = c[row * cStride + column]
                guard column < columns else {
                    touched = touched || value.bitPattern != poison.bitPattern
                    continue
                }
                let index = row * columns + column
                let ratio = abs(Double(value) - values[index]) / bounds[index]
                worst = ratio.isNaN ? .infinity : max(worst, ratio)
            }
        }
        let place: Comment = "\(isa) \(rows)×\(columns)/\(outputs)×\(depth)/\(inputs) \(activation) seed \(seed)"
        #expect(worst <= 1, place)
        #expect(!touched, place)
    }

    @Test(arguments: ISA.available)
    func `every tile remainder of rows and columns is within the error bound`(isa: ISA) {
        let kernels = KernelSet(isa)
        for rows in 1...(2 * kernels.tileRows + 1) {
            for outputs in 1...(2 * kernels.tileColumns + 1) {
                check(
                    isa: isa, rows: rows, outputs: outputs, inputs: 7, depth: 7, columns: outputs,
                    activation: Activation.allCases[(rows + outputs) % 4], seed: UInt64(rows * 1000 + outputs))
            }
        }
    }

    @Test(arguments: ISA.available)
    func `every depth up to and past a depth block is within the error bound`(isa: ISA) {
        for depth in Array(1...40) + [1023, 1024, 1025, 2047, 2048, 2049, 2100] {
            check(
                isa: isa, rows: 17, outputs: 35, inputs: depth, depth: depth, columns: 35, activation: .leakyReLU,
                seed: UInt64(depth))
        }
    }

    @Test(arguments: ISA.available, Activation.allCases)
    func `a prefix of the inputs and outputs gives the product of the cut matrix`(isa: ISA, activation: Activation) {
        check(isa: isa, rows: 15, outputs: 88, inputs: 88, depth: 58, columns: 72, activation: activation, seed: 1)
        check(isa: isa, rows: 5, outputs: 70, inputs: 600, depth: 500, columns: 33, activation: activation, seed: 2)
        check(isa: isa, rows: 5, outputs: 70, inputs: 2400, depth: 1400, columns: 3, activation: activation, seed: 3)
    }

    @Test(arguments: ISA.available)
    func `blocks of rows and depth meet without a seam`(isa: ISA) {
        check(
            isa: isa, rows: 290, outputs: 70, inputs: 1060, depth: 1060, columns: 70, activation: .identity, seed: 4)
    }

    @Test(arguments: ISA.available, PackedMatrix.Format.allCases)
    func `a product from a later column on leaves the others alone and gives the same bits`(
        isa: ISA, format: PackedMatrix.Format
    ) {
        var generator = SplitMix64(seed: 6)
        let width = KernelSet(isa).tileColumns
        for (rows, inputs, outputs) in [(1, 40, 4 * width), (2, 300, 3 * width + 1), (9, 1030, 2 * width + width / 2)] {
            let matrix = PackedMatrix(
                weights: randomFloats(outputs * inputs, &generator), bias: randomFloats(outputs, &generator),
                inputs: inputs, format: format, isa: isa)
            let a = randomFloats(rows * inputs, &generator)
            for columns in [outputs, outputs - 1, 2 * width] {
                let whole = product(
                    matrix, a: a, rows: rows, aStride: inputs, depth: inputs, columns: columns, activation: .tanh,
                    cStride: columns)
                for first in stride(from: 0, to: columns, by: width) {
                    var part = [Float](repeating: poison, count: rows * columns)
                    var span = part.mutableSpan
                    matrix.multiply(
                        a.span, rows: rows, aStride: inputs, columns: columns, firstColumn: first, activation: .tanh,
                        into: &span, cStride: columns)
                    let expected = whole.indices.map { $0 % columns < first ? poison.bitPattern : whole[$0].bitPattern }
                    #expect(part.map(\.bitPattern) == expected, "\(isa) \(format) \(columns) from \(first)")
                }
            }
        }
    }

    @Test(arguments: ISA.available)
    func `a row gives the same bits whoever shares the batch`(isa: ISA) {
        var generator = SplitMix64(seed: 5)
        let (rows, inputs, outputs) = (141, 1030, 111)
        let matrix = PackedMatrix(
            weights: randomFloats(outputs * inputs, &generator), bias: randomFloats(outputs, &generator),
            inputs: inputs, isa: isa)
        let a = randomFloats(rows * inputs, &generator)
        let together = product(
            matrix, a: a, rows: rows, aStride: inputs, depth: inputs, columns: outputs, activation: .tanh,
            cStride: outputs)
        for row in 0..<rows {
            let alone = product(
                matrix, a: Array(a[(row * inputs)..<((row + 1) * inputs)]), rows: 1, aStride: inputs, depth: inputs,
                columns: outputs, activation: .tanh, cStride: outputs)
            #expect(alone.map(\.bitPattern) == together[(row * outputs)..<((row + 1) * outputs)].map(\.bitPattern))
        }
    }

    @Test(arguments: ISA.available, PackedMatrix.Format.allCases)
    func `weights from memory and weights in cache give the same bits at every width`(
        isa: ISA, format: PackedMatrix.Format
    ) {
        var generator = SplitMix64(seed: 7)
        let width = KernelSet(isa).tileColumns
        let inputs = 140
        for outputs in Array(1...(width + 1)) + Array((4 * width - 9)...(5 * width + 9)) {
            let matrix = PackedMatrix(
                weights: randomFloats(outputs * inputs, &generator), bias: randomFloats(outputs, &generator),
                inputs: inputs, format: format, isa: isa)
            let a = randomFloats(5 * inputs, &generator)
            func bits(_ source: WeightSource, rows: Int) -> [UInt32] {
                product(
                    matrix, a: a, rows: rows, aStride: inputs, depth: inputs, columns: outputs,
                    activation: .leakyReLU, source: source, cStride: outputs
                ).map(\.bitPattern)
            }
            let five = bits(.memory, rows: 5)
            for rows in 1...5 {
                let expected = Array(five.prefix(rows * outputs))
                for source in WeightSource.allCases {
                    #expect(bits(source, rows: rows) == expected, "\(isa) \(format) \(source) \(rows)×\(outputs)")
                }
            }
        }
    }

    @Test func `weights count as in memory when the process holds more than the last cache keeps`() async {
        // In a process of its own: the weights of other tests count too.
        await #expect(processExitsWith: .success) {
            precondition(WeightSource.expected == .cache)
            do {
                let large = AlignedBuffer(weights: WeightSource.cacheBytes / 4 + 1)
                precondition(WeightSource.expected == .memory)
                precondition(large.count > 0)
            }
            precondition(WeightSource.expected == .cache)
        }
    }

    @Test func `the last cache is the largest that the system lists`() {
        let folder = "/sys/devices/system/cpu/cpu0/cache/index"
        let files = ["0/size": "32K\n", "1/size": "big", "2/size": "2048K\n", "3/size": "36M\n"]
        #expect(WeightSource.lastCacheBytes { files[String($0.dropFirst(folder.count))] } == 36 << 20)
        #expect(WeightSource.lastCacheBytes { _ in nil } == 8 << 20)
    }

    @Test func `limiting the instruction set moves the selection and nothing already packed`() async {
        // In a process of its own: the limit is global, and other tests run beside this one.
        await #expect(processExitsWith: .success) {
            let strongest = ISA.available.last!
            let packed = PackedMatrix(weights: [1], bias: [0], inputs: 1, isa: strongest)
            for isa in ISA.available {
                ISA.limit(to: isa)
                precondition(ISA.selected == isa)
            }
            ISA.limit(to: .avx512)
            precondition(ISA.selected == strongest && packed.isa == strongest && ISA.available.first == .portable)
        }
    }
}
