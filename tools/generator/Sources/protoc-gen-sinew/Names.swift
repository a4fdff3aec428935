/// Swift names out of proto names.
enum Names {
    /// What an abbreviation is spelled like inside a Swift name.
    private static let spelled = [
        "id": "ID", "isa": "ISA", "sha256": "SHA256", "us": "Microseconds", "mm": "Millimetres",
    ]
    private static let keywords: Set<String> = ["internal", "default", "in", "is", "as", "self", "repeat", "operator"]

    /// `queue_us` → `queueMicroseconds`, `process_id` → `processID`, `isa` → `isa`.
    static func property(_ name: String) -> String {
        let parts = name.split(separator: "_").map(String.init)
        let rest = parts.dropFirst().map { spelled[$0] ?? capitalized($0) }
        return escaped((parts.first ?? "") + rest.joined())
    }

    /// `pose_solver` → `PoseSolver`.
    static func type(_ name: String) -> String {
        name.split(separator: "_").map { capitalized(String($0)) }.joined()
    }

    /// `WORKER_STATE_SERVING` of `WorkerState` → `serving`.
    static func enumCase(_ name: String, of type: String) throws -> String {
        let prefix = snake(type).uppercased() + "_"
        guard name.hasPrefix(prefix) else { throw Failure("\(name): the values of \(type) begin with \(prefix)") }
        return property(name.dropFirst(prefix.count).lowercased())
    }

    /// `WORKER_STATE_SERVING` of `WorkerState` → `SERVING`.
    static func pythonEnumCase(_ name: String, of type: String) throws -> String {
        let prefix = snake(type).uppercased() + "_"
        guard name.hasPrefix(prefix) else { throw Failure("\(name): the values of \(type) begin with \(prefix)") }
        return String(name.dropFirst(prefix.count))
    }

    /// Names that a field of a Python class cannot have.
    static let pythonKeywords: Set<String> = [
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
        "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass",
        "raise", "return", "try", "while", "with", "yield", "read", "encode", "decode", "to_wire",
    ]

    /// `SolvePoses` → `solvePoses`.
    static func method(_ name: String) -> String { escaped(name.prefix(1).lowercased() + name.dropFirst()) }

    private static func capitalized(_ part: String) -> String { part.prefix(1).uppercased() + part.dropFirst() }

    private static func escaped(_ name: String) -> String { keywords.contains(name) ? "`\(name)`" : name }

    /// `SolvePoses` → `solve_poses`.
    static func snake(_ name: String) -> String {
        var out = ""
        for character in name {
            if character.isUppercase, !out.isEmpty { out.append("_") }
            out.append(Character(character.lowercased()))
        }
        return out
    }
}
