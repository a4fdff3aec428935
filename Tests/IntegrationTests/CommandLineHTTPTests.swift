import FoundationEssentials
import Glibc
import Logging
import SinewArrayFiles
import SinewCommands
import SinewStatus
import SinewWire
import TestSupport
import Testing

/// The HTTP side as a person starts it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CommandLineHTTPTests {
    private struct Ready: Decodable {
        let worker_endpoint: String?
        let http_address: String?

        var port: Int? { http_address.flatMap { HTTPAddress(parsing: $0)?.port } }
    }

    private static let ports = ["--clients", "tcp://127.0.0.1:*", "--workers", "tcp://127.0.0.1:*", "--json"]

    private func ready(_ process: ChildProcess) async throws -> Ready {
        guard let line = await process.output.firstLine(atMost: CommandLineTool.patience) else {
            throw Trouble("it did not start: \(process.talk?.collected ?? "")")
        }
        return try JSONDecoder().decode(Ready.self, from: Data(line.utf8))
    }

    private func get(_ port: Int, _ path: String) async throws -> HTTPProbe.Reply {
        try await blocking { try HTTPProbe(port: port).get(path) }
    }

    @Test func `a broker tells where it listens, and ends with its HTTP side`() async throws {
        try await CommandLineTool.withProcess(["broker", "--http", "127.0.0.1:0"] + Self.ports) { broker in
            let port = try #require(try await ready(broker).port)
            #expect(try await get(port, "/livez").status == 200)
            #expect(try await get(port, "/readyz").status == 503)
            let page = try await get(port, "/")
            #expect(page.status == 200)
            #expect(page.fields["content-type"]?.hasPrefix("text/html") == true)
            // A reader of the events does not keep it.
            async let end: Void = blocking {
                let events = try EventProbe(port: port, path: "/api/v1/events")
                while try events.next() != nil { kill(broker.processID, SIGTERM) }
            }
            try await end
            #expect(try await CommandLineTool.finish(broker).status == 0)
        }
    }

    @Test func `an address that somebody asked for and another has is an error`() async throws {
        try await CommandLineTool.withProcess(["broker", "--http", "127.0.0.1:0"] + Self.ports) { broker in
            let address = try #require(try await ready(broker).http_address)
            let second = try await CommandLineTool.run(["broker", "--http", address] + Self.ports)
            #expect(second.status == 69)
            #expect(second.talk.contains(address) && second.talk.contains("--http none"))
        }
    }

    @Test func `a usual address that another has is gone without`() async throws {
        // Other tests start brokers too, and let go of it again.
        let configuration = StatusConfiguration(address: HTTPAddress(host: "127.0.0.1", port: 9_464))
        var holder: StatusServer?
        let deadline = ContinuousClock.now + CommandLineTool.patience
        while holder == nil {
            try #require(ContinuousClock.now < deadline)
            do throws(StatusError) {
                holder = try await StatusServer.start(
                    configuration, worker: { WorkerFacts(status: WorkerStatus(), isReady: false) }, logger: quiet)
            } catch { #expect(error.reason == .addressInUse) }
        }
        try await CommandLineTool.withProcess(["broker"] + Self.ports) { broker in
            let ready = try await ready(broker)
            #expect(ready.http_address == nil)
            #expect(broker.talk?.collected.contains("HTTP is off") == true)
        }
        await holder?.stop()
    }

    @Test(arguments: [
        (["--http", "nonsense"], 64, "HOST:PORT"), (["--http", "0.0.0.0:0"], 77, "--http-token-file"),
        (["--http", "none", "--http-token-file", "/nowhere"], 64, "--http none"),
        (["--http-token-file", "/nowhere"], 65, "/nowhere"),
    ])
    func `what is wrong with the options is said`(options: [String], status: Int32, text: String) async throws {
        for command in ["broker", "up"] {
            let ports = command == "broker" ? Self.ports : ["--clients", "tcp://127.0.0.1:*", "--no-store"]
            let done = try await CommandLineTool.run([command] + ports + options)
            #expect(done.status == status, "\(command): \(done.talk)")
            #expect(done.talk.contains(text), "\(command): \(done.talk)")
        }
    }

    @Test func `a broker and a worker each have metrics`() async throws {
        try await CommandLineTool.withProcess(["broker", "--http", "127.0.0.1:0"] + Self.ports) { broker in
            let ready = try await ready(broker)
            let options = [
                "worker", "--broker", try #require(ready.worker_endpoint), "--name", "w1", "--model", "hybrik",
                "--http",
                "127.0.0.1:0", "--json",
            ]
            try await CommandLineTool.withProcess(options) { worker in
                let port = try #require(try await self.ready(worker).port)
                let deadline = ContinuousClock.now + CommandLineTool.patience
                while try await get(port, "/readyz").status != 200 { try #require(ContinuousClock.now < deadline) }
                #expect(try await get(port, "/readyz?model=hybrik").status == 200)
                #expect(try await get(port, "/readyz?model=niki").status == 503)
                #expect(try await get(port, "/livez").status == 200)
                #expect(try await get(port, "/api/v1/fleet").status == 404)
                for place in [port, try #require(ready.port)] {
                    let scrape = try await get(place, "/metrics")
                    #expect(scrape.status == 200)
                    #expect(scrape.fields["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
                    #expect(scrape.text.contains("worker=\"w1\""))
                    #expect(scrape.text.contains("# TYPE "))
                }
            }
        }
    }
}
