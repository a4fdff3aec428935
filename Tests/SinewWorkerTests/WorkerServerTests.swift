import SinewModels
import SinewWire
import SinewWorker
import SinewZeroMQ
import Testing

@Suite struct WorkerServerTests {
    @Test func `a worker introduces itself and beats as it is told`() throws {
        var broker = try ScriptedBroker()
        let worker = try startWorker(
            broker.endpoint, models: [RecomputableModel(), RecomputableModel(name: "second", version: "4")],
            computeThreads: 2)
        let hello = try broker.welcome()
        #expect(hello.name == "test-worker")
        #expect(hello.models.map(\.name) == ["recomputable", "second"])
        #expect(hello.models.map(\.version) == ["1", "4"])
        #expect(hello.models.map(\.weightsSHA256) == ["abc123", "abc123"])
        #expect(hello.credits == 500)
        #expect(hello.computeThreads == 2)
        #expect(hello.processID > 0 && !hello.host.isEmpty && !hello.isa.isEmpty)
        #expect(hello.version == "1.2.3")
        for _ in 0..<3 { _ = try broker.expect(.beat) }
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `a task is answered under its lease with the model's numbers`() throws {
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel()])
        _ = try broker.welcome()
        let request = people(3, seed: 31)
        let lease = try broker.give(request, model: "recomputable/1", call: 77)
        let result = try broker.result(of: lease)
        #expect(result.head.callID == 77)
        #expect(result.head.attempt == 2)
        #expect(result.head.items == 3)
        #expect(try result.reply.theta.floats == (try request.solvedAlone.theta))
        #expect(try result.reply.worker == "test-worker")
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `what waits while a batch runs becomes one batch`() throws {
        let gate = try Gate()
        let model = RecomputableModel(gate: gate)
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [model], batchItemsMax: 6)
        _ = try broker.welcome()
        let requests = [people(1, seed: 32), people(2, seed: 33), people(3, seed: 34), people(4, seed: 35)]
        var leases = [try broker.give(requests[0])]
        let isBusy = try gate.waitForArrival()
        try #require(isBusy)
        for request in requests.dropFirst() { leases.append(try broker.give(request)) }
        // A beat that names all four proves that they have arrived.
        while try WorkerBeat(decoding: try broker.expect(.beat).payload).holding?.leases != leases {}
        gate.open()
        var batchSizes: [UInt32] = []
        for (lease, request) in zip(leases, requests) {
            let reply = try broker.result(of: lease).reply
            #expect(reply.theta.floats == (try request.solvedAlone.theta))
            batchSizes.append(reply.batchSize)
        }
        // 2 + 3 fit into 6, 4 more do not.
        #expect(batchSizes == [1, 5, 5, 4])
        #expect(model.batchSizes == [1, 5, 4])
        var beat = WorkerBeat()
        while beat.itemsDone < 10 { beat = try WorkerBeat(decoding: try broker.expect(.beat).payload) }
        #expect(beat.batchesDone == 3)
        #expect(beat.largestBatch == 5)
        #expect(beat.batchSizes.map(\.size) == [1, 4, 8])
        #expect(beat.holding?.leases == [])
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `two compute threads run two batches at a time`() throws {
        let gate = try Gate()
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel(gate: gate)], computeThreads: 2)
        _ = try broker.welcome()
        let first = try broker.give(people(1, seed: 36))
        let second = try broker.give(people(2, seed: 37))
        var beat = WorkerBeat()
        while beat.runningItems < 3 { beat = try WorkerBeat(decoding: try broker.expect(.beat).payload) }
        #expect(beat.queuedItems == 0)
        gate.open()
        let leases = [try broker.expect(.result).head.lease, try broker.expect(.result).head.lease]
        #expect(leases.sorted() == [first, second])
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `a task delivered twice is solved once`() throws {
        let gate = try Gate()
        let model = RecomputableModel(gate: gate)
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [model])
        _ = try broker.welcome()
        let request = people(1, seed: 38)
        let head = Head(
            kind: .task, method: PoseSolver.SolvePoses.name, model: "recomputable", callID: 1, lease: 5, items: 1)
        try broker.send(head, request.encode())
        try broker.send(head, request.encode())
        let next = try broker.give(people(2, seed: 39))
        // Messages keep their order: once the third is there, so is the copy.
        while try WorkerBeat(decoding: try broker.expect(.beat).payload).holding?.leases != [5, next] {}
        gate.open()
        _ = try broker.result(of: 5)
        _ = try broker.result(of: next)
        #expect(model.batchSizes == [1, 2])
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `what a worker does not have or know is answered and not ignored`() throws {
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel()])
        _ = try broker.welcome()
        let noModel = try broker.result(of: try broker.give(people(1, seed: 40), model: "niki"))
        #expect(noModel.head.status == .notFound)
        #expect(noModel.head.errorCode == ServiceErrorCode.unknownModel.rawValue)
        #expect(try noModel.failure.message.contains("recomputable/1"))
        let noMethod = try broker.result(
            of: try broker.give(people(1, seed: 40).encode(), items: 1, method: "sinew.v1.PoseSolver/Dance"))
        #expect(noMethod.head.status == .unimplemented)
        let noPayload = try broker.result(of: try broker.give(nil, items: 1))
        #expect(noPayload.head.status == .invalidArgument)
        let otherCount = try broker.result(of: try broker.give(people(2, seed: 41).encode(), items: 1))
        #expect(otherCount.head.errorCode == ServiceErrorCode.malformedRequest.rawValue)
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `messages that cannot be read are dropped and work goes on`() throws {
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel()])
        _ = try broker.welcome()
        let known = broker.worker
        let address = try #require(known)
        let head = Frame(Head(kind: .task).encode())
        try broker.send([address, Frame([])])
        try broker.send([address, Frame([0x93, 1, 2, 3])])
        try broker.send([address, Frame([UInt8](repeating: 0xFF, count: 5000))])
        try broker.send([address, head, head, head, head, head, head])
        try broker.send(Head(kind: .hello))
        try broker.send(Head(kind: .welcome), [0xC1])
        try broker.send(Head(kind: .cancelTask, lease: 12345))
        let request = people(1, seed: 42)
        let result = try broker.result(of: try broker.give(request))
        #expect(try result.reply.theta.floats == (try request.solvedAlone.theta))
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `a model that breaks does not take the worker with it`() throws {
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel()])
        _ = try broker.welcome()
        let broken = people(1, seed: 43).tricking(0, with: RecomputableModel.Trick.breaks)
        let failure = try broker.result(of: try broker.give(broken))
        #expect(failure.head.status == .internal)
        #expect(failure.head.errorCode == ServiceErrorCode.solverFailed.rawValue)
        let request = people(2, seed: 44)
        #expect(try broker.result(of: try broker.give(request)).reply.theta.floats == (try request.solvedAlone.theta))
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `a worker measures its models when no batch size is given, and remembers it`() throws {
        let folder = try TemporaryFolder()
        var broker = try ScriptedBroker()
        let first = RecomputableModel()
        let worker = try startWorker(
            broker.endpoint, models: [first], batchItemsMax: nil, batchTableFolder: folder.path + "/made/by/worker")
        _ = try broker.welcome()
        #expect(first.batchSizes.prefix(3) == [1, 1, 2])
        worker.stop()
        _ = try broker.expect(.goodbye)

        let second = RecomputableModel()
        var otherBroker = try ScriptedBroker()
        let again = try startWorker(
            otherBroker.endpoint, models: [second], batchItemsMax: nil,
            batchTableFolder: folder.path + "/made/by/worker")
        _ = try otherBroker.welcome()
        #expect(second.batchSizes.isEmpty)
        again.stop()
        _ = try otherBroker.expect(.goodbye)
    }
}
