import FoundationEssentials
import Glibc
import SinewArrayFiles
import SinewClient
import SinewCommands
import Testing

/// The services as processes: what people see when one of them goes.
///
/// A worker that is stopped (SIGSTOP) holds its tasks for as long as a test needs, so nothing depends on timing.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CommandLineServiceTests {
    private struct Broker: Decodable {
        let client_endpoint, worker_endpoint: String
    }
    private struct Summary: Decodable {
        let rows: Int
        let failed_rows: [Int]
        let solvers: [String]
        let model: String
    }

    private func json<Value: Decodable>(_ type: Value.Type, _ text: String?) throws -> Value {
        guard let text else { throw Trouble("the command printed nothing") }
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    /// A broker on ports that the system chose.
    private func withBroker(_ body: (ChildProcess, Broker) async throws -> Void) async throws {
        let arguments = ["broker", "--clients", "tcp://127.0.0.1:*", "--workers", "tcp://127.0.0.1:*", "--json"]
        try await CommandLineTool.withProcess(arguments) { process in
            let ready = try json(Broker.self, await process.output.firstLine(atMost: CommandLineTool.patience))
            try await body(process, ready)
        }
    }

    private func withWorker(
        _ broker: Broker, _ name: String, model: String = "hybrik", _ body: (ChildProcess) async throws -> Void
    ) async throws {
        let arguments = ["worker", "--broker", broker.worker_endpoint, "--name", name, "--model", model]
        try await CommandLineTool.withProcess(arguments) { process in
            guard await process.output.firstLine(atMost: CommandLineTool.patience) != nil else {
                throw Trouble("worker \(name) did not start: \(process.talk?.collected ?? "")")
            }
            try await body(process)
        }
    }

    /// Asks for the fleet's state until it is as wanted; each question waits for its answer.
    private func waitUntil(
        _ what: String, _ broker: Broker, _ isTrue: (FleetStatusReply) -> Bool
    ) async throws {
        let client = try Client(ClientConfiguration(endpoint: broker.client_endpoint))
        defer { client.close() }
        let clock = ContinuousClock()
        let end = clock.now + CommandLineTool.patience
        while !isTrue(try await client.fleetStatus()) {
            guard clock.now < end else { throw Trouble("waited \(CommandLineTool.patience) for \(what)") }
        }
    }

    private func solveArguments(_ folder: String, _ output: String, _ how: [String]) -> [String] {
        ["solve", "\(folder)/in.npz", "-o", "\(folder)/\(output)", "--model", "hybrik", "--json"] + how
    }

    @Test func `a worker killed in the middle costs no frame`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(PeopleFile(rows: 1500, seed: 21).encoded(), to: "\(folder)/in.npz")
            try await withBroker { _, broker in
                try await withWorker(broker, "doomed") { doomed in
                    try await withWorker(broker, "steady") { _ in
                        try await waitUntil("two workers", broker) { $0.workers.count == 2 }
                        doomed.send(signal: SIGSTOP)
                        let arguments = solveArguments(
                            folder, "out.npz", ["--broker", broker.client_endpoint, "--refine", "3"])
                        try await CommandLineTool.withProcess(arguments) { solve in
                            try await waitUntil("work on the doomed worker", broker) { status in
                                status.workers.contains { $0.name == "doomed" && $0.inFlightItems > 0 }
                            }
                            doomed.send(signal: SIGKILL)
                            let done = try await CommandLineTool.finish(solve)
                            #expect(done.status == 0, "\(done.talk)")
                            let summary = try json(Summary.self, done.output)
                            #expect(summary.rows == 1500 && summary.failed_rows.isEmpty)
                            #expect(summary.solvers == ["steady"])
                        }
                    }
                }
            }
            let local = try await CommandLineTool.run(
                solveArguments(folder, "local.npz", ["--local", "--refine", "3"]))
            #expect(local.status == 0, "\(local.talk)")
            let (ours, theirs) = (try NPZFile(path: "\(folder)/out.npz"), try NPZFile(path: "\(folder)/local.npz"))
            #expect(try ours.array("frame").ints() == Array(0..<1500))
            for name in ["poses", "trans", "joints3d", "joint_residual_mm"] {
                #expect(try ours.array(name).bytes == theirs.array(name).bytes, "\(name)")
            }
        }
    }

    @Test func `a clip through the service is the clip solved here, also when it is refined`() async throws {
        try await withFolder { folder in
            // Two people in 150 frames: a call holds 64 rows, so each clip takes three.
            try AtomicFile.write(
                PeopleFile(rows: 300, seed: 22).encoded(shape: [150, 2, 29, 3]), to: "\(folder)/in.npz")
            func arguments(_ output: String, _ how: [String]) -> [String] {
                ["solve", "\(folder)/in.npz", "-o", "\(folder)/\(output)", "--model", "learnable-smplify", "--json"]
                    + how
            }
            let starts = ["0", "1"].flatMap { ["--start", "\(folder)/local.person-\($0).npz"] }
            try #require(try await CommandLineTool.run(arguments("local.npz", ["--local"])).status == 0)
            try #require(try await CommandLineTool.run(arguments("better.npz", ["--local"] + starts)).status == 0)
            try await withBroker { _, broker in
                try await withWorker(broker, "w", model: "learnable-smplify") { _ in
                    try await waitUntil("a worker", broker) { $0.workers.count == 1 }
                    let service = ["--broker", broker.client_endpoint]
                    for (output, how) in [("far.npz", service), ("far-better.npz", service + starts)] {
                        let done = try await CommandLineTool.run(arguments(output, how))
                        try #require(done.status == 0, "\(done.talk)")
                    }
                }
            }
            for person in 0..<2 {
                func poses(_ name: String) throws -> [Float] {
                    try NPZFile(path: "\(folder)/\(name).person-\(person).npz").array("poses").floats()
                }
                #expect(try poses("far") == poses("local"))
                #expect(try poses("far-better") == poses("better"))
                #expect(try poses("better") != poses("local"))
            }
            let refused = try await CommandLineTool.run(
                ["solve", "\(folder)/in.npz", "-o", "\(folder)/no.npz", "--model", "hybrik", "--local"] + starts)
            #expect(refused.status == 64 && refused.talk.contains("learnable-smplify"))
        }
    }

    @Test func `a killed broker is unavailable within the deadline and leaves no file`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(PeopleFile(rows: 200, seed: 22).encoded(), to: "\(folder)/in.npz")
            try await withBroker { process, broker in
                try await withWorker(broker, "stopped") { worker in
                    try await waitUntil("a worker", broker) { $0.workers.count == 1 }
                    worker.send(signal: SIGSTOP)
                    let how = ["--broker", broker.client_endpoint, "--deadline", "30"]
                    try await CommandLineTool.withProcess(solveArguments(folder, "out.npz", how)) { solve in
                        try await waitUntil("running calls", broker) { $0.broker.runningCalls > 0 }
                        process.send(signal: SIGKILL)
                        let clock = ContinuousClock()
                        let start = clock.now
                        let done = try await CommandLineTool.finish(solve)
                        #expect(clock.now - start < .seconds(30))
                        #expect(done.status == CommandStatus.unavailable.rawValue, "\(done.talk)")
                        #expect(done.talk.contains("UNAVAILABLE"))
                    }
                }
            }
            #expect(names(in: folder) == ["in.npz"])
        }
    }

    @Test func `an interrupted solve exits 130 and leaves no file`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(PeopleFile(rows: 200, seed: 23).encoded(), to: "\(folder)/in.npz")
            try await withBroker { _, broker in
                try await withWorker(broker, "stopped") { worker in
                    try await waitUntil("a worker", broker) { $0.workers.count == 1 }
                    worker.send(signal: SIGSTOP)
                    let arguments = solveArguments(folder, "out.npz", ["--broker", broker.client_endpoint])
                    try await CommandLineTool.withProcess(arguments) { solve in
                        try await waitUntil("running calls", broker) { $0.broker.runningCalls > 0 }
                        solve.send(signal: SIGINT)
                        let done = try await CommandLineTool.finish(solve)
                        #expect(done.status == CommandStatus.interrupted.rawValue, "\(done.talk)")
                    }
                    try await waitUntil("the calls to be cancelled", broker) { $0.broker.callsCancelled > 0 }
                }
            }
            #expect(names(in: folder) == ["in.npz"])
        }
    }

    @Test func `without a broker a solve says how to start one`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(PeopleFile(rows: 2, seed: 24).encoded(), to: "\(folder)/in.npz")
            let how = ["--broker", "ipc://\(folder)/nobody"]
            let done = try await CommandLineTool.run(solveArguments(folder, "out.npz", how))
            #expect(done.status == CommandStatus.unavailable.rawValue)
            #expect(done.talk.contains("sinew up"))
            #expect(names(in: folder) == ["in.npz"])
        }
    }

    @Test func `a model that no worker has is refused by name`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(PeopleFile(rows: 2, seed: 25).encoded(), to: "\(folder)/in.npz")
            try await withBroker { _, broker in
                try await withWorker(broker, "only") { _ in
                    try await waitUntil("a worker", broker) { $0.workers.count == 1 }
                    let done = try await CommandLineTool.run(
                        "solve", "\(folder)/in.npz", "-o", "\(folder)/out.npz", "--model", "nikki", "--broker",
                        broker.client_endpoint)
                    #expect(done.status == CommandStatus.usage.rawValue, "\(done.talk)")
                    #expect(done.talk.contains("nikki") && done.talk.contains("hybrik"))
                }
            }
            #expect(names(in: folder) == ["in.npz"])
        }
    }

    @Test func `a broker raises the limit of open files that its shell left it`() async throws {
        let command =
            "ulimit -Sn 256; exec '\(CommandLineTool.path)' broker --clients 'tcp://127.0.0.1:*' --workers 'tcp://127.0.0.1:*'"
        let process = try ChildProcess("/bin/sh", ["-c", command], capturesTalk: true)
        let ready = await process.output.firstLine(atMost: CommandLineTool.patience)
        // A file of /proc has no size beforehand, so a command reads it.
        let reader = try ChildProcess("/bin/cat", ["/proc/\(process.processID)/limits"], capturesTalk: true)
        let limits = await reader.output.text()
        process.send(signal: SIGTERM)
        _ = await process.wait(atMost: CommandLineTool.patience)
        #expect(ready != nil)
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") } ?? ""
        let numbers = line.split(separator: " ").compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers.first == numbers.last, "\(line)")
        #expect(numbers.first != 256)
    }

    @Test func `a broker ends in order when it is told to`() async throws {
        try await withBroker { process, _ in
            process.send(signal: SIGTERM)
            #expect(await process.wait(atMost: CommandLineTool.patience) == .exited(0))
        }
    }

    private struct Up: Decodable {
        let client_endpoint, worker_endpoint: String
        let broker_process_id: Int
        let worker_process_ids: [Int]
    }

    private func withUp(_ body: (ChildProcess, Up) async throws -> Void) async throws {
        let arguments = [
            "up", "--no-store", "--workers", "2", "--model", "hybrik", "--clients", "tcp://127.0.0.1:*",
            "--worker-endpoint",
            "tcp://127.0.0.1:*", "--json",
        ]
        try await CommandLineTool.withProcess(arguments) { process in
            try await body(process, try json(Up.self, await process.output.firstLine(atMost: CommandLineTool.patience)))
        }
    }

    @Test func `up stops all of its processes when it is told to`() async throws {
        try await withUp { process, up in
            process.send(signal: SIGTERM)
            #expect(await process.wait(atMost: CommandLineTool.patience) == .exited(0))
            for child in [up.broker_process_id] + up.worker_process_ids { #expect(kill(pid_t(child), 0) == -1) }
        }
    }

    @Test func `no process of up outlives it when it is killed`() async throws {
        try await withUp { process, _ in
            process.send(signal: SIGKILL)
            // Its children share its standard error: the text ends when the last of them has ended.
            let talk = await process.talk?.text() ?? ""
            #expect(talk.contains("worker stopped"))
        }
    }

    @Test func `up starts a killed worker again`() async throws {
        try await withUp { _, up in
            let broker = Broker(client_endpoint: up.client_endpoint, worker_endpoint: up.worker_endpoint)
            let victim = up.worker_process_ids[0]
            #expect(kill(pid_t(victim), SIGKILL) == 0)
            try await waitUntil("a new worker", broker) { status in
                let serving = status.workers.map { Int($0.processID) }
                return !serving.contains(victim) && serving.count == 2
            }
        }
    }

    @Test func `up that cannot start a worker says why and leaves no process`() async throws {
        let done = try await CommandLineTool.run(
            "up", "--no-store", "--model", "nope", "--clients", "tcp://127.0.0.1:*", "--worker-endpoint",
            "tcp://127.0.0.1:*")
        #expect(done.status == CommandStatus.unavailable.rawValue)
        // The children share its standard error, so all of them have ended when the text has.
        #expect(done.talk.contains("no model \"nope\"") && done.talk.contains("a worker did not start"))
    }
}
