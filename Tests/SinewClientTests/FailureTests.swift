import SinewClient
import SinewWire
import SinewZeroMQ
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct FailureTests {
    @Test func `a refusal arrives with its status, code, field, item and message`() async throws {
        let broker = try FakeBroker { head, _ in head.kind == .call ? [FakeBroker.refusal(head, .unknownModel)] : [] }
        let client = try Client(configuration(broker.endpoint))
        let error = await failure { () throws(ClientError) in try await client.solve(people(1), model: "niky") }
        #expect(error?.status == .notFound)
        #expect(error?.code == .unknownModel)
        #expect(error?.field == "joints")
        #expect(error?.item == 3)
        #expect(error?.description == "NOT_FOUND (UNKNOWN_MODEL): refused: UNKNOWN_MODEL")
    }

    @Test func `what is unavailable is tried again, and the attempt is counted`() async throws {
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            return head.attempt < 3
                ? [FakeBroker.refusal(head, .noWorker, retryAfterMicroseconds: 1000)]
                : [FakeBroker.solution(head, payload)]
        }
        let client = try Client(configuration(broker.endpoint))
        let reply = try await client.solve(people(1), model: "fake")
        #expect(reply.count == 1)
        var attempts: [UInt8] = []
        for await head in broker.heads where head.kind == .call {
            attempts.append(head.attempt)
            if attempts.count == 3 { break }
        }
        #expect(attempts == [1, 2, 3])
    }

    @Test func `a full queue that stays full ends the call with the last refusal`() async throws {
        let calls = Counter()
        let broker = try FakeBroker { head, _ in
            guard head.kind == .call else { return [] }
            calls.increment()
            return [FakeBroker.refusal(head, .queueFull, retryAfterMicroseconds: 500)]
        }
        let client = try Client(configuration(broker.endpoint))
        let error = await failure { () throws(ClientError) in try await client.solve(people(1), model: "fake") }
        #expect(error?.status == .resourceExhausted)
        #expect(error?.retryAfter == .microseconds(500))
        #expect(calls.value == 5)
    }

    @Test func `a client that waits for readiness outlasts more refusals than the retry policy allows`() async throws {
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            return head.attempt < 9
                ? [FakeBroker.refusal(head, .noWorker, retryAfterMicroseconds: 500)]
                : [FakeBroker.solution(head, payload)]
        }
        let client = try Client(configuration(broker.endpoint) { $0.waitForReady = true })
        let reply = try await client.solve(people(1), model: "fake")
        #expect(reply.count == 1)
    }

    @Test func `one part that is refused fails the scene and cancels the others`() async throws {
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call, let request = try? SolvePosesRequest(decoding: payload) else { return [] }
            return request.joints.floats?[0] == 2 ? [FakeBroker.refusal(head, .solverFailed)] : []
        }
        let client = try Client(configuration(broker.endpoint) { $0.itemsPerCall = 1 })
        let error = await failure { () throws(ClientError) in try await client.solve(people(4), model: "fake") }
        #expect(error?.code == .solverFailed)
        var cancelled = 0
        for await head in broker.heads where head.kind == .cancel {
            cancelled += 1
            if cancelled == 3 { break }
        }
        #expect(cancelled == 3)
    }

    @Test func `cancelling the task cancels the call at the broker`() async throws {
        let broker = try FakeBroker { _, _ in [] }
        let client = try Client(configuration(broker.endpoint))
        let task = Task { await failure { () throws(ClientError) in try await client.fleetStatus() } }
        let call = try #require(await broker.next(.call))
        task.cancel()
        #expect(await task.value?.status == .cancelled)
        let cancel = try #require(await broker.next(.cancel))
        #expect(cancel.callID == call.callID)
    }

    @Test func `cancelling the task cancels every part of a scene`() async throws {
        let broker = try FakeBroker { _, _ in [] }
        let client = try Client(configuration(broker.endpoint) { $0.itemsPerCall = 1 })
        let task = Task { await failure { () throws(ClientError) in try await client.solve(people(3), model: "fake") } }
        var called: Set<UInt64> = []
        for await head in broker.heads where head.kind == .call {
            called.insert(head.callID)
            if called.count == 3 { break }
        }
        task.cancel()
        #expect(await task.value?.status == .cancelled)
        for await head in broker.heads where head.kind == .cancel {
            called.remove(head.callID)
            if called.isEmpty { break }
        }
        #expect(called.isEmpty)
    }

    @Test func `a task that is cancelled already makes no call that stays`() async throws {
        let broker = try FakeBroker { _, _ in [] }
        let client = try Client(configuration(broker.endpoint))
        for _ in 0..<50 {
            let task = Task { await failure { () throws(ClientError) in try await client.fleetStatus() } }
            task.cancel()
            #expect(await task.value?.status == .cancelled)
        }
    }

    @Test func `leaving a scene's loop cancels what is under way`() async throws {
        let first = Counter()
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            return first.increment() == 1 ? [FakeBroker.solution(head, payload)] : []
        }
        let client = try Client(configuration(broker.endpoint) { $0.itemsPerCall = 1 })
        for try await _ in client.solveScene(people(3), model: "fake") { break }
        var cancelled = 0
        for await head in broker.heads where head.kind == .cancel {
            cancelled += 1
            if cancelled == 2 { break }
        }
        #expect(cancelled == 2)
    }

    @Test func `rubbish, a worker's message and a reply to nobody do not disturb a call`() async throws {
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            return [
                FakeBroker.Answer(frames: [[0xC1, 0xFF]]), FakeBroker.Answer(frames: [[], [], [], [], []]),
                FakeBroker.Answer(Head(kind: .task, callID: head.callID)),
                FakeBroker.Answer(Head(kind: .reply, callID: head.callID &+ 1_000_000), [0x80]),
                FakeBroker.solution(head, payload), FakeBroker.solution(head, payload),
            ]
        }
        let client = try Client(configuration(broker.endpoint))
        for number in 0..<3 {
            var one = people(1)
            one.joints[0] = Float(number)
            let reply = try await client.solve(one, model: "fake")
            #expect(reply.theta[0] == Float(number))
        }
    }

    @Test func `an answer that is no reply message is an internal error`() async throws {
        let number = Counter()
        let broker = try FakeBroker { head, _ in
            guard head.kind == .call else { return [] }
            let ok = Head(kind: .reply, callID: head.callID)
            switch number.increment() {
            case 1: return [FakeBroker.Answer(ok)]
            case 2: return [FakeBroker.Answer(ok, [0xC1])]
            default: return [FakeBroker.Answer(ok, SolvePosesReply(model: "no rows").encode())]
            }
        }
        let client = try Client(configuration(broker.endpoint))
        for _ in 0..<3 {
            let error = await failure { () throws(ClientError) in try await client.solve(people(1), model: "fake") }
            #expect(error?.status == .internal)
            #expect(error?.code == .malformedReply)
        }
    }

    @Test func `closing ends the calls under way and refuses later ones`() async throws {
        let broker = try FakeBroker { _, _ in [] }
        let client = try Client(configuration(broker.endpoint))
        let task = Task { await failure { () throws(ClientError) in try await client.fleetStatus() } }
        _ = await broker.next(.call)
        client.close()
        let error = await task.value
        #expect(error?.status == .cancelled)
        #expect(error?.code == .clientClosed)
        let later = await failure { () throws(ClientError) in try await client.fleetStatus() }
        #expect(later?.code == .clientClosed)
    }

    @Test func `an endpoint that is none is refused at once`() {
        #expect(throws: ClientError.self) { try Client(ClientConfiguration(endpoint: "localhost:7690")) }
        #expect(throws: ClientError.self) { try Client(configuration("tcp://127.0.0.1:1") { $0.itemsPerCall = 0 }) }
        #expect(throws: ClientError.self) {
            try Client(configuration("tcp://127.0.0.1:1") { $0.tenant = String(repeating: "t", count: 65) })
        }
    }

    @Test func `the fleet's methods are called by their names and their replies read`() async throws {
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            let ok = Head(kind: .reply, callID: head.callID)
            if let method = Fleet.Method(rawValue: head.method) {
                switch method {
                case .status:
                    return [
                        FakeBroker.Answer(
                            ok, FleetStatusReply(broker: BrokerStatus(version: "v", itemsDone: 8)).encode())
                    ]
                case .listModels:
                    let models = [ModelAvailability(model: ModelReady(name: "niki"), workers: 2)]
                    return [FakeBroker.Answer(ok, ListModelsReply(models: models).encode())]
                case .drainWorker:
                    let name = (try? DrainWorkerRequest(decoding: payload))?.name
                    return [FakeBroker.Answer(ok, DrainWorkerReply(workers: name == "w" ? 3 : 0).encode())]
                }
            }
            let asked = (try? HealthCheckRequest(decoding: payload))?.service
            let status: ServingStatus = asked == PoseSolver.serviceName ? .notServing : .serving
            return [FakeBroker.Answer(ok, HealthCheckReply(status: status).encode())]
        }
        let client = try Client(configuration(broker.endpoint))
        let status = try await client.fleetStatus()
        #expect(status.broker.itemsDone == 8)
        let models = try await client.listModels()
        #expect(models.map(\.model.name) == ["niki"])
        #expect(try await client.drainWorker(named: "w") == 3)
        let itself = try await client.healthCheck()
        #expect(itself == .serving)
        let solver = try await client.healthCheck(service: "sinew.v1.PoseSolver")
        #expect(solver == .notServing)
    }
}
