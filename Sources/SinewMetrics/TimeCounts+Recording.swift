internal import SinewCore
package import SinewWire

/// Recording in a histogram, and reading from it.
extension TimeCounts {
    /// Classes of a histogram: one for each bound, and one above all of them.
    package static let classCount = Limits.timeBoundsMicroseconds.count + 1

    /// The class of a duration: the first whose bound is not below it.
    package static func classIndex(of microseconds: UInt64) -> Int {
        if microseconds <= 100 { return 0 }
        // Three classes to a decade; on the way of every call, so that no list is walked through.
        var (index, scale) = (1, 100 as UInt64)
        while microseconds > 10 * scale && index < classCount - 3 {
            index += 3
            scale *= 10
        }
        if microseconds <= 2 * scale { return index }
        if microseconds <= 5 * scale { return index + 1 }
        return index + 2
    }

    /// Adds one duration. Cost: no allocation after the first.
    package mutating func note(_ microseconds: UInt64) {
        if counts.count != Self.classCount { counts = [UInt64](repeating: 0, count: Self.classCount) }
        sumMicroseconds &+= microseconds
        counts[Self.classIndex(of: microseconds)] &+= 1
    }

    /// How many durations were noted.
    package var total: UInt64 { counts.reduce(0, &+) }

    /// Adds another histogram of the same bounds; classes that this version does not have are left out.
    package mutating func add(_ other: TimeCounts) {
        guard !other.counts.isEmpty else { return }
        if counts.count != Self.classCount { counts = [UInt64](repeating: 0, count: Self.classCount) }
        sumMicroseconds &+= other.sumMicroseconds
        for (index, count) in other.counts.prefix(Self.classCount).enumerated() { counts[index] &+= count }
    }

    /// What was noted since an earlier state of the same histogram; a count that fell counts as nothing.
    package func since(_ earlier: TimeCounts) -> TimeCounts {
        guard !counts.isEmpty else { return TimeCounts() }
        var difference = TimeCounts(sumMicroseconds: sumMicroseconds.growth(since: earlier.sumMicroseconds))
        difference.counts = counts.enumerated().map { index, count in
            count.growth(since: index < earlier.counts.count ? earlier.counts[index] : 0)
        }
        return difference
    }

    /// The duration below which a share of all lies, microseconds; nil when there was none.
    ///
    /// Within a class durations count as evenly spread, as `histogram_quantile` of Prometheus has it, so the answer is off by the
    /// width of the class at most; above the last bound it is that bound.
    package func quantile(_ share: Double) -> Double? {
        let total = total
        guard total > 0 else { return nil }
        let rank = Swift.min(Swift.max(share, 0), 1) * Double(total)
        let bounds = Limits.timeBoundsMicroseconds
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            guard index < bounds.count else { break }
            let upper = below + Double(count)
            if rank <= upper {
                let lower = index == 0 ? 0 : Double(bounds[index - 1])
                return lower + (Double(bounds[index]) - lower) * (rank - below) / Double(count)
            }
            below = upper
        }
        return bounds.last.map { Double($0) }
    }
}

extension UInt64 {
    /// How much a counter grew; 0 when it fell, because whoever counts began anew.
    package func growth(since earlier: UInt64) -> UInt64 { self >= earlier ? self - earlier : 0 }
}
