import SinewArrayFiles
import SinewBody
import Testing

/// Body files that are not what they should be are refused with a message that names the file and the array.
struct BodyImportTests {
    /// Writes a copy of the small SMPL-layout body in which `edit` changed one array, or left it out by returning nil.
    private func importing(
        _ name: String = "body_female.npz", edit: (String, NDArray) throws -> NDArray?
    ) throws -> BodyModel {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let source = try NPZFile(path: fixture("tiny_smpl_layout.npz"))
        var writer = NPZWriter()
        for name in source.names {
            if let array = try edit(name, source.array(name)) { writer.add(name, array) }
        }
        try writer.write(to: folder + "/" + name)
        return try BodyModel(smplLayoutNPZ: folder + "/" + name)
    }

    @Test(
        arguments: [
            "v_template", "shapedirs", "J_regressor", "weights", "kintree_table", "f", "leaf_vertex_ids",
        ])
    func `a missing array is named`(missing: String) {
        let error = #expect(throws: BodyError.self) { try importing { $0 == missing ? nil : $1 } }
        #expect(error?.reason == .invalidBody)
        #expect(error?.message.contains("\"\(missing)\"") == true, "\(error?.message ?? "")")
    }

    @Test(arguments: ["v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f"])
    func `an array of another shape is named`(name: String) {
        let error = #expect(throws: BodyError.self) {
            try importing { $0 == name ? .float32([0, 0, 0, 0, 0, 0, 0], shape: [7, 1]) : $1 }
        }
        #expect(error?.reason == .invalidBody)
        #expect(error?.message.contains("\"\(name)\"") == true, "\(error?.message ?? "")")
    }

    private func changing(_ target: String, _ change: @escaping (inout [Double]) -> Void) throws -> BodyModel {
        try importing { name, array in
            guard name == target else { return array }
            var values = try array.doubles()
            change(&values)
            return .float64(values, shape: array.shape)
        }
    }

    @Test func `what would crash later is refused at once`() {
        let cases: [(String, (inout [Double]) -> Void, String)] = [
            ("v_template", { $0[5] = .nan }, "not a finite"), ("weights", { $0[3] = .infinity }, "not finite"),
            ("weights", { $0[3] -= 5 }, "negative"), ("weights", { $0[3] += 0.5 }, "vertex 0"),
            ("J_regressor", { $0[0] += 0.5 }, "pelvis"), ("f", { $0[4] = 40 }, "face 1"),
            ("f", { $0[4] = -1 }, "-1"), ("leaf_vertex_ids", { $0[0] = 40 }, "leaf"),
            ("kintree_table", { $0[5] = 0 }, "24-joint tree"),
            ("v_template", { $0 = $0.map { $0 * 1000 } }, "metres"),
            ("v_template", { $0 = $0.map { $0 * 0 } }, "no length"),
        ]
        for (array, change, word) in cases {
            let error = #expect(throws: BodyError.self, "\(array) \(word)") { try changing(array, change) }
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test func `the gender comes from the name, then from the file, then is asked for`() throws {
        #expect(try importing("smpl_MALE.npz") { $1 }.gender == .male)
        #expect(try importing("x_female_male.npz") { $1 }.gender == .female)
        #expect(try importing("plain.npz") { $1 }.gender == .female)
        let error = #expect(throws: BodyError.self) { try importing("plain.npz") { $0 == "gender" ? nil : $1 } }
        #expect(error?.message.contains("_neutral.npz") == true)
    }

    @Test func `a file that is no body says what it is`() throws {
        let missing = #expect(throws: BodyError.self) { try BodyModel(safetensors: "/nowhere/b.safetensors") }
        #expect(missing?.reason == .missingFile)
        let folder = try scratchFolder()
        defer { discard(folder) }
        try SafetensorsFile.write([("a", .float32([1], shape: [1]))], to: folder + "/b.safetensors")
        let other = #expect(throws: BodyError.self) { try BodyModel(safetensors: folder + "/b.safetensors") }
        #expect(other?.reason == .invalidBody)
        #expect(other?.message.contains("sinew-body/1") == true)
        try AtomicFile.write([1, 2, 3], to: folder + "/c.safetensors")
        let short = #expect(throws: BodyError.self) { try BodyModel(safetensors: folder + "/c.safetensors") }
        #expect(short?.reason == .unusableFile)
    }
}
