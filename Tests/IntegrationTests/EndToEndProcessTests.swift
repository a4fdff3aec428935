import Glibc
import SinewClient
import SinewCommands
import SinewModels
import Testing

/// The service as it runs for users: a process each for the broker and the workers, killed without a warning.
@Suite(.timeLimit(.minutes(3)), .serialized) struct EndToEndProcessTests {
    @Test func `a worker killed with frames in hand costs the clip nothing`() async throws {
        let fleet = try await ProcessFleet.start(workers: 2)
        do {
            let client = try Client.patient(fleet.clientEndpoint, itemsPerCall: 10)
            let before = try await client.waitForFleet { $0.workers.count == 2 }
            #expect(before.broker.callsRedispatched == 0)
            let clip = try NoisyPeople(3000, seed: 21)
            let solved = try clip.solvedLocally()
            var seen = [Int](repeating: 0, count: clip.request.count)
            var wasKilled = false
            for try await part in client.solveScene(clip.request, model: "hybrik") {
                for row in part.rows { seen[row] += 1 }
                #expect(part.reply.theta == Array(solved.theta[part.rows.lowerBound * 72..<part.rows.upperBound * 72]))
                if !wasKilled && part.reply.parts.contains(where: { $0.worker == "victim-0" }) {
                    wasKilled = true
                    // Stopped first, so that what it is given stays in its hands until it dies.
                    fleet.workers[0].send(signal: SIGSTOP)
                    try await killWithTasksInHand(fleet, client)
                }
            }
            #expect(wasKilled)
            #expect(seen.allSatisfy { $0 == 1 })
            #expect(await fleet.workers[0].wait() == .signalled(SIGKILL))
            let after = try await client.waitForFleet { $0.workers.count == 1 }
            #expect(after.broker.callsRedispatched >= 1)
        } catch {
            await fleet.end()
            throw error
        }
        await fleet.end()
    }

    /// Sends more work until the stopped worker holds some, then kills it.
    private func killWithTasksInHand(_ fleet: ProcessFleet, _ client: Client) async throws {
        let probes = try NoisyPeople(200, seed: 22)
        async let probing = client.solveScene(probes.request, model: "hybrik").collect()
        _ = try await client.waitForFleet { status in
            status.workers.contains { $0.name == "victim-0" && $0.inFlightItems > 0 }
        }
        fleet.workers[0].send(signal: SIGKILL)
        expectEqual(try await probing, try probes.solvedLocally())
    }

    @Test func `a killed broker shows as UNAVAILABLE before the deadline`() async throws {
        let fleet = try await ProcessFleet.start(workers: 1)
        do {
            var configuration = ClientConfiguration(endpoint: fleet.clientEndpoint)
            configuration.deadline = .seconds(120)
            let client = try Client(configuration, logger: quiet)
            _ = try await client.waitForFleet { $0.workers.count == 1 }
            let clip = try NoisyPeople(2000, seed: 23)
            let error = await #expect(throws: ClientError.self) {
                for try await _ in client.solveScene(clip.request, model: "hybrik") {
                    fleet.broker.send(signal: SIGKILL)
                }
            }
            // DEADLINE_EXCEEDED would mean that it sat out its two minutes.
            #expect(error?.status == .unavailable)
            #expect(error?.message.isEmpty == false)
        } catch {
            await fleet.end()
            throw error
        }
        await fleet.end()
    }
}

/// A broker and workers as child processes of the test; ``end()`` kills and reaps them.
struct ProcessFleet: Sendable {
    let broker: ChildProcess
    let workers: [ChildProcess]
    let clientEndpoint: String

    /// Starts the built `sinew` binary: a broker on ports that the system chose and workers named `victim-0` …
    static func start(workers count: Int) async throws -> ProcessFleet {
        let broker = try ChildProcess(
            sinewBinary, ["broker", "--clients", "tcp://127.0.0.1:*", "--workers", "tcp://127.0.0.1:*"],
            capturesTalk: true)
        // `clients tcp://… workers tcp://… http …`
        let line = await broker.output.firstLine(atMost: .seconds(60)) ?? ""
        let words = line.split(separator: " ").map { String($0) }
        guard words.count >= 4 else {
            broker.send(signal: SIGKILL)
            throw NotStarted(line: line)
        }
        var workers: [ChildProcess] = []
        for number in 0..<count {
            workers.append(
                try ChildProcess(
                    sinewBinary,
                    [
                        "worker", "--broker", words[3], "--name", "victim-\(number)", "--model", "hybrik", "--batch",
                        "32",
                    ],
                    capturesTalk: true))
        }
        return ProcessFleet(broker: broker, workers: workers, clientEndpoint: words[1])
    }

    struct NotStarted: Error { let line: String }

    /// Kills what still runs and waits until all are reaped.
    func end() async {
        for child in workers + [broker] { child.send(signal: SIGKILL) }
        for child in workers + [broker] { _ = await child.wait() }
    }
}

/// The `sinew` that was built with these tests: it lies beside the test program.
let sinewBinary: String = {
    var path = [CChar](repeating: 0, count: 4096)
    let length = unsafe readlink("/proc/self/exe", &path, path.count)
    let program = String(decoding: path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)]) + "/sinew"
}()
