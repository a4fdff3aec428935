internal import ArgumentParser
internal import FoundationEssentials
internal import SinewArrayFiles
internal import SinewFormats
internal import SinewKernels
internal import SinewModels

/// `sinew eval`: the accuracy of models on motion that one holds.
struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval", abstract: "Compare the accuracy and speed of models on clips of motion.",
        discussion: """
            People are drawn from the frames of the clips, with a random shape and heading, and seen as a detector might see them: \
            preset clean (exact), standard (noise that grows to the ends of the limbs) and occlusion (limbs lost as well). Every \
            model sees the same people; the same seed gives the same figures. The page (-o) shows error over noise, error over \
            time, and which joints suffer where one is lost. Use clips that no model was trained on.
            """)

    @Argument(help: "A folder of clips in AMASS's .npz layout, or single clips.")
    var clips: [String]

    @Option(name: .long, help: "A model, NAME or NAME/VERSION; repeat it for several (default: hybrik, mlp-ik, niki).")
    var model: [String] = []

    @Option(name: .long, help: "clean, standard or occlusion; repeat it for several (default: all).")
    var preset: [String] = []

    @Option(name: .long, help: "Of a folder, only the clips that this JSON file lists under \"validation\".")
    var split: String?

    @Option(name: .long, help: "People per preset.")
    var samples = 6000

    @Option(name: .long, help: "Seed of people and noise.")
    var seed: UInt64 = 20_260_101

    @Option(
        name: [.short, .customLong("output")],
        help: "Where to write the page (.html); the figures go beside it (.json).")
    var output: String?

    @Flag(
        name: .long, help: "Ask a broker instead of solving in this process; times are then those of the whole fleet.")
    var service = false

    @Option(name: .long, help: "The folder of models (default: those that ship with sinew).")
    var models: String?

    @OptionGroup var client: ClientOptions
    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(samples) else {
            throw ValidationError("--samples must be 1…1000000, not \(samples)")
        }
        if let wrong = preset.first(where: { NoisePreset(rawValue: $0) == nil }) {
            throw ValidationError("--preset '\(wrong)' is not known; use clean, standard or occlusion")
        }
        if service, models != nil {
            throw ValidationError("--models is for solving here; a broker's workers have their own")
        }
    }

    func run() async throws {
        if let output { try OutputPath.check(output, endingWith: ".html") }
        let poses = try readPoses()
        var plan = EvaluationRun.Plan()
        plan.samples = samples
        plan.seed = seed
        plan.measuresPlots = output != nil
        if !preset.isEmpty { plan.presets = preset.compactMap(NoisePreset.init) }
        let result = try await interruptible { [plan] in
            guard service else {
                let repository = ModelRepository(path: models)
                let solvers = try names.map { EvaluationSolver(local: try repository.load($0)) }
                return try await measure(plan, solvers, poses)
            }
            return try await client.withClient { client in
                let solvers = names.map { EvaluationSolver(client: client, model: $0, deadline: .seconds(60)) }
                return try await measure(plan, solvers, poses)
            }
        }
        let report = EvaluationReport(result: result)
        if let output {
            try AtomicFile.write(Array(report.html.utf8), to: output)
            try AtomicFile.write(
                Array((try JSONOutput.text(result) + "\n").utf8), to: String(output.dropLast(5)) + ".json")
        }
        if options.json { return try JSONOutput.print(result) }
        for line in report.table.lines(style: .data) { StandardStreams.data(line) }
        StandardStreams.talk(
            "\(samples) people per preset from \(result.poses) frames, seed \(seed); \(result.machine)")
    }

    private var names: [String] { model.isEmpty ? ["hybrik", "mlp-ik", "niki"] : model }

    private func measure(
        _ plan: EvaluationRun.Plan, _ solvers: [EvaluationSolver], _ poses: [Float]
    ) async throws -> EvaluationResult {
        let run = EvaluationRun(plan: plan, solvers: solvers, poses: poses, bodies: try .shared())
        var bar = ProgressBar(total: run.partCount, unit: "parts")
        defer { bar.clear() }
        var result = try await run.measure { bar.draw(done: $0, failed: 0) }
        result.machine = service ? "times of the whole fleet" : "one thread, \(ISA.selected.rawValue) kernels"
        return result
    }

    /// All frames, one after the other, clips by name.
    private func readPoses() throws -> [Float] {
        var paths: [String] = []
        let files = FileManager.default
        for path in clips {
            var isFolder = false
            guard files.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw CommandFailure(.noInput, "\(path) does not exist; give a folder of .npz clips, or clips")
            }
            if !isFolder {
                paths.append(path)
                continue
            }
            let names = try files.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".npz") }.sorted()
            paths += try chosen(names, of: path).map { "\(path)/\($0)" }
        }
        let poses = try paths.flatMap { try PoseClip.read(path: $0).theta }
        guard !poses.isEmpty else {
            throw CommandFailure(.noInput, "there is no .npz clip in \(clips.joined(separator: ", "))")
        }
        return poses
    }

    /// Of a folder's clips those that the split keeps for validation.
    private func chosen(_ names: [String], of folder: String) throws -> [String] {
        guard let split else { return names }
        let json = try JSONValue.parse(try FileContents.read(split)[...], name: split)
        guard let listed = json["validation"]?.array?.compactMap(\.string), !listed.isEmpty else {
            throw CommandFailure(.badData, "\(split) has no list \"validation\" of clip names")
        }
        for name in listed where !names.contains("\(name).npz") && !names.contains(name) {
            throw CommandFailure(.noInput, "\(split) lists \(name), which is not in \(folder)")
        }
        return names.filter { listed.contains($0) || listed.contains(String($0.dropLast(4))) }
    }
}
