/// How fast one client sends, and what becomes of what is too fast.
///
/// Within the limits a message is taken. Beyond them its sender is told when to come again; a sender that goes on all the same is told so
/// `peerPushbacksPerSecond` times a second, and the rest of its messages is dropped.
package struct PeerRate: Equatable, Sendable {
    package enum Verdict: Equatable, Sendable {
        case taken
        /// Refuse it; the same message may be taken after this time.
        case tooFast(retryAfter: Duration)
        /// Refuse it without a word.
        case dropped
    }

    private var messages: TokenBucket
    private var bytes: TokenBucket
    private var pushbacks: TokenBucket

    package init(_ limits: Limits, at now: Instant) {
        messages = TokenBucket(perSecond: limits.peerMessagesPerSecond, burst: limits.peerMessagesAtOnceMax, at: now)
        bytes = TokenBucket(perSecond: limits.peerBytesPerSecond, burst: limits.peerBytesAtOnceMax, at: now)
        pushbacks = TokenBucket(
            perSecond: limits.peerPushbacksPerSecond, burst: limits.peerPushbacksPerSecond, at: now)
    }

    /// Judges a message; one that is refused uses up nothing.
    package mutating func judge(byteCount: Int, at now: Instant) -> Verdict {
        let wait = Swift.max(messages.wait(for: 1, at: now), bytes.wait(for: byteCount, at: now))
        if wait == .zero {
            messages.take(1)
            bytes.take(byteCount)
            return .taken
        }
        guard pushbacks.wait(for: 1, at: now) == .zero else { return .dropped }
        pushbacks.take(1)
        return .tooFast(retryAfter: wait)
    }
}
