import Glibc
import SinewKernels
import TestSupport
import Testing

@Suite struct ElementwiseTests {
    /// Floats spread over every binade below `largest`, both signs, and the landmarks.
    private func arguments(below largest: Float, seed: UInt64) -> [Float] {
        var generator = SplitMix64(seed: seed)
        var values: [Float] = [0, -0.0, 0.625, -0.625, 0.62499994, .leastNonzeroMagnitude, -.leastNormalMagnitude]
        for exponent in -30...Int(log2(Double(largest)) + 1) {
            for _ in 0..<400 {
                let value = Float.random(in: 1..<2, using: &generator) * exp2(Float(exponent))
                if value <= largest { values += [value, -value] }
            }
        }
        return values
    }

    private func worstRelativeError(_ x: [Float], _ y: [Float], _ exact: (Double) -> Double) -> Double {
        var worst = 0.0
        for (x, y) in zip(x, y) {
            let value = exact(Double(x))
            let error = value == 0 ? abs(Double(y)) : abs(Double(y) / value - 1)
            worst = error.isNaN ? .infinity : max(worst, error)
        }
        return worst
    }

    @Test(arguments: ISA.available)
    func `exp is within 2^-22 of libm`(isa: ISA) {
        let x = arguments(below: 87, seed: 11)
        var y = [Float](repeating: 0, count: x.count)
        var out = y.mutableSpan
        KernelSet(isa).exponential(of: x.span, into: &out)
        #expect(worstRelativeError(x, y) { exp($0) } <= 0x1p-22)
    }

    @Test(arguments: ISA.available)
    func `exp clamps its argument and keeps NaN`(isa: ISA) {
        let x: [Float] = [88, 88.5, 1000, .infinity, -87, -87.5, -1000, -.infinity, .nan]
        var y = [Float](repeating: 0, count: x.count)
        var out = y.mutableSpan
        KernelSet(isa).exponential(of: x.span, into: &out)
        #expect(y[0..<4].allSatisfy { abs(Double($0) / exp(88.0) - 1) <= 0x1p-22 })
        #expect(y[4..<8].allSatisfy { abs(Double($0) / exp(-87.0) - 1) <= 0x1p-22 })
        #expect(y[8].isNaN)
    }

    @Test(arguments: ISA.available)
    func `tanh is odd, bounded and within 2^-21 of libm`(isa: ISA) {
        let x = arguments(below: 3.0e38, seed: 12)
        var y = [Float](repeating: 0, count: x.count)
        var out = y.mutableSpan
        KernelSet(isa).hyperbolicTangent(of: x.span, into: &out)
        // Below the normal range the square underflows and nothing is left to round: the result is the argument.
        #expect(worstRelativeError(x, y) { tanh($0) } <= 0x1p-21)
        #expect(y.allSatisfy { abs($0) <= 1 })
        let negated = x.map { -$0 }
        var z = [Float](repeating: 0, count: x.count)
        var mirrored = z.mutableSpan
        KernelSet(isa).hyperbolicTangent(of: negated.span, into: &mirrored)
        #expect(zip(y, z).allSatisfy { $0 == -$1 })
        let special: [Float] = [.infinity, -.infinity, .nan]
        var w = [Float](repeating: 0, count: 3)
        var specialOut = w.mutableSpan
        KernelSet(isa).hyperbolicTangent(of: special.span, into: &specialOut)
        #expect(w[0] == 1 && w[1] == -1 && w[2].isNaN)
    }

    @Test(arguments: ISA.available)
    func `a coupling follows its formula and its inverse undoes it, for every tail`(isa: ISA) {
        var generator = SplitMix64(seed: 13)
        for width in 1...50 {
            let (rows, stride, xStride) = (3, width + 2, width + 4)
            let before = randomFloats(rows * xStride, &generator)
            let s = randomFloats(rows * stride, &generator)
            let t = randomFloats(rows * stride, &generator)
            var x = before
            var span = x.mutableSpan
            Coupling.update.apply(
                to: &span, rows: 0..<rows, columns: 0..<width, xStride: xStride, s: s.span, t: t.span, stride: stride,
                isa: isa)
            let updated = x
            span = x.mutableSpan
            Coupling.invert.apply(
                to: &span, rows: 0..<rows, columns: 0..<width, xStride: xStride, s: s.span, t: t.span, stride: stride,
                isa: isa)
            for row in 0..<rows {
                for column in 0..<xStride {
                    let at = row * xStride + column
                    guard column < width else {
                        #expect(updated[at] == before[at] && x[at] == before[at])
                        continue
                    }
                    let scale = exp(Double(s[row * stride + column]))
                    let shift = Double(t[row * stride + column])
                    let forward = Double(before[at]) * scale + shift
                    #expect(abs(Double(updated[at]) - forward) <= 1e-6 * (abs(Double(before[at])) * scale + abs(shift)))
                    let backward = (Double(updated[at]) - shift) / scale
                    #expect(abs(Double(x[at]) - backward) <= 1e-6 * (abs(Double(updated[at])) + abs(shift)) / scale)
                }
            }
        }
    }

    @Test(arguments: ISA.available)
    func `an element gives the same bits in a full vector and in a tail`(isa: ISA) {
        var generator = SplitMix64(seed: 14)
        let x = randomFloats(64, &generator).map { $0 * 4 }
        var together = [Float](repeating: 0, count: 64)
        var all = together.mutableSpan
        KernelSet(isa).hyperbolicTangent(of: x.span, into: &all)
        for index in 0..<64 {
            let one = [x[index]]
            var alone: [Float] = [0]
            var out = alone.mutableSpan
            KernelSet(isa).hyperbolicTangent(of: one.span, into: &out)
            #expect(alone[0].bitPattern == together[index].bitPattern)
        }
    }
}
