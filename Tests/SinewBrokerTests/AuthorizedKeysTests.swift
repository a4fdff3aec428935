import SinewBroker
import SinewCore
import SinewZeroMQ
import TestSupport
import Testing

/// The file that says whom a broker admits.
@Suite struct AuthorizedKeysTests {
    private func keys(_ count: Int) throws -> [CurvePublicKey] {
        try (0..<count).map { _ in try CurveKeyPair.generate().publicKey }
    }

    @Test func `keys, roles, tenants and names are read and comments are not`() throws {
        let keys = try keys(3)
        let text = """
            # Keys of the lab
            #
            \(keys[0]) client lab Alice's laptop

              \(keys[1])\tworker   -\t
            \(keys[2]) operator - # not a comment\r
            """
        let list = try AuthorizedKeys(text, path: "f")
        #expect(
            list.entries == [
                .init(key: keys[0], role: .client, tenant: "lab", name: "Alice's laptop"),
                .init(key: keys[1], role: .worker), .init(key: keys[2], role: .operator, name: "# not a comment"),
            ])
        for entry in list.entries { #expect(list[entry.key.z85] == entry) }
        #expect(list[try CurveKeyPair.generate().publicKey.z85] == nil)
    }

    @Test func `no key begins with a hash, so a comment is never one`() {
        for rest in ["0", "~", "#", "z"] {
            #expect(CurvePublicKey(z85: "#" + String(repeating: rest, count: 39)) == nil)
        }
    }

    @Test(
        arguments: [
            ("KEY", "f:2: 1 words"), ("KEY client", "f:2: 2 words"), ("nonsense client -", "no public key"),
            ("KEY boss -", "“boss” is none of client, worker, operator"),
            ("KEY client \(String(repeating: "t", count: 65))", "65 bytes"),
            ("KEY client - \(String(repeating: "n", count: 129))", "129 bytes"), ("KEY client a\u{7}b", "control"),
        ]) func `a wrong line is named and nothing of the file is taken`(line: String, fragment: String) throws
    {
        let keys = try keys(2)
        let text = "\(keys[0]) client -\n\(line.replacing("KEY", with: keys[1].z85))\n"
        let error = #expect(throws: AuthorizedKeys.Malformed.self) { try AuthorizedKeys(text, path: "f") }
        #expect(error?.message.contains(fragment) == true, "\(error?.message ?? "")")
    }

    @Test func `tenants of 64 and names of 128 bytes are the longest`() throws {
        let key = try keys(1)[0]
        let (tenant, name) = (String(repeating: "t", count: 64), String(repeating: "n", count: 128))
        let entries = try AuthorizedKeys("\(key) client \(tenant) \(name)", path: "f").entries
        #expect(entries == [.init(key: key, role: .client, tenant: tenant, name: name)])
    }

    @Test func `a key that stands twice is refused`() throws {
        let key = try keys(1)[0]
        let error = #expect(throws: AuthorizedKeys.Malformed.self) {
            try AuthorizedKeys("\(key) client a\n\(key) worker b", path: "f")
        }
        #expect(error?.message.contains("second time") == true)
    }

    @Test func `a list may have the most keys and one more is refused`() throws {
        var limits = Limits()
        limits.authorizedKeysMax = 3
        let lines = try keys(4).map { "\($0) client -" }
        let most = try AuthorizedKeys(lines[..<3].joined(separator: "\n"), path: "f", limits: limits)
        #expect(most.entries.count == 3)
        let error = #expect(throws: AuthorizedKeys.Malformed.self) {
            try AuthorizedKeys(lines.joined(separator: "\n"), path: "f", limits: limits)
        }
        #expect(error?.message.contains("more than 3 keys") == true)
    }

    @Test func `whatever is authorized is read back from its line and a revoked key is gone`() throws {
        var random = SplitMix64(seed: 20_261_121)
        var list = AuthorizedKeys()
        for key in try keys(40) {
            let tenant = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                "x7-é_/".randomElement(using: &random) ?? "x"
            }
            let entry = AuthorizedKeys.Entry(
                key: key, role: AuthorizedKeys.Role.allCases.randomElement(using: &random) ?? .client,
                tenant: tenant == ["-"] ? "" : String(tenant), name: Bool.random(using: &random) ? "of somebody" : "")
            list.authorize(entry)
        }
        let text = list.entries.map { AuthorizedKeys.line($0) }.joined(separator: "\n")
        #expect(try AuthorizedKeys(text, path: "f") == list)
        var changed = list.entries[7]
        changed = .init(key: changed.key, role: .worker, tenant: "other")
        list.authorize(changed)
        #expect(list.entries.count == 40 && list[changed.key.z85] == changed)
        #expect(list.revoke(changed.key) == changed)
        #expect(list.revoke(changed.key) == nil)
        #expect(list[changed.key.z85] == nil && list.entries.count == 39)
        for entry in list.entries { #expect(list[entry.key.z85] == entry) }
    }
}
