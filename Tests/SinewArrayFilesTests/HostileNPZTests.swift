import SinewArrayFiles
import TestSupport
import Testing

/// Files that lie, end early or were damaged are refused with a reason; none of them crashes the reader.
struct HostileNPZTests {
    private static func archive(_ compression: NPZWriter.Compression) throws -> [UInt8] {
        var writer = NPZWriter(compression: compression)
        writer.add("joints3d", .float32((0..<30).map(Float.init), shape: [2, 5, 3]))
        writer.add("gender", .strings(["male"], shape: []))
        return try writer.encode()
    }

    private static func readAll(_ bytes: [UInt8]) throws(ArrayFileError) {
        let file = try NPZFile(bytes: bytes, path: "hostile.npz")
        for name in file.names { _ = try file.array(name) }
    }

    @Test(arguments: [NPZWriter.Compression.stored, .deflated])
    func `a file cut at any byte is refused`(compression: NPZWriter.Compression) throws {
        let whole = try Self.archive(compression)
        try Self.readAll(whole)
        for length in 0..<whole.count {
            let error = #expect(throws: ArrayFileError.self, "cut at \(length)") {
                try Self.readAll(Array(whole[..<length]))
            }
            #expect(error?.reason == .truncated, "cut at \(length): \(error?.message ?? "")")
        }
    }

    @Test(arguments: [NPZWriter.Compression.stored, .deflated])
    func `a changed byte never crashes the reader`(compression: NPZWriter.Compression) throws {
        let seed: UInt64 = 0x5EED_0001
        var random = SplitMix64(seed: seed)
        let whole = try Self.archive(compression)
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do throws(ArrayFileError) { try Self.readAll(bytes) } catch { refused += 1 }
        }
        // Dates and attributes may change unseen; most of the file may not.
        #expect(refused > 10_000, "seed \(seed): only \(refused) of 20000 damaged files were refused")
    }

    /// A `.npy` member with the given header, in a stored archive.
    private static func archive(header: String, data: [UInt8] = []) -> [UInt8] {
        var text = Array(header.utf8)
        text.append(0x0A)
        let npy: [UInt8] =
            [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text + data
        return StoredZIP.archive(name: "x.npy", content: npy)
    }

    @Test(
        arguments: [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", ArrayFileError.Reason.malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }", .truncated),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 3), }", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4, 0), }", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", .malformed),
            ("{'descr': '<U99999999', 'fortran_order': False, 'shape': (1,), }", .unsupported),
            ("{'descr': '<f4', 'fortran_order': False, }", .malformed),
            ("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (0,), }", .malformed),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,), }", .unsupported),
            ("{'descr': '<f4', 'fortran_order': maybe, 'shape': (0,), }", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (0,)} rest", .malformed),
            ("", .malformed),
        ])
    func `a header that lies is refused before anything is allocated`(header: String, reason: ArrayFileError.Reason) {
        let error = #expect(throws: ArrayFileError.self) { try Self.readAll(Self.archive(header: header)) }
        #expect(error?.reason == reason, "\(error?.message ?? "")")
    }

    @Test func `data after the last element is refused`() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"
        #expect(throws: Never.self) { try Self.readAll(Self.archive(header: header, data: [0, 0, 0, 0])) }
        let error = #expect(throws: ArrayFileError.self) {
            try Self.readAll(Self.archive(header: header, data: [0, 0, 0, 0, 0]))
        }
        #expect(error?.reason == .malformed)
    }

    @Test func `a deflated member cannot claim more than deflate can give`() throws {
        var bytes = StoredZIP.archive(name: "x.npy", content: [UInt8](repeating: 1, count: 50), method: 8)
        // The size in the central directory: 3.9 GiB out of 50 bytes.
        let central = bytes.count - 22 - (46 + 5)
        bytes.replaceSubrange((central + 24)..<(central + 28), with: [0, 0, 0, 0xFA])
        let error = #expect(throws: ArrayFileError.self) { try Self.readAll(bytes) }
        #expect(error?.reason == .malformed)
    }

    @Test func `zip64 encryption and unknown methods are named`() throws {
        let whole = StoredZIP.archive(name: "x.npy", content: [1, 2, 3])
        let central = whole.count - 22 - (46 + 5)
        var zip64 = whole
        zip64.replaceSubrange((central + 20)..<(central + 24), with: [255, 255, 255, 255])
        var encrypted = whole
        encrypted[central + 8] |= 1
        var method = whole
        method[central + 10] = 14
        for (bytes, word) in [(zip64, "zip64"), (encrypted, "encrypted"), (method, "method 14")] {
            let error = #expect(throws: ArrayFileError.self) { try Self.readAll(bytes) }
            #expect(error?.reason == .unsupported)
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test func `text is no archive`() {
        let error = #expect(throws: ArrayFileError.self) { try Self.readAll(Array("{\"joints3d\": []}".utf8)) }
        #expect(error?.reason == .malformed)
        #expect(error?.message.contains("no .npz archive") == true)
    }
}
