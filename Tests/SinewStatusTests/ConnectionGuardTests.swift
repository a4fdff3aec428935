import SinewCore
import SinewStatus
import SinewWire
import TestSupport
import Testing

/// Peers that would keep a place for ever. The limits are made so small that waiting for them is waiting for an event.
@Suite(.timeLimit(.minutes(2))) struct ConnectionGuardTests {
    private static func impatient(_ configuration: inout StatusConfiguration) {
        // Long enough for an answer on a machine that is busy with other tests.
        configuration.limits.httpRequestDurationMax = .seconds(3)
        configuration.limits.httpIdleMax = .seconds(3)
        configuration.limits.httpUnansweredBytesMax = 16 << 10
        configuration.limits.httpFieldBytesMax = 4 << 10
        configuration.limits.httpFieldsMax = 16
    }

    @Test(arguments: ["", "GET /livez HTTP/1.1\r\n", "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", "GET /"])
    func `a request that does not end is not waited for`(begin: String) async throws {
        try await withServer(edit: Self.impatient) { (probe, _) throws in
            let connection = try RawConnection(port: probe.port)
            try connection.write(Array(begin.utf8))
            // The server closes, or the probe's own deadline fails the test.
            #expect(try connection.readToEnd().isEmpty)
        }
    }

    @Test func `a body that does not end is not waited for`() async throws {
        try await withServer(edit: Self.impatient) { (probe, _) throws in
            let connection = try RawConnection(port: probe.port)
            try connection.write(
                Array("POST /api/v1/fleet HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nx".utf8))
            let reply = try HTTPProbe.parse(try connection.readToEnd())
            #expect(reply.status == 405)
        }
    }

    @Test func `a connection on which nothing is asked any more is closed`() async throws {
        try await withServer(edit: Self.impatient) { (probe, _) throws in
            let connection = try RawConnection(port: probe.port)
            try connection.write(Array("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8))
            #expect(try HTTPProbe.parse(try connection.readToEnd()).status == 200)
        }
    }

    @Test func `a request longer than may be is cut off`() async throws {
        try await withServer(edit: { $0.limits.httpUnansweredBytesMax = 16 << 10 }) { (probe, _) throws in
            for part in ["GET /", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"]
            {
                let connection = try RawConnection(port: probe.port)
                try connection.write(Array(part.utf8))
                // A reset is what it is about.
                let taken = (try? connection.flood([UInt8](repeating: 0x61, count: 4_096), byteCountMax: 64 << 20)) ?? 0
                // What the system's buffers hold, and no more.
                #expect(taken < 32 << 20, "\(part)")
            }
            #expect(try probe.get("/livez").status == 200)
        }
    }

    @Test(arguments: [(15, 200), (16, 400)])
    func `fields are counted`(count: Int, status: Int) async throws {
        // The probe sends two of its own, and the limit counts them.
        try await withServer(edit: { $0.limits.httpFieldsMax = 17 }) { (probe, _) throws in
            let fields = (0..<count).map { ("X-\($0)", "1") }
            #expect(try probe.request("GET", "/livez", fields).status == status)
        }
    }

    @Test func `a reader who does not read is sent away, and his place is free`() async throws {
        // Events of 8 MiB, more than the system keeps for a reader.
        var fleet = FleetStatusReply.example()
        fleet.workers = (0..<2_048).map { number in
            WorkerStatus(name: "\(number)" + String(repeating: "x", count: 4_096), state: .serving)
        }
        try await withServer(
            ScriptedSource(fleet),
            edit: { configuration in
                configuration.limits.httpUnreadDurationMax = .milliseconds(200)
                configuration.limits.httpEventReadersMax = 1
            }
        ) { (probe, _) throws in
            let ask = Array("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
            let lazy = try RawConnection(port: probe.port)
            try lazy.write(ask)
            #expect(try !lazy.readSome().isEmpty)
            while true {
                let next = try RawConnection(port: probe.port)
                try next.write(ask)
                if String(decoding: try next.readSome(), as: UTF8.self).hasPrefix("HTTP/1.1 200") { break }
            }
            _ = lazy
        }
    }
}
