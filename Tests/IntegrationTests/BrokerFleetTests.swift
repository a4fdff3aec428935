import Logging
import SinewBroker
import SinewCore
import SinewWire
import SinewZeroMQ
import Testing

/// What the broker says about itself and its workers, and how it ends.
@Suite(.timeLimit(.minutes(2))) struct BrokerFleetTests {
    @Test func `status names the workers with their models and their last beat`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        let worker = try ScriptedWorker("alpha", broker.workerEndpoint, in: context, credits: 64)
        try worker.peer.send(Head(kind: .beat), [WorkerBeat(itemsDone: 12, batchesDone: 3, largestBatch: 6).encode()])
        // The beat and the question travel on two connections, so the question is repeated until the beat is in.
        var status = FleetStatusReply()
        var id: UInt64 = 1
        repeat {
            status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: id)
            id += 1
        } while status.workers.first?.beat.batchesDone != 3 && id < 10_000
        let first = try #require(status.workers.first)
        #expect(first.name == "alpha")
        #expect(first.state == .serving)
        #expect(first.credits == 64)
        #expect(first.models.map(\.name) == ["niki"])
        #expect(first.beat.itemsDone == 12)
        #expect(first.beat.largestBatch == 6)
        #expect(status.broker.version == "test")
        #expect(!status.broker.draining)
    }

    @Test func `models are listed by name with the number of their workers`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        #expect(try client.ask(Fleet.ListModels.self, ListModelsRequest(), id: 1).models.isEmpty)
        let both = try ScriptedWorker("a", broker.workerEndpoint, in: context, models: ["niki", "hybrik"])
        let one = try ScriptedWorker("b", broker.workerEndpoint, in: context, models: ["niki"])
        let models = try client.ask(Fleet.ListModels.self, ListModelsRequest(), id: 2).models
        #expect(models.map(\.model.name) == ["hybrik", "niki"])
        #expect(models.map(\.workers) == [1, 2])
        withExtendedLifetime((both, one)) {}
    }

    @Test func `health tells the broker from the solver`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        func health(_ service: String, _ id: UInt64) throws -> ServingStatus {
            try client.ask(Health.Check.self, HealthCheckRequest(service: service), id: id).status
        }
        #expect(try health("", 1) == .serving)
        #expect(try health("sinew.v1.PoseSolver", 2) == .notServing)
        #expect(try health("sinew.v1.Weather", 3) == .serviceUnknown)
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        #expect(try health("sinew.v1.PoseSolver", 4) == .serving)
        withExtendedLifetime(worker) {}
    }

    @Test func `a ping is answered and each start of a broker is another one`() throws {
        let context = try Context()
        var incarnations: [UInt64] = []
        for _ in 0..<2 {
            let broker = try BrokerCallTests.start()
            let client = try BrokerPeer(broker.clientEndpoint, in: context)
            for id in 1...2 as ClosedRange<UInt64> {
                try client.send(Head(kind: .ping, callID: id))
                let pong = try client.receive(.pong)
                #expect(pong.head.callID == id)
                incarnations.append(pong.head.lease)
            }
        }
        #expect(incarnations[0] == incarnations[1])
        #expect(incarnations[0] != incarnations[2])
    }

    @Test func `a worker the broker does not know is asked for its hello`() throws {
        let broker = try BrokerCallTests.start()
        let peer = try BrokerPeer(broker.workerEndpoint, in: try Context())
        try peer.send(Head(kind: .beat), [WorkerBeat().encode()])
        #expect(try peer.receive().head.kind == .helloAgain)
        try peer.send(Head(kind: .result, lease: 12_345), [[1]])
        #expect(try peer.receive().head.kind == .helloAgain)
    }

    @Test func `a worker without models is told to leave`() throws {
        let broker = try BrokerCallTests.start()
        let peer = try BrokerPeer(broker.workerEndpoint, in: try Context())
        try peer.send(Head(kind: .hello), [WorkerHello(name: "empty", credits: 1).encode()])
        let answer = try peer.receive()
        #expect(answer.head.kind == .drain)
        #expect(try answer.detail().message.contains("no model"))
    }

    @Test func `what cannot be read is counted and another version is told so`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        let worker = try BrokerPeer(broker.workerEndpoint, in: context)
        let garbage: [[[UInt8]]] = [
            [[]], [[0xC1]], [[0x93, 1, 2, 3]], [Array(repeating: 0xDD, count: 5_000)],
            [Head(kind: .ping).encode(), [1], [2], [3]], [Head(kind: .welcome).encode()],
            [Head(kind: .ping).encode(), [1], [2], [3], [4], [5], [6]],
        ]
        for frames in garbage {
            try client.send(frames: frames)
            try worker.send(frames: frames)
        }
        try worker.send(frames: [Head(kind: .hello).encode(), [0xFF]])
        try worker.send(frames: [Head(kind: .hello).encode()])
        var other = Head(kind: .call, callID: 3).encode()
        other[1] = 2  // the version stands behind the header of the array
        try client.send(frames: [other, [1]])
        let reply = try client.receive(.reply)
        #expect(reply.head.status == .failedPrecondition)
        #expect(reply.head.errorCode == ServiceErrorCode.unsupportedVersion.rawValue)
        // The workers' socket is another connection; ask until its share is counted.
        let expected = UInt64(2 * garbage.count + 3)
        var counted: UInt64 = 0
        for id in 1...10_000 as ClosedRange<UInt64> where counted < expected {
            counted = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: id).broker.malformedMessages
        }
        #expect(counted == expected)
    }

    @Test func `a draining broker tells its clients and finishes what it has`() async throws {
        let broker = try BrokerCallTests.start()
        try drain(broker)
        await broker.run()
    }

    private func drain(_ broker: BrokerServer) throws {
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1)
        let task = try worker.task()
        broker.beginDrain(within: brokerPatience)
        _ = try client.receive(.goingAway)
        try client.call(2)
        let refused = try client.reply(to: 2)
        #expect(refused.head.status == .unavailable)
        #expect(refused.head.errorCode == ServiceErrorCode.draining.rawValue)
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 3)
        #expect(status.broker.draining)
        try worker.answer(task, payload: [4])
        #expect(try client.reply(to: 1).payload == [4])
    }

    @Test func `stopping answers what is under way`() async throws {
        let broker = try BrokerCallTests.start()
        try stop(broker)
        await broker.run()
    }

    private func stop(_ broker: BrokerServer) throws {
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1)
        _ = try worker.task()
        broker.stop()
        let reply = try client.reply(to: 1)
        #expect(reply.head.status == .unavailable)
        #expect(try reply.detail().message.contains("stopped"))
    }

    @Test func `a worker that returns its task and says goodbye costs the task no attempt`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let leaving = try ScriptedWorker("leaving", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1)
        let task = try leaving.task()
        let other = try ScriptedWorker("other", broker.workerEndpoint, in: context)
        try leaving.peer.send(Head(kind: .returned, lease: task.head.lease))
        try leaving.peer.send(Head(kind: .goodbye))
        try other.answer(try other.task())
        #expect(try client.reply(to: 1).head.status == .ok)
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 2)
        #expect(status.workers.map(\.name) == ["other"])
    }

    @Test func `an endpoint in use is named`() throws {
        let broker = try BrokerCallTests.start()
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = broker.clientEndpoint
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        let failure = #expect(throws: BrokerError.self) {
            _ = try BrokerServer(configuration, logger: .init(label: "test"))
        }
        #expect(failure?.reason == .cannotListen)
        #expect(failure?.message.contains(broker.clientEndpoint) == true)
    }
}
