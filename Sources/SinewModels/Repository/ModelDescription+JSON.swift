internal import SinewArrayFiles

extension ModelDescription {
    /// The largest dims that are believed; a larger figure in a file is a mistake or an attack on memory.
    private static let hiddenMax = 8192
    private static let couplingsMax = 128
    private static let blocksMax = 64
    private static let reachMax = 256

    /// Parses `model.json`.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - path: what messages call it.
    /// - Throws: ``ModelError/Reason/unusableFile`` naming the file and the field.
    package init(json bytes: [UInt8], path: String) throws(ModelError) {
        let json: JSONValue
        do throws(ArrayFileError) { json = try JSONValue.parse(bytes[...], name: path) } catch {
            throw ModelError(.unusableFile, error.message)
        }
        let fields = Fields(json: json, path: path)
        let architectureName = try fields.text("architecture")
        guard let architecture = Architecture.onDisk.first(where: { $0.name == architectureName }) else {
            throw fields.unknown("architecture", architectureName, known: Architecture.onDisk.map(\.name))
        }
        let conditioningName = try fields.text("conditioning")
        guard let conditioning = Conditioning(rawValue: conditioningName) else {
            throw fields.unknown("conditioning", conditioningName, known: Conditioning.allCases.map(\.rawValue))
        }
        let fitting = architecture.conditionings
        guard fitting.contains(conditioning) else {
            throw fields.wrong(
                "conditioning",
                "is \"\(conditioningName)\", which \(architectureName) cannot have; it has "
                    + fitting.map(\.rawValue).joined(separator: " or "))
        }
        let layoutName = architecture == .learnableSMPLify ? "interleaved" : "rows"
        for (field, known) in [("body", "smpl-29"), ("rotation_layout", layoutName)] {
            let value = try fields.text(field)
            guard value == known else { throw fields.unknown(field, value, known: [known]) }
        }
        let precisionName = try fields.text("precision")
        guard let precision = Precision(rawValue: precisionName) else {
            throw fields.unknown("precision", precisionName, known: Precision.allCases.map(\.rawValue))
        }
        let digest = try fields.text("weights_sha256")
        guard digest.utf8.count == 64, digest.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { throw fields.wrong("weights_sha256", "is not 64 lowercase hexadecimal digits") }
        name = try fields.text("name")
        version = try fields.text("version")
        self.architecture = architecture
        self.conditioning = conditioning
        self.precision = precision
        weightsSHA256 = digest
        switch architecture {
        case .smplIK:
            hidden = try fields.dim("width", in: 2...Self.hiddenMax)
            couplings = 0
            blocks = try fields.dim("blocks", in: 1...Self.blocksMax)
            embedding = try fields.dim("embedding", in: 1...Self.hiddenMax)
            (reach, base, graph) = (0, nil, nil)
        case .nikiTemporal:
            (hidden, couplings, blocks, embedding, graph) = (0, 0, 0, 0, nil)
            reach = try fields.dim("reach", in: 1...Self.reachMax)
            base = try fields.base()
        case .learnableSMPLify:
            hidden = try fields.dim("hidden", in: 1...Self.hiddenMax)
            couplings = try fields.dim("couplings", in: 0...0)
            (blocks, embedding, reach, base) = (0, 0, 0, nil)
            graph = try GraphLayout(json: json["graph"], complain: fields.wrong)
        case .niki, .mlpIK, .analytic, .smplify:
            hidden = try fields.dim("hidden", in: 1...Self.hiddenMax)
            couplings = try fields.dim("couplings", in: architecture == .mlpIK ? 0...0 : 1...Self.couplingsMax)
            (blocks, embedding, reach, base, graph) = (0, 0, 0, nil, nil)
        }
        trainingData = json["training"]?["data"]?.string ?? ""
        licence = json["training"]?["licence"]?.string ?? ""
        acknowledgement = json["training"]?["acknowledgement"]?.string ?? ""
        evaluations = Self.evaluations(json["evaluation"])
        precisionCosts = (json["precision_cost"]?.members ?? []).compactMap { member in
            Precision(rawValue: member.key).map {
                PrecisionCost(precision: $0, changes: Self.evaluations(member.value))
            }
        }
    }

    /// The presets of an object; members that are none are passed over.
    private static func evaluations(_ json: JSONValue?) -> [Evaluation] {
        (json?.members ?? []).compactMap { member in
            guard let mpjpe = member.value["mpjpe_mm"]?.double, let pa = member.value["pa_mpjpe_mm"]?.double,
                let geodesic = member.value["ge_rad"]?.double
            else { return nil }
            return Evaluation(
                preset: member.key, mpjpeMillimetres: mpjpe, paMPJPEMillimetres: pa, geodesicRadians: geodesic)
        }
    }

    /// The fields of the file, with errors that say where.
    private struct Fields {
        let json: JSONValue
        let path: String

        func text(_ name: String) throws(ModelError) -> String {
            guard let value = json[name] else { throw wrong(name, "is missing") }
            guard let text = value.string else { throw wrong(name, "is not text") }
            return text
        }

        func base() throws(ModelError) -> Base {
            guard let model = json["base"]?["model"]?.string, let digest = json["base"]?["weights_sha256"]?.string
            else { throw wrong("base", "does not name a \"model\" and its \"weights_sha256\"") }
            return Base(model: model, weightsSHA256: digest)
        }

        func dim(_ name: String, in range: ClosedRange<Int>) throws(ModelError) -> Int {
            guard let value = json["dims"]?[name]?.int, range.contains(value) else {
                throw wrong("dims.\(name)", "is not a whole number in \(range.lowerBound)…\(range.upperBound)")
            }
            return value
        }

        func wrong(_ name: String, _ what: String) -> ModelError {
            ModelError(.unusableFile, "\(path): \"\(name)\" \(what). Export or download the model again.")
        }

        func unknown(_ name: String, _ value: String, known: [String]) -> ModelError {
            wrong(name, "is \"\(value)\"; this version of Sinew knows \(known.joined(separator: ", "))")
        }
    }
}
