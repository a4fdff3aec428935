internal import Logging
internal import SinewBroker
internal import SinewCore
internal import SinewZeroMQ

/// What `sinew bench broker` measured.
struct BrokerBenchReport: Encodable {
    struct Calls: Encodable {
        let messagesPerSecond, roundTripP50Us, roundTripP99Us: Double
        /// Answers that were not OK.
        let failures: Int
    }
    let payloadBytes, window: Int
    /// Whether all connections were encrypted and authenticated.
    let usesKeys: Bool
    let calls: Calls

    func lines(style: TextStyle) -> [String] {
        var table = TextTable(["broker", "messages/s", "round trip p50 µs", "p99 µs", "failures"])
        table.add([
            "calls of \(payloadBytes) bytes, \(window) under way" + (usesKeys ? ", CURVE" : ""),
            fixed(calls.messagesPerSecond, 0),
            fixed(calls.roundTripP50Us, 1), fixed(calls.roundTripP99Us, 1), "\(calls.failures)",
        ])
        return table.lines(style: style)
    }
}

/// A broker, an echoing worker and a caller in one process, each on threads and a libzmq context of its own, over TCP on loopback.
struct BrokerBench {
    var payloadBytes = 1_024
    var calls = 100_000
    var window = 1_000
    var roundTrips = 2_000
    /// Whether broker, worker and caller have keys.
    var usesKeys = false

    func run(logger: Logger) throws -> BrokerBenchReport {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        // One caller here is as fast as a broker's many: what one client may send is not what is measured.
        configuration.limits.peerMessagesPerSecond = 1 << 30
        configuration.limits.peerMessagesAtOnceMax = 1 << 32
        let keys = usesKeys ? try BenchKeys() : nil
        defer { keys?.remove() }
        configuration.security = keys?.security
        let server = try BrokerServer(configuration, logger: logger)
        defer { server.stop() }
        let worker = try EchoWorker(server.workerEndpoint, credits: UInt32(clamping: 2 * window), keys: keys?.worker)
        defer { worker.stop() }
        var caller = try EchoCaller(server.clientEndpoint, payloadBytes: payloadBytes, keys: keys?.client)
        try caller.waitUntilAnswered()
        let times = try caller.roundTrips(roundTrips)
        let rate = try caller.throughput(calls: calls, window: window)
        return BrokerBenchReport(
            payloadBytes: payloadBytes, window: window, usesKeys: usesKeys,
            calls: .init(
                messagesPerSecond: rate, roundTripP50Us: times[times.count / 2],
                roundTripP99Us: times[times.count * 99 / 100], failures: caller.failures))
    }
}
