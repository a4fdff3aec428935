extension JSONValue {
    /// Parses one JSON value that fills the text.
    ///
    /// - Parameter name: what errors call the text, for example `model.json` or `line 3 of joints.jsonl`.
    /// - Parameter allowsNonFinite: also reads `NaN`, `Infinity` and `-Infinity`, which Python's `json` writes, so that the
    ///   reader can say which joint they stand at.
    /// - Throws: ``ArrayFileError/Reason/malformed`` with the byte position; ``ArrayFileError/Reason/truncated`` when the
    ///   text ends early.
    package static func parse(
        _ bytes: ArraySlice<UInt8>, name: String, allowsNonFinite: Bool = false
    ) throws(ArrayFileError) -> JSONValue {
        var parser = JSONParser(text: bytes, name: name, allowsNonFinite: allowsNonFinite)
        let value = try parser.value(depth: 0)
        try parser.expectEnd()
        return value
    }
}

/// A recursive-descent parser with a bounded depth.
private struct JSONParser {
    let text: ArraySlice<UInt8>
    let name: String
    let allowsNonFinite: Bool
    var position: Int

    /// Nested arrays and objects; ours need five.
    private static let depthMax = 32

    init(text: ArraySlice<UInt8>, name: String, allowsNonFinite: Bool) {
        self.text = text
        self.name = name
        self.allowsNonFinite = allowsNonFinite
        position = text.startIndex
    }

    private func malformed(_ what: String) -> ArrayFileError {
        if position >= text.endIndex { return ArrayFileError(.truncated, "\(name) ends too early: \(what)") }
        return ArrayFileError(.malformed, "\(name) is malformed JSON at byte \(position - text.startIndex): \(what)")
    }

    private var next: UInt8? { position < text.endIndex ? text[position] : nil }

    private mutating func skipSpaces() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        skipSpaces()
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func accept(word: StaticString) -> Bool {
        let letters = word.description.utf8
        guard text[position...].starts(with: letters) else { return false }
        position += letters.count
        return true
    }

    mutating func expectEnd() throws(ArrayFileError) {
        skipSpaces()
        guard position == text.endIndex else { throw malformed("text after the value") }
    }

    mutating func value(depth: Int) throws(ArrayFileError) -> JSONValue {
        guard depth <= Self.depthMax else { throw malformed("nested deeper than \(Self.depthMax)") }
        skipSpaces()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t") where accept(word: "true"): return .bool(true)
        case UInt8(ascii: "f") where accept(word: "false"): return .bool(false)
        case UInt8(ascii: "n") where accept(word: "null"): return .null
        case UInt8(ascii: "N") where allowsNonFinite && accept(word: "NaN"): return .number(.nan)
        case UInt8(ascii: "I") where allowsNonFinite && accept(word: "Infinity"): return .number(.infinity)
        case UInt8(ascii: "-") where allowsNonFinite && accept(word: "-Infinity"): return .number(-.infinity)
        case .some(let byte) where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte): return try number()
        default: throw malformed("a value expected")
        }
    }

    private mutating func object(depth: Int) throws(ArrayFileError) -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        var keys: Set<String> = []
        if accept(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipSpaces()
            guard next == UInt8(ascii: "\"") else { throw malformed("a quoted name expected") }
            let key = try string()
            guard keys.insert(key).inserted else { throw malformed("the name \"\(key)\" appears twice") }
            guard accept(UInt8(ascii: ":")) else { throw malformed("':' expected after \"\(key)\"") }
            members.append(JSONValue.Member(key, try value(depth: depth + 1)))
            if accept(UInt8(ascii: ",")) { continue }
            guard accept(UInt8(ascii: "}")) else { throw malformed("',' or '}' expected") }
            return .object(members)
        }
    }

    private mutating func array(depth: Int) throws(ArrayFileError) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        if accept(UInt8(ascii: "]")) { return .array([]) }
        while true {
            values.append(try value(depth: depth + 1))
            if accept(UInt8(ascii: ",")) { continue }
            guard accept(UInt8(ascii: "]")) else { throw malformed("',' or ']' expected") }
            return .array(values)
        }
    }

    private mutating func number() throws(ArrayFileError) -> JSONValue {
        let start = position
        var isWhole = true
        if next == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        let whole = try digits()
        guard whole == 1 || text[firstDigit] != 0x30 else { throw malformed("a number with a leading zero") }
        if next == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let literal = String(decoding: text[start..<position], as: UTF8.self)
        if isWhole, let value = Int(literal) { return .integer(value) }
        guard let value = Double(literal), value.isFinite else { throw malformed("a number out of range") }
        return .number(value)
    }

    @discardableResult
    private mutating func digits() throws(ArrayFileError) -> Int {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw malformed("a digit expected") }
        return position - start
    }

    private mutating func string() throws(ArrayFileError) -> String {
        position += 1
        var bytes: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw malformed("text that is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): bytes.append(contentsOf: try escape())
            case 0..<0x20: throw malformed("a control character inside a text")
            default: bytes.append(byte)
            }
        }
        throw malformed("the text does not end")
    }

    private mutating func escape() throws(ArrayFileError) -> [UInt8] {
        guard let byte = next else { throw malformed("an escape expected") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard accept(word: "\\u") else { throw malformed("half a surrogate pair") }
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw malformed("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair") }
            return Array(String(Character(scalar)).utf8)
        default: throw malformed("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(ArrayFileError) -> UInt32 {
        guard text.endIndex - position >= 4 else {
            position = text.endIndex
            throw malformed("four hexadecimal digits expected")
        }
        let literal = String(decoding: text[position..<(position + 4)], as: UTF8.self)
        guard literal.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(literal, radix: 16)
        else { throw malformed("four hexadecimal digits expected") }
        position += 4
        return value
    }
}
