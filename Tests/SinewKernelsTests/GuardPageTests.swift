import Glibc
import SinewKernels
import TestSupport
import Testing

/// Floats whose last element ends at a page that nothing may touch: reading or writing one byte further kills the test.
@safe
private struct GuardedFloats: ~Copyable {
    let count: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    private let base: UnsafeMutablePointer<Float>

    init(_ values: [Float]) throws {
        count = values.count
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let used = (values.count * 4 + page - 1) / page * page
        mappedBytes = used + page
        let raw = unsafe mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        unsafe mapping = try #require(unsafe raw)
        #expect(unsafe mprotect(mapping + used, page, PROT_NONE) == 0)
        unsafe base = unsafe (mapping + used - values.count * 4).bindMemory(to: Float.self, capacity: values.count)
        for (index, value) in values.enumerated() { unsafe base[index] = value }
    }

    deinit { unsafe munmap(mapping, mappedBytes) }

    var buffer: UnsafeMutableBufferPointer<Float> { unsafe UnsafeMutableBufferPointer(start: base, count: count) }
}

@Suite struct GuardPageTests {
    @Test(arguments: ISA.available)
    func `no kernel touches memory past the end of its arrays`(isa: ISA) throws {
        var generator = SplitMix64(seed: 21)
        let kernels = KernelSet(isa)
        for format in PackedMatrix.Format.allCases {
            for (rows, columns, depth) in [(1, 1, 1), (3, 5, 9), (4, 17, 3), (6, 31, 13), (14, 23, 33), (15, 33, 5)] {
                let matrix = PackedMatrix(
                    weights: randomFloats(columns * depth, &generator), bias: randomFloats(columns, &generator),
                    inputs: depth, format: format, isa: isa)
                let a = randomFloats(rows * depth, &generator)
                var expected = [Float](repeating: 0, count: rows * columns)
                var expectedSpan = expected.mutableSpan
                matrix.multiply(
                    a.span, rows: rows, aStride: depth, activation: .tanh, into: &expectedSpan, cStride: columns)
                let guardedA = try GuardedFloats(a)
                let guardedC = try GuardedFloats([Float](repeating: 0, count: rows * columns))
                var c = unsafe MutableSpan(_unsafeElements: guardedC.buffer)
                matrix.multiply(
                    unsafe Span(_unsafeElements: guardedA.buffer), rows: rows, aStride: depth, activation: .tanh,
                    into: &c,
                    cStride: columns)
                #expect(unsafe Array(guardedC.buffer) == expected)
            }
        }
        for count in 1...40 {
            let x = try GuardedFloats(randomFloats(count, &generator))
            let s = try GuardedFloats(randomFloats(count, &generator))
            let t = try GuardedFloats(randomFloats(count, &generator))
            let before = unsafe Array(x.buffer)
            var out = unsafe MutableSpan(_unsafeElements: x.buffer)
            kernels.couple(
                inverted: false, count: count, x: &out, xOffset: 0, s: unsafe Span(_unsafeElements: s.buffer),
                t: unsafe Span(_unsafeElements: t.buffer), offset: 0)
            kernels.couple(
                inverted: true, count: count, x: &out, xOffset: 0, s: unsafe Span(_unsafeElements: s.buffer),
                t: unsafe Span(_unsafeElements: t.buffer), offset: 0)
            #expect(unsafe zip(x.buffer, before).allSatisfy { abs($0 - $1) < 1e-5 })
            kernels.exponential(of: unsafe Span(_unsafeElements: s.buffer), into: &out)
            kernels.hyperbolicTangent(of: unsafe Span(_unsafeElements: t.buffer), into: &out)
            #expect(unsafe zip(x.buffer, t.buffer).allSatisfy { abs($0 - tanh($1)) < 1e-6 })
        }
    }
}
