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
                "The errors are those that were measured when the model was exported, on clips it was not trained on.")

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
                "weights",
            ])
            for model in summaries {
                let errors = ["clean", "standard", "occlusion"].map { preset in
                    model.evaluation.first { $0.preset == preset }.map { fixed($0.paMpjpeMm, 1) } ?? ""
                }
                let dims = [model.hidden, model.couplings].map { $0 > 0 ? "\($0)" : "" }
                let weights = model.weightsSha256.isEmpty ? "none" : String(model.weightsSha256.prefix(12))
                table.add(["\(model.name)/\(model.version)", model.architecture] + dims + errors + [weights])
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
    }
    let name, version, architecture: String
    let couplings, hidden: Int
    let conditioning, weightsSha256, trainingData, licence, acknowledgement: String
    let evaluation: [Evaluation]

    init(_ model: ModelDescription) {
        name = model.name
        version = model.version
        architecture = model.architecture.name
        couplings = model.couplings
        hidden = model.hidden
        conditioning = model.conditioning.rawValue
        weightsSha256 = model.weightsSHA256
        trainingData = model.trainingData
        licence = model.licence
        acknowledgement = model.acknowledgement
        evaluation = model.evaluations.map {
            Evaluation(
                preset: $0.preset, mpjpeMm: $0.mpjpeMillimetres, paMpjpeMm: $0.paMPJPEMillimetres,
                geRad: $0.geodesicRadians)
        }
    }
}

/// A model that workers have ready, as it is printed.
struct ReadyModel: Encodable {
    let name, version, architecture, weightsSha256: String
    let workers: UInt32
}
