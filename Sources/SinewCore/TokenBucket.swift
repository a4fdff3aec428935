/// A rate with a burst: so much per second on the whole, and so much at once after a rest.
package struct TokenBucket: Equatable, Sendable {
    private let perSecond: Int64
    private let burst: Int64
    /// In billionths of a token, so that a nanosecond at one token per second is one.
    private var level: Int64
    private var filled: Instant

    private static let parts: Int64 = 1_000_000_000

    /// A full bucket.
    ///
    /// - Precondition: `perSecond` ≥ 1 and 1 ≤ `burst` ≤ 2³³ - 1.
    package init(perSecond: Int, burst: Int, at now: Instant) {
        precondition(
            perSecond >= 1 && burst >= 1 && burst < 1 << 33, "a bucket of \(perSecond) per second, \(burst) at once")
        self.perSecond = Int64(perSecond)
        self.burst = Int64(burst)
        level = Int64(burst) * Self.parts
        filled = now
    }

    /// How long until `amount` can be taken; zero when it can be now. More than the burst counts as the burst.
    package mutating func wait(for amount: Int, at now: Instant) -> Duration {
        fill(at: now)
        let missing = Swift.min(Int64(amount), burst) * Self.parts - level
        return missing <= 0 ? .zero : .nanoseconds((missing + perSecond - 1) / perSecond)
    }

    /// Takes `amount`, which must be there: ``wait(for:at:)`` was zero at this instant.
    package mutating func take(_ amount: Int) {
        level -= Swift.min(Int64(amount), burst) * Self.parts
        precondition(level >= 0, "more was taken than there was")
    }

    private mutating func fill(at now: Instant) {
        // Not as a `Duration`: this runs three times a message.
        let (elapsed, isTooLong) = now.nanoseconds.subtractingReportingOverflow(filled.nanoseconds)
        guard now > filled else { return }
        filled = now
        let full = burst * Self.parts
        let (gained, overflow) = elapsed.multipliedReportingOverflow(by: perSecond)
        level = isTooLong || overflow || gained >= full - level ? full : level + gained
    }
}
