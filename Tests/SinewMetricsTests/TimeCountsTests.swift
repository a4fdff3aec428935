import SinewCore
import SinewMetrics
import SinewWire
import TestSupport
import Testing

@Suite struct TimeCountsTests {
    @Test func `the bounds are 1-2-5 steps from 100 µs to 50 s`() {
        var expected: [UInt64] = []
        var decade: UInt64 = 100
        while decade < 100_000_000 {
            expected += [decade, 2 * decade, 5 * decade]
            decade *= 10
        }
        #expect(Limits.timeBoundsMicroseconds == expected)
        #expect(TimeCounts.classCount == expected.count + 1)
    }

    @Test func `a duration belongs to the first class whose bound is not below it`() {
        #expect(TimeCounts.classIndex(of: 0) == 0)
        for (index, bound) in Limits.timeBoundsMicroseconds.enumerated() {
            #expect(TimeCounts.classIndex(of: bound) == index)
            #expect(TimeCounts.classIndex(of: bound + 1) == index + 1)
        }
        #expect(TimeCounts.classIndex(of: .max) == TimeCounts.classCount - 1)
    }

    @Test func `a quantile is off by a class at most`() {
        let seed: UInt64 = 5
        var random = SplitMix64(seed: seed)
        var histogram = TimeCounts()
        var all: [UInt64] = []
        for _ in 0..<10_000 {
            // Evenly over the decades.
            let duration = UInt64(100 * pow10(Double.random(in: 0...5, using: &random)))
            histogram.note(duration)
            all.append(duration)
        }
        all.sort()
        #expect(histogram.total == 10_000)
        #expect(histogram.sumMicroseconds == all.reduce(0, +))
        for share in [0.01, 0.5, 0.9, 0.99, 1] {
            let exact = all[min(all.count - 1, Int(share * Double(all.count)))]
            let index = TimeCounts.classIndex(of: exact)
            let bounds = [0] + Limits.timeBoundsMicroseconds
            let found = histogram.quantile(share) ?? -1
            let (low, high) = (Double(bounds[index]), Double(bounds[index + 1]))
            #expect(found >= low && found <= high, "seed \(seed), share \(share)")
        }
    }

    @Test func `quantiles of nothing, of one class and above all bounds`() {
        #expect(TimeCounts().quantile(0.5) == nil)
        var one = TimeCounts()
        for _ in 0..<4 { one.note(150) }
        #expect(one.quantile(0.5) == 150 && one.quantile(1) == 200 && one.quantile(0) == 100)
        var high = TimeCounts()
        high.note(60_000_000)
        #expect(high.quantile(0.5) == 50_000_000)
    }

    @Test func `sums and differences`() {
        var (first, second) = (TimeCounts(), TimeCounts())
        first.note(50)
        first.note(300)
        second = first
        second.note(300)
        let grown = second.since(first)
        #expect(grown.total == 1 && grown.sumMicroseconds == 300 && grown.counts[2] == 1)
        // Whoever counts began anew.
        #expect(first.since(second).total == 0)
        var sum = first
        sum.add(grown)
        sum.add(TimeCounts())
        #expect(sum == second)
    }

    private func pow10(_ exponent: Double) -> Double {
        var value = 1.0
        for _ in 0..<Int(exponent) { value *= 10 }
        return value * (1 + 9 * (exponent - exponent.rounded(.down)))
    }
}
