import SinewBroker
import SinewClient
import SinewCommands
import SinewModels
import SinewWire
import SinewZeroMQ
import Testing

/// An operator sends a worker away.
@Suite(.timeLimit(.minutes(3))) struct WorkerDrainTests {
    @Test func `a worker that is told to leave gets nothing new, and its tasks lose no attempt`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        let leaving = try ScriptedWorker("leaving", broker.workerEndpoint, in: context)
        let reply = try client.ask(Fleet.DrainWorker.self, DrainWorkerRequest(name: "leaving"), id: 1)
        #expect(reply.workers == 1)
        #expect(try leaving.peer.receive(.drain).head.status == .ok)
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 2)
        #expect(status.workers.map(\.state) == [.draining])
        #expect(try client.ask(Fleet.ListModels.self, ListModelsRequest(), id: 3).models.isEmpty)
    }

    @Test func `an unknown name is refused with those that are known`() async throws {
        let fleet = try InProcessFleet(workerModels: [[try ModelRepository(path: nil).load("hybrik")]])
        let client = try fleet.client()
        _ = try await client.waitForFleet { $0.workers.count == 1 }
        let error = await #expect(throws: ClientError.self) { try await client.drainWorker(named: "worker-7") }
        #expect(error?.code == .unknownWorker && error?.message.contains("worker-0") == true)
    }

    @Test func `work goes on elsewhere while a worker leaves`() async throws {
        let model = try ModelRepository(path: nil).load("hybrik")
        let fleet = try InProcessFleet(workerModels: [[model], [model]])
        let client = try fleet.client(itemsPerCall: 4)
        _ = try await client.waitForFleet { $0.workers.count == 2 }
        let people = try NoisyPeople(400, seed: 61)
        async let reply = client.solve(people.request, model: "hybrik")
        #expect(try await client.drainWorker(named: "worker-0") == 1)
        let solved = try await reply
        #expect(solved.count == 400 && solved.itemErrors.isEmpty)
        let left = try await client.waitForFleet { $0.workers.map(\.name) == ["worker-1"] }
        #expect(left.broker.callsFailed == 0)
        let again = try await client.solve(people.request, model: "hybrik")
        #expect(again.theta == solved.theta && again.parts.allSatisfy { $0.worker == "worker-1" })
    }

    @Test func `where keys are in use, only an operator's sends workers away`() throws {
        let ring = try Keyring()
        let broker = try ring.start(try RecordedLog())
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context, keys: ring.keys(ring.worker))
        let client = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.client))
        try client.call(1, model: "", method: Fleet.DrainWorker.name, payload: DrainWorkerRequest(name: "a").encode())
        let refused = try client.reply(to: 1)
        #expect(refused.head.status == .permissionDenied)
        #expect(try refused.detail().code == UInt32(ServiceErrorCode.operatorsOnly.rawValue))
        #expect(try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 2).workers.map(\.state) == [.serving])
        let boss = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.boss))
        #expect(try boss.ask(Fleet.DrainWorker.self, DrainWorkerRequest(name: "a"), id: 1).workers == 1)
        #expect(try worker.peer.receive(.drain).head.status == .ok)
    }

    @Test func `the command returns when the worker is gone`() async throws {
        let model = "hybrik"
        let broker = try BrokerCallTests.start()
        let arguments = ["worker", "--broker", broker.workerEndpoint, "--name", "w", "--model", model]
        try await CommandLineTool.withProcess(arguments) { worker in
            let client = try Client.patient(broker.clientEndpoint)
            _ = try await client.waitForFleet { $0.workers.map(\.name) == ["w"] }
            let wrong = try await CommandLineTool.run("worker", "drain", "v", "--broker", broker.clientEndpoint)
            #expect(wrong.status == CommandStatus.usage.rawValue && wrong.talk.contains("connected are: w"))
            let done = try await CommandLineTool.run("worker", "drain", "w", "--broker", broker.clientEndpoint)
            #expect(done.status == 0 && done.talk.contains("the worker left"), "\(done.talk)")
            #expect(try await client.fleetStatus().workers.isEmpty)
            #expect(await worker.wait(atMost: CommandLineTool.patience) == .exited(0))
        }
    }
}
