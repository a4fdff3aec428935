/// What a `.npy` header says, parsed from its Python dictionary literal.
struct NPYHeader {
    var elementType = ElementType.float32
    var isBigEndian = false
    var isFortranOrder = false
    var shape: [Int] = []

    /// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, the keys in any order, each once.
    init(parsing text: [UInt8], name: String, dimensionsMax: Int) throws(ArrayFileError) {
        var scanner = Scanner(text: text, name: name)
        var hasType = false
        var hasOrder = false
        var hasShape = false
        try scanner.expect("{")
        while !scanner.accept("}") {
            let key = try scanner.quoted()
            try scanner.expect(":")
            switch key {
            case "descr" where !hasType:
                guard !scanner.isNext("[") else {
                    throw ArrayFileError(.unsupported, "\(name) holds records; save each field as an array of its own")
                }
                (elementType, isBigEndian) = try Self.parse(descriptor: try scanner.quoted(), name: name)
                hasType = true
            case "fortran_order" where !hasOrder:
                isFortranOrder = try scanner.boolean()
                hasOrder = true
            case "shape" where !hasShape:
                shape = try scanner.integers(countMax: dimensionsMax)
                hasShape = true
            default:
                throw ArrayFileError(.malformed, "\(name) has an unexpected key '\(key)' in its .npy header")
            }
            if !scanner.accept(",") {
                try scanner.expect("}")
                break
            }
        }
        guard hasType, hasOrder, hasShape else {
            throw ArrayFileError(.malformed, "\(name): the .npy header lacks descr, fortran_order or shape")
        }
        try scanner.expectEnd()
    }

    /// numpy's type string, or nil where numpy has no such type.
    static func descriptor(of type: ElementType) -> String? {
        switch type {
        case .bool: "|b1"
        case .int8: "|i1"
        case .uint8: "|u1"
        case .int16: "<i2"
        case .uint16: "<u2"
        case .int32: "<i4"
        case .uint32: "<u4"
        case .int64: "<i8"
        case .uint64: "<u8"
        case .float16: "<f2"
        case .bfloat16: nil
        case .float32: "<f4"
        case .float64: "<f8"
        case .unicode(let count): "<U\(count)"
        case .bytes(let count): "|S\(count)"
        }
    }

    static func parse(descriptor: String, name: String) throws(ArrayFileError) -> (ElementType, Bool) {
        let unsupported = ArrayFileError(
            .unsupported,
            "\(name) has the numpy type '\(descriptor)', which is not read; convert it, for example with astype('float32')"
        )
        guard let order = descriptor.first, "<>|=".contains(order) else { throw unsupported }
        let type = String(descriptor.dropFirst())
        let isBig = order == ">"
        if type.hasPrefix("O") {
            throw ArrayFileError(
                .unsupported,
                "\(name) holds pickled Python objects, which are never read (a pickle can run any program); "
                    + "save it with a plain numpy type")
        }
        switch type {
        case "b1": return (.bool, false)
        case "i1": return (.int8, false)
        case "u1": return (.uint8, false)
        case "i2": return (.int16, isBig)
        case "u2": return (.uint16, isBig)
        case "i4": return (.int32, isBig)
        case "u4": return (.uint32, isBig)
        case "i8": return (.int64, isBig)
        case "u8": return (.uint64, isBig)
        case "f2": return (.float16, isBig)
        case "f4": return (.float32, isBig)
        case "f8": return (.float64, isBig)
        default:
            guard let count = Int(type.dropFirst()), (0...(1 << 20)).contains(count) else { throw unsupported }
            if type.hasPrefix("U") { return (.unicode(count: count), isBig) }
            if type.hasPrefix("S") || type.hasPrefix("a") { return (.bytes(count: count), false) }
            throw unsupported
        }
    }
}

/// Walks over the few Python tokens that a header may hold.
private struct Scanner {
    let text: [UInt8]
    let name: String
    var position = 0

    private mutating func skipSpaces() {
        while position < text.count, text[position] == 0x20 || text[position] == 0x0A { position += 1 }
    }

    private func malformed(_ what: String) -> ArrayFileError {
        ArrayFileError(.malformed, "\(name): the .npy header is malformed at byte \(position): \(what)")
    }

    mutating func isNext(_ character: Character) -> Bool {
        skipSpaces()
        return position < text.count && text[position] == character.asciiValue
    }

    mutating func accept(_ character: Character) -> Bool {
        guard isNext(character) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ character: Character) throws(ArrayFileError) {
        guard accept(character) else { throw malformed("'\(character)' expected") }
    }

    mutating func expectEnd() throws(ArrayFileError) {
        skipSpaces()
        guard position == text.count else { throw malformed("text after the dictionary") }
    }

    mutating func quoted() throws(ArrayFileError) -> String {
        skipSpaces()
        guard position < text.count, text[position] == UInt8(ascii: "'") || text[position] == UInt8(ascii: "\"") else {
            throw malformed("a quoted text expected")
        }
        let quote = text[position]
        let start = position + 1
        guard let end = text[start...].firstIndex(of: quote) else { throw malformed("the quoted text does not end") }
        position = end + 1
        return String(decoding: text[start..<end], as: UTF8.self)
    }

    mutating func boolean() throws(ArrayFileError) -> Bool {
        skipSpaces()
        for (word, value) in [("True", true), ("False", false)] where text[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw malformed("True or False expected")
    }

    mutating func integers(countMax: Int) throws(ArrayFileError) -> [Int] {
        try expect("(")
        var values: [Int] = []
        while !accept(")") {
            skipSpaces()
            let digits = text[position...].prefix { (0x30...0x39).contains($0) }
            guard let value = Int(String(decoding: digits, as: UTF8.self)) else { throw malformed("a size expected") }
            position += digits.count
            // Python 2 wrote long integers as 3L.
            if position < text.count, text[position] == UInt8(ascii: "L") { position += 1 }
            values.append(value)
            guard values.count <= countMax else { throw malformed("more than \(countMax) dimensions") }
            if !accept(",") {
                try expect(")")
                break
            }
        }
        return values
    }
}
