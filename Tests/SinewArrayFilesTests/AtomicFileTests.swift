import Foundation
import SinewArrayFiles
import Testing

struct AtomicFileTests {
    @Test func `a file is replaced whole and nothing else is left in the folder`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = folder + "/a.bin"
        try AtomicFile.write([1, 2, 3], to: path)
        try AtomicFile.write(parts: [[4], [], [5, 6]], to: path)
        #expect(try AtomicFile.read(path, bytesMax: 100) == [4, 5, 6])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.bin"])
    }

    @Test func `a folder that is not there is reported and nothing is written`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let error = #expect(throws: ArrayFileError.self) { try AtomicFile.write([1], to: folder + "/no/a.bin") }
        #expect(error?.reason == .missingFile)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test func `a failed write leaves no temporary file`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        // The final name is a folder with something in it: the rename fails after the bytes were written.
        try FileManager.default.createDirectory(atPath: folder + "/a.bin/inside", withIntermediateDirectories: true)
        let error = #expect(throws: ArrayFileError.self) { try AtomicFile.write([1], to: folder + "/a.bin") }
        #expect(error?.reason == .io)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.bin"])
    }

    @Test func `a file that must be new replaces nothing and leaves nothing else`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = folder + "/a.key"
        #expect(try AtomicFile.create([1], at: path, for: .owner))
        #expect(try !AtomicFile.create([2], at: path, for: .owner))
        #expect(try AtomicFile.read(path, bytesMax: 100) == [1])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.key"])
    }

    @Test func `a file for its owner can be read by nobody else`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        func permissions(_ name: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: folder + name)[.posixPermissions] as? Int
        }
        _ = try AtomicFile.create([1], at: folder + "/a.key", for: .owner)
        try AtomicFile.write(parts: [[1]], to: folder + "/b.key", for: .owner)
        #expect(try permissions("/a.key") == 0o600)
        #expect(try permissions("/b.key") == 0o600)
    }

    @Test func `a file that is replaced is another version and one that is read is not`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = folder + "/a.bin"
        try AtomicFile.write([1, 2, 3], to: path)
        let first = try FileVersion(of: path)
        _ = try AtomicFile.read(path, bytesMax: 100)
        #expect(try FileVersion(of: path) == first)
        // The same length, perhaps within the same tick of the clock.
        try AtomicFile.write([4, 5, 6], to: path)
        #expect(try FileVersion(of: path) != first)
        try FileManager.default.removeItem(atPath: path)
        let error = #expect(throws: ArrayFileError.self) { try FileVersion(of: path) }
        #expect(error?.reason == .missingFile)
    }

    @Test func `an empty name is refused`() {
        #expect(throws: ArrayFileError.self) { try AtomicFile.write([1], to: "/tmp/") }
    }

    @Test func `a file above the limit is refused`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = folder + "/a.bin"
        try AtomicFile.write([UInt8](repeating: 0, count: 101), to: path)
        #expect(throws: ArrayFileError.self) { try AtomicFile.read(path, bytesMax: 100) }
        #expect(try AtomicFile.read(path, bytesMax: 101).count == 101)
    }

    /// The examples of FIPS 180-4.
    @Test(
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func `SHA-256 gives the standard's digests`(text: String, digest: String) throws {
        #expect(SHA256.hexDigest(of: Array(text.utf8)) == digest)
        let folder = try scratchFolder()
        defer { discard(folder) }
        try AtomicFile.write(Array(text.utf8), to: folder + "/t")
        #expect(try SHA256.hexDigest(ofFile: folder + "/t") == digest)
    }

    @Test func `a file of several pieces has the digest of its bytes`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try AtomicFile.write(bytes, to: folder + "/t")
        #expect(try SHA256.hexDigest(ofFile: folder + "/t") == SHA256.hexDigest(of: bytes))
    }
}
