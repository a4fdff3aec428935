/// How often and how soon a client may try again. Source: gRPC proposal A6, "client retries": token bucket, exponential
/// backoff with ±20 % jitter, server pushback first.
package struct RetryBudget: Sendable {
    private let limits: Limits
    private var tokens: Double
    private var random: UInt64

    package init(limits: Limits, seed: UInt64) {
        self.limits = limits
        tokens = limits.retryTokensMax
        random = seed
    }

    /// Below half of the tokens most calls fail, and retries would only add load.
    var allowsRetry: Bool { tokens > limits.retryTokensMax / 2 }

    mutating func noteSuccess() { tokens = Swift.min(limits.retryTokensMax, tokens + limits.retryTokenRatio) }
    mutating func noteFailure() { tokens = Swift.max(0, tokens - 1) }

    /// The wait before the next attempt. Pushback is kept in full and only lengthened, or a whole fleet of clients
    /// would come back in the same millisecond.
    package mutating func backoff(afterAttempts attempts: Int, pushback: Duration?) -> Duration {
        if let pushback { return pushback + pushback * (0.2 * nextUnit()) }
        var wait = limits.backoffInitial
        for _ in 1..<Swift.max(attempts, 1) where wait < limits.backoffMax { wait = wait * 2 }
        return Swift.min(wait, limits.backoffMax) * (0.8 + 0.4 * nextUnit())
    }

    /// SplitMix64 (Steele, Lea, Flood 2014), to [0, 1).
    private mutating func nextUnit() -> Double {
        random &+= 0x9E37_79B9_7F4A_7C15
        var z = random
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Double(z >> 11) * 0x1p-53
    }
}
