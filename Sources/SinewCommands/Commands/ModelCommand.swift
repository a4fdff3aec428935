internal import ArgumentParser
internal import SinewClient
internal import SinewModels

/// `sinew model`: what poses can be solved with.
struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "List, import and verify models.",
        subcommands: [List.self, Import.self, Verify.self])

    /// `sinew model list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the models of a folder, or those a broker's workers have ready.",
            discussion:
                """
                The errors are those that were measured when the model was exported, on clips it was not trained on. Below \
                bfloat16 and int8 stands by how many millimetres the PA-MPJPE changes at most when the weights are held so; \
                --json has all figures.
                """)

        @Option(name: .long, help: "The folder of models (default: those that ship with sinew).")
        var models: String?

        @Flag(name: .long, help: "Ask the broker which models its workers have ready.")
        var ready = false

        @OptionGroup var client: ClientOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            if ready { return try await listReady() }
            let summaries = try ModelRepository(path: models).list().map(ModelSummary.init)
            if output.json { return try JSONOutput.print(summaries) }
            var table = TextTable([
                "model", "architecture", "hidden", "couplings", "PA-MPJPE mm: clean", "standard", "occlusion",
                "bfloat16", "int8", "weights",
            ])
            for model in summaries {
                let errors = ["clean", "standard", "occlusion"].map { preset in
                    model.evaluation.first { $0.preset == preset }.map { fixed($0.paMpjpeMm, 1) } ?? ""
                }
                let dims = [model.hidden, model.couplings].map { $0 > 0 ? "\($0)" : "" }
                let weights = model.weightsSha256.isEmpty ? "none" : String(model.weightsSha256.prefix(12))
                let costs = ["bfloat16", "int8"].map { precision in
                    model.precisionCost.first { $0.precision == precision }?.largest ?? ""
                }
                table.add(["\(model.name)/\(model.version)", model.architecture] + dims + errors + costs + [weights])
            }
            for line in table.lines(style: .data) { StandardStreams.data(line) }
        }

        private func listReady() async throws {
            let ready = try await client.withClient { try await $0.listModels(deadline: .seconds(5)) }.map {
                available in
                ReadyModel(
                    name: available.model.name, version: available.model.version,
                    architecture: available.model.architecture, weightsSha256: available.model.weightsSHA256,
                    workers: available.workers)
            }
            if output.json { return try JSONOutput.print(ready) }
            var table = TextTable(["model", "architecture", "workers", "weights"])
            for model in ready {
                table.add([
                    "\(model.name)/\(model.version)", model.architecture, "\(model.workers)",
                    model.weightsSha256.isEmpty ? "none" : String(model.weightsSha256.prefix(12)),
                ])
            }
            for line in table.lines(style: .data) { StandardStreams.data(line) }
        }
    }
}

/// A model of a folder, as it is printed.
struct ModelSummary: Encodable {
    struct Evaluation: Encodable {
        let preset: String
        let mpjpeMm, paMpjpeMm, geRad: Double

        init(_ evaluation: ModelDescription.Evaluation) {
            preset = evaluation.preset
            mpjpeMm = evaluation.mpjpeMillimetres
            paMpjpeMm = evaluation.paMPJPEMillimetres
            geRad = evaluation.geodesicRadians
        }
    }
    struct PrecisionCost: Encodable {
        let precision: String
        let changes: [Evaluation]

        /// The largest change of PA-MPJPE, signed.
        var largest: String? {
            changes.map(\.paMpjpeMm).max { abs($0) < abs($1) }.map { ($0 < 0 ? "" : "+") + fixed($0, 2) }
        }
    }
    let name, version, architecture: String
    let couplings, hidden: Int
    let precision, conditioning, weightsSha256, trainingData, licence, acknowledgement: String
    let evaluation: [Evaluation]
    let precisionCost: [PrecisionCost]

    init(_ model: ModelDescription) {
        name = model.name
        version = model.version
        architecture = model.architecture.name
        couplings = model.couplings
        hidden = model.hidden
        precision = model.precision.rawValue
        conditioning = model.conditioning.rawValue
        weightsSha256 = model.weightsSHA256
        trainingData = model.trainingData
        licence = model.licence
        acknowledgement = model.acknowledgement
        evaluation = model.evaluations.map(Evaluation.init)
        precisionCost = model.precisionCosts.map {
            PrecisionCost(precision: $0.precision.rawValue, changes: $0.changes.map(Evaluation.init))
        }
    }
}

/// A model that workers have ready, as it is printed.
struct ReadyModel: Encodable {
    let name, version, architecture, weightsSha256: String
    let workers: UInt32
}
