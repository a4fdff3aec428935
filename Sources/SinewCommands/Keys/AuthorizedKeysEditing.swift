internal import SinewArrayFiles
internal import SinewBroker
internal import SinewZeroMQ

/// Changes an authorized-keys file and leaves everything else in it as it was, comments above all.
enum AuthorizedKeysEditing {
    private static let bytesMax = 8 << 20

    /// The file's keys; none when it does not exist yet and `isNewAllowed`.
    static func read(_ path: String) throws -> AuthorizedKeys {
        try parse(try text(of: path, isNewAllowed: false), path)
    }

    /// Admits a key, or changes what it is good for; the file is made when it is not there.
    ///
    /// - Returns: what the key was good for before.
    @discardableResult
    static func authorize(_ entry: AuthorizedKeys.Entry, in path: String) throws -> AuthorizedKeys.Entry? {
        if let wrong = AuthorizedKeys.whatIsWrong(with: entry) { throw CommandFailure(.usage, wrong) }
        return try edit(path, isNewAllowed: true) { lines, place in
            let line = AuthorizedKeys.line(entry)
            if let place = place(entry.key) {
                lines[place] = line
            } else {
                if lines.last == "" { lines.removeLast() }
                lines += [line, ""]
            }
        } of: {
            $0[entry.key.z85]
        }
    }

    /// Admits a key no longer.
    ///
    /// - Returns: what the key was good for; nil when it was not admitted, and the file is as it was.
    static func revoke(_ key: CurvePublicKey, in path: String) throws -> AuthorizedKeys.Entry? {
        try edit(path, isNewAllowed: false) { lines, place in
            if let place = place(key) { lines.remove(at: place) }
        } of: {
            $0[key.z85]
        }
    }

    private static func edit(
        _ path: String, isNewAllowed: Bool,
        _ change: (inout [String], _ place: (CurvePublicKey) -> Int?) -> Void,
        of before: (AuthorizedKeys) -> AuthorizedKeys.Entry?
    ) throws -> AuthorizedKeys.Entry? {
        // Somebody else's change between our reading and our writing would be lost: a revoked key would be back.
        try AtomicFile.whileNobodyElseChanges(path) {
            let old = try text(of: path, isNewAllowed: isNewAllowed)
            let keys = try parse(old, path)
            var lines = old.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let places = lines
            change(&lines) { key in
                places.firstIndex { (try? AuthorizedKeys.entry(of: $0[...], at: path))?.key == key }
            }
            let new = lines.joined(separator: "\n")
            _ = try parse(new, path)
            if new != old { try AtomicFile.write(Array(new.utf8), to: path) }
            return before(keys)
        }
    }

    private static func text(of path: String, isNewAllowed: Bool) throws -> String {
        if isNewAllowed, (try? FileVersion(of: path)) == nil {
            return "# Keys that a Sinew broker admits, one a line: KEY ROLE TENANT NAME\n"
        }
        let bytes = try AtomicFile.read(path, bytesMax: bytesMax)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(.badData, "\(path) is no list of keys: it is not UTF-8 text")
        }
        return text
    }

    private static func parse(_ text: String, _ path: String) throws -> AuthorizedKeys {
        do throws(AuthorizedKeys.Malformed) { return try AuthorizedKeys(text, path: path) } catch {
            throw CommandFailure(.badData, error.message)
        }
    }
}
