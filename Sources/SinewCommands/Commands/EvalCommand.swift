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

            --benchmark clips solves stretches of the clips frame after frame, for models that see time, and adds the acceleration \
            error; effectors gives positions, orientations and look-at targets of some joints instead of joints; shapes changes \
            shape and gender while the effectors stay, and says how far they are missed; recovery chooses up to six effectors of \
            each pose, one by one, and says how near the model then comes (to a thirtieth of the people, in this process).
            """)

    @Argument(help: "A folder of clips in AMASS's .npz layout, or single clips.")
    var clips: [String]

    @Option(name: .long, help: "poses, clips, effectors, shapes or recovery; repeat it for several (default: poses).")
    var benchmark: [String] = []

    @Option(
        name: .long,
        help: """
            A model, NAME or NAME/VERSION; NAME+refineN with N Gauss-Newton steps behind it, NAME+learnable-smplify with a model \
            behind it that starts from its answers. Repeat it for several (default: hybrik, mlp-ik, niki for poses; hybrik, niki, \
            niki-temporal, learnable-smplify for clips; smpl-ik, smpl-ik+refine10 for effectors).
            """)
    var model: [String] = []

    @Option(name: .long, help: "clean, standard or occlusion; repeat it for several (default: all).")
    var preset: [String] = []

    @Option(name: .long, help: "Of a folder, only the clips that this JSON file lists under \"validation\".")
    var split: String?

    @Option(name: .long, help: "People per preset; of clips, frames at most.")
    var samples = 6000

    @Option(name: .long, help: "Frames in a row of each person, for --benchmark clips.")
    var clipFrames = 150

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

    @Option(name: .long, help: "Hold the weights in float32, bfloat16 or int8, whatever the models say.")
    var precision: PrecisionOption?

    @OptionGroup var client: ClientOptions
    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(samples) else {
            throw ValidationError("--samples must be 1…1000000, not \(samples)")
        }
        guard (3...100_000).contains(clipFrames) else {
            throw ValidationError("--clip-frames must be 3…100000, not \(clipFrames)")
        }
        if let wrong = benchmark.first(where: { EvaluationRun.Benchmark(rawValue: $0) == nil }) {
            throw ValidationError(
                "--benchmark '\(wrong)' is not known; use poses, clips, effectors, shapes or recovery")
        }
        if let wrong = preset.first(where: { NoisePreset(rawValue: $0) == nil }) {
            throw ValidationError("--preset '\(wrong)' is not known; use clean, standard or occlusion")
        }
        if service, benchmark.contains(EvaluationRun.Benchmark.recovery.rawValue) {
            throw ValidationError("--benchmark recovery is solved here; leave --service out")
        }
        if service, let option = models.map({ _ in "--models" }) ?? precision.map({ _ in "--precision" }) {
            throw ValidationError("\(option) is for solving here; a broker's workers have their own")
        }
    }

    func run() async throws {
        if let output { try OutputPath.check(output, endingWith: ".html") }
        let clips = try readClips()
        let plan = plan
        let chains = try names(for: plan.benchmarks).map { try SolverChain($0) }
        let result = try await interruptible {
            guard service else {
                let repository = ModelRepository(path: models)
                let solvers = try chains.map {
                    try EvaluationSolver(local: $0) { try repository.load($0, precision: precision?.precision) }
                }
                return try await measure(plan, solvers, clips)
            }
            return try await client.withClient { client in
                return try await measure(plan, try await EvaluationSolver.behind(client, chains), clips)
            }
        }
        let report = EvaluationReport(result: result)
        if let output {
            try AtomicFile.write(Array(report.html.utf8), to: output)
            try AtomicFile.write(
                Array((try JSONOutput.text(result) + "\n").utf8), to: String(output.dropLast(5)) + ".json")
        }
        if options.json { return try JSONOutput.print(result) }
        for (index, section) in report.sections.enumerated() {
            if index > 0 { StandardStreams.data("") }
            StandardStreams.talk("\(section.title): \(section.note)")
            for line in section.table.lines(style: .data) { StandardStreams.data(line) }
        }
        StandardStreams.talk("clips of \(result.poses) frames, seed \(seed); \(result.machine)")
    }

    private var plan: EvaluationRun.Plan {
        var plan = EvaluationRun.Plan()
        plan.samples = samples
        plan.clipFrames = clipFrames
        plan.seed = seed
        plan.measuresPlots = output != nil
        if !benchmark.isEmpty { plan.benchmarks = benchmark.compactMap(EvaluationRun.Benchmark.init) }
        if !preset.isEmpty { plan.presets = preset.compactMap(NoisePreset.init) }
        return plan
    }

    /// The models asked for, or those that the benchmarks are made for.
    private func names(for benchmarks: [EvaluationRun.Benchmark]) -> [String] {
        guard model.isEmpty else { return model }
        var names: [String] = []
        for benchmark in benchmarks {
            let usual =
                switch benchmark {
                case .poses: ["hybrik", "mlp-ik", "niki"]
                case .clips: ["hybrik", "niki", "niki-temporal", "learnable-smplify"]
                case .effectors, .shapes: ["smpl-ik", "smpl-ik+refine10"]
                case .recovery: ["smpl-ik"]
                }
            names += usual.filter { !names.contains($0) }
        }
        return names
    }

    private func measure(
        _ plan: EvaluationRun.Plan, _ solvers: [EvaluationSolver], _ clips: [[Float]]
    ) async throws -> EvaluationResult {
        let needsEffectors = plan.benchmarks.contains { $0 == .effectors || $0 == .shapes }
        let recovers = plan.benchmarks.contains(.recovery)
        guard !needsEffectors || solvers.contains(where: { $0.reach != nil }),
            !recovers || solvers.contains(where: { $0.recover != nil })
        else {
            throw CommandFailure(
                .usage,
                "none of \(solvers.map(\.name).joined(separator: ", ")) takes effectors\(recovers ? " and refines nothing" : ""); "
                    + "add --model smpl-ik")
        }
        let run = EvaluationRun(plan: plan, solvers: solvers, clips: clips, bodies: try .shared())
        var bar = ProgressBar(total: run.partCount, unit: "parts")
        defer { bar.clear() }
        var result = try await run.measure { bar.draw(done: $0, failed: 0) }
        let held = precision.map { ", weights in \($0.rawValue)" } ?? ""
        result.machine = service ? "times of the whole fleet" : "one thread, \(ISA.selected.rawValue) kernels\(held)"
        return result
    }

    /// The frames of each clip, clips by name.
    private func readClips() throws -> [[Float]] {
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
        guard !paths.isEmpty else {
            throw CommandFailure(.noInput, "there is no .npz clip in \(clips.joined(separator: ", "))")
        }
        return try paths.map { try PoseClip.read(path: $0).theta }
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
