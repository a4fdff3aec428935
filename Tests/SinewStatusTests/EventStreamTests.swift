import SinewArrayFiles
import SinewCore
import SinewStatus
import SinewWire
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct EventStreamTests {
    @Test func `events follow the fleet`() async throws {
        let source = ScriptedSource(.example("a", "b"))
        try await withServer(source) { (_, server) throws in
            let probe = try EventProbe(port: server.address.port, path: "/api/v1/events")
            func workers() throws -> [String: String] {
                while let event = try probe.next() {
                    guard event.name == "fleet" else { continue }
                    let fleet = try JSONValue(parsing: Array(event.data.utf8))
                    var states: [String: String] = [:]
                    for worker in fleet["workers"]?.array ?? [] {
                        states[worker["name"]?.string ?? ""] = worker["state"]?.string
                    }
                    return states
                }
                throw StreamEnded()
            }
            #expect(try workers() == ["a": "serving", "b": "serving"])
            source.set(.example("a"))
            while try workers()["b"] != "gone" {}
            source.set(.example("a", "b"))
            while try workers()["b"] != "serving" {}
        }
    }

    private struct StreamEnded: Error {}

    @Test func `jobs are told too`() async throws {
        let id: [UInt8] = [1, 0x98, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 7]
        let source = ScriptedSource(.example("a"), jobs: [JobStatus(id: id, state: .open)])
        try await withServer(source) { (_, server) throws in
            let probe = try EventProbe(port: server.address.port, path: "/api/v1/events")
            while let event = try probe.next() {
                guard event.name == "jobs" else { continue }
                let jobs = try JSONValue(parsing: Array(event.data.utf8))
                #expect(jobs["jobs"]?.array?.first?["state"]?.string == "open")
                break
            }
        }
    }

    @Test func `streams end with the server`() async throws {
        let configuration = StatusConfiguration(address: HTTPAddress(host: "127.0.0.1", port: 0))
        let server = try await StatusServer.start(configuration, ScriptedSource(), logger: quiet)
        let port = server.address.port
        let (joined, joining) = AsyncStream.makeStream(of: Void.self)
        async let count = blocking {
            let probe = try EventProbe(port: port, path: "/api/v1/events")
            var count = 0
            while try probe.next() != nil {
                count += 1
                joining.yield()
            }
            return count
        }
        for await _ in joined { break }
        await server.stop()
        #expect(try await count > 0)
    }

    @Test func `one reader too many is turned away, and a place that is left is free`() async throws {
        try await withServer(edit: { $0.limits.httpEventReadersMax = 2 }) { (http, server) throws in
            var probes: [EventProbe] = []
            for _ in 0..<2 {
                let probe = try EventProbe(port: server.address.port, path: "/api/v1/events")
                #expect(try probe.next() != nil)
                probes.append(probe)
            }
            let refused = try http.get("/api/v1/events")
            #expect(refused.status == 503)
            #expect(refused.text.contains("2 others"))
            // The others are answered.
            #expect(try http.get("/livez").status == 200)
            probes.removeLast()
            // The server sees it with the next event or two.
            while true {
                let next = try RawConnection(port: http.port)
                try next.write(Array("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8))
                if String(decoding: try next.readSome(), as: UTF8.self).hasPrefix("HTTP/1.1 200") { break }
            }
            #expect(probes.count == 1)
        }
    }
}
