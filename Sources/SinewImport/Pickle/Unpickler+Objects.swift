internal import SinewArrayFiles

/// Containers, and the objects that a file describes by calls.
extension Unpickler {
    mutating func container(_ opcode: UInt8) throws(ArrayFileError) -> Bool {
        switch opcode {
        case UInt8(ascii: "]"), UInt8(ascii: ")"), 0x8F: try push(.sequence([]))
        case UInt8(ascii: "l"), UInt8(ascii: "t"), 0x91: try push(.sequence(try popToMark()))
        case UInt8(ascii: "}"): try push(.dictionary([]))
        case UInt8(ascii: "d"): try push(.dictionary(try entries(try popToMark())))
        case 0x85, 0x86, 0x87:
            var elements: [PickleValue] = []
            for _ in 0...(opcode - 0x85) { elements.append(try pop()) }
            try push(.sequence(elements.reversed()))
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"), 0x90: try append(try popToMark())
        case UInt8(ascii: "s"):
            let value = try pop()
            try insert([PickleEntry(key: try pop(), value: value)])
        case UInt8(ascii: "u"): try insert(try entries(try popToMark()))
        default: return false
        }
        return true
    }

    private func entries(_ values: [PickleValue]) throws(ArrayFileError) -> [PickleEntry] {
        guard values.count % 2 == 0 else { throw malformed("a key of a dictionary has no value") }
        return stride(from: 0, to: values.count, by: 2).map { PickleEntry(key: values[$0], value: values[$0 + 1]) }
    }

    private mutating func append(_ values: [PickleValue]) throws(ArrayFileError) {
        guard case .node(let index) = try top(), case .sequence(var elements) = nodes[index] else {
            throw malformed("values are added to what is no list")
        }
        // The node gives its array up first, so that adding to it does not copy it.
        nodes[index] = .sequence([])
        elements += values
        nodes[index] = .sequence(elements)
    }

    private mutating func insert(_ new: [PickleEntry]) throws(ArrayFileError) {
        guard case .node(let index) = try top() else { throw malformed("entries are added to what is no dictionary") }
        switch nodes[index] {
        case .dictionary(var entries):
            nodes[index] = .dictionary([])
            entries += new
            nodes[index] = .dictionary(entries)
        case .call(var call):
            nodes[index] = .sequence([])
            call.entries += new
            nodes[index] = .call(call)
        case .sequence, .persistent: throw malformed("entries are added to what is no dictionary")
        }
    }

    mutating func object(_ opcode: UInt8) throws(ArrayFileError) -> Bool {
        switch opcode {
        case UInt8(ascii: "c"):
            let module = String(decoding: try line(), as: UTF8.self)
            try push(.global(try global(module, String(decoding: try line(), as: UTF8.self))))
        case 0x93:
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw malformed("the name of a class is no text")
            }
            try push(.global(try global(module, name)))
        case UInt8(ascii: "R"), 0x81: try call(arguments: try pop())
        case 0x92:
            // NEWOBJ_EX also gives named arguments; nothing that is read has any.
            _ = try pop()
            try call(arguments: try pop())
        case UInt8(ascii: "i"):
            let module = String(decoding: try line(), as: UTF8.self)
            let callable = try global(module, String(decoding: try line(), as: UTF8.self))
            try push(callable, arguments: try popToMark())
        case UInt8(ascii: "o"):
            var values = try popToMark()
            guard case .global(let callable)? = values.first else { throw malformed("an object has no class") }
            values.removeFirst()
            try push(callable, arguments: values)
        case UInt8(ascii: "b"): try build(state: try pop())
        case UInt8(ascii: "Q"): try push(.persistent(try pop()))
        case UInt8(ascii: "P"): try push(.persistent(.bytes(Array(try line()))))
        default: return false
        }
        return true
    }

    private func global(_ module: String, _ name: String) throws(ArrayFileError) -> PickleGlobal {
        guard let known = PickleGlobal(module: module, name: name) else {
            let shown = "\(module).\(name)".unicodeScalars.prefix(120).map {
                $0.isASCII && $0.value >= 32 ? String($0) : "?"
            }
            throw unsupported(
                "names \(shown.joined()), which is not needed for arrays and could run a program, so the file is refused. If you "
                    + "trust it, save only its arrays: for a checkpoint torch.save({\"state_dict\": model.state_dict()}, …), for a "
                    + "body numpy.savez")
        }
        return known
    }

    private mutating func call(arguments: PickleValue) throws(ArrayFileError) {
        guard case .global(let callable) = try pop() else { throw malformed("it calls what is no class or function") }
        try push(.call(PickleCall(callable: callable, arguments: arguments)))
    }

    private mutating func push(_ callable: PickleGlobal, arguments: [PickleValue]) throws(ArrayFileError) {
        try push(.sequence(arguments))
        try push(.call(PickleCall(callable: callable, arguments: try pop())))
    }

    private mutating func build(state: PickleValue) throws(ArrayFileError) {
        guard case .node(let index) = try top(), case .call(var call) = nodes[index], call.state == nil else {
            throw malformed("a state is given to what takes none")
        }
        call.state = state
        nodes[index] = .call(call)
    }
}
