/// A point of monotonic time, in nanoseconds since an origin that only the driver knows.
///
/// The state machines never read a clock: every `now` is handed in, so that a test or the simulator can turn time by hand.
package struct Instant: Comparable, Hashable, Sendable, CustomStringConvertible {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Later than every instant a driver can name; used where "no deadline" must still be comparable.
    package static let distantFuture = Instant(nanoseconds: .max)

    package var description: String { "t+\(nanoseconds / 1_000_000)ms" }

    package static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.nanoseconds < rhs.nanoseconds }

    /// Adds and stays at the ends of the range instead of trapping: a peer may send any remaining time.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        guard overflow else { return Instant(nanoseconds: sum) }
        return Instant(nanoseconds: duration < .zero ? .min : .max)
    }

    /// The time from `earlier` to `later`; negative when they are the other way round.
    package static func - (later: Instant, earlier: Instant) -> Duration {
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return .nanoseconds(overflow ? (later < earlier ? Int64.min : Int64.max) : difference)
    }
}

extension Duration {
    /// Whole nanoseconds, rounded towards zero and clamped to what 64 bits hold (292 years).
    package var wholeNanoseconds: Int64 {
        // Up to nine seconds, without a division of 128 bits.
        if let short = Int64(exactly: attoseconds) { return short / 1_000_000_000 }
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowOfSum) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        if overflow || overflowOfSum { return seconds < 0 ? .min : .max }
        return sum
    }

    /// Whole microseconds, rounded up, never negative: what a head carries as remaining time.
    ///
    /// Rounded up so that a positive rest never becomes "already expired" by rounding alone.
    package var remainingMicroseconds: UInt64 {
        let nanoseconds = wholeNanoseconds
        return nanoseconds <= 0 ? 0 : (UInt64(nanoseconds) + 999) / 1_000
    }

    /// Seconds as a floating-point number, for rates and messages.
    package var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
}
