import Glibc
import SinewKernels
import TestSupport
import Testing

@Suite struct AlignedMemoryTests {
    /// The address of the first element, in bytes.
    private func address(_ buffer: borrowing AlignedBuffer) -> UInt {
        unsafe buffer.span.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }

    @Test func `weights are zero, start on a cache line and share no byte`() {
        var generator = SplitMix64(seed: 31)
        // Together more than one stretch of huge pages, and one matrix that is larger than a stretch.
        let counts = (0..<60).map { _ in Int.random(in: 0...400_000, using: &generator) } + [10 << 20, 1]
        var ranges: [(UInt, UInt)] = []
        func hold(_ index: Int) {
            guard index < counts.count else { return }
            var buffer = AlignedBuffer(weights: counts[index])
            #expect(buffer.count == counts[index] && address(buffer) % 64 == 0)
            var span = buffer.mutableSpan
            var zero = true
            for element in span.indices {
                zero = zero && span[element] == 0
                span[element] = Float(index)
            }
            #expect(zero)
            ranges.append((address(buffer), address(buffer) + UInt(counts[index] * 4)))
            hold(index + 1)
            // All later ones have been written by now, and this one still holds its own values.
            var kept = true
            for element in buffer.span.indices { kept = kept && buffer.span[element] == Float(index) }
            #expect(kept)
        }
        hold(0)
        ranges.sort { $0.0 < $1.0 }
        for (left, right) in zip(ranges, ranges.dropFirst()) { #expect(left.1 <= right.0) }
    }

    @Test func `memory of dropped weights returns to the system`() async {
        // In a process of its own, whose address space is too small for all of them together.
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 2 << 30, rlim_max: 2 << 30)
            precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
            for _ in 0..<64 {
                var buffer = AlignedBuffer(weights: 16 << 20)
                var span = buffer.mutableSpan
                span[0] = 1
            }
        }
    }
}
