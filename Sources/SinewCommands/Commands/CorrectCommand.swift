internal import ArgumentParser
internal import Glibc
internal import SinewClient
internal import SinewCore
internal import SinewFormats
internal import SinewModels

/// `sinew correct`: moves joints of solved frames and solves these frames again.
struct CorrectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correct", abstract: "Move joints of solved frames, and solve these frames again.",
        discussion: """
            sinew correct pose.npz --frame 120 --move left_wrist=0.4,1.1,0.3 -o corrected.npz: the wrist goes where it was moved to, the \
            elbow and shoulder follow, hand and fingers go along, and every other joint is held by its place (2 cm) and its turn \
            (0.1 rad). Joints moved in an earlier correction of the frame stay where they are. Where a place is out of the arm's reach the \
            body leans towards it. All other frames are copied. The output says which joints were moved and by what model: \
            corrected_joints and corrected_by of an .npz, correction of a line. sinew triage finds the frames that need it.
            """)

    @Argument(help: "Solved poses (.npz or .jsonl of sinew solve or sinew get).")
    var input: String

    @Option(name: [.short, .customLong("output")], help: "Where to write all poses (.npz or .jsonl).")
    var output: String

    @Option(name: .long, help: "The frame, by its number in the file.")
    var frame: Int?

    @Option(name: .long, help: "The track, in files of several.")
    var track: String?

    @Option(name: .long, help: "A joint's place: JOINT=X,Y,Z in metres, y up; again for each joint of the frame.")
    var move: [String] = []

    @Option(
        name: .long,
        help: """
            A file of corrections instead, one frame per line: {"frame": 120, "track": "anna", "move": {"left_wrist": [0.4, 1.1, \
            0.3], …}}.
            """)
    var corrections: String?

    @Option(name: .long, help: "The model, NAME or NAME/VERSION: smpl-ik, or one that takes joints, such as niki.")
    var model = "smpl-ik"

    @Option(
        name: .long,
        help: "Gauss-Newton steps on the residual after the model, 0…64; without them joints land only nearby.")
    var refine = 20

    @Flag(name: .long, help: "Allow the output to replace the input.")
    var overwrite = false

    @Flag(name: .long, help: "Solve in this process instead of asking a broker.")
    var local = false

    @Option(name: .long, help: "With --local: the folder of models (default: those that ship with sinew).")
    var models: String?

    @Option(name: .long, help: "Seconds that each call of up to 64 frames may take.")
    var deadline = 30.0

    @OptionGroup var client: ClientOptions
    @OptionGroup var options: OutputOptions

    func validate() throws {
        let refineStepsMax = Limits().refineStepsMax
        guard (0...refineStepsMax).contains(refine) else {
            throw ValidationError("--refine must be 0…\(refineStepsMax) steps, not \(refine)")
        }
        guard deadline > 0, deadline <= 86_400 else {
            throw ValidationError("--deadline must be a number of seconds above 0")
        }
        guard local || models == nil else {
            throw ValidationError("--models is for --local; a broker's workers have their own")
        }
        if corrections != nil {
            guard frame == nil, track == nil, move.isEmpty else {
                throw ValidationError("--corrections says everything; leave --frame, --track and --move out")
            }
            return
        }
        guard frame != nil, !move.isEmpty else {
            throw ValidationError("say which frame and what to move: --frame 120 --move left_wrist=0.4,1.1,0.3")
        }
        do { _ = try moves() } catch let failure as CommandFailure { throw ValidationError(failure.message) }
    }

    func run() async throws {
        try OutputPath.check(output, endingWith: [".npz", ".jsonl"])
        let poses = try PoseOutput.read(path: input)
        try checkOverwriting(poses)
        let run = try CorrectionRun(try moves(), of: poses, path: input)
        let clock = ContinuousClock()
        let start = clock.now
        let solved = try await interruptible { try await solve(run) }
        let elapsed = seconds(clock.now - start)
        guard solved.failures.count < run.corrections.count else {
            let first = solved.failures[0]
            throw CommandFailure(
                .badData,
                "no frame could be solved again; \(run.place(of: run.corrections[first.row])): \(first.message). No output was "
                    + "written")
        }
        let paths = try run.corrected(solved).write(to: output)
        let summary = CorrectionSummary(run, solved, outputs: paths, seconds: elapsed)
        if options.json { try JSONOutput.print(summary) } else { StandardStreams.talk(summary.line) }
        for corrected in summary.corrected where corrected.missMm > Self.missToldMillimetres {
            StandardStreams.talk(
                "note: track \(corrected.track), frame \(corrected.frame): a joint ends \(fixed(corrected.missMm, 0)) mm from its "
                    + "place; no pose reaches it")
        }
        guard solved.failures.isEmpty else {
            for failure in solved.failures {
                StandardStreams.talk("\(run.place(of: run.corrections[failure.row])): \(failure.message)")
            }
            throw CommandFailure(
                .someItemsFailed,
                "\(solved.failures.count) of \(run.corrections.count) frames could not be solved again; they are as they were"
            )
        }
    }

    private static let missToldMillimetres = 5.0

    private func moves() throws -> [MovedJoints] {
        if let corrections { return try CorrectionLines.read(path: corrections) }
        var moved = MovedJoints(track: track, frame: frame ?? 0, places: [:], place: "--move")
        for text in move {
            let effector: Effector
            do throws(EffectorText.Mistake) { effector = try EffectorText.position(text) } catch {
                throw ValidationError("--move \(error)")
            }
            guard effector.tolerance == 0, effector.weight == 1 else {
                throw ValidationError("--move “\(text)”: a moved joint is exact; leave tolerance and weight out")
            }
            let place = (0..<3).map { Double(effector.values[$0]) }
            try moved.move(Int(effector.joint), to: EffectorText.vector(place))
        }
        return [moved]
    }

    private func checkOverwriting(_ poses: PoseOutput) throws {
        guard !overwrite else { return }
        for path in poses.paths(for: output) where Self.isSameFile(path, input) {
            throw CommandFailure(
                .usage, "'\(path)' is the input; write to another file with -o, or add --overwrite")
        }
    }

    private static func isSameFile(_ one: String, _ other: String) -> Bool {
        var (a, b) = (stat(), stat())
        guard unsafe stat(one, &a) == 0, unsafe stat(other, &b) == 0 else { return false }
        return a.st_dev == b.st_dev && a.st_ino == b.st_ino
    }

    private func solve(_ run: CorrectionRun) async throws -> SolvedRows {
        if local {
            let loaded = try ModelRepository(path: models).load(model)
            let solver = LocalSolver(model: loaded, refine: refine, threads: 1)
            return loaded is any EffectorPoseModel
                ? try await solver.solve(run.effectorInput) { _ in }
                : try await solver.solve(run.poseInput()) { _ in }
        }
        return try await client.withClient { client in
            let takesEffectors = try await CorrectionRun.takesEffectors(model, client, deadline: .seconds(deadline))
            let solver = ServiceSolver(client: client, model: model, refine: refine, deadline: .seconds(deadline))
            return try await run.solve(with: solver, takesEffectors: takesEffectors)
        }
    }
}

/// What `sinew correct` did.
private struct CorrectionSummary: Encodable {
    struct Frame: Encodable {
        let track: String
        let frame: Int
        /// SMPL's numbers of the joints that were moved.
        let joints: [Int]
        /// How far a moved joint ends from its place, and how far one went that nobody moved and that need not follow, at most.
        let missMm, disturbanceMm: Double
    }
    let input: String
    let outputs: [String]
    let model: String
    let seconds: Double
    let corrected: [Frame]

    init(_ run: CorrectionRun, _ solved: SolvedRows, outputs: [String], seconds: Double) {
        input = run.path
        self.outputs = outputs
        model = solved.model
        self.seconds = seconds
        let failed = Set(solved.failures.map(\.row))
        corrected = run.corrections.enumerated().filter { !failed.contains($0.offset) }.map { person, correction in
            let track = run.output.tracks[correction.track]
            return Frame(
                track: track.name, frame: track.frames[correction.row], joints: correction.moved.map(\.joint),
                missMm: 1000 * correction.miss(solved.solutions, person),
                disturbanceMm: 1000 * correction.disturbance(solved.solutions, person))
        }
    }

    var line: String {
        let miss = corrected.map(\.missMm).max() ?? 0
        let disturbance = corrected.map(\.disturbanceMm).max() ?? 0
        let frames = corrected.count == 1 ? "1 frame" : "\(corrected.count) frames"
        return "\(outputs.joined(separator: " ")): \(frames) corrected by "
            + "\(model) in \(fixed(seconds, 2)) s; moved joints end within \(fixed(miss, 1)) mm of their places, others went at most "
            + "\(fixed(disturbance, 1)) mm"
    }
}
