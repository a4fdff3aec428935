internal import ArgumentParser
internal import SinewClient
internal import SinewCore
internal import SinewFormats
internal import SinewKernels
internal import SinewModels

/// `sinew solve`: joints of a file in, poses of a file out.
struct SolveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solve", abstract: "Solve the observed joints of a file, or effectors, and write the poses.",
        discussion: """
            Input: .npz or .jsonl with joints3d (N,J,3) or (T,P,J,3) and, where known, skeleton, sigma or confidence, \
            twist, betas, gender, unit, up_axis, fps, track; TRC; EasyMocap, OpenPose (folders, too), COCO, AlphaPose and MMPose JSON \
            with 3D; the joints of BVH, ASF/AMC and glTF rigs. Output: AMASS's .npz layout (poses, trans, betas, gender, \
            mocap_framerate) and a measure of quality per frame, or .bvh, with one file for each track; .jsonl or COCO's .json with all. \
            The output appears once it is complete. Instead of a file, effectors may be given: places, rotations and look-at targets of some joints, \
            as options or by --effectors (see there). Rows that cannot be solved are listed, are zero in the output, and make the exit status 3.
            """)

    @Argument(help: "The file of observed joints; none with effectors.")
    var input: String?

    @Option(
        name: [.short, .customLong("output")],
        help: "Where to write the poses (.npz, .jsonl, .bvh, .json for COCO), or a picture of them (.html, .glb, .png)."
    )
    var output: String

    @Option(
        name: .long,
        help: "The model, NAME or NAME/VERSION; sinew model list shows them (default: niki, smpl-ik for effectors).")
    var model: String?

    @Option(name: .long, help: "Gauss-Newton steps on the residual after the model, 0…64.")
    var refine = 0

    @Flag(name: .long, help: "Solve in this process instead of asking a broker.")
    var local = false

    @Option(name: .long, help: "With --local: the folder of models (default: those that ship with sinew).")
    var models: String?

    @Option(name: .long, help: "With --local: threads (default: what the process may use).")
    var threads: Int?

    @Flag(name: .long, help: "With --local: pin each thread to a processor.")
    var pin = false

    @Option(
        name: .long,
        help: "With --local: how the weights are held: float32, bfloat16, int8 (default: what model.json says).")
    var precision: PrecisionOption?

    @Option(name: .long, help: "With --local: the strongest instruction set to use.")
    var isaMax: ISAOption?

    @Option(name: .long, help: "Seconds that each call of up to 64 rows may take.")
    var deadline = 30.0

    @Option(
        name: .long,
        help: "Poses to start from (.npz as sinew solve writes it), for learnable-smplify; again for each person.")
    var start: [String] = []

    @OptionGroup var joints: JointFileOptions
    @OptionGroup var clips: ClipOptions
    @OptionGroup var effectors: EffectorOptions
    @Flag(name: .long, help: "Print how long each stage of the slowest call took, and of all calls on average.")
    var trace = false

    @OptionGroup var tracing: TraceOptions
    @OptionGroup var client: ClientOptions
    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (input == nil) == effectors.isGiven else {
            throw ValidationError(
                input == nil
                    ? "give a file of observed joints, or effectors (--effector, --rotate, --look-at, --effectors)"
                    : "give either a file of observed joints or effectors, not both")
        }
        if effectors.isGiven,
            let option = joints.given ?? clips.given ?? (start.isEmpty ? nil : "--start")
        {
            throw ValidationError(
                "\(option) is for a file of joints; effectors are in metres, y up, and start from nothing")
        }
        guard deadline > 0, deadline <= 86_400 else {
            throw ValidationError("--deadline must be a number of seconds above 0")
        }
        let refineStepsMax = Limits().refineStepsMax
        guard (0...refineStepsMax).contains(refine) else {
            throw ValidationError("--refine must be 0…\(refineStepsMax) steps, not \(refine)")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads must be 1…1024, not \(threads)")
        }
        let onlyLocal =
            models.map { _ in "--models" } ?? threads.map { _ in "--threads" } ?? precision.map { _ in "--precision" }
            ?? (pin ? "--pin" : nil)
        guard !local || (!trace && tracing.traceparent == nil) else {
            throw ValidationError("\(trace ? "--trace" : "--traceparent") is for calls to a broker; leave out --local")
        }
        if !local, let option = onlyLocal {
            throw ValidationError("\(option) is for --local; a broker's workers have their own")
        }
    }

    func run() async throws {
        let destination = try PoseDestination(checking: output)
        if let path = input {
            let input = try clips.processing.applied(to: PoseInput.read(path: path, options: try joints.reading()))
            let startTheta = try startPoses(for: input)
            try await finish(input, to: destination, observed: input) { try await solve(input, startTheta) }
        } else {
            let input = try effectors.input()
            try await finish(input, to: destination, observed: nil) { try await solve(input) }
        }
    }

    /// Solves, writes the poses, and reports.
    private func finish(
        _ input: some SolvableInput, to destination: PoseDestination, observed: PoseInput?,
        _ solve: @escaping @Sendable () async throws -> SolvedRows
    ) async throws {
        for note in input.notes { StandardStreams.talk("note: \(note)") }
        let clock = ContinuousClock()
        let start = clock.now
        let solved = try await interruptible(solve)
        let failures = solved.failures.sorted { $0.row < $1.row }
        guard failures.count < input.count else {
            throw CommandFailure(
                .badData,
                "none of the \(input.count) rows of \(input.path) could be solved; the first: "
                    + "\(input.places[0]): \(failures[0].message). No output was written")
        }
        let paths = try destination.write(solved.output(for: input), observed: observed, titled: input.path)
        let summary = SolveSummary(input: input, solved: solved, outputs: paths, seconds: seconds(clock.now - start))
        if options.json {
            try JSONOutput.print(summary)
        } else {
            StandardStreams.talk(summary.line)
            for line in Waterfall(solved.calls).lines(style: .data) { StandardStreams.data(line) }
        }
        try report(failures, of: input)
    }

    private func startPoses(for input: PoseInput) throws -> [Float]? {
        guard !start.isEmpty else { return nil }
        let theta = try StartPoses.read(paths: start, for: input)
        let count = (0..<input.count).count { !theta[$0 * 72].isNaN }
        StandardStreams.talk("note: \(count) of \(input.count) rows start from a given pose")
        return theta
    }

    private func solve(_ input: PoseInput, _ startTheta: [Float]?) async throws -> SolvedRows {
        var bar = ProgressBar(total: input.count, unit: "rows")
        defer { bar.clear() }
        let progress = { (solved: SolvedRows) in bar.draw(done: solved.doneCount, failed: solved.failures.count) }
        let model = model ?? "niki"
        if local {
            var solver = try localSolver(model)
            guard startTheta == nil || solver.model.isSequential else {
                throw ValidationError(
                    "--start is for models that turn a pose towards the joints, and \(solver.model.identity) starts from none; "
                        + "leave it out or type --model learnable-smplify")
            }
            solver.startTheta = startTheta
            return try await solver.solve(input, progress: progress)
        }
        let tracing = tracing.tracing(wantsTimings: trace)
        return try await client.withClient { client in
            let architectures = try await architectures(of: model, client)
            let solver = ServiceSolver(
                client: client, model: model, refine: refine, deadline: .seconds(deadline), tracing: tracing,
                isSequential: architectures.contains(where: ModelDescription.Architecture.isSequential(named:)),
                seesWholeTracks: architectures.contains(where: ModelDescription.Architecture.seesWholeTracks(named:)),
                startTheta: startTheta)
            return try await solver.solve(input, progress: progress)
        }
    }

    /// The architectures of the service's models of that name.
    private func architectures(of model: String, _ client: Client) async throws -> [String] {
        let ready = try await client.listModels(deadline: .seconds(deadline))
        return ready.filter { $0.model.name == model || "\($0.model.name)/\($0.model.version)" == model }
            .map(\.model.architecture)
    }

    private func solve(_ input: EffectorInput) async throws -> SolvedRows {
        var bar = ProgressBar(total: input.count, unit: "poses")
        defer { bar.clear() }
        let model = model ?? "smpl-ik"
        let progress = { (solved: SolvedRows) in bar.draw(done: solved.doneCount, failed: solved.failures.count) }
        if local { return try await localSolver(model).solve(input, progress: progress) }
        let tracing = tracing.tracing(wantsTimings: trace)
        return try await client.withClient { client in
            try await ServiceSolver(
                client: client, model: model, refine: refine, deadline: .seconds(deadline), tracing: tracing
            ).solve(input, progress: progress)
        }
    }

    private func localSolver(_ model: String) throws -> LocalSolver {
        if let isaMax { ISA.limit(to: isaMax.isa) }
        let allowance = ProcessorAllowance.current
        return LocalSolver(
            model: try ModelRepository(path: models).load(model, precision: precision?.precision), refine: refine,
            threads: threads ?? allowance.threadCount, processors: pin ? allowance.processors : [])
    }

    private func report(_ failures: [SolvedRows.Failure], of input: some SolvableInput) throws {
        guard !failures.isEmpty else { return }
        let shown = 20
        for failure in failures.prefix(shown) {
            StandardStreams.talk("\(input.path), \(input.places[failure.row]): \(failure.message)")
        }
        if failures.count > shown { StandardStreams.talk("… and \(failures.count - shown) more") }
        throw CommandFailure(
            .someItemsFailed,
            "\(failures.count) of \(input.count) rows could not be solved; "
                + "they are zero in the output, with solved = 0")
    }
}

/// What `sinew solve` did.
struct SolveSummary: Encodable {
    let input: String
    let outputs: [String]
    let rows: Int
    let tracks: Int
    let failedRows: [Int]
    let model: String
    let solvers: [String]
    let seconds: Double
    let meanJointResidualMm: Double
    /// Rows whose start pose was kept because it fits better than the answer.
    let keptStarts: Int
    /// Rows where the person was lost and the solver began anew.
    let restarts: Int
    let notes: [String]
    /// With --trace.
    let trace: TraceReport?

    init(input: some SolvableInput, solved: SolvedRows, outputs: [String], seconds: Double) {
        self.input = input.path
        self.outputs = outputs
        rows = input.count
        tracks = input.trackNames.count
        failedRows = solved.failures.map(\.row).sorted()
        model = solved.model
        solvers = solved.solvers.sorted()
        self.seconds = seconds
        let sum = solved.solutions.jointResidualMillimetres.reduce(0) { $0 + Double($1) }
        meanJointResidualMm = sum / Double(max(1, input.count - failedRows.count))
        keptStarts = solved.solutions.outcome.count { $0 == .startKept }
        restarts = solved.solutions.outcome.count { $0 == .restarted }
        notes = input.notes
        trace = solved.calls.isEmpty ? nil : TraceReport(solved.calls)
    }

    var line: String {
        var failed = failedRows.isEmpty ? "" : ", \(failedRows.count) failed"
        if keptStarts > 0 { failed += ", \(keptStarts) kept their start pose" }
        if restarts > 0 { failed += ", \(restarts) begun anew" }
        return
            "\(outputs.joined(separator: " ")): \(rows) rows\(failed), \(model) by \(solvers.joined(separator: ", ")), "
            + "\(fixed(seconds, 2)) s, mean joint residual \(fixed(meanJointResidualMm, 1)) mm"
    }
}
