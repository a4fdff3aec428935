import FoundationEssentials
import Testing

/// `sinew bench` as a person runs it; what it measures is not looked at, only that it measured.
@Suite(.timeLimit(.minutes(5)))
struct CommandLineBenchTests {
    private struct Report: Decodable {
        struct Calls: Decodable {
            let messages_per_second, round_trip_p50_us, round_trip_p99_us: Double
            let failures: Int
        }
        struct Durable: Decodable {
            let items_per_second, restart_seconds: Double
            let blocks, queued_items: Int
        }
        struct Memory: Decodable {
            let queued_calls: Int
            let overhead_bytes_per_call: Double
        }
        struct Restart: Decodable {
            let queued_tasks: Int
            let restart_seconds, resident_bytes_per_task: Double
        }
        let payload_bytes, window: Int
        let calls: Calls
        let tasks_per_second: Double
        let durable: Durable?
        struct Scrape: Decodable {
            let workers, models, bytes, samples: Int
            let p50_ms, max_ms: Double
        }
        let scrape: Scrape?

        let memory: Memory?
        let restart: Restart?
    }

    private struct Recovery: Decodable {
        struct Times: Decodable {
            let count: Int
            let p50_ms, p99_ms, max_ms: Double
        }
        let tasks_in_hand: Int
        let killed, stopped: Times
    }

    @Test func `the bench of the broker answers every call and reports rates and times`() async throws {
        let done = try await CommandLineTool.run(
            "bench", "broker", "--json", "--bytes", "100", "--calls", "500", "--window", "20", "--round-trips", "100")
        #expect(done.status == 0, "\(done.talk)")
        let report = try JSONDecoder().decode(Report.self, from: Data(done.output.utf8))
        #expect(report.payload_bytes == 100 && report.window == 20)
        #expect(report.calls.failures == 0 && report.calls.messages_per_second > 0)
        #expect(0 < report.calls.round_trip_p50_us && report.calls.round_trip_p50_us <= report.calls.round_trip_p99_us)
    }

    @Test func `the bench of durable work finds everything again after a restart and leaves nothing behind`()
        async throws
    {
        try await withFolder { folder in
            let done = try await CommandLineTool.run(
                "bench", "broker", "--json", "--calls", "100", "--window", "10", "--round-trips", "100", "--durable",
                folder, "--blocks", "30", "--restart-tasks", "3000")
            #expect(done.status == 0, "\(done.talk)")
            let report = try JSONDecoder().decode(Report.self, from: Data(done.output.utf8))
            let durable = try #require(report.durable)
            #expect(durable.blocks == 30 && durable.queued_items == 30 * 64)
            #expect(durable.items_per_second > 0 && durable.restart_seconds > 0 && report.tasks_per_second > 0)
            let restart = try #require(report.restart)
            #expect(restart.queued_tasks == 3_000 && restart.restart_seconds > 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func `the bench of a scrape reads the series of all simulated workers and models`() async throws {
        let done = try await CommandLineTool.run(
            "bench", "broker", "--json", "--calls", "100", "--window", "10", "--round-trips", "100", "--scrape",
            "--scrape-workers", "5", "--scrape-models", "3")
        #expect(done.status == 0, "\(done.talk)")
        let scrape = try #require(try JSONDecoder().decode(Report.self, from: Data(done.output.utf8)).scrape)
        #expect(scrape.workers == 5 && scrape.models == 3)
        // Thirteen series for each pair, besides those of workers and models.
        #expect(scrape.samples > 5 * 3 * 13 && scrape.bytes > 40 * scrape.samples)
        #expect(scrape.p50_ms > 0 && scrape.p50_ms <= scrape.max_ms)
    }

    @Test func `a queued call costs no more than it may`() async throws {
        let done = try await CommandLineTool.run(
            "bench", "broker", "--json", "--calls", "100", "--window", "10", "--round-trips", "100", "--queue-calls",
            "16000")
        #expect(done.status == 0, "\(done.talk)")
        let memory = try #require(try JSONDecoder().decode(Report.self, from: Data(done.output.utf8)).memory)
        #expect(memory.queued_calls >= 16_000)
        #expect(memory.overhead_bytes_per_call <= 256, "beside the payload")
    }

    @Test func `the bench of recovery kills workers, and their tasks are answered by others`() async throws {
        let done = try await CommandLineTool.run("bench", "recovery", "--json", "--kills", "3", "--stops", "0")
        #expect(done.status == 0, "\(done.talk)")
        let report = try JSONDecoder().decode(Recovery.self, from: Data(done.output.utf8))
        #expect(report.killed.count == 3 && report.stopped.count == 0 && report.tasks_in_hand == 8)
        #expect(0 < report.killed.p50_ms && report.killed.p50_ms <= report.killed.max_ms)
    }

    @Test func `a window of zero is a usage error`() async throws {
        let done = try await CommandLineTool.run("bench", "broker", "--window", "0")
        #expect(done.status == 64 && done.output.isEmpty)
        #expect(done.talk.contains("--window 1…16384"), "\(done.talk)")
    }
}
