internal import SinewArrayFiles
internal import SinewMessagePack
internal import SinewWire

extension JSONValue {
    /// A message as JSON, field by field under the names of `proto/`: what is new there is here too. Bytes become hexadecimal
    /// digits, and enumerations numbers; whoever knows better replaces those members.
    init(_ message: some WireMessage) {
        do throws(MessagePackError) {
            let bytes = message.encode()
            self = try Unpacker.read(unsafe bytes.span.bytes) { (unpacker) throws(MessagePackError) in
                try Self.read(&unpacker)
            }
        } catch {
            preconditionFailure("what we have packed ourselves cannot be read: \(error)")
        }
    }

    private static func read(_ unpacker: inout Unpacker) throws(MessagePackError) -> JSONValue {
        switch try unpacker.nextKind() {
        case .nil:
            _ = try unpacker.readNil()
            return .null
        case .bool: return .bool(try unpacker.readBool())
        case .integer: return .count(try unpacker.readInteger(Int128.self))
        case .float: return .number(try unpacker.readDouble())
        case .string: return .string(try unpacker.readString())
        case .binary: return .string(SHA256.hexadecimal(try unpacker.readBinary()))
        case .array:
            return .array(
                try unpacker.readArray { (unpacker, count) throws(MessagePackError) in
                    var values: [JSONValue] = []
                    for _ in 0..<count { values.append(try read(&unpacker)) }
                    return values
                })
        case .map:
            return .object(
                try unpacker.readMap { (unpacker, count) throws(MessagePackError) in
                    var members: [Member] = []
                    for _ in 0..<count {
                        let key = try unpacker.readString()
                        members.append(Member(key, try read(&unpacker)))
                    }
                    return members
                })
        case .extension:
            try unpacker.skip()
            return .null
        }
    }

    /// The object with a member set: replaced where it stands, or added at the end.
    func setting(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { preconditionFailure("members belong to objects") }
        if let place = members.firstIndex(where: { $0.key == key }) {
            members[place].value = value
        } else {
            members.append(Member(key, value))
        }
        return .object(members)
    }

    /// The object without a member.
    func removing(_ key: String) -> JSONValue {
        guard case .object(let members) = self else { preconditionFailure("members belong to objects") }
        return .object(members.filter { $0.key != key })
    }

    /// A whole number; one beyond 64 bits with sign is cut.
    static func count(_ value: some BinaryInteger) -> JSONValue { .integer(Int(clamping: value)) }

    /// Null for what is not known.
    static func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
}
