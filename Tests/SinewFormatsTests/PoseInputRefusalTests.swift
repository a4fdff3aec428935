import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

/// Every bad input gives one error that says what, where, why and what to type next.
struct PoseInputRefusalTests {
    private func refused(_ arrays: [(String, NDArray)]) -> FormatError? {
        #expect(throws: FormatError.self) { try reading(arrays) }
    }

    private func joints(scaledBy factor: Float = 1) throws -> (String, NDArray) {
        ("joints3d", .float32(try figure().map { $0 * factor }, shape: [1, 24, 3]))
    }

    @Test func `millimetres declared as metres are refused with what to type`() throws {
        let error = refused([try joints(scaledBy: 1000), ("unit", .strings(["m"], shape: []))])
        #expect(error?.reason == .invalidData)
        #expect(error?.field == "unit")
        for word in ["declares metres", "look like millimetres", "--unit mm", "set unit to \"mm\""] {
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test(
        arguments: [
            (Float(1), "mm", "m"), (1, "cm", "m"), (100, "m", "cm"), (100, "mm", "cm"), (1000, "cm", "mm"),
        ])
    func `a declared unit that the bones contradict is refused`(factor: Float, declared: String, real: String) throws {
        let error = refused([try joints(scaledBy: factor), ("unit", .strings([declared], shape: []))])
        #expect(
            error?.message.contains("--unit \(real) ") == true || error?.message.hasSuffix("--unit \(real)") == true)
        #expect(throws: Never.self) { try reading([joints(scaledBy: factor), ("unit", .strings([real], shape: []))]) }
        #expect(throws: Never.self) { try reading([joints(scaledBy: factor)]) }
    }

    @Test func `an option overrides what the file declares`() throws {
        let arrays = [try joints(scaledBy: 1000), ("unit", .strings(["m"], shape: []))]
        let input = try reading(arrays, options: PoseInput.Options(unit: .millimetres))
        #expect(largestDifference(Array(input.joints[..<72]), try figure()) < 1e-4)
    }

    @Test(arguments: [Float(39.37), 3.28, 1e-6, 1e9])
    func `bones that fit no unit are refused`(factor: Float) throws {
        let error = refused([try joints(scaledBy: factor)])
        #expect(error?.field == "unit")
        #expect(error?.message.contains("neither metres") == true, "\(error?.message ?? "")")
    }

    @Test func `wrong shapes name the shape and what is needed`() throws {
        let cases: [[Int]] = [[72], [24, 3], [1, 24, 2], [1, 72, 1], [1, 1, 1, 24, 3], [1, 23, 3]]
        for shape in cases {
            let count = shape.reduce(1, *)
            let error = refused([("joints3d", .float32([Float](repeating: 1, count: count), shape: shape))])
            #expect(error?.reason == .invalidData)
            #expect(error?.message.contains("in.npz") == true)
            #expect(
                error?.message.contains("(T, P, J, 3)") == true || error?.message.contains("known are") == true,
                "\(error?.message ?? "")")
        }
    }

    @Test func `an unknown skeleton lists the known ones`() throws {
        let error = refused([try joints(), ("skeleton", .strings(["horse-25"], shape: []))])
        for word in ["\"horse-25\"", "smpl-24 (24 joints)", "smpl-29 (29 joints)"] {
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        let other = refused([try joints(), ("skeleton", .strings(["smpl-29"], shape: []))])
        #expect(other?.message.contains("24 joints") == true)
    }

    @Test func `an empty file is refused`() {
        #expect(refused([("joints3d", .float32([], shape: [0, 24, 3]))])?.message.contains("no person") == true)
        #expect(refused([("joints3d", .float32([], shape: [3, 0, 24, 3]))])?.message.contains("no person") == true)
    }

    @Test func `rotations instead of joints are recognised`() {
        let error = refused([("poses", .float32([Float](repeating: 0, count: 72), shape: [1, 72]))])
        #expect(error?.message.contains("rotations already") == true)
    }

    @Test func `fields that do not fit joints3d are named`() throws {
        let base = try joints()
        func f(_ count: Int, _ shape: [Int], _ value: Float = 0.1) -> NDArray {
            .float32([Float](repeating: value, count: count), shape: shape)
        }
        let cases: [(String, [(String, NDArray)])] = [
            ("sigma", [("sigma", f(23, [1, 23]))]), ("sigma", [("sigma", f(24, [1, 24], -1))]),
            ("sigma", [("sigma", f(24, [1, 24], .nan))]), ("confidence", [("confidence", f(24, [1, 24], 1.5))]),
            ("confidence", [("confidence", f(24, [1, 24])), ("sigma", f(24, [1, 24]))]),
            ("observed", [("observed", f(24, [24, 1]))]), ("twist", [("twist", f(24, [1, 24]))]),
            ("twist", [("twist", f(23, [1, 23], .infinity))]), ("twist", [("twist", f(23, [1, 23], 90))]),
            ("betas", [("betas", f(20, [2, 10]))]), ("betas", [("betas", f(10, [10], .nan))]),
            ("betas", [("betas", f(10, [10], 100))]), ("gender", [("gender", .strings(["x"], shape: []))]),
            ("gender", [("gender", .strings(["male", "male"], shape: [2]))]), ("gender", [("gender", f(1, [1]))]),
            ("unit", [("unit", .strings(["inch"], shape: []))]), ("up_axis", [("up_axis", .strings(["w"], shape: []))]),
            ("track", [("track", .strings(["a", "b"], shape: [2]))]), ("fps", [("fps", f(1, [], -30))]),
            ("frame", [("frame", .int64([1, 2], shape: [2]))]),
        ]
        for (field, arrays) in cases {
            let error = refused([base] + arrays)
            #expect(error?.reason == .invalidData, "\(field): \(error?.message ?? "")")
            #expect(error?.field == field, "\(error?.message ?? "")")
            #expect(error?.message.contains(field) == true, "\(error?.message ?? "")")
        }
    }

    @Test func `missing, truncated and foreign files are told apart`() throws {
        let missing = #expect(throws: FormatError.self) { try PoseInput.read(path: "/nowhere/in.npz") }
        #expect(missing?.reason == .missingFile)
        let missingLines = #expect(throws: FormatError.self) { try PoseInput.read(path: "/nowhere/in.jsonl") }
        #expect(missingLines?.reason == .missingFile)
        let folder = try scratchFolder()
        defer { discard(folder) }
        let whole = try AtomicFile.read(fixture("two_people.npz"), bytesMax: 1 << 20)
        try AtomicFile.write(Array(whole[..<(whole.count / 2)]), to: folder + "/half.npz")
        let half = #expect(throws: FormatError.self) { try PoseInput.read(path: folder + "/half.npz") }
        #expect(half?.reason == .unreadableFile)
        #expect(half?.message.contains("truncated") == true)
        try AtomicFile.write(Array("hello".utf8), to: folder + "/text.npz")
        let text = #expect(throws: FormatError.self) { try PoseInput.read(path: folder + "/text.npz") }
        #expect(text?.reason == .unreadableFile)
        try AtomicFile.write(Array("x,y,z\n1,2,3\n".utf8), to: folder + "/a.csv")
        let ending = #expect(throws: FormatError.self) { try PoseInput.read(path: folder + "/a.csv") }
        #expect(ending?.message.contains(".jsonl") == true)
    }

    @Test func `a truncated line is refused by its number`() throws {
        let good = "{\"joints3d\":[\([String](repeating: "[0,1,2]", count: 24).joined(separator: ","))]}"
        let error = #expect(throws: FormatError.self) { try reading(lines: [good, String(good.dropLast(9))]) }
        #expect(error?.reason == .unreadableFile)
        #expect(error?.message.contains("line 2") == true)
    }

    @Test(
        arguments: [
            "[1,2]", "{\"joints3d\":5}", "{\"joints3d\":[]}", "{\"joints3d\":[[1,2],[3,4]]}",
            "{\"joints3d\":[[1,2,3,4]]}", "{\"joints3d\":[[1,\"x\",3]]}", "{\"joints3d\":[[[1,2,3]],[]]}",
            "{\"joints3d\":[[1,2,3]]}", "{\"skeleton\":\"smpl-24\"}", "",
        ])
    func `a line that is no person is refused`(line: String) {
        #expect(throws: FormatError.self) { try reading(lines: [line]) }
    }

    @Test func `lines that contradict each other or themselves are refused`() throws {
        let joints = "[" + [String](repeating: "[0,1,2]", count: 24).joined(separator: ",") + "]"
        let cases: [(String, [String])] = [
            ("skeleton", ["{\"joints3d\":\(joints)}", "{\"joints3d\":\(joints),\"skeleton\":\"smpl-29\"}"]),
            ("joints3d", ["{\"joints3d\":\(joints)}", "{\"joints3d\":[[0,0,0]]}"]),
            ("joints3d", ["{\"joints3d\":\(joints)}", "{\"unit\":\"m\"}"]),
            ("track", ["{\"joints3d\":[\(joints),\(joints)],\"track\":[\"a\",\"a\"]}"]),
            ("track", ["{\"joints3d\":[\(joints),\(joints)],\"track\":\"a\"}"]),
            ("frame", ["{\"joints3d\":\(joints),\"frame\":-1}"]), ("sigma", ["{\"joints3d\":\(joints),\"sigma\":[1]}"]),
            ("betas", ["{\"joints3d\":\(joints),\"betas\":\"x\"}"]),
            ("fps", ["{\"joints3d\":\(joints),\"fps\":\"x\"}"]),
            ("gender", ["{\"joints3d\":\(joints),\"gender\":3}"]),
            ("unit", ["{\"joints3d\":\(joints),\"unit\":\"ell\"}"]),
        ]
        for (field, lines) in cases {
            let error = #expect(throws: FormatError.self, "\(field)") { try reading(lines: lines) }
            #expect(error?.field == field, "\(error?.message ?? "")")
        }
    }
}
