import SinewArrayFiles
import SinewImport
import Testing

@Suite struct PickleTests {
    private func document(_ name: String) throws -> PickleDocument {
        try PickleDocument(reading: fixtureBytes(name), name: name)
    }

    @Test(arguments: 0...5)
    func `arrays of every protocol are those that numpy wrote`(protocolNumber: Int) throws {
        let document = try document("protocol\(protocolNumber).pkl")
        let arrays = document.member("arrays", of: document.root)
        let expected = try NPZFile(path: fixture("arrays.npz"))
        #expect(expected.names.count == 9)
        for name in expected.names {
            #expect(try document.array(document.member(name, of: arrays), what: name) == expected.array(name))
        }
    }

    @Test(arguments: 0...5)
    func `plain values of every protocol are Python's`(protocolNumber: Int) throws {
        let document = try document("protocol\(protocolNumber).pkl")
        let rest = document.member("rest", of: document.root)
        func value(_ name: String) -> PickleValue? { document.member(name, of: rest) }
        #expect(document.text(value("text")) == "é\n'\\\"")
        #expect(value("none") == PickleValue.none)
        #expect(value("true") == .bool(true) && value("false") == .bool(false))
        #expect(value("int") == .int(-70000) && value("long") == .int(1 << 40) && value("negative") == .int(-(1 << 33)))
        #expect(value("float") == .float(-1.25))
        #expect(document.ints(value("tuple")) == [1, 2, 3, 4])
        let list = try #require(document.sequence(value("list")))
        #expect(list.first == .int(1) && document.ints(list.last) == [2, 3])
        #expect(try document.array(value("scalar"), what: "scalar").floats() == [3])
    }

    @Test(arguments: ["csc", "csr", "coo"])
    func `a sparse matrix is the dense one`(kind: String) throws {
        let document = try document("sparse.pkl")
        let dense = try document.array(document.member("dense", of: document.root), what: "dense")
        let sparse = try document.array(document.member(kind, of: document.root), what: kind)
        #expect(sparse == dense && dense.shape == [4, 6])
    }

    /// `c`, module, name, then a call with one text.
    private static func call(_ module: String, _ name: String) -> [UInt8] {
        Array("c\(module)\n\(name)\n(S'echo harm'\ntR.".utf8)
    }

    @Test(arguments: [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("__builtin__", "exec"), ("builtins", "getattr"),
        ("subprocess", "Popen"), ("numpy.testing._private.utils", "runstring"), ("torch", "load"), ("torch", "hub"),
        ("collections", "Counter"), ("chumpy.ch", "os"), ("builtins", "__import__"),
    ])
    func `what could run a program is refused by name`(module: String, name: String) {
        let error = #expect(throws: ArrayFileError.self) {
            try PickleDocument(reading: Self.call(module, name), name: "model.pth")
        }
        #expect(error?.reason == .unsupported)
        #expect(error?.message.contains("model.pth names \(module).\(name)") == true)
    }

    @Test func `a class named through the stack is refused too`() {
        var bytes: [UInt8] = [0x80, 4, 0x8C, 2]
        bytes += Array("os".utf8)
        bytes += [0x8C, 6]
        bytes += Array("system".utf8)
        bytes += [0x93, UInt8(ascii: ".")]
        let error = #expect(throws: ArrayFileError.self) { try PickleDocument(reading: bytes, name: "x") }
        #expect(error?.message.contains("os.system") == true)
    }

    @Test(
        arguments: [
            ("extension registry", [0x80, 2, 0x82, 1, 0x2E], ArrayFileError.Reason.unsupported),
            ("out-of-band buffer", [0x80, 5, 0x97, 0x2E], .unsupported),
            ("protocol 6", [0x80, 6, 0x4E, 0x2E], .unsupported),
            ("nothing on the stack", [0x2E], .malformed),
            ("an append to a number", [0x4B, 1, 0x4B, 2, 0x61, 0x2E], .malformed),
            ("a state for a list", [0x5D, 0x4E, 0x62, 0x2E], .malformed),
            ("a call of a number", [0x4B, 1, 0x29, 0x52, 0x2E], .malformed),
            ("a memo entry that is not there", [0x68, 7, 0x2E], .malformed),
            ("a mark that is not there", [0x74, 0x2E], .malformed),
            ("a key without a value", [0x28, 0x4B, 1, 0x64, 0x2E], .malformed),
            ("no opcode", [0xFF, 0x2E], .malformed),
            ("two values left", [0x4E, 0x4E, 0x2E], .malformed),
            ("bytes after the end", [0x4E, 0x2E, 0x4E], .malformed),
            ("a text longer than the file", [0x58, 0xFF, 0xFF, 0xFF, 0x7F, 0x61, 0x2E], .truncated),
            ("a text of 2^64 bytes", [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E], .malformed),
            ("a text that is not UTF-8", [0x8C, 1, 0xFF, 0x2E], .malformed),
            ("no end", [0x4E], .truncated), ("no bytes", [], .truncated),
        ] as [(String, [UInt8], ArrayFileError.Reason)])
    func `a broken or hostile pickle gets one error`(
        what: String, bytes: [UInt8], reason: ArrayFileError.Reason
    ) {
        let error = #expect(throws: ArrayFileError.self) { try PickleDocument(reading: bytes, name: "x.pkl") }
        #expect(error?.reason == reason)
        #expect(error?.message.hasPrefix("x.pkl") == true)
    }

    @Test func `a nest of a hundred thousand tuples neither overflows nor is walked`() throws {
        let bytes = [UInt8(ascii: "N")] + [UInt8](repeating: 0x85, count: 100_000) + [UInt8(ascii: ".")]
        let document = try PickleDocument(reading: bytes, name: "deep")
        #expect(document.nodes.count == 100_000)
    }

    @Test func `a list that holds itself is only a number`() throws {
        let document = try PickleDocument(reading: Array("]q\u{0}h\u{0}a.".utf8), name: "loop")
        #expect(document.sequence(document.root) == [.node(0)])
        #expect(throws: ArrayFileError.self) { try document.array(document.root, what: "loop") }
    }

    @Test func `more containers than any checkpoint has are refused`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "]"), count: (1 << 20) + 1)
        let error = #expect(throws: ArrayFileError.self) { try PickleDocument(reading: bytes, name: "bomb") }
        #expect(error?.reason == .unsupported)
    }
}
