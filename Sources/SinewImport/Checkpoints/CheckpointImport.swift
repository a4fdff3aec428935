internal import FoundationEssentials
internal import SinewArrayFiles
package import SinewModels

/// Turns a released checkpoint into a model of a repository.
///
/// Every tensor of the file is accounted for: the network's are checked against the architecture's table of names and shapes, arrays
/// of SMPL are left out because they may not be passed on, and anything else is an error that names it.
package struct CheckpointImport: Sendable {
    /// What was made of a checkpoint.
    package struct Report: Sendable, Equatable {
        /// What the release is called.
        package var title: String
        /// The architecture in `model.json`.
        package var architecture: String
        /// The folder of the new model.
        package var folder: String
        /// Numbers in the network.
        package var parameterCount: Int
        /// Arrays of SMPL that were left out.
        package var licensedTensors: [String]
        /// Other tensors that were left out, each with the reason.
        package var unusedTensors: [String]
        /// Hash of the weights as written.
        package var weightsSHA256: String
    }

    /// How many names an error lists.
    private static let namesShownMax = 8

    private let layout: CheckpointLayout
    private let state: StateDictionary
    private let path: String
    private let digest: String

    /// Reads a checkpoint and finds out what it is.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` when it cannot be read, holds what could run a program, or is none of the known
    ///   releases.
    package init(path: String) throws(ModelError) {
        do throws(ArrayFileError) {
            let bytes = try FileContents.read(path)
            digest = SHA256.hexDigest(of: bytes)
            let state = try StateDictionary(TorchFile(bytes: bytes, path: path))
            guard !SMPLIKCheckpoint.isProtoRes(state) else {
                throw ArrayFileError(
                    .unsupported,
                    "\(path) is a ProtoRes, which poses one skeleton of its own; that skeleton is not in the file, and it is not "
                        + "SMPL's. Give a SMPL-IK checkpoint")
            }
            guard let layout = CheckpointLayout.matching(state) else {
                let names = state.entries.prefix(Self.namesShownMax).map(\.name).joined(separator: ", ")
                throw ArrayFileError(
                    .unsupported,
                    "\(path) is none of the checkpoints that are known (NIKI one-stage and twist-and-swing, SMPL-IK, Learnable "
                        + "SMPLify); it holds \(names)…")
            }
            self.layout = layout
            self.state = state.removingPrefix(layout.prefix)
            self.path = path
        } catch {
            throw ModelError(.unusableFile, error.message)
        }
    }

    /// Checks all tensors, writes `<repository>/<name>/<version>`, and loads the model once to see that it works.
    ///
    /// The folder appears complete or not at all.
    /// - Throws: ``ModelError/Reason/unusableFile`` naming missing, superfluous and misshapen tensors, or what could not be written.
    package func write(name: String, version: String, repository: String) throws(ModelError) -> Report {
        let accounted = try account()
        var tensors: [(name: String, array: NDArray)] = []
        let weights: [UInt8]
        do throws(ArrayFileError) {
            for (tensor, value) in accounted.needed {
                let array = try state.file.tensor(value, name: tensor.name)
                tensors.append((tensor.name, .float32(try array.floats(), shape: tensor.shape)))
            }
            weights = Array(try SafetensorsFile.encode(tensors).joined())
        } catch {
            throw ModelError(.unusableFile, error.message)
        }
        let hash = SHA256.hexDigest(of: weights)
        let folder = "\(repository)/\(name)/\(version)"
        try install(
            json: description(name: name, version: version, weightsSHA256: hash), weights: weights, name: name,
            version: version, repository: repository)
        return Report(
            title: layout.title, architecture: layout.architecture, folder: folder,
            parameterCount: tensors.reduce(0) { $0 + $1.array.count }, licensedTensors: accounted.licensed,
            unusedTensors: accounted.unused, weightsSHA256: hash)
    }

    private struct Accounted {
        var needed: [(tensor: CheckpointLayout.Tensor, value: PickleValue)] = []
        var licensed: [String] = []
        var unused: [String] = []
    }

    private func account() throws(ModelError) -> Accounted {
        var accounted = Accounted()
        var wanted = Dictionary(uniqueKeysWithValues: layout.tensors.map { ($0.name, $0) })
        var misshapen: [String] = []
        var unknown: [String] = []
        // Without the prefix nothing tells what stands beside the network.
        let isPrefixed = state.entries.contains(where: \.hadPrefix)
        for entry in state.entries {
            let name = entry.name
            let shape = state.file.shape(of: entry.value) ?? []
            if let tensor = wanted.removeValue(forKey: name) {
                if shape == tensor.shape {
                    accounted.needed.append((tensor, entry.value))
                } else {
                    misshapen.append("\(name) \(shape) instead of \(tensor.shape)")
                }
            } else if layout.licensedPrefixes.contains(where: { name.hasPrefix($0) }) {
                accounted.licensed.append(name)
            } else if let unused = layout.unused.first(where: {
                $0.holds(name, hadPrefix: entry.hadPrefix || !isPrefixed, isSingle: shape.allSatisfy { $0 == 1 })
            }) {
                accounted.unused.append("\(name) (\(unused.reason))")
            } else {
                unknown.append(name)
            }
        }
        var faults: [String] = []
        if !wanted.isEmpty { faults.append("lacks \(Self.listed(wanted.keys.sorted()))") }
        if !misshapen.isEmpty { faults.append("has other shapes: \(Self.listed(misshapen))") }
        if !unknown.isEmpty { faults.append("also holds \(Self.listed(unknown))") }
        guard faults.isEmpty else {
            throw ModelError(
                .unusableFile,
                "\(path) looks like \(layout.title), but \(faults.joined(separator: "; ")). Nothing was written. Give the "
                    + "released file, or one with exactly its tensors.")
        }
        return accounted
    }

    private static func listed(_ names: [String]) -> String {
        let shown = names.prefix(namesShownMax).joined(separator: ", ")
        return names.count > namesShownMax ? "\(shown) and \(names.count - namesShownMax) more" : shown
    }

    private func description(name: String, version: String, weightsSHA256: String) -> [UInt8] {
        let fileName = path.split(separator: "/").last.map(String.init) ?? path
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("version", .string(version)),
            .init("architecture", .string(layout.architecture)),
            .init("dims", .object(layout.dims.map { .init($0.name, .integer($0.value)) })),
            .init("precision", .string("float32")), .init("conditioning", .string(layout.conditioning)),
            .init("body", .string("smpl-29")), .init("rotation_layout", .string(layout.rotationLayout)),
        ]
        if let graph = layout.graph { members.append(.init("graph", graph)) }
        members += [
            .init("weights_sha256", .string(weightsSHA256)),
            .init(
                "training",
                .object([
                    .init("data", .string("imported from \(fileName), SHA-256 \(digest)")),
                    .init("licence", .string(layout.licence)),
                ])),
        ]
        return Array((JSONValue.object(members).encoded() + "\n").utf8)
    }

    private func install(
        json: [UInt8], weights: [UInt8], name: String, version: String, repository: String
    ) throws(ModelError) {
        let files = FileManager.default
        let folder = "\(repository)/\(name)/\(version)"
        guard !files.fileExists(atPath: folder) else {
            throw ModelError(
                .unusableFile, "\(folder) is there already; give another --version, or remove the folder first")
        }
        // The dot keeps a listing of the repository from seeing it.
        let staging = "\(repository)/.import-\(digest.prefix(16))"
        let staged = "\(staging)/\(name)/\(version)"
        defer { try? files.removeItem(atPath: staging) }
        do {
            try files.createDirectory(atPath: staged, withIntermediateDirectories: true)
            try AtomicFile.write(weights, to: "\(staged)/weights.safetensors")
            try AtomicFile.write(json, to: "\(staged)/model.json")
        } catch {
            throw ModelError(.unusableFile, "the model was not written to \(repository): \(error)")
        }
        _ = try ModelRepository(path: staging).load("\(name)/\(version)")
        do {
            try files.createDirectory(atPath: "\(repository)/\(name)", withIntermediateDirectories: true)
            try files.moveItem(atPath: staged, toPath: folder)
        } catch {
            throw ModelError(.unusableFile, "the model was not written to \(folder): \(error)")
        }
    }
}
