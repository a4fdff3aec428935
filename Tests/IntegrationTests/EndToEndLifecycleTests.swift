import SinewBroker
import SinewClient
import SinewModels
import SinewWorker
import Testing

@Suite(.timeLimit(.minutes(2))) struct EndToEndLifecycleTests {
    @Test func `cancelling the caller's task frees the worker for others`() async throws {
        let gated = try GatedModel()
        let fleet = try InProcessFleet(workerModels: [[gated] + (try analyticModels())])
        let client = try fleet.client()
        let people = try NoisyPeople(3, seed: 11)
        let unwanted = Task { try await client.solve(people.request, model: "gated") }
        _ = try await client.waitForFleet { ($0.workers.first?.inFlightItems ?? 0) == 3 }
        unwanted.cancel()
        let error = await #expect(throws: ClientError.self) { _ = try await unwanted.value }
        #expect(error?.status == .cancelled)
        // The broker has taken the lease back; the model sees it when it comes through the gate.
        let status = try await client.waitForFleet { $0.broker.callsCancelled == 1 }
        #expect(status.workers.first?.inFlightItems == 0)
        gated.open()
        expectEqual(try await client.solve(people.request, model: "hybrik"), try people.solvedLocally())
        // Nothing of the cancelled call was counted as done.
        #expect(try await client.fleetStatus().broker.callsDone == 1)
    }

    @Test func `a deadline ends a call that no worker finishes in time`() async throws {
        let gated = try GatedModel()
        let fleet = try InProcessFleet(workerModels: [[gated]])
        let client = try fleet.client()
        _ = try await client.waitForFleet { $0.workers.count == 1 }
        let people = try NoisyPeople(1, seed: 12)
        let error = await #expect(throws: ClientError.self) {
            try await client.solve(people.request, model: "gated", deadline: .milliseconds(200))
        }
        #expect(error?.status == .deadlineExceeded)
        gated.open()
        expectEqual(try await client.solve(people.request, model: "gated"), try people.solvedLocally())
    }

    @Test(arguments: [true, false])
    func `a worker that leaves in the middle of a clip loses no frame`(isDrained: Bool) async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()])
        let client = try fleet.client(itemsPerCall: 5)
        _ = try await client.waitForFleet { $0.workers.count == 2 }
        let clip = try NoisyPeople(2000, seed: 13)
        let solved = try clip.solvedLocally()
        var seen = [Int](repeating: 0, count: clip.request.count)
        var hasLeft = false
        for try await part in client.solveScene(clip.request, model: "hybrik") {
            for row in part.rows { seen[row] += 1 }
            #expect(part.reply.theta == Array(solved.theta[part.rows.lowerBound * 72..<part.rows.upperBound * 72]))
            if !hasLeft && part.reply.parts.contains(where: { $0.worker == "worker-0" }) {
                hasLeft = true
                if isDrained { fleet.workers[0].beginDrain(within: .seconds(30)) } else { fleet.workers[0].stop() }
            }
        }
        #expect(hasLeft)
        #expect(seen.allSatisfy { $0 == 1 })
        await fleet.workers[0].run()
        let status = try await client.waitForFleet { $0.workers.count == 1 }
        #expect(status.workers.map(\.name) == ["worker-1"])
    }

    @Test func `a broker that drains finishes what it has and refuses what is new`() async throws {
        let gated = try GatedModel()
        let fleet = try InProcessFleet(workerModels: [[gated]])
        let client = try fleet.client()
        let people = try NoisyPeople(2, seed: 14)
        async let running = client.solve(people.request, model: "gated")
        _ = try await client.waitForFleet { ($0.workers.first?.inFlightItems ?? 0) == 2 }
        fleet.broker.beginDrain(within: .seconds(60))
        _ = try await client.waitForFleet { $0.broker.draining == true }
        var impatient = ClientConfiguration(endpoint: fleet.broker.clientEndpoint)
        impatient.deadline = .seconds(2)
        let latecomer = try Client(impatient, logger: quiet)
        let error = await #expect(throws: ClientError.self) {
            try await latecomer.solve(people.request, model: "gated")
        }
        #expect(error?.status == .unavailable)
        gated.open()
        expectEqual(try await running, try people.solvedLocally())
        await fleet.broker.run()
    }

    @Test func `workers and clients find a broker that was started anew`() async throws {
        let first = try InProcessFleet(workerModels: [try analyticModels()])
        let client = try first.client()
        let people = try NoisyPeople(20, seed: 15)
        expectEqual(try await client.solve(people.request, model: "hybrik"), try people.solvedLocally())
        first.broker.stop()
        await first.broker.run()
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = first.broker.clientEndpoint
        configuration.workerEndpoint = first.broker.workerEndpoint
        let second = try BrokerServer(configuration, logger: quiet)
        defer { second.stop() }
        let newcomer = try first.client()
        _ = try await newcomer.waitForFleet { $0.workers.count == 1 }
        expectEqual(try await newcomer.solve(people.request, model: "hybrik"), try people.solvedLocally())
        expectEqual(try await client.solve(people.request, model: "hybrik"), try people.solvedLocally())
    }
}
