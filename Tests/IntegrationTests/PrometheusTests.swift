import Foundation
import SinewArrayFiles
import SinewBroker
import SinewClient
import SinewCommands
import SinewStatus
import TestSupport
import Testing

/// A real Prometheus and its promtool, on what a live broker serves.
@Suite(.timeLimit(.minutes(3))) struct PrometheusTests {
    @Test func `Prometheus has the numbers that the client counted, and promtool nothing to say`()
        async throws
    {
        let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()])
        var configuration = StatusConfiguration(
            address: try #require(HTTPAddress(parsing: "127.0.0.1:0")))
        configuration.metrics = fleet.broker.metrics
        let server = try await StatusServer.start(
            configuration, BrokerStatusSource(fleet.broker), logger: quiet)
        let prometheus = try await ScrapingPrometheus.start(scraping: server.address)
        let client = try fleet.client(itemsPerCall: 8)
        _ = try await client.waitForFleet { $0.workers.count == 2 }
        var people = 0
        for seed in 1...3 as ClosedRange<UInt64> {
            people += try await client.solveScene(
                try NoisyPeople(50, seed: seed).request, model: "hybrik"
            ).collect()
                .count
        }
        #expect(people == 150)
        for query in [
            "sinew_answered_items_total", "sum(sinew_worker_items_total)",
            "sum(sinew_model_items_total{model=\"hybrik\",result=\"ok\"})",
            "sum(sinew_request_items_total{status=\"OK\"})",
        ] {
            try await prometheus.wait(for: query, toBe: 150)
        }
        // Three scenes of fifty in calls of eight.
        try await prometheus.wait(for: "sum(sinew_request_seconds_count)", toBe: 21)
        try await prometheus.wait(for: "sinew_workers{state=\"serving\"}", toBe: 2)
        try await prometheus.wait(for: "count(up == 1)", toBe: 1)
        let port = server.address.port
        let scrape = try await blocking { try LoopbackRequest.get("/metrics", port: port) }
        let said = try await Promtool.checkMetrics(scrape)
        #expect(said == "", "promtool: \(said)")
        await prometheus.stop()
        await server.stop()
    }
}

/// A Prometheus that scrapes one address every second, and what it knows.
final class ScrapingPrometheus: Sendable {
    private let process: ChildProcess
    private let folder: String
    private let port: Int

    static func start(scraping address: HTTPAddress) async throws -> ScrapingPrometheus {
        let folder = NSTemporaryDirectory() + "sinew-prometheus-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let text = """
            global: {scrape_interval: 1s, scrape_timeout: 1s}
            scrape_configs: [{job_name: sinew, static_configs: [{targets: ["\(address)"]}]}]
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/prometheus.yml"))
        let process = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                "exec prometheus --config.file=\"$0/prometheus.yml\" --storage.tsdb.path=\"$0/data\" "
                    + "--web.listen-address=127.0.0.1:0", folder,
            ], capturesTalk: true)
        do {
            return ScrapingPrometheus(process, folder, port: try await Self.port(of: process))
        } catch {
            process.send(signal: SIGKILL)
            _ = await process.wait()
            throw error
        }
    }

    private init(_ process: ChildProcess, _ folder: String, port: Int) {
        self.process = process
        self.folder = folder
        self.port = port
    }

    deinit {
        process.send(signal: SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)
    }

    func stop() async { await process.stop(within: .seconds(10)) }

    /// Asks until a query has the value.
    func wait(for query: String, toBe value: Double) async throws {
        let end = ContinuousClock.now + .seconds(60)
        var last = ""
        while ContinuousClock.now < end {
            last = try await blocking { [self] in try answer(to: query) }
            if Double(last) == value { return }
            _ = await process.wait(atMost: .milliseconds(50))
        }
        throw Trouble("Prometheus says \(last.isEmpty ? "nothing" : last) for \(query), not \(value)")
    }

    /// The value of a query with one result; empty when there is none.
    private func answer(to query: String) throws -> String {
        let allowed = CharacterSet.alphanumerics
        let escaped = query.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        let reply = try LoopbackRequest.get("/api/v1/query?query=\(escaped)", port: port)
        let body = try JSONValue.parse(reply[...], name: "reply of Prometheus")
        return body["data"]?["result"]?.array?.first?["value"]?.array?.last?.string ?? ""
    }

    /// The port that the system chose for it, as its log says.
    private static func port(of process: ChildProcess) async throws -> Int {
        let end = ContinuousClock.now + .seconds(60)
        let mark = "msg=\"Listening on\" address=127.0.0.1:"
        while ContinuousClock.now < end {
            let said = process.talk?.collected ?? ""
            if let range = said.range(of: mark),
                let stop = said[range.upperBound...].firstIndex(of: "\n"),
                let port = Int(said[range.upperBound..<stop])
            {
                return port
            }
            if await process.wait(atMost: .milliseconds(50)) != nil {
                throw Trouble("prometheus ended: \(said)")
            }
        }
        throw Trouble("prometheus does not listen")
    }
}
