internal import SinewCore
internal import SinewWire

/// Where a call that asks for timings has been, by the broker's clock.
struct CallItinerary {
    private let arrived: Instant
    private var firstDispatch: Instant?
    /// The leases it may be answered under; a straggler has two, and one more may just have been taken back.
    private var latest: [(lease: LeaseToken, at: Instant)] = []
    private static let latestMax = 4
    private var dispatches: UInt32 = 0

    init(arrived: Instant) { self.arrived = arrived }

    mutating func noteDispatch(_ lease: LeaseToken, at now: Instant) {
        firstDispatch = firstDispatch ?? now
        if latest.count == Self.latestMax { latest.removeFirst() }
        latest.append((lease, now))
        dispatches &+= 1
    }

    /// What the broker has to tell of it once the result is there.
    func timings(answeredUnder lease: LeaseToken, at now: Instant) -> BrokerTimings {
        let first = firstDispatch ?? now
        let last = latest.last { $0.lease == lease }?.at ?? first
        return BrokerTimings(
            waitMicroseconds: (first - arrived).remainingMicroseconds,
            retryMicroseconds: (last - first).remainingMicroseconds,
            awayMicroseconds: (now - last).remainingMicroseconds, dispatches: dispatches)
    }
}
