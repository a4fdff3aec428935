internal import SinewArrayFiles

/// Numbers and text.
extension Unpickler {
    mutating func literal(_ opcode: UInt8) throws(ArrayFileError) -> Bool {
        switch opcode {
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.bool(true))
        case 0x89: try push(.bool(false))
        case UInt8(ascii: "K"): try push(.int(Int(try byte())))
        case UInt8(ascii: "M"): try push(.int(try integer(2)))
        case UInt8(ascii: "J"): try push(.int(Int(Int32(truncatingIfNeeded: try integer(4)))))
        case UInt8(ascii: "I"): try push(try textInteger())
        case UInt8(ascii: "L"): try push(try textLong())
        case 0x8A: try push(long(try take(Int(try byte()))))
        case 0x8B: try push(long(try take(try integer(4))))
        case UInt8(ascii: "G"):
            var bits: UInt64 = 0
            for byte in try take(8) { bits = bits << 8 | UInt64(byte) }
            try push(.float(Double(bitPattern: bits)))
        case UInt8(ascii: "F"):
            let text = String(decoding: try line(), as: UTF8.self)
            guard let value = Double(text) else { throw malformed("\"\(text)\" is no number") }
            try push(.float(value))
        default: return try text(opcode)
        }
        return true
    }

    private mutating func text(_ opcode: UInt8) throws(ArrayFileError) -> Bool {
        switch opcode {
        case UInt8(ascii: "S"): try push(.bytes(try quoted(try line())))
        case UInt8(ascii: "V"): try push(.text(try rawUnicode(try line())))
        case UInt8(ascii: "T"), UInt8(ascii: "B"): try push(.bytes(Array(try take(try integer(4)))))
        case UInt8(ascii: "U"), UInt8(ascii: "C"): try push(.bytes(Array(try take(Int(try byte())))))
        case 0x8E, 0x96: try push(.bytes(Array(try take(try integer(8)))))
        case UInt8(ascii: "X"): try push(.text(try utf8(try take(try integer(4)))))
        case 0x8C: try push(.text(try utf8(try take(Int(try byte())))))
        case 0x8D: try push(.text(try utf8(try take(try integer(8)))))
        default: return false
        }
        return true
    }

    private func utf8(_ bytes: ArraySlice<UInt8>) throws(ArrayFileError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw malformed("a text is not UTF-8") }
        return text
    }

    /// Protocol 0 writes truth values as the integers `00` and `01`.
    private mutating func textInteger() throws(ArrayFileError) -> PickleValue {
        let text = String(decoding: try line(), as: UTF8.self)
        if text == "00" { return .bool(false) }
        if text == "01" { return .bool(true) }
        guard let value = Int(text) else { throw malformed("\"\(text)\" is no whole number of 64 bits") }
        return .int(value)
    }

    private mutating func textLong() throws(ArrayFileError) -> PickleValue {
        var text = String(decoding: try line(), as: UTF8.self)
        if text.hasSuffix("L") { text.removeLast() }
        guard let value = Int(text) else { throw malformed("\"\(text)\" is no whole number of 64 bits") }
        return .int(value)
    }

    /// Little-endian two's complement.
    private func long(_ digits: ArraySlice<UInt8>) -> PickleValue {
        guard digits.count <= 8 else { return .wideInt(Array(digits)) }
        var bits: UInt64 = digits.last.map { $0 & 0x80 != 0 } == true ? .max : 0
        for byte in digits.reversed() { bits = bits << 8 | UInt64(byte) }
        return .int(Int(bitPattern: UInt(bits)))
    }

    /// Python's `repr` of a byte string.
    private func quoted(_ line: ArraySlice<UInt8>) throws(ArrayFileError) -> [UInt8] {
        guard line.count >= 2, let quote = line.first, quote == line.last, quote == 0x27 || quote == 0x22 else {
            throw malformed("a text has no quotes")
        }
        var result: [UInt8] = []
        var rest = line.dropFirst().dropLast()
        while let character = rest.popFirst() {
            guard character == UInt8(ascii: "\\") else {
                result.append(character)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "'"): result.append(UInt8(ascii: "'"))
            case UInt8(ascii: "\""): result.append(UInt8(ascii: "\""))
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "x"):
                guard let value = hexadecimal(&rest, digits: 2) else { throw malformed("a \\x escape is incomplete") }
                result.append(UInt8(value))
            default: throw malformed("a text has an escape that Python does not write")
            }
        }
        return result
    }

    /// Latin-1 with `\u` and `\U` escapes.
    private func rawUnicode(_ line: ArraySlice<UInt8>) throws(ArrayFileError) -> String {
        var result = String.UnicodeScalarView()
        var rest = line
        while let character = rest.popFirst() {
            let next = rest.first
            guard character == UInt8(ascii: "\\"), next == UInt8(ascii: "u") || next == UInt8(ascii: "U") else {
                result.append(Unicode.Scalar(character))
                continue
            }
            rest.removeFirst()
            guard let value = hexadecimal(&rest, digits: next == UInt8(ascii: "u") ? 4 : 8),
                let scalar = Unicode.Scalar(value)
            else { throw malformed("a \\u escape is no character") }
            result.append(scalar)
        }
        return String(result)
    }

    private func hexadecimal(_ rest: inout ArraySlice<UInt8>, digits: Int) -> UInt32? {
        guard rest.count >= digits else { return nil }
        defer { rest.removeFirst(digits) }
        return UInt32(String(decoding: rest.prefix(digits), as: UTF8.self), radix: 16)
    }
}
