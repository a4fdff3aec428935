import SinewClient
import SinewWire
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct SolveTests {
    @Test func `a call carries what the caller asked for, and the reply comes back`() async throws {
        let request = Mutex<SolvePosesRequest?>(nil)
        let broker = try FakeBroker { head, payload in
            if head.kind == .call { request.withLock { $0 = try? SolvePosesRequest(decoding: payload) } }
            return FakeBroker.solving(head, payload)
        }
        let client = try Client(
            configuration(broker.endpoint) {
                $0.tenant = "lab"
                $0.priority = 9
            })
        var two = people(2)
        two.sigma = Array(repeating: 0.1, count: 58)
        two.observed = Array(repeating: true, count: 57) + [false]
        two.twists = Array(repeating: 0.2, count: 46)
        two.betas = Array(repeating: 0.3, count: 10)
        two.genders = ["female"]
        let reply = try await client.solve(two, model: "niki/1", deadline: .seconds(20))
        let head = try #require(await broker.next(.call))
        #expect(head.method == "sinew.v1.PoseSolver/SolvePoses")
        #expect(head.model == "niki/1")
        #expect(head.items == 2)
        #expect(head.attempt == 1)
        #expect(head.tenant == "lab")
        #expect(head.priority == 9)
        let timeout = try #require(head.timeoutMicroseconds)
        #expect(timeout > 0 && timeout <= 20_000_000)
        let sent = try #require(request.withLock { $0 })
        #expect(sent.joints.shape == [2, 29, 3])
        #expect(sent.skeleton == "smpl-29")
        #expect(sent.sigma?.shape == [2, 29])
        #expect(sent.observed?.bytes == Array(repeating: 1, count: 57) + [0])
        #expect(sent.twists?.shape == [2, 23])
        #expect(sent.betas?.shape == [10])
        #expect(sent.genders == ["female"])
        #expect(reply.theta == Array(repeating: 0, count: 72) + Array(repeating: 1, count: 72))
        #expect(reply.translation == [0.25, 0.25, 0.25, 1.25, 1.25, 1.25])
        #expect(reply.joints.count == 174)
        #expect(reply.latentNorm == [1, 2])
        #expect(reply.unobservedJoints == [4, 4])
        #expect(reply.model == "fake")
        #expect(reply.parts.map(\.rows) == [0..<2])
        #expect(reply.parts.first?.computeDuration == .microseconds(6))
    }

    @Test func `a large request is split, and put together in order when the answers come backwards`() async throws {
        let held = Mutex<[FakeBroker.Answer]>([])
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            return held.withLock { held in
                held.append(FakeBroker.solution(head, payload))
                return held.count == 4 ? held.reversed() : []
            }
        }
        let client = try Client(configuration(broker.endpoint) { $0.itemsPerCall = 50 })
        var crowd = people(170)
        crowd.joints[120 * 87] = -1
        crowd.joints[160 * 87] = -1
        let reply = try await client.solve(crowd, model: "fake")
        let expected = (0..<170).map { $0 == 120 || $0 == 160 ? Float(-1) : Float($0) }
        #expect((0..<170).map { reply.theta[$0 * 72] } == expected)
        #expect((0..<170).map { reply.joints[$0 * 87 + 86] } == expected.map { $0 + 0.5 })
        #expect(reply.latentNorm == expected.map { $0 + 1 })
        #expect(reply.itemErrors.map(\.item) == [120, 160])
        #expect(reply.parts.map(\.rows) == [0..<50, 50..<100, 100..<150, 150..<170])
    }

    @Test func `a scene's parts come in the order in which they finish`() async throws {
        let held = Mutex<[FakeBroker.Answer]>([])
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            return held.withLock { held in
                held.append(FakeBroker.solution(head, payload))
                return held.count == 3 ? [held[2], held[0], held[1]] : []
            }
        }
        let client = try Client(configuration(broker.endpoint) { $0.itemsPerCall = 2 })
        var rows: [Range<Int>] = []
        for try await part in client.solveScene(people(6), model: "fake") {
            rows.append(part.rows)
            #expect(part.reply.theta[0] == Float(part.rows.lowerBound))
        }
        #expect(rows == [4..<6, 0..<2, 2..<4])
    }

    @Test func `no more calls are under way than allowed`() async throws {
        let held = Mutex<(waiting: [FakeBroker.Answer], seen: Int, most: Int)>(([], 0, 0))
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            return held.withLock { held in
                held.seen += 1
                held.waiting.append(FakeBroker.solution(head, payload))
                held.most = max(held.most, held.waiting.count)
                guard held.waiting.count >= 3 || held.seen == 40 else { return [] }
                return held.seen == 40 ? exchange(&held.waiting, with: []) : [held.waiting.removeFirst()]
            }
        }
        let client = try Client(
            configuration(broker.endpoint) {
                $0.itemsPerCall = 1
                $0.callsInFlightMax = 3
            })
        let reply = try await client.solve(people(40), model: "fake")
        #expect(reply.latentNorm == (0..<40).map { Float($0) + 1 })
        #expect(held.withLock { $0.most } == 3)
    }

    @Test func `a slow reader slows the sending`() async throws {
        let calls = Counter()
        let broker = try FakeBroker { head, payload in
            if head.kind == .call { calls.increment() }
            return FakeBroker.solving(head, payload)
        }
        let client = try Client(
            configuration(broker.endpoint) {
                $0.itemsPerCall = 1
                $0.callsInFlightMax = 4
            })
        var taken = 0
        for try await _ in client.solveScene(people(30), model: "fake") {
            taken += 1
            // The round trip lets whatever the client would send too early arrive first.
            _ = await failure { () throws(ClientError) in try await client.fleetStatus() }
            #expect(calls.value - taken <= taken + 4)
        }
        #expect(taken == 30)
    }

    @Test func `many tasks share a client and each gets its own result`() async throws {
        let broker = try FakeBroker(answer: FakeBroker.solving)
        let client = try Client(configuration(broker.endpoint))
        let results = try await withThrowingTaskGroup(of: (Int, Float).self) { group in
            for number in 0..<200 {
                group.addTask {
                    var one = people(1)
                    one.joints[0] = Float(number)
                    return (number, try await client.solve(one, model: "fake").theta[71])
                }
            }
            return try await group.reduce(into: [(Int, Float)]()) { $0.append($1) }
        }
        #expect(results.count == 200)
        for (number, value) in results { #expect(value == Float(number)) }
    }

    @Test func `arrays that do not fit are refused before anything is sent`() async throws {
        let calls = Counter()
        let broker = try FakeBroker { head, _ in
            if head.kind == .call { calls.increment() }
            return []
        }
        let client = try Client(configuration(broker.endpoint))
        func refused(_ change: (inout PoseRequest) -> Void) async -> ClientError? {
            var request = people(2)
            change(&request)
            let sent = request
            return await failure { () throws(ClientError) in try await client.solve(sent, model: "fake") }
        }
        for (field, error) in [
            ("joints", await refused { $0.joints.removeLast() }), ("joints", await refused { $0.joints = [] }),
            ("joints", await refused { $0.count = 0 }), ("sigma", await refused { $0.sigma = [0.1] }),
            ("observed", await refused { $0.observed = [true] }), ("twists", await refused { $0.twists = [0] }),
            ("betas", await refused { $0.betas = [0] }), ("genders", await refused { $0.genders = ["a", "b", "c"] }),
        ] {
            #expect(error?.status == .invalidArgument)
            #expect(error?.code == .wrongShape)
            #expect(error?.field == field)
        }
        let nameless = await failure { () throws(ClientError) in try await client.solve(people(1), model: "") }
        #expect(nameless?.code == .unknownModel)
        #expect(calls.value == 0)
    }
}
