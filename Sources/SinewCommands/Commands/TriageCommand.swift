internal import ArgumentParser
internal import SinewClient

/// `sinew triage`: the frames that somebody should look at first.
struct TriageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "triage", abstract: "Rank solved frames by how doubtful they are, the worst first.",
        discussion: """
            Of a job all frames are ranked, once it has ended; of files (.npz or .jsonl of sinew solve or sinew get) and folders those in \
            them. Frames without a pose come first. The score of the others is the root of the sum of squares of joint residual / 50 mm, \
            orientation residual / 0.35 rad, bone-length change, latent norm / 20, unobserved joints / 10, and 0.5 where the start pose \
            was kept or 1 where the person was lost; from about 1 on a frame deserves a look. Neighbouring frames that are at least half \
            as bad again as the median of all, and a fifth as bad as the worst of them, are one entry, told by the worst. sinew correct mends a frame.
            """)

    @Argument(help: "A job's id or its beginning; or files of poses, or folders of them.")
    var inputs: [String]

    @Option(name: .long, help: "Entries to print.")
    var worst = 20

    @Option(name: .long, help: "What frames are ranked by: score, residual, orientation, bones, latent, unobserved.")
    var by = CriterionOption.score

    @Flag(name: .long, help: "Print every frame by itself, not one for each bad stretch.")
    var everyFrame = false

    @OptionGroup var client: ClientOptions
    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard worst >= 1 else { throw ValidationError("--worst must be at least 1, not \(worst)") }
        guard !inputs.isEmpty else { throw ValidationError("name a job, or files of poses") }
    }

    func run() async throws {
        let table: TriageTable
        switch try TriageSource(inputs) {
        case .files(let paths): table = try TriageSource.table(of: paths)
        case .job(let reference):
            let hint = client.hint
            table = try await client.withJobClient { client in
                let handle = try await reference.resolve(client)
                let status = try await handle.status(deadline: firstContactLimit)
                if !status.isEnded {
                    StandardStreams.talk("note: the job has not ended; its frames are ranked when it has")
                }
                return try await interruptible(
                    explanation: { "the job goes on; come back with: sinew triage \(handle.id)\(hint)" }
                ) { try await TriageSource.table(of: handle) }
            }
        }
        let found = table.worst(worst, by: by.criterion, isGrouped: !everyFrame)
        if options.json {
            for (index, stretch) in found.enumerated() { try JSONOutput.print(TriageEntry(stretch, rank: index + 1)) }
            return
        }
        for line in lines(found) { StandardStreams.data(line) }
        let lost = table.lostCount == 0 ? "" : ", \(table.lostCount) without a pose"
        StandardStreams.talk("\(table.count) frames\(lost)")
    }

    private func lines(_ found: [TriageTable.Stretch]) -> [String] {
        let ranksByScore = by.criterion == .score
        var table = TextTable(["file", "track", "frame", "of", ranksByScore ? "score" : by.rawValue])
        for stretch in found {
            let span = stretch.frames == 1 ? "" : "\(stretch.firstFrame)–\(stretch.lastFrame)"
            let value = stretch.doubt.map { fixed(Double($0.value(by.criterion)), 2) } ?? "–"
            table.add([stretch.file, stretch.track, "\(stretch.frame)", span, value])
        }
        // Columns after the first are aligned to the right, which is no way to read a sentence.
        return zip(table.lines(style: .data), ["why"] + found.map(\.reason)).map { "\($0)  \($1)" }
    }
}

/// ``FrameDoubt/Criterion`` as an option's value.
enum CriterionOption: String, CaseIterable, ExpressibleByArgument {
    case score, residual, orientation, bones, latent, unobserved

    var criterion: FrameDoubt.Criterion {
        switch self {
        case .score: .score
        case .residual: .residual
        case .orientation: .orientation
        case .bones: .bones
        case .latent: .latent
        case .unobserved: .unobserved
        }
    }
}

/// A line of `sinew triage --json`.
private struct TriageEntry: Encodable {
    let rank: Int
    let file, track: String
    let frame, firstFrame, lastFrame, frames: Int
    let solved: Bool
    /// Nil without a pose.
    let score, jointResidualMm, orientationResidualRad, boneLengthChange, latentNorm: Float?
    let unobservedJoints, outcome: Int32?
    let reason: String

    init(_ stretch: TriageTable.Stretch, rank: Int) {
        self.rank = rank
        (file, track, frame) = (stretch.file, stretch.track, stretch.frame)
        (firstFrame, lastFrame, frames) = (stretch.firstFrame, stretch.lastFrame, stretch.frames)
        let doubt = stretch.doubt
        solved = doubt != nil
        (score, jointResidualMm) = (doubt?.score, doubt?.residual)
        (orientationResidualRad, boneLengthChange) = (doubt?.orientation, doubt?.bones)
        (latentNorm, unobservedJoints, outcome) = (doubt?.latent, doubt?.unobserved, doubt?.outcome)
        reason = stretch.reason
    }
}
