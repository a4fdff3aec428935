import FoundationEssentials
import Glibc
import Logging
import SinewClient
import SinewCommands
import SinewModels
import SinewWire
import Testing

/// What broker, worker and client say while they work.
@Suite(.timeLimit(.minutes(3)), .serialized) struct LogTests {
    @Test func `under load nothing is said at info, and the life of a fleet is`() async throws {
        let log = try RecordedLog()
        let lines: [String]
        do {
            let logger = log.logger(.info)
            let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()], logger: logger)
            let client = try fleet.client(itemsPerCall: 2, logger: logger)
            _ = try await client.waitForFleet { $0.workers.count == 2 }
            for name in ["worker-0", "worker-1"] { _ = try log.wait(for: "worker joined", "worker=\(name)") }
            for _ in 0..<2 { _ = try log.wait(for: "the broker took the worker in") }
            // Every call from here on is one of 300 that are solved, refused or given up.
            let people = try NoisyPeople(500, seed: 3)
            _ = try await client.solve(people.request, model: "hybrik")
            let before = log.said
            let again = try await client.solve(people.request, model: "hybrik")
            #expect(again.parts.count == 250)
            for _ in 0..<50 {
                _ = try? await client.solve(try NoisyPeople(1, seed: 4).request, model: "no-such-model")
            }
            lines = log.said
            #expect(lines.count == before.count, "said under load: \(lines.dropFirst(before.count))")
        }
        for what in ["worker joined", "the broker took the worker in", "worker started"] {
            #expect(lines.count { $0.contains(what) } == 2, "\(what)")
        }
        #expect(lines.allSatisfy { !$0.hasPrefix("debug") })
    }

    @Test func `a job's life is a line for each step, with the job's id`() async throws {
        let folder = StoreFolder()
        let log = try RecordedLog()
        let fleet = try JobFleet(folder.path, workerModels: [try analyticModels()], logger: log.logger(.info))
        let client = try fleet.client()
        let job = try await client.submitJob(SinewClient.JobSubmission(.solvePoses, model: "hybrik")).handle
        let tasks = try (0..<20).map { try JobTask(index: $0, try NoisyPeople(2, seed: UInt64($0)).request) }
        _ = try await job.append(tasks)
        try await job.seal(tasks: 20)
        _ = try await job.wait(deadline: .seconds(60))
        let id = "job=\(job.id)"
        let submitted = try log.wait(for: "job submitted", id)
        #expect(submitted.contains("model=hybrik"))
        _ = try log.wait(for: "job sealed", id, "tasks=20")
        _ = try log.wait(for: "job finished", id)
        #expect(log.said.count { $0.contains(id) } == 3)
        let other = try await client.submitJob(SinewClient.JobSubmission(.solvePoses, model: "hybrik")).handle
        _ = try await other.cancel()
        _ = try log.wait(for: "job cancelled", "job=\(other.id)")
        #expect(log.said.count { $0.contains("job=\(other.id)") } == 2)
    }

    private struct Line: Decodable {
        let time, level, label, message: String
        let metadata: [String: String]?
    }
    private struct Broker: Decodable {
        let client_endpoint, worker_endpoint: String
    }

    private func lines(_ process: ChildProcess) async throws -> [Line] {
        process.send(signal: SIGTERM)
        let finished = try await CommandLineTool.finish(process)
        #expect(finished.status == 0)
        return try finished.talk.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
    }

    @Test func `processes print a JSON object per message when told to, and as little as told`() async throws {
        let json = ["--log-format", "json"]
        let arguments = ["broker", "--clients", "tcp://127.0.0.1:*", "--workers", "tcp://127.0.0.1:*", "--json"]
        try await CommandLineTool.withProcess(arguments + json + ["--http", "none"]) { process in
            let word = try #require(await process.output.firstLine(atMost: CommandLineTool.patience))
            let broker = try JSONDecoder().decode(Broker.self, from: Data(word.utf8))
            let worker = ["worker", "--broker", broker.worker_endpoint, "--name", "talker", "--model", "hybrik"]
            try await CommandLineTool.withProcess(worker + json + ["--log-level", "warning"]) { silent in
                _ = try #require(await silent.output.firstLine(atMost: CommandLineTool.patience))
                let client = try Client.patient(broker.client_endpoint)
                _ = try await client.waitForFleet { $0.workers.count == 1 }
                #expect(try await lines(silent).isEmpty)
            }
            try await CommandLineTool.withProcess(worker + json) { talker in
                _ = try #require(await talker.output.firstLine(atMost: CommandLineTool.patience))
                let client = try Client.patient(broker.client_endpoint)
                _ = try await client.waitForFleet { $0.workers.count == 1 }
                let said = try await lines(talker)
                #expect(said.contains { $0.message == "worker started" && $0.metadata?["worker"] == "talker" })
                #expect(said.allSatisfy { $0.label == "sinew.worker" && $0.level == "info" && $0.time.hasSuffix("Z") })
            }
            let said = try await lines(process)
            #expect(said.count { $0.message == "worker joined" && $0.metadata?["worker"] == "talker" } == 2)
            #expect(said.allSatisfy { $0.label == "sinew.broker" })
        }
    }
}
