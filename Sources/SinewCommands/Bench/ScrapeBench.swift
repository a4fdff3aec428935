internal import Logging
internal import SinewBroker
internal import SinewMetrics
internal import SinewStatus

/// A scrape of a broker with many workers, over HTTP on loopback, while the workers beat.
struct ScrapeBench {
    struct Report: Encodable {
        let workers, models: Int
        /// Of one scrape.
        let bytes, samples: Int
        let p50Ms, p99Ms, maxMs: Double
        /// Processor time of this process for one scrape, its workers' beats included.
        let processorMs: Double

        var line: String {
            "scrape of \(workers) workers with \(models) models: \(fixed(p50Ms, 1)) ms (p50), \(fixed(p99Ms, 1)) ms (p99), "
                + "\(fixed(maxMs, 1)) ms (max), \(samples) samples, \(bytes) bytes, \(fixed(processorMs, 1)) ms of processor time"
        }
    }

    var workers = 200
    var models = 20
    var scrapes = 100

    func run(logger: Logger) async throws -> Report {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        let broker = try BrokerServer(configuration, logger: logger)
        defer { broker.stop() }
        guard let anyPort = HTTPAddress(parsing: "127.0.0.1:0") else {
            preconditionFailure("no address")
        }
        var status = StatusConfiguration(address: anyPort)
        status.metrics = broker.metrics
        let server = try await StatusServer.start(status, BrokerStatusSource(broker), logger: logger)
        let fleet = try SimulatedWorkers(workers, models: models, endpoint: broker.workerEndpoint)
        do {
            let report = try measureWhenAllBeat(server.address)
            fleet.stop()
            await server.stop()
            return report
        } catch {
            fleet.stop()
            await server.stop()
            throw error
        }
    }

    private func measureWhenAllBeat(_ address: HTTPAddress) throws -> Report {
        try waitForBeats(address)
        return try measure(address)
    }

    /// Until every worker has told of people it solved.
    private func waitForBeats(_ address: HTTPAddress) throws {
        let end = ContinuousClock.now + .seconds(60)
        let family = Array("sinew_worker_items_total{".utf8)
        while ContinuousClock.now < end {
            let text = try LoopbackRequest.get("/metrics", port: address.port)
            let told = text.split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: family) }
            if told.count(where: { !$0.reversed().starts(with: "0 ".utf8) }) == workers { return }
        }
        throw BenchSilence()
    }

    private func measure(_ address: HTTPAddress) throws -> Report {
        var times: [Double] = []
        var text: [UInt8] = []
        // The first one makes what is made once.
        _ = try LoopbackRequest.get("/metrics", port: address.port)
        let before = ProcessUsage.now
        for _ in 0..<scrapes {
            let begin = ContinuousClock.now
            text = try LoopbackRequest.get("/metrics", port: address.port)
            times.append((ContinuousClock.now - begin) / .milliseconds(1))
        }
        let used = ProcessUsage.now.processorMicroseconds - before.processorMicroseconds
        times.sort()
        let lines = text.split(separator: UInt8(ascii: "\n"))
        return Report(
            workers: workers, models: models, bytes: text.count,
            samples: lines.count { $0.first != UInt8(ascii: "#") }, p50Ms: times[times.count / 2],
            p99Ms: times[times.count * 99 / 100], maxMs: times[times.count - 1],
            processorMs: Double(used) / 1e3 / Double(scrapes))
    }
}
