internal import ArgumentParser
internal import SinewArrayFiles
internal import SinewBody
internal import SinewFormats
internal import SinewModels

/// `sinew effectors`: poses of a file in, the few effectors that reproduce them out.
struct EffectorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "effectors", abstract: "Find few effectors that reproduce poses, to edit and solve again.",
        discussion: """
            Input: a .npz with poses (T,72), (T,156) or (T,165), and where known trans, betas, gender, as sinew solve and AMASS write \
            them. \
            Output: JSON lines for sinew solve --effectors, one pose per line, with the mean joint error in millimetres (error_mm) that the \
            model leaves. Effectors are chosen one by one, each time the one that brings the model nearest to the pose.
            """)

    @Argument(help: "The file of poses.")
    var input: String

    @Option(name: [.short, .customLong("output")], help: "Where to write the effectors (.jsonl).")
    var output: String

    @Option(name: .long, help: "The most effectors of a pose.")
    var max = 6

    @Option(name: .long, help: "Stop at a mean joint error of this many millimetres.")
    var below = 0.0

    @Flag(name: .long, help: "Choose positions alone, no rotations.")
    var positionsOnly = false

    @Option(name: .long, help: "Take every n-th frame.")
    var every = 1

    @Option(name: .long, help: "A model that takes effectors, NAME or NAME/VERSION.")
    var model = "smpl-ik"

    @Option(name: .long, help: "The folder of models (default: those that ship with sinew).")
    var models: String?

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (1...EffectorObservations.perPersonMax).contains(max) else {
            throw ValidationError("--max must be 1…\(EffectorObservations.perPersonMax), not \(max)")
        }
        guard below >= 0 else { throw ValidationError("--below must be a number of millimetres from 0 on") }
        guard every >= 1 else { throw ValidationError("--every must be at least 1") }
    }

    func run() async throws {
        try OutputPath.check(output, endingWith: ".jsonl")
        let clip = try PoseClip.read(path: input)
        guard let model = try ModelRepository(path: models).load(model) as? any EffectorPoseModel else {
            throw CommandFailure(.usage, "model \(self.model) solves joints, not effectors; use --model smpl-ik")
        }
        let recovery = try EffectorRecovery(model: model)
        var search = EffectorRecovery.Options()
        search.countMax = max
        search.errorMillimetres = Float(below)
        search.allowsRotations = !positionsOnly
        let options = search
        let frames = Array(stride(from: 0, to: clip.count, by: every))
        let found = try await interruptible { try await Self.recover(clip, frames, recovery, options) }
        let lines = zip(frames, found).map { clip.effectorLine(frame: $0, recovered: $1) }
        try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: output)
        let summary = EffectorsSummary(output: output, found: found)
        if self.options.json { try JSONOutput.print(summary) } else { StandardStreams.talk(summary.line) }
    }

    private static func recover(
        _ clip: PoseClip, _ frames: [Int], _ recovery: EffectorRecovery, _ options: EffectorRecovery.Options
    ) async throws -> [EffectorRecovery.Recovered] {
        var bar = ProgressBar(total: frames.count, unit: "poses")
        defer { bar.clear() }
        var found: [EffectorRecovery.Recovered] = []
        for frame in frames {
            try Task.checkCancellation()
            let recovered = try await onOwnThread(named: "recover") { () throws(ModelError) in
                try recovery.recover(
                    theta: Array(clip.theta[(frame * 72)..<(frame * 72 + 72)]),
                    translation: Array(clip.translation[(frame * 3)..<(frame * 3 + 3)]), betas: clip.betas,
                    gender: clip.gender, options: options, isCancelled: { false })
            }
            found.append(recovered)
            bar.draw(done: found.count, failed: 0)
        }
        return found
    }
}

/// What `sinew effectors` did.
private struct EffectorsSummary: Encodable {
    let output: String
    let poses: Int
    let meanEffectors: Double
    let meanErrorMm: Double

    init(output: String, found: [EffectorRecovery.Recovered]) {
        self.output = output
        poses = found.count
        let count = Double(Swift.max(1, found.count))
        meanEffectors = found.reduce(0) { $0 + Double($1.effectors.count) } / count
        meanErrorMm = found.reduce(0) { $0 + Double($1.errorsMillimetres.last ?? 0) } / count
    }

    var line: String {
        "\(output): \(poses) poses, \(fixed(meanEffectors, 1)) effectors and \(fixed(meanErrorMm, 1)) mm mean joint error each"
    }
}
