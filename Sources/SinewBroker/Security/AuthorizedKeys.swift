package import SinewCore
package import SinewZeroMQ

/// Whom a broker admits: the content of an authorized-keys file, in its order.
///
/// A line is `KEY ROLE TENANT NAME`: a public key in Z85, `client`, `worker` or `operator`, the account that the key's calls
/// go on (`-` is the default one), and, for people, whose key it is, up to the end of the line. Empty lines and lines that
/// begin with `#` say nothing (no key begins with `#`: the number would not fit in its bytes).
package struct AuthorizedKeys: Sendable, Equatable {
    /// What the holder of a key may be.
    package enum Role: String, Sendable, CaseIterable {
        /// Calls, on the port for clients.
        case client
        /// Solves, on the port for workers, and nothing else.
        case worker
        /// A client that may also tell the broker what to do with its workers.
        case `operator`
    }

    /// One key and what it is good for.
    package struct Entry: Sendable, Hashable {
        package let key: CurvePublicKey
        package let role: Role
        /// On whose account the holder's calls go; empty is the default tenant.
        package let tenant: String
        /// Whose key it is, for people.
        package let name: String

        package init(key: CurvePublicKey, role: Role, tenant: String = "", name: String = "") {
            self.key = key
            self.role = role
            self.tenant = tenant
            self.name = name
        }
    }

    /// Why a file is not a list of keys: where, what, and what to write.
    package struct Malformed: Error, Sendable, Equatable {
        package let message: String
    }

    /// Longest tenant, bytes: what a head carries.
    package static let tenantBytesMax = 64
    /// Longest name, bytes; it stands in every log line about the key.
    package static let nameBytesMax = 128

    /// A list without entries admits nobody.
    package private(set) var entries: [Entry] = []
    private var indexOfKey: [String: Int] = [:]

    /// A list that admits nobody.
    package init() {}

    /// Reads the content of a file.
    ///
    /// - Parameters:
    ///   - path: for messages.
    ///   - limits: how many keys there may be.
    /// - Throws: ``Malformed`` naming the line. A list is taken whole or not at all: a key that is left out by mistake is a fleet that stops.
    package init(_ text: String, path: String, limits: Limits = Limits()) throws(Malformed) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard let entry = try Self.entry(of: line, at: "\(path):\(index + 1)") else { continue }
            guard indexOfKey[entry.key.z85] == nil else {
                throw Malformed(
                    message: "\(path):\(index + 1): the key \(entry.key) stands here for the second time; remove one")
            }
            guard entries.count < limits.authorizedKeysMax else {
                throw Malformed(message: "\(path) has more than \(limits.authorizedKeysMax) keys; remove some")
            }
            append(entry)
        }
    }

    /// What a key is good for; nil when it is not admitted.
    package subscript(z85: String) -> Entry? { indexOfKey[z85].map { entries[$0] } }

    /// Admits a key, or changes what it is good for.
    package mutating func authorize(_ entry: Entry) {
        if let index = indexOfKey[entry.key.z85] { entries[index] = entry } else { append(entry) }
    }

    /// Admits a key no longer.
    ///
    /// - Returns: what it was good for; nil when it was not admitted.
    @discardableResult
    package mutating func revoke(_ key: CurvePublicKey) -> Entry? {
        guard let index = indexOfKey[key.z85] else { return nil }
        let revoked = entries.remove(at: index)
        indexOfKey = [:]
        for (index, entry) in entries.enumerated() { indexOfKey[entry.key.z85] = index }
        return revoked
    }

    private mutating func append(_ entry: Entry) {
        indexOfKey[entry.key.z85] = entries.count
        entries.append(entry)
    }

    /// The line of an entry, without its end.
    package static func line(_ entry: Entry) -> String {
        let words = [entry.key.z85, entry.role.rawValue, entry.tenant.isEmpty ? "-" : entry.tenant, entry.name]
        return words.filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// The entry of a line; nil when it says nothing.
    package static func entry(of line: Substring, at place: String) throws(Malformed) -> Entry? {
        guard !isComment(line) else { return nil }
        let words = line.split(maxSplits: 3, whereSeparator: isSpace)
        guard words.count >= 3 else {
            throw Malformed(
                message: "\(place): \(words.count) words; write KEY ROLE TENANT NAME, with - for the default tenant")
        }
        guard let key = CurvePublicKey(z85: String(words[0])) else {
            throw Malformed(message: "\(place): “\(words[0])” is no public key, which has 40 characters of Z85")
        }
        guard let role = Role(rawValue: String(words[1])) else {
            throw Malformed(message: "\(place): the role “\(words[1])” is none of \(Role.known)")
        }
        let tenant = words[2] == "-" ? "" : String(words[2])
        let name = words.count > 3 ? trimmed(words[3]) : ""
        let entry = Entry(key: key, role: role, tenant: tenant, name: name)
        if let wrong = whatIsWrong(with: entry) { throw Malformed(message: "\(place): \(wrong)") }
        return entry
    }

    /// Why an entry cannot be written to a file so that it is read back the same; nil when it can.
    package static func whatIsWrong(with entry: Entry) -> String? {
        guard entry.tenant.utf8.count <= tenantBytesMax else {
            return "the tenant has \(entry.tenant.utf8.count) bytes, at most \(tenantBytesMax) are allowed"
        }
        guard entry.name.utf8.count <= nameBytesMax else {
            return "the name has \(entry.name.utf8.count) bytes, at most \(nameBytesMax) are allowed"
        }
        let isPlain = { (text: String) in text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } }
        guard isPlain(entry.tenant), isPlain(entry.name), !entry.tenant.contains(where: isSpace) else {
            return
                "the tenant “\(entry.tenant)” and the name “\(entry.name)” must have no control characters, and the tenant no spaces"
        }
        guard entry.tenant != "-" else { return "a tenant “-” is the default one; leave it out" }
        return nil
    }

    /// Whether a line of a file says nothing.
    package static func isComment(_ line: Substring) -> Bool {
        let start = line.drop(while: isSpace)
        return start.isEmpty || start.hasPrefix("#")
    }

    private static func isSpace(_ character: Character) -> Bool {
        character == " " || character == "\t" || character == "\r"
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }
}

extension AuthorizedKeys.Role {
    /// All roles, for messages.
    package static var known: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
