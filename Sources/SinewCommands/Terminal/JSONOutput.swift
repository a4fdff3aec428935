internal import FoundationEssentials

/// One JSON object per line on standard output, keys in snake case and in alphabetical order.
enum JSONOutput {
    static func print(_ value: some Encodable) throws {
        StandardStreams.data(try text(value))
    }

    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON has no word for them; a reader sees text instead of a failed print.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Reads a line that ``print(_:)`` wrote; the keys are those of the value's `CodingKeys`, as they are written.
    static func parse<Value: Decodable>(_ line: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(line.utf8))
    }
}
