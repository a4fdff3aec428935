import Foundation
import SinewArrayFiles
import SinewStatus
import SinewWire
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct OperatorTests {
    static let token = "correct-horse-battery-staple"
    static let job: [UInt8] = [1, 0x98, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 7]
    static let changes = [
        "/api/v1/workers/a%20b%2Fc/drain", "/api/v1/jobs/01980000-0000-7000-8000-000000000007/cancel",
    ]

    static func source() -> ScriptedSource {
        ScriptedSource(.example("a b/c"), jobs: [JobStatus(id: job, state: .cancelled)])
    }

    @Test func `without a token nothing can be changed, and it is said how one is given`() async throws {
        let source = Self.source()
        try await withServer(source) { (probe, _) throws in
            for path in Self.changes {
                let reply = try probe.request("POST", path, [("Authorization", "Bearer \(Self.token)")])
                #expect(reply.status == 403)
                #expect(reply.text.contains("--http-token-file"))
            }
            #expect(try probe.get("/api/v1/operator").status == 403)
        }
        #expect(source.drained.isEmpty && source.cancelled.isEmpty)
    }

    @Test(arguments: [
        nil, "", "Bearer", "Bearer ", "Bearer correct-horse-battery-stapl", "Bearer correct-horse-battery-staple2",
        "Basic correct-horse-battery-staple", "correct-horse-battery-staple", "Bearer Correct-horse-battery-staple",
    ])
    func `a wrong token changes nothing`(shown: String?) async throws {
        let source = Self.source()
        try await withServer(source, edit: { $0.operatorToken = OperatorToken(Self.token) }) {
            (probe, _) throws in
            let fields = shown.map { [("Authorization", $0)] } ?? []
            for path in Self.changes {
                let reply = try probe.request("POST", path, fields)
                #expect(reply.status == 401)
                #expect(reply.fields["www-authenticate"] == "Bearer")
            }
            #expect(try probe.request("GET", "/api/v1/operator", fields).status == 401)
        }
        #expect(source.drained.isEmpty && source.cancelled.isEmpty)
    }

    @Test func `an operator sends workers away and cancels jobs`() async throws {
        let source = Self.source()
        try await withServer(source, edit: { $0.operatorToken = OperatorToken(Self.token) }) {
            (probe, _) throws in
            let shown = [("Authorization", "Bearer \(Self.token)")]
            #expect(try probe.request("GET", "/api/v1/operator", shown).status == 204)
            let drained = try probe.request("POST", Self.changes[0], shown)
            #expect(drained.status == 200)
            #expect(try JSONValue(parsing: drained.body)["workers"]?.int == 1)
            let own = shown + [("Origin", "http://127.0.0.1:\(probe.port)")]
            let cancelled = try probe.request("POST", Self.changes[1], own, host: "127.0.0.1:\(probe.port)")
            #expect(cancelled.status == 200)
            #expect(try JSONValue(parsing: cancelled.body)["job"]?["state"]?.string == "cancelled")
        }
        #expect(source.drained == ["a b/c"])
        #expect(source.cancelled == [Self.job])
    }

    @Test(arguments: ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"])
    func `a page of another site changes nothing, whatever it shows`(origin: String) async throws {
        let source = Self.source()
        try await withServer(source, edit: { $0.operatorToken = OperatorToken(Self.token) }) {
            (probe, _) throws in
            let fields = [("Authorization", "Bearer \(Self.token)"), ("Origin", origin)]
            for path in Self.changes {
                #expect(try probe.request("POST", path, fields, host: "127.0.0.1:\(probe.port)").status == 403)
            }
        }
        #expect(source.drained.isEmpty && source.cancelled.isEmpty)
    }

    @Test(arguments: [("short", false), (String(repeating: "a", count: 16), true), ("with a blank in it", false)])
    func `a token is long enough and visible`(text: String, isGood: Bool) {
        #expect((OperatorToken(text) != nil) == isGood)
        #expect(OperatorToken(String(repeating: "a", count: OperatorToken.charactersMax)) != nil)
        #expect(OperatorToken(String(repeating: "a", count: OperatorToken.charactersMax + 1)) == nil)
    }

    @Test func `a token's file is for its owner alone`() throws {
        let path = NSTemporaryDirectory() + "sinew-token-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: StatusError.self) { _ = try OperatorToken(file: path) }
        try Data("\(Self.token)\nmore\n".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = #expect(throws: StatusError.self) { _ = try OperatorToken(file: path) }
        #expect(open?.message.contains("chmod 600") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        _ = try OperatorToken(file: path)
        try Data("short\n".utf8).write(to: URL(fileURLWithPath: path))
        let short = #expect(throws: StatusError.self) { _ = try OperatorToken(file: path) }
        #expect(short?.reason == .unusableToken)
    }
}
