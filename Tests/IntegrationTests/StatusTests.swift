import Foundation
import SinewArrayFiles
import SinewBroker
import SinewClient
import SinewCommands
import SinewStatus
import SinewWire
import SinewZeroMQ
import TestSupport
import Testing

/// What a real broker tells over HTTP.
@Suite(.timeLimit(.minutes(3)), .serialized) struct StatusTests {
    /// An HTTP side for a broker, stopped when the body ends.
    private func withStatus<Result>(
        _ broker: BrokerServer, edit: (inout StatusConfiguration) -> Void = { _ in },
        _ body: (HTTPProbe) async throws -> Result
    ) async throws -> Result {
        var configuration = StatusConfiguration(address: HTTPAddress(host: "127.0.0.1", port: 0))
        edit(&configuration)
        let server = try await StatusServer.start(configuration, BrokerStatusSource(broker), logger: quiet)
        do {
            let result = try await body(HTTPProbe(port: server.address.port))
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    private func json(_ reply: HTTPProbe.Reply) throws -> JSONValue {
        #expect(reply.status == 200)
        return try JSONValue.parse(reply.body[...], name: "the reply")
    }

    private func get(_ probe: HTTPProbe, _ path: String) async throws -> HTTPProbe.Reply {
        try await blocking { try probe.get(path) }
    }

    private func post(
        _ probe: HTTPProbe, _ path: String, _ fields: [(String, String)]
    ) async throws -> HTTPProbe.Reply {
        try await blocking { try probe.request("POST", path, fields) }
    }

    @Test func `what HTTP tells is what Fleet tells over ZeroMQ`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()])
        let client = try fleet.client()
        let people = try NoisyPeople(24, seed: 11)
        for _ in 0..<5 { _ = try await client.solve(people.request, model: "hybrik") }
        // The beats have caught up with what was answered, and nothing moves any more.
        let status = try await client.waitForFleet { status in
            status.broker.itemsDone == 120 && status.workers.reduce(0) { $0 + $1.beat.itemsDone } == 120
        }
        try await withStatus(fleet.broker) { probe in
            let shown = try json(try await get(probe, "/api/v1/fleet"))
            let broker = try #require(shown["broker"])
            for (name, value) in [
                ("calls_done", status.broker.callsDone), ("items_done", status.broker.itemsDone),
                ("queued_calls", 0), ("running_items", 0), ("calls_failed", status.broker.callsFailed),
                ("clients", status.broker.clients),
            ] { #expect(broker[name]?.int == Int(value), "\(name)") }
            let workers = try #require(shown["workers"]?.array)
            #expect(workers.count == 2)
            for (row, worker) in zip(workers, status.workers) {
                #expect(row["name"]?.string == worker.name)
                #expect(row["state"]?.string == "serving")
                #expect(row["items_done"]?.int == Int(worker.beat.itemsDone))
                #expect(row["credits"]?.int == Int(worker.credits))
                #expect(row["process_id"]?.int == Int(worker.processID))
                #expect(row["isa"]?.string == worker.isa)
                #expect(row["models"]?.array?.count == worker.models.count)
            }
            let models = try #require(try json(try await get(probe, "/api/v1/models"))["models"]?.array)
            let listed = try await client.listModels()
            #expect(models.count == listed.count)
            for (row, model) in zip(models, listed) {
                #expect(row["name"]?.string == model.model.name)
                #expect(row["version"]?.string == model.model.version)
                #expect(row["workers"]?.int == Int(model.workers))
            }
            #expect(try await get(probe, "/readyz?model=hybrik").status == 200)
            #expect(try await get(probe, "/readyz?model=nobody").status == 503)
        }
    }

    @Test func `the events follow a worker's death and its return`() async throws {
        let fleet = try InProcessFleet(workerModels: [])
        let endpoint = fleet.broker.workerEndpoint
        try await withStatus(fleet.broker) { probe in
            try await blocking { try Self.follow(endpoint, Int(probe.port)) }
        }
    }

    private static func follow(_ endpoint: String, _ port: Int) throws {
        let context = try Context()
        let steady = try ScriptedWorker("steady", endpoint, in: context)
        var mortal: ScriptedWorker? = try ScriptedWorker("mortal", endpoint, in: context)
        let events = try EventProbe(port: port, path: "/api/v1/events")
        func state(of name: String) throws -> String? {
            while let event = try events.next() {
                try steady.beat()
                try mortal?.beat()
                guard event.name == "fleet" else { continue }
                let fleet = try JSONValue.parse(Array(event.data.utf8)[...], name: "the event")
                return fleet["workers"]?.array?.first { $0["name"]?.string == name }?["state"]?.string
            }
            throw Trouble("the stream ended")
        }
        while try state(of: "mortal") != "serving" {}
        mortal = nil
        // It may be silent first; then it is given up.
        while try state(of: "mortal") != "gone" {}
        mortal = try ScriptedWorker("mortal", endpoint, in: context, incarnation: 2)
        while try state(of: "mortal") != "serving" {}
    }

    @Test func `an operator drains a worker and cancels a job of any tenant over HTTP`() async throws {
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: [try analyticModels()])
        let client = try fleet.client()
        let job = try await client.submitJob(SinewClient.JobSubmission(.solvePoses, model: "nobody")).handle
        try await job.append([try JobTask(index: 0, try NoisyPeople(3, seed: 1).request)])
        let token = "a token for this test"
            .replacing(" ", with: "-")
        try await withStatus(fleet.broker, edit: { $0.operatorToken = OperatorToken(token) }) { probe in
            let shown = [("Authorization", "Bearer \(token)")]
            let list = try json(try await get(probe, "/api/v1/jobs"))
            #expect(list["jobs"]?.array?.map { $0["id"]?.string } == ["\(job.id)"])
            #expect(list["jobs"]?.array?.first?["queued"]?.int == 1)
            let cancelled = try json(try await post(probe, "/api/v1/jobs/\(job.id)/cancel", shown))
            #expect(cancelled["job"]?["state"]?.string == "cancelled")
            #expect(try await job.status().state == .cancelled)
            let one = try json(try await get(probe, "/api/v1/jobs/\(job.id)"))
            #expect(one["timeline"]?.array?.map { $0["event"]?.string } == ["submitted", "cancelled"])
            _ = try await client.waitForFleet { $0.workers.count == 1 }
            let drained = try json(try await post(probe, "/api/v1/workers/worker-0/drain", shown))
            #expect(drained["workers"]?.int == 1)
            _ = try await client.waitForFleet { $0.workers.isEmpty }
            #expect(try await post(probe, "/api/v1/workers/worker-0/drain", shown).status == 404)
            #expect(try await post(probe, "/api/v1/jobs/\(JobID())/cancel", shown).status == 404)
        }
    }

    @Test func `a failed task is told with its reason`() async throws {
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: [try analyticModels()])
        let broker = fleet.broker
        let id = JobID()
        let ended = try await blocking {
            let peer = try ClientPeer(broker)
            _ = try peer.ask(
                Jobs.Submit.self,
                SubmitJobRequest(id: id.bytes, method: PoseSolver.SolvePoses.name, model: "hybrik"))
            let noise: [UInt8] = [0xC1, 0xC1]
            let task = TaskBlock(
                index: 0, items: 1, sha256: SHA256.digest(of: noise), payload: noise, label: "two bytes")
            _ = try peer.ask(Jobs.Append.self, AppendTasksRequest(id: id.bytes, tasks: [task]))
            _ = try peer.ask(Jobs.Seal.self, SealJobRequest(id: id.bytes, tasks: 1))
            return try peer.ask(Jobs.Status.self, JobStatusRequest(id: id.bytes, waitMicroseconds: 60_000_000))
        }
        #expect(ended.failed == 1)
        try await withStatus(broker) { probe in
            let one = try json(try await get(probe, "/api/v1/jobs/\(id)"))
            let dead = try #require(one["dead"]?.array)
            #expect(dead.count == 1)
            #expect(dead.first?["index"]?.int == 0)
            #expect(dead.first?["label"]?.string == "two bytes")
            #expect(dead.first?["outcome"]?.string == "failed")
            #expect(dead.first?["reason"]?.string?.isEmpty == false)
            #expect(one["job"]?["failed"]?.int == 1 && one["job"]?["state"]?.string == "finished")
        }
    }

    @Test func `a broker that has stopped says so`() async throws {
        let fleet = try InProcessFleet(workerModels: [])
        try await withStatus(fleet.broker) { probe in
            fleet.broker.stop()
            await fleet.broker.run()
            let reply = try await get(probe, "/api/v1/fleet")
            // Within a tenth of a second the last answer would do.
            if reply.status != 200 { #expect(reply.status == 503) }
            while try await get(probe, "/api/v1/fleet").status != 503 {}
            #expect(try await get(probe, "/api/v1/jobs").status == 503)
        }
    }
}
