internal import SinewArrayFiles

/// A folder of models, `<name>/<version>/{model.json, weights.safetensors}`, and the solvers that need no folder.
///
/// - Note: weights are checked against the SHA-256 of `model.json` before they are parsed, and must fit the architecture exactly.
public struct ModelRepository: Sendable {
    /// The folder; messages name it.
    public let path: String

    /// Opens a repository.
    ///
    /// - Parameter path: the folder, or nil for the models that ship with the package.
    public init(path: String? = nil) { self.path = path ?? Self.bundledPath }

    /// Everything that can be loaded, by name and version; solvers that need no folder first.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` when the folder is not there or a `model.json` cannot be read.
    public func list() throws(ModelError) -> [ModelDescription] {
        guard let names = FolderListing.names(in: path) else {
            throw ModelError(
                .unusableFile,
                "the model repository \(path) cannot be read: there is no such folder. Give the folder that holds "
                    + "<name>/<version>/model.json.")
        }
        var found = Self.builtIn
        for name in names {
            for version in versions(of: name) {
                let folder = "\(path)/\(name)/\(version)"
                let description = try ModelFiles.description(in: folder)
                guard description.name == name, description.version == version else {
                    throw ModelError(
                        .unusableFile,
                        "\(folder)/model.json describes \(description.identity), but its folder says \(name)/\(version). "
                            + "Rename the folder or correct \"name\" and \"version\".")
                }
                found.append(description)
            }
        }
        return found
    }

    /// Loads a model: reads its files, checks them, and packs the weights for this machine.
    ///
    /// - Parameter name: `name/version`, or `name` for its highest version; `hybrik` and `smplify` are built in.
    /// - Parameter precision: holds the weights in this precision instead of the one that `model.json` names, which the model's
    ///   description then says; solvers without weights have no use for it. What it costs stands in
    ///   ``ModelDescription/precisionCosts``.
    /// - Throws: ``ModelError/Reason/unknownModel`` with the known names, ``ModelError/Reason/unusableFile`` for
    ///   files that are missing, damaged or not what they claim.
    /// - Cost: one pass over the weights for the hash, one to pack them.
    public func load(
        _ name: String, precision: ModelDescription.Precision? = nil
    ) throws(ModelError) -> any PoseModel {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, parts.allSatisfy(Self.isName) else { throw unknown(name) }
        if let solver = Self.builtIn.first(where: { $0.name == parts[0] }) {
            guard parts.count == 1 || parts[1] == solver.version else { throw unknown(name) }
            if case .smplify(let method) = solver.architecture {
                return try SMPLifyModel(bodies: .shared(), method: method)
            }
            return HybrIKModel(bodies: try .shared(), variant: solver.name == "hybrik" ? .adaptive : .naive)
        }
        let versions = versions(of: parts[0])
        guard let version = parts.count == 2 ? versions.first(where: { $0 == parts[1] }) : versions.last else {
            throw unknown(name)
        }
        let files = try ModelFiles(folder: "\(path)/\(parts[0])/\(version)", precision: precision)
        guard files.description.name == parts[0], files.description.version == version else {
            throw ModelError(
                .unusableFile,
                "\(path)/\(parts[0])/\(version)/model.json describes \(files.description.identity). "
                    + "Rename the folder or correct \"name\" and \"version\".")
        }
        switch files.description.architecture {
        case .niki(let flow): return try NIKIModel(flow, files, bodies: .shared())
        case .nikiTemporal: return try NIKITemporalModel(files, base: base(of: files.description))
        case .mlpIK: return try MLPIKModel(files, bodies: .shared())
        case .smplIK: return try SMPLIKModel(files, bodies: .shared())
        case .learnableSMPLify: return try LearnableSMPLifyModel(files, bodies: .shared())
        case .analytic, .smplify: throw unknown(name)
        }
    }

    /// The static network that a temporal model was trained around.
    private func base(of temporal: ModelDescription) throws(ModelError) -> NIKIModel {
        let wanted = temporal.base?.model ?? ""
        // One that refines another would be loaded round and round.
        guard try list().contains(where: { $0.identity.description == wanted && $0.base == nil })
        else { throw unknown(wanted) }
        let model = try load(wanted, precision: temporal.precision)
        guard let base = model as? NIKIModel, base.identity.weightsSHA256 == temporal.base?.weightsSHA256,
            base.description.conditioning == temporal.conditioning
        else {
            throw ModelError(
                .unusableFile,
                "\(temporal.identity) refines \(wanted), but the \(model.identity) in \(path) is not the NIKI model it was trained "
                    + "around: architecture, conditioning or weights differ. Copy both models from one repository.")
        }
        return base
    }

    /// The solvers that need no file of the repository.
    private static let builtIn: [ModelDescription] =
        [builtIn("hybrik", .analytic), builtIn("hybrik-naive", .analytic)]
        + SMPLifyModel.Method.allCases.map {
            builtIn(
                $0.rawValue, .smplify($0), trainingData: PosePrior.trainingData, licence: PosePrior.licence,
                acknowledgement: PosePrior.acknowledgement)
        }

    private static func builtIn(
        _ name: String, _ architecture: ModelDescription.Architecture, trainingData: String = "", licence: String = "",
        acknowledgement: String = ""
    ) -> ModelDescription {
        ModelDescription(
            name: name, version: "1", architecture: architecture, couplings: 0, hidden: 0, blocks: 0, embedding: 0,
            reach: 0, base: nil, graph: nil, conditioning: .none, precision: .float32, weightsSHA256: "",
            trainingData: trainingData, licence: licence, acknowledgement: acknowledgement, evaluations: [])
    }

    /// The versions of a model that have a `model.json`, lowest first; numbers compare as numbers.
    private func versions(of name: String) -> [String] {
        let folders = FolderListing.names(in: "\(path)/\(name)") ?? []
        return folders.filter { Self.isName($0) && FolderListing.names(in: "\(path)/\(name)/\($0)") != nil }
            .sorted { (Int($0) ?? -1, $0) < (Int($1) ?? -1, $1) }
    }

    private func unknown(_ name: String) -> ModelError {
        let known: String
        do throws(ModelError) { known = try list().map(\.identity.description).joined(separator: ", ") } catch {
            // The folder itself is the trouble, and its message says what to do.
            return error
        }
        return ModelError(
            .unknownModel, "there is no model \"\(name)\" in \(path). Known models: \(known).")
    }

    /// Letters, digits, dot, dash and underscore, no dot first: nothing that leads out of the folder.
    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "."), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// The models that ship with the package.
    private static var bundledPath: String {
        let folders = BundledResource.places(of: "models", target: "SinewModels")
        return folders.first { FolderListing.names(in: $0) != nil } ?? folders[0]
    }
}
