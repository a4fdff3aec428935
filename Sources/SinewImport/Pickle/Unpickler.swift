package import SinewArrayFiles

/// Reads one pickle (protocols 0 to 5) as data and runs nothing of it.
///
/// Python's own reader calls whatever the file names; that is why it must never see a file one did not write. Here a call is only
/// noted down (``PickleCall``), and a file that names anything outside ``PickleGlobal`` is refused.
/// - Cost: linear in the bytes; every count is checked against the bytes that are there before anything is allocated.
/// - Source: the opcode documentation of Python's `pickletools`.
struct Unpickler {
    let name: String
    let bytes: [UInt8]
    var offset: Int
    var nodes: [PickleNode] = []
    private var stack: [PickleValue] = []
    /// Heights of the stack at the open marks.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]

    /// Checkpoints have thousands of containers; one byte of a hostile file must not cost a hundred without end.
    static let nodesMax = 1 << 20
    static let stackMax = 1 << 22

    init(_ bytes: [UInt8], at offset: Int = 0, name: String) {
        self.bytes = bytes
        self.offset = offset
        self.name = name
    }

    /// Reads a pickle that must be all there is.
    ///
    /// - Throws: ``ArrayFileError``: truncated, malformed, or unsupported for what is refused.
    static func document(_ bytes: [UInt8], name: String) throws(ArrayFileError) -> PickleDocument {
        var reader = Unpickler(bytes, name: name)
        let document = try reader.document()
        guard reader.offset == bytes.count else {
            throw ArrayFileError(
                .malformed, "\(name) has \(bytes.count - reader.offset) bytes after the end of its pickle")
        }
        return document
    }

    /// Reads the pickle that begins at ``offset`` and stops behind it.
    mutating func document() throws(ArrayFileError) -> PickleDocument {
        while true {
            let opcode = try byte()
            if opcode == UInt8(ascii: ".") { break }
            if try literal(opcode) { continue }
            if try container(opcode) { continue }
            if try memory(opcode) { continue }
            if try object(opcode) { continue }
            switch opcode {
            case 0x80:
                let version = try byte()
                guard version <= 5 else { throw unsupported("uses pickle protocol \(version); 0 to 5 are read") }
            case 0x95: _ = try take(8)
            case 0x82, 0x83, 0x84: throw unsupported("uses pickle's extension registry, which is refused")
            case 0x97, 0x98: throw unsupported("keeps buffers outside the pickle, which is refused")
            default: throw malformed("0x\(String(opcode, radix: 16)) is no pickle opcode")
            }
        }
        let root = try pop()
        guard stack.isEmpty, marks.isEmpty else { throw malformed("it ends with values left over") }
        return PickleDocument(root: root, nodes: nodes, name: name)
    }

    // MARK: the stack

    mutating func push(_ value: PickleValue) throws(ArrayFileError) {
        guard stack.count < Self.stackMax else { throw unsupported("holds more values at once than \(Self.stackMax)") }
        stack.append(value)
    }

    mutating func push(_ node: PickleNode) throws(ArrayFileError) {
        guard nodes.count < Self.nodesMax else { throw unsupported("holds more than \(Self.nodesMax) containers") }
        nodes.append(node)
        try push(.node(nodes.count - 1))
    }

    mutating func pop() throws(ArrayFileError) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else { throw malformed("its stack is empty") }
        return value
    }

    func top() throws(ArrayFileError) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else { throw malformed("its stack is empty") }
        return value
    }

    /// The values above the last mark.
    mutating func popToMark() throws(ArrayFileError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw malformed("a mark is missing") }
        let values = Array(stack[mark...])
        stack.removeSubrange(mark...)
        return values
    }

    /// Marks, the memo, and what moves values about.
    private mutating func memory(_ opcode: UInt8) throws(ArrayFileError) -> Bool {
        switch opcode {
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"):
            if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"): try push(try top())
        case UInt8(ascii: "p"): memo[try decimal()] = try top()
        case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
        case UInt8(ascii: "r"): memo[try integer(4)] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "g"): try recall(try decimal())
        case UInt8(ascii: "h"): try recall(Int(try byte()))
        case UInt8(ascii: "j"): try recall(try integer(4))
        default: return false
        }
        return true
    }

    private mutating func recall(_ index: Int) throws(ArrayFileError) {
        guard let value = memo[index] else { throw malformed("its memo has no entry \(index)") }
        try push(value)
    }

    // MARK: the bytes

    mutating func byte() throws(ArrayFileError) -> UInt8 {
        guard offset < bytes.count else { throw truncated() }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func take(_ count: Int) throws(ArrayFileError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - offset else { throw truncated() }
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }

    /// An unsigned little-endian integer.
    mutating func integer(_ size: Int) throws(ArrayFileError) -> Int {
        var value: UInt64 = 0
        for (index, byte) in try take(size).enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
        guard let exact = Int(exactly: value) else { throw malformed("it claims \(value) bytes") }
        return exact
    }

    /// The text up to the end of the line.
    mutating func line() throws(ArrayFileError) -> ArraySlice<UInt8> {
        guard let end = bytes[offset...].firstIndex(of: 0x0A) else { throw truncated() }
        defer { offset = end + 1 }
        return bytes[offset..<end]
    }

    private mutating func decimal() throws(ArrayFileError) -> Int {
        let text = String(decoding: try line(), as: UTF8.self)
        guard let value = Int(text), value >= 0 else { throw malformed("\"\(text)\" is no index of its memo") }
        return value
    }

    // MARK: what can be wrong

    func malformed(_ what: String) -> ArrayFileError {
        ArrayFileError(
            .malformed, "\(name) is no pickle that can be read: at byte \(offset), \(what); copy the file again")
    }

    func unsupported(_ what: String) -> ArrayFileError { ArrayFileError(.unsupported, "\(name) \(what)") }

    private func truncated() -> ArrayFileError {
        ArrayFileError(.truncated, "\(name) ends inside its pickle; copy or download the file again")
    }
}

extension PickleDocument {
    /// Reads a pickle that must be all there is; nothing in it is run.
    ///
    /// - Throws: ``ArrayFileError``: truncated, malformed, or unsupported for what is refused.
    package init(reading bytes: [UInt8], name: String) throws(ArrayFileError) {
        self = try Unpickler.document(bytes, name: name)
    }
}
