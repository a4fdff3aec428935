import SinewArrayFiles
import TestSupport
import Testing

struct NPZFileTests {
    static let quarters = (0..<24).map { Double($0) / 4 }

    @Test(arguments: ["numpy_stored.npz", "numpy_deflated.npz"])
    func `every number type that numpy writes is read`(file: String) throws {
        let archive = try NPZFile(path: fixture(file))
        for name in ["f16", "f32", "f64", "f64_fortran", "f32_big_endian"] {
            let array = try archive.array(name)
            #expect(array.shape == [2, 3, 4], "\(name)")
            #expect(try array.doubles() == Self.quarters, "\(name)")
            #expect(try array.floats() == Self.quarters.map(Float.init), "\(name)")
        }
        for name in ["i8", "i16", "i32", "i64"] {
            #expect(try archive.array(name).ints() == Array(-5..<19), "\(name)")
            #expect(try archive.array(name).doubles() == (-5..<19).map(Double.init), "\(name)")
        }
        for name in ["u8", "u16", "u32", "u64"] { #expect(try archive.array(name).ints() == Array(0..<24), "\(name)") }
        #expect(try archive.array("flags").ints() == (0..<24).map { $0 % 3 == 0 ? 1 : 0 })
        #expect(try archive.array("scalar").shape == [])
        #expect(try archive.array("scalar").floats() == [30])
        #expect(try archive.array("empty").shape == [0, 3])
        #expect(try archive.array("empty").floats().isEmpty)
        #expect(try archive.array("one").shape == [1])
    }

    @Test(arguments: ["numpy_stored.npz", "numpy_deflated.npz"])
    func `text is read without its padding`(file: String) throws {
        let archive = try NPZFile(path: fixture(file))
        #expect(try archive.array("gender").strings() == ["female"])
        #expect(try archive.array("names").strings() == ["left_hip", "größe", ""])
        #expect(try archive.array("ascii").strings() == ["ab", "c"])
        #expect(throws: ArrayFileError.self) { try archive.array("names").floats() }
        #expect(throws: ArrayFileError.self) { try archive.array("f32").strings() }
    }

    @Test func `fractions are not taken for whole numbers`() throws {
        let archive = try NPZFile(path: fixture("numpy_stored.npz"))
        #expect(throws: ArrayFileError.self) { try archive.array("f64").ints() }
        #expect(try archive.array("scalar").ints() == [30])
    }

    @Test func `pickled objects are refused with a reason`() throws {
        let archive = try NPZFile(path: fixture("numpy_pickled.npz"))
        let error = #expect(throws: ArrayFileError.self) { try archive.array("objects") }
        #expect(error?.reason == .unsupported)
        #expect(error?.message.contains("pickled") == true)
    }

    @Test func `an unread numpy type is named`() throws {
        let archive = try NPZFile(path: fixture("numpy_complex.npz"))
        let error = #expect(throws: ArrayFileError.self) { try archive.array("z") }
        #expect(error?.reason == .unsupported)
        #expect(error?.message.contains("<c8") == true)
    }

    @Test func `a missing array lists those that are there`() throws {
        let archive = try NPZFile(path: fixture("numpy_complex.npz"))
        let error = #expect(throws: ArrayFileError.self) { try archive.array("joints3d") }
        #expect(error?.reason == .wrongShape)
        #expect(error?.message.contains("it holds z") == true)
    }

    @Test func `a missing file says so`() {
        let error = #expect(throws: ArrayFileError.self) { try NPZFile(path: "/nowhere/at/all.npz") }
        #expect(error?.reason == .missingFile)
        #expect(error?.message.contains("/nowhere/at/all.npz") == true)
    }

    @Test func `a folder is no archive`() {
        let error = #expect(throws: ArrayFileError.self) { try NPZFile(path: "/tmp") }
        #expect(error?.reason == .io)
    }

    @Test(arguments: [NPZWriter.Compression.stored, .deflated])
    func `what is written is read back the same`(compression: NPZWriter.Compression) throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = folder + "/out.npz"
        let arrays: [(String, NDArray)] = [
            ("poses", .float32((0..<6).map { Float($0) / 7 }, shape: [2, 3])),
            ("exact", .float64([.pi, -0.0], shape: [2])), ("half", .float16([0.5, -2], shape: [2, 1])),
            ("ids", .int64([-1, .max], shape: [2])), ("small", .int32([.min], shape: [1])),
            ("seen", .bool([true, false, true], shape: [3])), ("gender", .strings(["neutral"], shape: [])),
            ("tracks", .strings(["a", "größer"], shape: [2])), ("none", .float32([], shape: [0, 24, 3])),
            ("bytes", .uint8([1, 2, 255], shape: [3])),
        ]
        var writer = NPZWriter(compression: compression)
        for (name, array) in arrays { writer.add(name, array) }
        try writer.write(to: path)
        let archive = try NPZFile(path: path)
        #expect(archive.names == arrays.map(\.0))
        for (name, array) in arrays { #expect(try archive.array(name) == array, "\(name)") }
    }

    @Test func `the same arrays give the same bytes`() throws {
        func archive() throws -> [UInt8] {
            var writer = NPZWriter()
            writer.add("a", .float32([1, 2, 3], shape: [3]))
            return try writer.encode()
        }
        #expect(try archive() == archive())
    }
}
