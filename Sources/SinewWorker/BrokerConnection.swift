internal import SinewCore

/// What the worker knows about its connection.
///
/// *absent* → *introducing* (a hello left) → *welcomed*; back to *absent* when libzmq has no connection, back to
/// *introducing* when the broker does not know the worker any more.
struct BrokerConnection {
    enum State: Equatable {
        case absent
        case introducing
        case welcomed
    }

    /// How soon a hello is tried again while nothing is connected.
    static let knockInterval = Duration.milliseconds(20)

    /// How soon a broker that refused the worker's key is tried again.
    static let knockAgainInterval = Duration.seconds(1)

    private(set) var state = State.absent
    private(set) var nextSpeak = Instant(nanoseconds: 0)
    var beatInterval = Duration.seconds(1)

    mutating func helloLeft(at now: Instant) {
        state = .introducing
        nextSpeak = now + beatInterval
    }

    mutating func beatLeft(at now: Instant) { nextSpeak = now + beatInterval }

    mutating func wasWelcomed(at now: Instant, beatInterval: Duration) {
        state = .welcomed
        self.beatInterval = beatInterval
        nextSpeak = now + beatInterval
    }

    /// Nothing is connected, or nobody knows the worker: say hello as soon as possible.
    mutating func wasLost(at now: Instant, tryAgainIn wait: Duration) {
        state = .absent
        nextSpeak = now + wait
    }
}
