import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import SinewZeroMQ
import Testing

@Suite struct WorkerLifecycleTests {
    @Test func `a task cancelled while it waits is never computed`() throws {
        let gate = try Gate()
        let model = RecomputableModel(gate: gate)
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [model])
        _ = try broker.welcome()
        let running = try broker.give(people(1, seed: 51))
        let isBusy = try gate.waitForArrival()
        try #require(isBusy)
        let cancelled = try broker.give(people(2, seed: 52))
        let wanted = try broker.give(people(3, seed: 53))
        try broker.send(Head(kind: .cancelTask, lease: cancelled))
        while try WorkerBeat(decoding: try broker.expect(.beat).payload).holding?.leases != [running, wanted] {}
        gate.open()
        _ = try broker.result(of: running)
        _ = try broker.result(of: wanted)
        #expect(model.batchSizes == [1, 3])
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `a running batch that nobody wants any more ends inside the model`() throws {
        let gate = try Gate()
        let model = RecomputableModel(gate: gate)
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [model])
        _ = try broker.welcome()
        let cancelled = try broker.give(people(1, seed: 54))
        let isBusy = try gate.waitForArrival()
        try #require(isBusy)
        try broker.send(Head(kind: .cancelTask, lease: cancelled))
        while try WorkerBeat(decoding: try broker.expect(.beat).payload).holding?.leases != [] {}
        gate.open()
        let hasEnded = try gate.waitForArrival()
        #expect(hasEnded && gate.sawCancellation)
        // The next result is the next task's: nothing was sent for the cancelled one.
        let next = try broker.give(people(2, seed: 55))
        _ = try broker.result(of: next)
        #expect(model.batchSizes == [2])
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `a task whose deadline passed while it waited is not computed`() throws {
        let gate = try Gate()
        let model = RecomputableModel(gate: gate)
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [model])
        _ = try broker.welcome()
        let running = try broker.give(people(1, seed: 56))
        let isBusy = try gate.waitForArrival()
        try #require(isBusy)
        let late = try broker.give(people(2, seed: 57), timeout: .microseconds(1))
        while try WorkerBeat(decoding: try broker.expect(.beat).payload).holding?.leases != [running, late] {}
        gate.open()
        let results = [try broker.expect(.result), try broker.expect(.result)]
        let expired = try #require(results.first { $0.head.lease == late })
        #expect(expired.head.status == .deadlineExceeded)
        #expect(try expired.failure.message.contains("test-worker"))
        #expect(results.contains { $0.head.lease == running && $0.head.status == .ok })
        #expect(model.batchSizes == [1])
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test(arguments: [true, false])
    func `a drain says goodbye, gives back what waits and finishes what runs`(isAskedByBroker: Bool) throws {
        let gate = try Gate()
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel(gate: gate)])
        _ = try broker.welcome()
        let request = people(2, seed: 58)
        let running = try broker.give(request)
        let isBusy = try gate.waitForArrival()
        try #require(isBusy)
        let waiting = [try broker.give(people(1, seed: 59)), try broker.give(people(1, seed: 60))]
        while try WorkerBeat(decoding: try broker.expect(.beat).payload).holding?.leases != [running] + waiting {}
        if isAskedByBroker {
            try broker.send(Head(kind: .drain))
        } else {
            worker.beginDrain(within: generousDeadline)
        }
        _ = try broker.expect(.goodbye)
        #expect(try broker.expect(.returned).head.lease == waiting[0])
        #expect(try broker.expect(.returned).head.lease == waiting[1])
        // A task that was under way to it when it said goodbye comes back too.
        let late = try broker.give(people(1, seed: 61))
        #expect(try broker.expect(.returned).head.lease == late)
        gate.open()
        let result = try broker.result(of: running)
        #expect(try result.reply.theta.floats == (try request.solvedAlone.theta))
        _ = try broker.expect(.goodbye)
    }

    @Test func `a drain that takes too long gives back what runs`() throws {
        let gate = try Gate()
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel(gate: gate)])
        _ = try broker.welcome()
        let running = try broker.give(people(2, seed: 62))
        let isBusy = try gate.waitForArrival()
        try #require(isBusy)
        worker.beginDrain(within: .milliseconds(1))
        _ = try broker.expect(.goodbye)
        #expect(try broker.expect(.returned).head.lease == running)
        _ = try broker.expect(.goodbye)
        gate.open()
        let hasEnded = try gate.waitForArrival()
        #expect(hasEnded && gate.sawCancellation)
    }

    @Test func `a task that crosses the goodbye comes back before the worker goes`() async throws {
        try await drainedAcrossATask().run()
    }

    private func drainedAcrossATask() throws -> WorkerServer {
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel()])
        _ = try broker.welcome()
        worker.beginDrain(within: generousDeadline)
        // One goodbye when the drain begins and one when nothing is in hand; the broker has not read them yet.
        _ = try broker.expect(.goodbye)
        _ = try broker.expect(.goodbye)
        let crossing = try broker.give(people(1, seed: 66))
        #expect(try broker.expect(.returned).head.lease == crossing)
        _ = try broker.expect(.goodbye)
        _ = try broker.expect(.beat)
        try broker.send(Head(kind: .helloAgain))
        return worker
    }

    @Test func `waiting for a worker ends when it has stopped`() async throws {
        let endpoint = try unusedEndpoint()
        let stopped = try startWorker(endpoint, models: [RecomputableModel()])
        stopped.stop()
        await stopped.run()
        let drained = try startWorker(endpoint, models: [RecomputableModel()])
        drained.beginDrain(within: generousDeadline)
        await drained.run()
        let cancelled = try startWorker(endpoint, models: [RecomputableModel()])
        let task = Task { await cancelled.run() }
        task.cancel()
        await task.value
    }

    /// An endpoint where nobody listens.
    private func unusedEndpoint() throws -> String {
        try Socket(.router, in: try Context()).bind(to: "tcp://127.0.0.1:*")
    }

    @Test func `a broker that forgot the worker gets a new introduction and no old results`() throws {
        let gate = try Gate()
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel(gate: gate)])
        _ = try broker.welcome()
        let head = Head(
            kind: .task, method: PoseSolver.SolvePoses.name, model: "recomputable", callID: 1, lease: 5, items: 1)
        try broker.send(head, people(1, seed: 63).encode())
        let isBusy = try gate.waitForArrival()
        try #require(isBusy)
        try broker.send(Head(kind: .helloAgain))
        _ = try broker.welcome()
        // The restarted broker counts its leases anew: the same number is now another task.
        let request = people(1, seed: 64)
        try broker.send(head, request.encode())
        while try WorkerBeat(decoding: try broker.expect(.beat).payload).holding?.leases != [5] {}
        gate.open()
        let result = try broker.result(of: 5)
        #expect(try result.reply.theta.floats == (try request.solvedAlone.theta))
        worker.stop()
        _ = try broker.expect(.goodbye)
    }

    @Test func `a worker finds a restarted broker by itself`() throws {
        var first: ScriptedBroker? = try ScriptedBroker()
        let endpoint = first?.endpoint ?? ""
        let worker = try startWorker(endpoint, models: [RecomputableModel()])
        _ = try first?.welcome()
        first = nil
        var second = try ScriptedBroker(endpoint: endpoint)
        // It beats or says hello, depending on whether it noticed; the new broker knows nobody and asks.
        _ = try second.welcomeUnknown()
        let request = people(1, seed: 65)
        let result = try second.result(of: try second.give(request))
        #expect(try result.reply.theta.floats == (try request.solvedAlone.theta))
        worker.stop()
        _ = try second.expect(.goodbye)
    }

    @Test func `a worker that is refused leaves`() async throws {
        let worker = try refusedWorker()
        await worker.run()
    }

    private func refusedWorker() throws -> WorkerServer {
        var broker = try ScriptedBroker()
        let worker = try startWorker(broker.endpoint, models: [RecomputableModel()])
        _ = try broker.expect(.hello)
        try broker.send(
            Head(kind: .drain, status: .resourceExhausted), ErrorDetail(message: "no room").encode())
        _ = try broker.expect(.goodbye)
        return worker
    }

    @Test func `a configuration that cannot work is refused with what to change`() {
        func start(_ configuration: WorkerConfiguration) throws(WorkerError) {
            _ = try WorkerServer(configuration, models: [RecomputableModel()], logger: quietLogger)
        }
        let noThreads = #expect(throws: WorkerError.self) { try start(WorkerConfiguration(computeThreads: 0)) }
        #expect(noThreads?.reason == .configuration)
        let noCredits = #expect(throws: WorkerError.self) { try start(WorkerConfiguration(creditItems: 0)) }
        #expect(noCredits?.message.contains("credits") == true)
        let endpoint = #expect(throws: WorkerError.self) { try start(WorkerConfiguration(brokerEndpoint: "here")) }
        #expect(endpoint?.reason == .transport)
        #expect(endpoint?.message.contains("here") == true)
        let noModels = #expect(throws: WorkerError.self) {
            _ = try WorkerServer(WorkerConfiguration(), models: [], logger: quietLogger)
        }
        #expect(noModels?.reason == .models)
    }
}
