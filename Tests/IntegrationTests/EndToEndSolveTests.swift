import SinewBroker
import SinewClient
import SinewModels
import SinewWorker
import Testing

@Suite(.timeLimit(.minutes(2))) struct EndToEndSolveTests {
    @Test func `poses through the service are those of a local solve, bit for bit`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()])
        let client = try fleet.client()
        _ = try await client.waitForFleet { $0.workers.count == 2 }
        let people = try NoisyPeople(300, seed: 1)
        let reply = try await client.solveScene(people.request, model: "hybrik").collect()
        expectEqual(reply, try people.solvedLocally())
        #expect(reply.parts.map(\.rows.count).reduce(0, +) == 300)
        #expect(Set(reply.parts.map(\.worker)) == ["worker-0", "worker-1"])
    }

    @Test func `refined poses are those of a local refinement, bit for bit, whoever shares the batch`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels()])
        let people = try NoisyPeople(60, seed: 8)
        let others = try NoisyPeople(60, seed: 9)
        let request = refining(people.request, steps: 6)
        async let refined = fleet.client(itemsPerCall: 7).solveScene(request, model: "hybrik").collect()
        async let plain = fleet.client(itemsPerCall: 5).solveScene(others.request, model: "hybrik").collect()
        var solved = try people.solvedLocally()
        let residual = solved.jointResidualMillimetres.reduce(0, +)
        try PoseRefinement.refine(
            &solved, toward: people.observations, steps: Array(repeating: 6, count: 60), isCancelled: { false })
        #expect(solved.jointResidualMillimetres.reduce(0, +) < residual)
        expectEqual(try await refined, solved)
        expectEqual(try await plain, try others.solvedLocally())
        let client = try fleet.client()
        let tooMany = refining(people.request, steps: 65)
        let error = await #expect(throws: ClientError.self) { try await client.solve(tooMany, model: "hybrik") }
        #expect(error?.field == "refine")
    }

    private func refining(_ request: PoseRequest, steps: Int) -> PoseRequest {
        var request = request
        request.refine = steps
        return request
    }

    @Test func `clips in many calls are those of one local call, bit for bit`() async throws {
        let model = try ModelRepository().load("learnable-smplify")
        let fleet = try InProcessFleet(workerModels: [[model], [model]])
        let client = try fleet.client(itemsPerCall: 7)
        _ = try await client.waitForFleet { $0.workers.count == 2 }
        var people = try NoisyPeople(120, seed: 8)
        // A long clip, short ones that share a call, a middling one, and a start pose in the midst of it.
        people.observations.tracks = [60, 2, 3, 1, 20, 34].enumerated().flatMap { track, count in
            Array(repeating: UInt32(track), count: count)
        }
        people.request.tracks = people.observations.tracks
        people.observations.hasStart = (0..<120).map { $0 == 75 }
        people.observations.startTheta = Array(repeating: 0, count: 120 * 72)
        people.request.startTheta = (0..<(120 * 72)).map { index -> Float in index / 72 == 75 ? 0 : .nan }
        let reply = try await client.solveScene(people.request, model: "learnable-smplify").collect()
        let solved = try model.solve(people.observations, isCancelled: { false })
        expectEqual(reply, solved)
        #expect(reply.outcome == solved.outcome.map(\.rawValue))
        #expect(reply.parts.allSatisfy { $0.rows.count <= 7 })
        people.request.refine = 3
        var refined = solved
        try PoseRefinement.refine(
            &refined, toward: people.observations, steps: Array(repeating: 3, count: 120), isCancelled: { false })
        expectEqual(try await client.solveScene(people.request, model: "learnable-smplify").collect(), refined)
        people.observations.tracks = []
        #expect(try model.solve(people.observations, isCancelled: { false }).theta != solved.theta)
    }

    @Test func `parts that stream in completion order cover every person once`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()])
        let client = try fleet.client(itemsPerCall: 7)
        let people = try NoisyPeople(100, seed: 2)
        let solved = try people.solvedLocally()
        var seen = [Int](repeating: 0, count: 100)
        for try await part in client.solveScene(people.request, model: "hybrik/1") {
            for row in part.rows { seen[row] += 1 }
            #expect(part.reply.theta == Array(solved.theta[part.rows.lowerBound * 72..<part.rows.upperBound * 72]))
        }
        #expect(seen == [Int](repeating: 1, count: 100))
    }

    @Test func `a wrong person is named and harms neither its call nor a stranger's`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels()])
        let client = try fleet.client()
        let stranger = try fleet.client()
        let people = try NoisyPeople(40, seed: 3)
        let others = try NoisyPeople(40, seed: 4)
        var wrong = people.request
        wrong.joints[20 * 87 + 4] = .nan
        wrong.betas?[33 * 10 + 1] = 1e9
        async let theirs = stranger.solveScene(others.request, model: "hybrik").collect()
        let reply = try await client.solveScene(wrong, model: "hybrik").collect()
        #expect(reply.itemErrors.map(\.item) == [20, 33])
        #expect(reply.itemErrors.map(\.field) == ["joints", "betas"])
        let solved = try people.solvedLocally()
        for person in 0..<40 {
            let row = person * 72..<(person + 1) * 72
            if person == 20 || person == 33 {
                #expect(reply.theta[row].allSatisfy { $0 == 0 })
            } else {
                #expect(reply.theta[row] == solved.theta[row])
            }
        }
        expectEqual(try await theirs, try others.solvedLocally())
    }

    @Test func `a hundred callers at once each get their own people`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()])
        let clients = [try fleet.client(), try fleet.client(), try fleet.client(), try fleet.client()]
        let largestBatch = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<100 {
                let client = clients[caller % clients.count]
                group.addTask {
                    let people = try NoisyPeople(1 + caller % 5, seed: UInt64(1000 + caller))
                    let reply = try await client.solve(people.request, model: "hybrik")
                    expectEqual(reply, try people.solvedLocally())
                    return reply.parts.map(\.batchSize).max() ?? 0
                }
            }
            return try await group.reduce(0) { max($0, $1) }
        }
        #expect(largestBatch <= 32)
        let status = try await clients[0].fleetStatus()
        #expect(status.broker.callsDone == 100)
        #expect(status.broker.itemsDone == 300)
    }

    @Test func `a model that nobody has is named together with those that are ready`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels()])
        let client = try fleet.client()
        _ = try await client.waitForFleet { $0.workers.count == 1 }
        let people = try NoisyPeople(1, seed: 5)
        let error = await #expect(throws: ClientError.self) {
            try await client.solve(people.request, model: "nikki")
        }
        #expect(error?.status == .notFound)
        #expect(error?.message.contains("hybrik") == true)
    }
}
