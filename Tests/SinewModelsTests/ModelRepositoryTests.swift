import Foundation
import SinewArrayFiles
import SinewModels
import Testing

/// A copy of one fixture model in a folder of its own, gone when the test is.
final class TemporaryRepository {
    let path: String
    let name: String
    var folder: String { "\(path)/\(name)/1" }

    init(copying name: String) throws {
        self.name = name
        path = NSTemporaryDirectory() + "sinew-models-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "\(Golden.folder)/\(name)/1", toPath: "\(path)/\(name)/1")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Rewrites the weights and puts their true hash into model.json.
    func rewriteWeights(_ change: (inout [(name: String, array: NDArray)]) throws -> Void) throws {
        let file = try SafetensorsFile(path: "\(folder)/weights.safetensors")
        var tensors = try file.names.map { (name: $0, array: try file.tensor($0)) }
        try change(&tensors)
        try SafetensorsFile.write(tensors, to: "\(folder)/weights.safetensors")
        try acceptHash()
    }

    func acceptHash() throws {
        let old = try ModelFiles.description(in: folder).weightsSHA256
        let new = try SHA256.hexDigest(ofFile: "\(folder)/weights.safetensors")
        try replaceInDescription(old, with: new)
    }

    func replaceInDescription(_ old: String, with new: String) throws {
        let text = try String(contentsOfFile: "\(folder)/model.json", encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new)
            .write(toFile: "\(folder)/model.json", atomically: true, encoding: .utf8)
    }

    func error() -> ModelError? {
        #expect(throws: ModelError.self) { try ModelRepository(path: self.path).load(self.name) }
    }
}

@Suite struct ModelRepositoryTests {
    @Test func `a repository lists the analytic solver and its models`() throws {
        let listed = try ModelRepository(path: Golden.folder).list()
        let builtIn = ["hybrik", "hybrik-naive", "smplify", "smplify-adam", "smplify-adam-converged", "smplify-lbfgs"]
        let fixtures = Golden.all + Golden.graphs + EffectorGolden.names + ["niki_temporal"]
        #expect(listed.map(\.name) == builtIn + fixtures.sorted())
        let niki = try #require(listed.first { $0.name == "niki_ts_heading" })
        #expect(niki.architecture == .niki(.twistAndSwing) && niki.hidden == 13 && niki.couplings == 16)
        #expect(niki.conditioning == .headingBones && niki.weightsSHA256.utf8.count == 64)
    }

    @Test func `a model is loaded by name, by name and version, and hybrik without any file`() throws {
        let repository = ModelRepository(path: Golden.folder)
        #expect(try repository.load("niki_ts_none").identity.description == "niki_ts_none/1")
        #expect(try repository.load("niki_ts_none/1").identity.architecture == "niki-twist-and-swing")
        for analytic in try repository.list().prefix(2) {
            #expect(try repository.load(analytic.name).identity == analytic.identity)
            #expect(try repository.load("\(analytic.name)/1").identity == analytic.identity)
        }
    }

    @Test func `a name without a version means the highest, and ten is higher than nine`() throws {
        let temporary = try TemporaryRepository(copying: "mlp_ik_heading")
        for version in ["9", "10"] {
            let folder = "\(temporary.path)/mlp_ik_heading/\(version)"
            try FileManager.default.copyItem(atPath: "\(Golden.folder)/mlp_ik_heading/1", toPath: folder)
            let text = try String(contentsOfFile: "\(folder)/model.json", encoding: .utf8)
            try text.replacingOccurrences(of: "\"version\": \"1\"", with: "\"version\": \"\(version)\"")
                .write(toFile: "\(folder)/model.json", atomically: true, encoding: .utf8)
        }
        let repository = ModelRepository(path: temporary.path)
        #expect(try repository.load("mlp_ik_heading").identity.version == "10")
        let versions = try repository.list().filter { $0.name == "mlp_ik_heading" }.map(\.version)
        #expect(versions == ["1", "9", "10"])
    }

    @Test(arguments: [
        "nikki", "niki_ts_none/2", "niki_ts_none/1/1", "", "..", "../Fixtures", "niki_ts_none/..", "hybrik/2",
    ])
    func `an unknown name is answered with the known ones`(name: String) throws {
        let error = #expect(throws: ModelError.self) { try ModelRepository(path: Golden.folder).load(name) }
        #expect(error?.reason == .unknownModel)
        #expect(error?.message.contains("niki_ts_none/1") == true && error?.message.contains("hybrik/1") == true)
    }

    @Test func `a repository that is not there says so`() {
        let error = #expect(throws: ModelError.self) { try ModelRepository(path: "/no/such/folder").list() }
        #expect(error?.reason == .unusableFile && error?.message.contains("/no/such/folder") == true)
        let loading = #expect(throws: ModelError.self) { try ModelRepository(path: "/no/such/folder").load("niki") }
        #expect(loading?.reason == .unusableFile)
    }

    @Test func `weights whose hash differs are refused with both hashes`() throws {
        let temporary = try TemporaryRepository(copying: "niki_one_stage_none")
        let path = "\(temporary.folder)/weights.safetensors"
        var bytes = try FileContents.read(path)
        bytes[bytes.count - 1] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let error = temporary.error()
        #expect(error?.reason == .unusableFile)
        #expect(error?.message.contains(SHA256.hexDigest(of: bytes)) == true)
        let declared = try ModelFiles.description(in: temporary.folder).weightsSHA256
        #expect(error?.message.contains(declared) == true)
    }

    @Test func `truncated weights are refused even where the hash was made for them`() throws {
        let temporary = try TemporaryRepository(copying: "niki_one_stage_none")
        let path = "\(temporary.folder)/weights.safetensors"
        let bytes = try FileContents.read(path)
        for kept in [0, 7, 100, bytes.count / 2, bytes.count - 1] {
            try Data(bytes[..<kept]).write(to: URL(fileURLWithPath: path))
            try temporary.acceptHash()
            #expect(temporary.error()?.reason == .unusableFile, "\(kept) bytes kept")
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(temporary.error()?.message.contains("weights.safetensors") == true)
    }

    @Test func `a missing, superfluous, misshapen or infinite tensor is named`() throws {
        for (change, word) in [
            ("missing", "no tensor"), ("extra", "does not know"), ("shape", "shape"), ("nan", "finite"),
        ] {
            let temporary = try TemporaryRepository(copying: "niki_ts_heading")
            let tensor = "flow_s2r.t.7.3.weight"
            try temporary.rewriteWeights { tensors in
                let index = try #require(tensors.firstIndex { $0.name == tensor })
                var values = try tensors[index].array.floats()
                switch change {
                case "missing": tensors.remove(at: index)
                case "extra": tensors.append((name: "camnet.flow_s2r.t.7.3.weight", array: tensors[index].array))
                case "shape": tensors[index].array = .float32(values, shape: [values.count])
                default:
                    values[5] = .nan
                    tensors[index].array = .float32(values, shape: tensors[index].array.shape)
                }
            }
            let error = temporary.error()
            #expect(error?.reason == .unusableFile)
            #expect(error?.message.contains(tensor) == true && error?.message.contains(word) == true, "\(change)")
        }
    }

    @Test func `a mask that does not alternate is refused`() throws {
        let temporary = try TemporaryRepository(copying: "niki_one_stage_heading")
        try temporary.rewriteWeights { tensors in
            let index = try #require(tensors.firstIndex { $0.name == "flow.mask" })
            var values = try tensors[index].array.floats()
            values[176 * 3 + 10] = 1 - values[176 * 3 + 10]
            tensors[index].array = .float32(values, shape: [16, 176])
        }
        #expect(temporary.error()?.message.contains("coupling 3, dimension 10") == true)
    }

    @Test func `a field of model.json that is wrong is named`() throws {
        let changes = [
            ("\"niki-one-stage\"", "\"transformer\"", "architecture"),
            ("\"hidden\": 13", "\"hidden\": -1", "dims.hidden"),
            ("\"hidden\": 13", "\"hidden\": 14", "shape"), ("\"couplings\": 16", "\"couplings\": 15", "shape"),
            ("\"rows\"", "\"columns\"", "rotation_layout"), ("\"float32\"", "\"int4\"", "precision"),
            ("\"smpl-29\"", "\"smpl-x\"", "body"), ("\"heading-bones\"", "\"magic\"", "conditioning"),
            ("\"niki_one_stage_heading\"", "\"other\"", "other/1"),
            ("\"weights_sha256\": \"", "\"weights_sha256\": \"xy", "weights_sha256"),
            ("\"dims\"", "\"dim\"", "dims"), ("{", "", "model.json"),
        ]
        for (old, new, word) in changes {
            let temporary = try TemporaryRepository(copying: "niki_one_stage_heading")
            try temporary.replaceInDescription(old, with: new)
            let error = temporary.error()
            #expect(error?.reason == .unusableFile, "\(new)")
            #expect(error?.message.contains(word) == true, "\(new): \(error?.message ?? "")")
        }
    }
}
