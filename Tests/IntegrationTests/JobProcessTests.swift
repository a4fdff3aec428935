import Glibc
import SinewClient
import SinewCommands
import Testing

/// Durable jobs as they run for users, with brokers and workers that are killed without a warning.
@Suite(.timeLimit(.minutes(4)), .serialized) struct JobProcessTests {
    private static let tasks = 60

    @Test func `killed brokers and workers cost a job nothing, and its results never change`() async throws {
        let folder = StoreFolder()
        let blocks = try (0..<Self.tasks).map { try NoisyPeople(20, seed: UInt64(500 + $0)) }
        var broker = try await StoredBroker.start(folder.path)
        var workers = [try broker.worker(0), try broker.worker(1)]
        do {
            let client = try Client.patient(broker.clients)
            let job = try await client.submitJob(JobSubmission(.solvePoses, model: "hybrik")).handle
            let tasks = try blocks.enumerated().map { try JobTask(index: $0, $1.request, label: "\($0)") }
            #expect(try await job.append(Array(tasks[..<30])) == 30)
            broker = try await broker.killedAndStarted()
            // The first ten again, as a client does that missed the answer.
            #expect(try await job.append(Array(tasks[20...])) == Self.tasks)
            try await job.seal(tasks: Self.tasks)
            var cursor: UInt64 = 0
            var seen: [JobResult] = []
            var kills = 0
            while true {
                let page = try await job.resultPage(after: cursor, countMax: 8, wait: .seconds(5))
                cursor = page.nextCursor
                seen += page.results
                if page.isComplete { break }
                switch kills {
                case 0:
                    workers[0].send(signal: SIGKILL)
                    workers.append(try broker.worker(2))
                case 1, 3: broker = try await broker.killedAndStarted()
                default: break
                }
                kills += 1
            }
            #expect(kills >= 4)
            #expect(seen.map(\.index).sorted() == Array(0..<Self.tasks))
            for result in seen { expectEqual(try result.poses(), try blocks[result.index].solvedLocally()) }
            let status = try await job.status()
            #expect(status.state == .finished && status.done == UInt64(Self.tasks))
            broker = try await broker.killedAndStarted()
            var again: [JobResult] = []
            for try await result in job.results() { again.append(result) }
            #expect(again == seen)
        } catch {
            await StoredBroker.end([broker.process] + workers)
            throw error
        }
        await StoredBroker.end([broker.process] + workers)
    }
}

/// `sinew broker --store` as a child process, which can be started again on the same ports.
struct StoredBroker: Sendable {
    let process: ChildProcess
    let folder: String
    let clients: String
    let workers: String

    static func start(
        _ folder: String, clients: String = "tcp://127.0.0.1:*", workers: String = "tcp://127.0.0.1:*"
    ) async throws -> StoredBroker {
        let process = try ChildProcess(
            sinewBinary, ["broker", "--clients", clients, "--workers", workers, "--store", folder], capturesTalk: true)
        let line = await process.output.firstLine(atMost: .seconds(60)) ?? ""
        let words = line.split(separator: " ").map { String($0) }
        guard words.count >= 4 else {
            process.send(signal: SIGKILL)
            _ = await process.wait()
            throw NotStarted(line: line, talk: await process.talk?.text() ?? "")
        }
        return StoredBroker(process: process, folder: folder, clients: words[1], workers: words[3])
    }

    struct NotStarted: Error { let line, talk: String }

    func killedAndStarted() async throws -> StoredBroker {
        process.send(signal: SIGKILL)
        _ = await process.wait()
        return try await Self.start(folder, clients: clients, workers: workers)
    }

    func worker(_ number: Int) throws -> ChildProcess {
        try ChildProcess(
            sinewBinary, ["worker", "--broker", workers, "--name", "w\(number)", "--model", "hybrik", "--batch", "32"],
            capturesTalk: true)
    }

    static func end(_ children: [ChildProcess]) async {
        for child in children { child.send(signal: SIGKILL) }
        for child in children { _ = await child.wait() }
    }
}
