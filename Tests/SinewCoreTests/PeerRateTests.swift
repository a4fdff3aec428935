import SinewCore
import Testing

/// How fast one client may send.
@Suite struct PeerRateTests {
    private let start = Instant(nanoseconds: 1_000)

    @Test func `a full bucket gives its burst and not one more`() {
        var bucket = TokenBucket(perSecond: 10, burst: 3, at: start)
        for _ in 0..<3 {
            #expect(bucket.wait(for: 1, at: start) == .zero)
            bucket.take(1)
        }
        #expect(bucket.wait(for: 1, at: start) == .milliseconds(100))
        #expect(bucket.wait(for: 1, at: start + .nanoseconds(99_999_999)) == .nanoseconds(1))
        #expect(bucket.wait(for: 1, at: start + .milliseconds(100)) == .zero)
        #expect(bucket.wait(for: 2, at: start + .milliseconds(100)) == .milliseconds(100))
    }

    @Test func `a bucket never holds more than its burst and time that goes back changes nothing`() {
        var bucket = TokenBucket(perSecond: 1 << 30, burst: 1 << 31, at: start)
        let later = start + .seconds(1_000_000_000)
        #expect(bucket.wait(for: 1 << 31, at: later) == .zero)
        bucket.take(1 << 31)
        #expect(bucket.wait(for: 1, at: later) > .zero)
        #expect(bucket.wait(for: 1, at: start) > .zero)
        #expect(bucket.wait(for: 1 << 40, at: later) == .seconds(2), "more than the burst counts as the burst")
    }

    private var limits: Limits {
        var limits = Limits()
        limits.peerMessagesPerSecond = 10
        limits.peerMessagesAtOnceMax = 5
        limits.peerBytesPerSecond = 1_000
        limits.payloadBytesMax = 100
        limits.peerBytesAtOnceMax = 2_000
        limits.peerPushbacksPerSecond = 2
        return limits
    }

    @Test func `as many messages as may come at once are taken and one more is pushed back`() {
        var rate = PeerRate(limits, at: start)
        for _ in 0..<5 { #expect(rate.judge(byteCount: 1, at: start) == .taken) }
        #expect(rate.judge(byteCount: 1, at: start) == .tooFast(retryAfter: .milliseconds(100)))
        #expect(rate.judge(byteCount: 1, at: start + .milliseconds(100)) == .taken)
    }

    @Test func `as many bytes as may come at once are taken and one more is pushed back`() {
        var rate = PeerRate(limits, at: start)
        #expect(rate.judge(byteCount: 2_000, at: start) == .taken)
        #expect(rate.judge(byteCount: 1, at: start) == .tooFast(retryAfter: .milliseconds(1)))
        #expect(rate.judge(byteCount: 1, at: start + .milliseconds(1)) == .taken)
    }

    @Test func `who goes on all the same is told so as often as may be and then dropped`() {
        var rate = PeerRate(limits, at: start)
        var verdicts: [PeerRate.Verdict] = []
        for _ in 0..<100 { verdicts.append(rate.judge(byteCount: 1, at: start)) }
        #expect(verdicts[..<5].allSatisfy { $0 == .taken })
        #expect(verdicts[5..<7].allSatisfy { $0 == .tooFast(retryAfter: .milliseconds(100)) })
        #expect(verdicts[7...].allSatisfy { $0 == .dropped })
        #expect(rate.judge(byteCount: 1, at: start + .milliseconds(100)) == .taken, "what was dropped used up nothing")
    }
}
