import Logging
import SinewArrayFiles
import SinewCore
import SinewStatus
import SinewWire
import TestSupport
import Testing

/// A server on a port of its own, stopped when the body ends. The body may block.
func withServer<Value: Sendable>(
    _ source: ScriptedSource = ScriptedSource(.example("a", "b")),
    edit: (inout StatusConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (HTTPProbe, StatusServer) throws -> Value
) async throws -> Value {
    var configuration = StatusConfiguration(address: HTTPAddress(host: "127.0.0.1", port: 0))
    edit(&configuration)
    let server = try await StatusServer.start(configuration, source, logger: quiet)
    do {
        let result = try await blocking { try body(HTTPProbe(port: server.address.port), server) }
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite(.timeLimit(.minutes(2))) struct StatusServerTests {
    @Test func `the fleet is told with the names of the wire`() async throws {
        try await withServer { (probe, _) throws in
            let reply = try probe.get("/api/v1/fleet")
            #expect(reply.status == 200)
            #expect(reply.fields["content-type"] == "application/json")
            let fleet = try JSONValue(parsing: reply.body)
            #expect(fleet["broker"]?["queued_items"]?.int == 70)
            #expect(fleet["broker"]?["items_done"]?.int == 20_000)
            let workers = try #require(fleet["workers"]?.array)
            #expect(workers.map { $0["name"]?.string } == ["a", "b"])
            #expect(workers[0]["state"]?.string == "serving")
            #expect(workers[1]["process_id"]?.int == 101)
            #expect(workers[0]["models"]?.array?.first?["architecture"]?.string == "niki-twist-and-swing")
        }
    }

    @Test func `everything else is not to be kept and runs no script of others`() async throws {
        try await withServer { (probe, _) throws in
            for path in ["/api/v1/fleet", "/livez", "/nothing"] {
                let fields = try probe.get(path).fields
                #expect(fields["cache-control"] == "no-store")
                #expect(fields["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(fields["x-content-type-options"] == "nosniff")
                #expect(fields["access-control-allow-origin"] == nil)
            }
        }
    }

    @Test func `a fleet is ready when a worker serves, and for the models that one has`() async throws {
        let source = ScriptedSource(.example("a"))
        try await withServer(source) { (probe, _) throws in
            #expect(try probe.get("/livez").status == 200)
            #expect(try probe.get("/readyz").status == 200)
            #expect(try probe.get("/readyz?model=niki").status == 200)
            #expect(try probe.get("/readyz?model=niki/1").status == 200)
            #expect(try probe.get("/readyz?model=niki%2F1").status == 200)
            let missing = try probe.get("/readyz?model=hybrik")
            #expect(missing.status == 503)
            #expect(missing.text.contains("hybrik"))
        }
        try await withServer(ScriptedSource(.example())) { (probe, _) throws in
            #expect(try probe.get("/livez").status == 200)
            #expect(try probe.get("/readyz").status == 503)
        }
        var draining = FleetStatusReply.example("a")
        draining.broker.draining = true
        try await withServer(ScriptedSource(draining)) { (probe, _) throws in
            #expect(try probe.get("/readyz").status == 503)
        }
        var leaving = FleetStatusReply.example("a")
        leaving.workers[0].state = .draining
        try await withServer(ScriptedSource(leaving)) { (probe, _) throws in
            #expect(try probe.get("/readyz").status == 503)
        }
    }

    @Test func `only what is there can be asked for, and only in its way`() async throws {
        try await withServer { (probe, _) throws in
            let lost = try probe.get("/etc/passwd")
            #expect(lost.status == 404)
            #expect(try JSONValue(parsing: lost.body)["error"]?["code"]?.string == "not_found")
            for path in ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/..%2fPackage.swift"] {
                #expect(try probe.get(path).status == 404, "\(path)")
            }
            #expect(try probe.get("/%ff").status == 400)
            #expect(try probe.get("/%zz").status == 400)
            let posted = try probe.request("POST", "/api/v1/fleet")
            #expect(posted.status == 405)
            #expect(posted.fields["allow"] == "GET, HEAD")
            #expect(try probe.request("DELETE", "/api/v1/jobs/1").status == 405)
            let got = try probe.get("/api/v1/workers/a/drain")
            #expect(got.status == 405)
            #expect(got.fields["allow"] == "POST")
            let head = try probe.request("HEAD", "/livez")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test(arguments: [("0", 400), ("501", 400), ("many", 400), ("1", 200), ("500", 200)])
    func `a limit is a number in its range`(limit: String, status: Int) async throws {
        try await withServer { (probe, _) throws in
            #expect(try probe.get("/api/v1/jobs?limit=\(limit)").status == status)
        }
    }

    @Test func `a name of a stranger is not this machine`() async throws {
        try await withServer { (probe, _) throws in
            for host in ["127.0.0.1:\(probe.port)", "localhost:\(probe.port)", "localhost", "[::1]:\(probe.port)"] {
                #expect(try probe.request("GET", "/livez", host: host).status == 200, "\(host)")
            }
            for host in ["evil.example", "evil.example:\(probe.port)", "127.0.0.1.evil.example", "10.0.0.1"] {
                #expect(try probe.request("GET", "/api/v1/fleet", host: host).status == 421, "\(host)")
            }
        }
        try await withServer(edit: { $0.allowsInsecure = true }) { (probe, _) throws in
            #expect(try probe.request("GET", "/livez", host: "fleet.lab").status == 200)
        }
    }

    @Test func `a taken port is named`() async throws {
        let first = StatusConfiguration(address: HTTPAddress(host: "127.0.0.1", port: 0))
        let server = try await StatusServer.start(first, ScriptedSource(), logger: quiet)
        let second = StatusConfiguration(address: server.address)
        let error = await #expect(throws: StatusError.self) {
            _ = try await StatusServer.start(second, ScriptedSource(), logger: quiet)
        }
        #expect(error?.reason == .addressInUse)
        #expect(error?.message.contains("\(server.address)") == true)
        await server.stop()
    }

    @Test func `an address that leaves this machine needs a token or a word`() async throws {
        var configuration = StatusConfiguration(address: HTTPAddress(host: "0.0.0.0", port: 0))
        let error = await #expect(throws: StatusError.self) {
            _ = try await StatusServer.start(configuration, ScriptedSource(), logger: quiet)
        }
        #expect(error?.reason == .insecure)
        configuration.allowsInsecure = true
        try await StatusServer.start(configuration, ScriptedSource(), logger: quiet).stop()
        configuration.allowsInsecure = false
        configuration.operatorToken = OperatorToken("0123456789abcdef")
        try await StatusServer.start(configuration, ScriptedSource(), logger: quiet).stop()
    }

    @Test func `a job is told with its dead tasks, and unknown ones are not found`() async throws {
        let id: [UInt8] = [1, 0x98, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 7]
        var job = JobStatus(id: id, state: .sealed, label: "clips", model: "niki", createdUnixMicroseconds: 1)
        job.tasks = 10
        job.dead = 1
        job.history = JobHistory(
            sealedUnixMicroseconds: 9, startedUnixMicroseconds: 5, firstDoneUnixMicroseconds: 5,
            firstDeadUnixMicroseconds: 6)
        let detail = ErrorDetail(message: "it kills workers", code: 1)
        let dead = TaskResult(index: 3, outcome: .dead, label: "clip 3", attempts: 4, payload: detail.encode())
        try await withServer(ScriptedSource(.example(), jobs: [job], failures: [dead])) { (probe, _) throws in
            let list = try JSONValue(parsing: probe.get("/api/v1/jobs").body)
            #expect(list["jobs"]?.array?.count == 1)
            let text = "01980000-0000-7000-8000-000000000007"
            #expect(list["jobs"]?.array?.first?["id"]?.string == text)
            #expect(list["jobs"]?.array?.first?["state"]?.string == "sealed")
            let one = try JSONValue(parsing: probe.get("/api/v1/jobs/\(text)").body)
            #expect(one["job"]?["label"]?.string == "clips")
            let shown = try #require(one["dead"]?.array?.first)
            #expect(shown["index"]?.int == 3)
            #expect(shown["label"]?.string == "clip 3")
            #expect(shown["reason"]?.string == "it kills workers")
            #expect(shown["attempts"]?.int == 4)
            let timeline = try #require(one["timeline"]?.array)
            #expect(
                timeline.map { $0["event"]?.string } == [
                    "submitted", "first task handed out", "first result", "first task given up", "all tasks known",
                ])
            #expect(timeline.map { $0["time_unix_us"]?.int } == [1, 5, 5, 6, 9])
            #expect(try probe.get("/api/v1/jobs/01980000-0000-7000-8000-000000000008").status == 404)
            #expect(try probe.get("/api/v1/jobs/nonsense").status == 404)
        }
    }

    @Test func `many who ask at once are one question to the broker`() async throws {
        let source = ScriptedSource(.example("a"))
        try await withServer(source) { (probe, _) throws in
            let clock = ContinuousClock()
            let began = clock.now
            for _ in 0..<200 { _ = try probe.get("/api/v1/fleet") }
            // Ten a second, and one a second of its own.
            let seconds = (clock.now - began) / .seconds(1)
            #expect(Double(source.questions) <= 12 * seconds + 4)
        }
    }
}
