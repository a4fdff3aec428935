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
    /// Calls that carry many people each, as the client library sends them.
    let tasksPerMessage: Int
    let tasksPerSecond: Double
    var memory: MemoryBench.Report?
    var durable: DurableBench.Report?
    var scrape: ScrapeBench.Report?
    var restart: RestartBench.Report?

    func lines(style: TextStyle) -> [String] {
        var table = TextTable(["broker", "per second", "round trip p50 µs", "p99 µs", "failures"])
        let keys = usesKeys ? ", CURVE" : ""
        table.add([
            "calls of \(payloadBytes) bytes, \(window) under way\(keys)", fixed(calls.messagesPerSecond, 0),
            fixed(calls.roundTripP50Us, 1), fixed(calls.roundTripP99Us, 1), "\(calls.failures)",
        ])
        table.add([
            "tasks of \(payloadBytes) bytes, \(tasksPerMessage) in a message\(keys)", fixed(tasksPerSecond, 0), "", "",
            "",
        ])
        if let durable {
            table.add([
                "people acknowledged on disk, blocks of \(durable.itemsPerBlock)", fixed(durable.itemsPerSecond, 0), "",
                "", "",
            ])
        }
        return table.lines(style: style) + sentences
    }

    private var sentences: [String] {
        var said: [String] = []
        if let memory {
            said.append(
                "a queued call costs \(fixed(memory.overheadBytesPerCall, 0)) bytes beside its payload of \(memory.payloadBytes) (\(memory.queuedCalls) queued)"
            )
        }
        if let durable {
            said.append(
                "a broker started anew answers for \(durable.queuedItems) queued people in \(fixed(durable.restartSeconds, 2)) s"
            )
        }
        if let restart {
            said.append(
                "a killed broker answers for \(restart.queuedTasks) queued tasks in \(fixed(restart.restartSeconds, 2)) s, and has \(fixed(restart.residentBytesPerTask, 0)) bytes of memory for each"
            )
        }
        return said + (scrape.map { [$0.line] } ?? [])
    }
}

/// A broker, an echoing worker and a caller in one process, each on threads and a libzmq context of its own, over TCP on loopback.
struct BrokerBench {
    var payloadBytes = 1_024
    var calls = 100_000
    var window = 1_000
    var roundTrips = 2_000
    var tasksPerMessage = 64
    /// Whether broker, worker and caller have keys.
    var usesKeys = false

    func run(logger: Logger) throws -> BrokerBenchReport {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        // One caller here is as fast as a broker's many: what one client may send is not what is measured.
        configuration.limits.peerMessagesPerSecond = 1 << 30
        configuration.limits.peerMessagesAtOnceMax = 1 << 32
        configuration.limits.peerBytesPerSecond = 1 << 40
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
        var bundler = try EchoCaller(
            server.clientEndpoint, payloadBytes: payloadBytes * tasksPerMessage, keys: keys?.client)
        try bundler.waitUntilAnswered()
        let bundles = try bundler.throughput(calls: max(1, calls / 8), window: max(1, min(64, window / 8)))
        return BrokerBenchReport(
            payloadBytes: payloadBytes, window: window, usesKeys: usesKeys,
            calls: .init(
                messagesPerSecond: rate, roundTripP50Us: times[times.count / 2],
                roundTripP99Us: times[times.count * 99 / 100], failures: caller.failures + bundler.failures),
            tasksPerMessage: tasksPerMessage, tasksPerSecond: bundles * Double(tasksPerMessage))
    }
}
