import SinewArrayFiles
import TestSupport
import Testing

struct SafetensorsFileTests {
    private static func file(header: String, data: Int) -> [UInt8] {
        let text = Array(header.utf8)
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        bytes += text
        return bytes + [UInt8](repeating: 0, count: data)
    }

    private static func readAll(_ bytes: [UInt8]) throws(ArrayFileError) {
        let file = try SafetensorsFile(bytes: bytes, path: "hostile.safetensors")
        for name in file.names { _ = try file.tensor(name) }
    }

    @Test func `what the reference library writes is read`() throws {
        let file = try SafetensorsFile(path: fixture("reference.safetensors"))
        #expect(file.metadata == ["format": "np", "note": "größe"])
        for name in ["f16", "f32", "f64"] {
            #expect(try file.tensor(name).doubles() == NPZFileTests.quarters, "\(name)")
            #expect(try file.tensor(name).shape == [2, 3, 4])
        }
        for name in ["i8", "i16", "i32", "i64"] { #expect(try file.tensor(name).ints() == Array(-5..<19), "\(name)") }
        #expect(try file.tensor("flags").ints() == (0..<24).map { $0 % 3 == 0 ? 1 : 0 })
        #expect(try file.tensor("empty").shape == [0, 3])
        #expect(throws: ArrayFileError.self) { try file.tensor("absent") }
    }

    @Test func `what is written is read back the same`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = folder + "/weights.safetensors"
        let tensors: [(name: String, array: NDArray)] = [
            ("mask", .uint8([1, 0, 1], shape: [3])), ("weight", .float32([1.5, -2, 3, 4], shape: [2, 2])),
            ("half \"quoted\"", .float16([0.25], shape: [1])), ("parents", .int64([-1, 0], shape: [2])),
        ]
        try SafetensorsFile.write(tensors, metadata: [("gender", "neutral")], to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["gender": "neutral"])
        #expect(file.names == ["parents", "weight", "half \"quoted\"", "mask"])
        for tensor in tensors { #expect(try file.tensor(tensor.name) == tensor.array, "\(tensor.name)") }
    }

    @Test func `a file cut at any byte is refused`() throws {
        let whole = Array(
            try SafetensorsFile.encode([
                ("a", .float32([1, 2, 3], shape: [3])), ("b", .int32([4], shape: [1])),
            ]).joined())
        try Self.readAll(whole)
        for length in 0..<whole.count {
            let error = #expect(throws: ArrayFileError.self, "cut at \(length)") {
                try Self.readAll(Array(whole[..<length]))
            }
            #expect(error?.reason == .truncated, "cut at \(length): \(error?.message ?? "")")
        }
    }

    @Test(
        arguments: [
            ("[]", 0, ArrayFileError.Reason.malformed), ("{\"a\":1}", 0, .malformed),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, .malformed),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, .malformed),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, .malformed),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 8, .malformed),
            ("{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, .unsupported),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, .malformed),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0, .malformed),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1e3],\"data_offsets\":[0,4000]}}", 4000, .malformed),
            (
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                    + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3, .malformed
            ),
            (
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                    + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, .malformed
            ),
            ("{\"__metadata__\":{\"n\":1}}", 0, .malformed),
        ])
    func `a header that lies is refused`(header: String, data: Int, reason: ArrayFileError.Reason) {
        let error = #expect(throws: ArrayFileError.self) { try Self.readAll(Self.file(header: header, data: data)) }
        #expect(error?.reason == reason, "\(error?.message ?? "")")
    }

    @Test func `a header of any claimed length is refused without allocating it`() {
        let error = #expect(throws: ArrayFileError.self) {
            try Self.readAll([255, 255, 255, 255, 255, 255, 255, 255] + Array("{}".utf8))
        }
        #expect(error?.reason == .malformed)
    }

    @Test func `a changed byte never crashes the reader`() throws {
        let seed: UInt64 = 0x5EED_0002
        var random = SplitMix64(seed: seed)
        let whole = Array(
            try SafetensorsFile.encode([
                ("a", .float32([1, 2, 3], shape: [3])), ("b", .int32([4], shape: [1])),
            ]).joined())
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = whole
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            do throws(ArrayFileError) { try Self.readAll(bytes) } catch { refused += 1 }
        }
        #expect(refused > 10_000, "seed \(seed): only \(refused) of 20000 damaged files were refused")
    }
}
