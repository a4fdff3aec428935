internal import CoreMetrics
internal import SinewCore
internal import SinewWire
internal import Synchronization

/// A counter of swift-metrics: one atomic number.
final class CounterCell: CounterHandler {
    private let value = Atomic<Int64>(0)
    var current: UInt64 { UInt64(Swift.max(value.load(ordering: .relaxed), 0)) }
    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }
}

/// A number that goes up and down, or a counter of fractions: the bits of a `Double` in one atomic word.
final class NumberCell: FloatingPointCounterHandler, MeterHandler, RecorderHandler {
    private let bits = Atomic<UInt64>(0)
    var current: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func set(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func record(_ value: Int64) { set(Double(value)) }
    func reset() { set(0.0) }
    func decrement(by amount: Double) { increment(by: -amount) }

    func increment(by amount: Double) {
        var known = bits.load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: known) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(
                expected: known, desired: sum, ordering: .relaxed)
            if exchanged { return }
            known = original
        }
    }
}

/// A histogram of durations with the bounds of all others: an atomic number for each class, and one for the sum. A recorder's values
/// are seconds.
final class DurationCell: TimerHandler, RecorderHandler {
    private static let classCount = 19
    private let counts = InlineArray<19, Atomic<UInt64>> { _ in Atomic<UInt64>(0) }
    private let nanoseconds = Atomic<UInt64>(0)

    func recordNanoseconds(_ duration: Int64) {
        let duration = UInt64(Swift.max(duration, 0))
        // Rounded up: a duration just above a bound lies above it.
        let place = TimeCounts.classIndex(of: duration / 1_000 + (duration % 1_000 > 0 ? 1 : 0))
        counts[Swift.min(place, Self.classCount - 1)].wrappingAdd(1, ordering: .relaxed)
        nanoseconds.wrappingAdd(duration, ordering: .relaxed)
    }

    func record(_ value: Double) {
        recordNanoseconds(Int64(Swift.min(Swift.max(value, 0), 9e9) * 1e9))
    }
    func record(_ value: Int64) { record(Double(value)) }

    /// As it is now. A duration that is being recorded may be in the sum and not yet in its class.
    var current: TimeCounts {
        var times = TimeCounts(sumMicroseconds: nanoseconds.load(ordering: .relaxed) / 1_000)
        times.counts = (0..<Self.classCount).map { counts[$0].load(ordering: .relaxed) }
        return times
    }
}
