import SinewArrayFiles
import SinewBroker
import SinewClient
import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import TestSupport
import Testing

/// Durable jobs over real sockets and a real disk, broker and workers in this process.
@Suite(.timeLimit(.minutes(3)), .serialized) struct JobTests {
    @Test func `a job is solved as a local solve does it, and its results read back the same`() async throws {
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: [try analyticModels(), try analyticModels()])
        let client = try fleet.client()
        let blocks = try (0..<40).map { try NoisyPeople(1 + $0 % 7, seed: UInt64($0)) }
        var submission = SinewClient.JobSubmission(.solvePoses, model: "hybrik")
        submission.label = "forty blocks"
        let job = try await client.submitJob(submission).handle
        let tasks = try blocks.enumerated().map { try JobTask(index: $0, $1.request, label: "block \($0)") }
        #expect(try await job.append(tasks) == 40)
        try await job.seal(tasks: 40)
        let ended = try await job.wait(deadline: .seconds(60))
        #expect(ended.state == .finished && ended.done == 40 && ended.queued == 0 && ended.leased == 0)
        #expect(ended.itemsDone == UInt64(blocks.reduce(0) { $0 + $1.request.count }))
        #expect(ended.label == "forty blocks" && ended.payloadBytes > 0 && ended.resultBytes > 0)
        var seen: Set<Int> = []
        for try await result in job.results() {
            expectEqual(try result.poses(), try blocks[result.index].solvedLocally())
            #expect(result.label == "block \(result.index)" && result.attempts == 1)
            #expect(seen.insert(result.index).inserted)
        }
        #expect(seen.count == 40)
        let first = try await job.resultPage(countMax: 15)
        #expect(first.results.count == 15 && !first.isComplete)
        #expect(try await job.resultPage(countMax: 15) == first)
        let second = try await job.resultPage(after: first.nextCursor, countMax: 25)
        #expect(second.results.count == 25 && second.isComplete)
    }

    @Test func `a request that comes twice changes nothing, and another one with its id is refused`() async throws {
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: [])
        let client = try fleet.client()
        let people = try NoisyPeople(3, seed: 1)
        let submission = SinewClient.JobSubmission(.solvePoses, model: "hybrik")
        let first = try await client.submitJob(submission)
        let second = try await client.submitJob(submission)
        #expect(!first.existed && second.existed && first.handle.id == second.handle.id)
        var other = submission
        other.model = "niki"
        await #expect(throws: ClientError.self) { try await client.submitJob(other) }
        let task = try JobTask(index: 0, people.request)
        #expect(try await first.handle.append([task]) == 1)
        #expect(try await first.handle.append([task]) == 1)
        let conflict = await #expect(throws: ClientError.self) {
            try await first.handle.append([try JobTask(index: 0, try NoisyPeople(3, seed: 2).request)])
        }
        #expect(conflict?.code == .jobConflict)
        let missing = await #expect(throws: ClientError.self) { try await first.handle.seal(tasks: 3) }
        #expect(missing?.code == .tasksMissing)
        let unknown = await #expect(throws: ClientError.self) { try await client.job(JobID()).status() }
        #expect(unknown?.code == .unknownJob)
        #expect(try await client.listJobs().count == 1)
    }

    @Test func `a payload without its hash is refused, and nothing of its request is taken`() async throws {
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: [])
        let peer = try ClientPeer(fleet.broker)
        let id = [UInt8](repeating: 7, count: 16)
        _ = try peer.ask(
            Jobs.Submit.self, SubmitJobRequest(id: id, method: PoseSolver.SolvePoses.name, model: "hybrik"))
        let good = TaskBlock(index: 0, items: 1, sha256: SHA256.digest(of: [1]), payload: [1])
        let bad = TaskBlock(index: 1, items: 1, sha256: SHA256.digest(of: [1]), payload: [2])
        let refusal = try peer.refusal(Jobs.Append.self, AppendTasksRequest(id: id, tasks: [good, bad]))
        #expect(refusal.code == UInt32(ServiceErrorCode.hashMismatch.rawValue))
        let status = try peer.ask(Jobs.Status.self, JobStatusRequest(id: id))
        #expect(status.tasks == 0 && status.nextIndex == 0)
    }

    @Test func `cancelling gives up what is not finished and keeps what is`() async throws {
        let folder = StoreFolder()
        let gate = try GatedModel()
        let fleet = try JobFleet(folder.path, workerModels: [[gate]])
        defer { gate.open() }
        let client = try fleet.client()
        let job = try await client.submitJob(SinewClient.JobSubmission(.solvePoses, model: "gated")).handle
        let people = try NoisyPeople(1, seed: 3)
        let labels = ["a", "b", "c", "d"]
        _ = try await job.append((0..<4).map { try JobTask(index: $0, people.request, label: labels[$0]) })
        let cancelled = try await job.cancel()
        #expect(cancelled.state == .cancelled && cancelled.cancelled == 4)
        #expect(try await job.wait(deadline: .seconds(60)).state == .cancelled)
        var listed: [JobResult] = []
        var cursor: UInt64 = 0
        while true {
            let page = try await job.resultPage(after: cursor, countMax: 3)
            listed += page.results
            cursor = page.nextCursor
            if page.isComplete { break }
        }
        #expect(listed.map(\.index) == [0, 1, 2, 3] && listed.map(\.label) == ["a", "b", "c", "d"])
        #expect(listed.allSatisfy { $0.outcome == .cancelled && $0.error?.code == .cancelled && $0.items == 1 })
        var again: [JobResult] = []
        for try await result in job.results() { again.append(result) }
        #expect(again == listed)
        let sealed = await #expect(throws: ClientError.self) {
            try await job.append([try JobTask(index: 4, people.request)])
        }
        #expect(sealed?.code == .jobSealed)
    }

    @Test func `a task that is wrong fails with its reason and is tried again on demand`() async throws {
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: [try analyticModels()])
        let peer = try ClientPeer(fleet.broker)
        let id = [UInt8](repeating: 9, count: 16)
        _ = try peer.ask(
            Jobs.Submit.self, SubmitJobRequest(id: id, method: PoseSolver.SolvePoses.name, model: "hybrik"))
        let noise: [UInt8] = [0xC1, 0xC1]
        let task = TaskBlock(index: 0, items: 1, sha256: SHA256.digest(of: noise), payload: noise)
        _ = try peer.ask(Jobs.Append.self, AppendTasksRequest(id: id, tasks: [task]))
        _ = try peer.ask(Jobs.Seal.self, SealJobRequest(id: id, tasks: 1))
        let ended = try peer.ask(Jobs.Status.self, JobStatusRequest(id: id, waitMicroseconds: 60_000_000))
        #expect(ended.state == .finished && ended.failed == 1)
        let results = try peer.ask(Jobs.Results.self, JobResultsRequest(id: id, failuresOnly: true))
        let failure = try #require(results.results.first)
        #expect(failure.outcome == .failed && failure.status == UInt32(StatusCode.invalidArgument.rawValue))
        #expect(try !ErrorDetail(decoding: failure.payload).message.isEmpty)
        #expect(try peer.ask(Jobs.Replay.self, ReplayJobRequest(id: id, indexes: [0])).replayed == 1)
        let again = try peer.ask(Jobs.Status.self, JobStatusRequest(id: id, waitMicroseconds: 60_000_000))
        #expect(again.failed == 1 && again.state == .finished)
        let later = try peer.ask(Jobs.Results.self, JobResultsRequest(id: id, cursor: results.nextCursor))
        #expect(later.results.count == 1 && later.complete)
    }

    @Test func `a broker without a store says how to get one, and its health shows it`() async throws {
        let fleet = try JobFleet(nil, workerModels: [])
        let peer = try ClientPeer(fleet.broker)
        let refusal = try peer.refusal(Jobs.List.self, ListJobsRequest())
        #expect(refusal.code == UInt32(ServiceErrorCode.jobsDisabled.rawValue))
        #expect(refusal.message.contains("--store FOLDER"))
        let health = try peer.ask(Health.Check.self, HealthCheckRequest(service: Jobs.serviceName))
        #expect(health.status == .notServing)
    }

    @Test func `a request that cannot be understood is refused with the reason`() async throws {
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: [])
        let peer = try ClientPeer(fleet.broker)
        try peer.waitForJobs()
        #expect(try peer.ask(Health.Check.self, HealthCheckRequest(service: Jobs.serviceName)).status == .serving)
        let id = [UInt8](repeating: 1, count: 16)
        let solve = PoseSolver.SolvePoses.name
        let short = try peer.refusal(Jobs.Submit.self, SubmitJobRequest(id: [1], method: solve, model: "hybrik"))
        #expect(short.message.contains("16 bytes"))
        let method = try peer.refusal(Jobs.Submit.self, SubmitJobRequest(id: id, method: "x/Y", model: "hybrik"))
        #expect(method.message.contains("x/Y") && method.message.contains(solve))
        let model = try peer.refusal(Jobs.Submit.self, SubmitJobRequest(id: id, method: solve))
        #expect(model.message.contains("model"))
        let hash = try peer.refusal(
            Jobs.Append.self, AppendTasksRequest(id: id, tasks: [TaskBlock(index: 5, sha256: [1], payload: [1])]))
        #expect(hash.message.contains("task 5"))
        for refusal in [short, method, model, hash] {
            #expect(refusal.code == UInt32(ServiceErrorCode.malformedRequest.rawValue))
        }
    }

    @Test func `a folder that another broker has is refused at the start`() async throws {
        let folder = StoreFolder()
        let first = try JobFleet(folder.path, workerModels: [])
        let error = #expect(throws: BrokerError.self) { _ = try JobFleet(folder.path, workerModels: []) }
        #expect(error?.reason == .cannotOpenStore)
        #expect(error?.message.contains("in use by another broker") == true)
        await first.end()
        let second = try JobFleet(folder.path, workerModels: [])
        await second.end()
    }

    @Test func `a broker that is stopped and started goes on where it was`() async throws {
        let folder = StoreFolder()
        let blocks = try (0..<10).map { try NoisyPeople(2, seed: UInt64(100 + $0)) }
        var submission = SinewClient.JobSubmission(.solvePoses, model: "hybrik")
        submission.contentSHA256 = SHA256.digest(of: [1, 2, 3])
        do {
            let fleet = try JobFleet(folder.path, workerModels: [])
            let job = try await fleet.client().submitJob(submission).handle
            _ = try await job.append(blocks.enumerated().map { try JobTask(index: $0, $1.request) })
            await fleet.end()
        }
        let fleet = try JobFleet(folder.path, workerModels: [try analyticModels()])
        submission.id = JobID()
        let found = try await fleet.client().submitJob(submission)
        #expect(found.existed && found.status.nextIndex == 10)
        try await found.handle.seal(tasks: 10)
        let ended = try await found.handle.wait(deadline: .seconds(60))
        #expect(ended.done == 10)
        for try await result in found.handle.results() {
            expectEqual(try result.poses(), try blocks[result.index].solvedLocally())
        }
        await fleet.end()
    }
}
