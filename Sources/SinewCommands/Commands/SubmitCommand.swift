internal import ArgumentParser
internal import SinewArrayFiles
internal import SinewClient
internal import SinewFormats
internal import Synchronization

/// `sinew submit`: files of joints become a durable job.
struct SubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Submit files of observed joints as a durable job, and print its id.",
        discussion: """
            The job outlives this command, its broker and its workers. Files are those of sinew solve; what is acknowledged is on the \
            broker's disk. The same command again, after whatever crash, goes on where it was: the job is known by the content of the \
            files and the settings. Ctrl-C leaves the job as it is. Then: sinew wait JOB, sinew get JOB -o FOLDER.
            """)

    @Argument(help: "Files (.npz, .jsonl), patterns in quotes, or - for JSON lines on standard input.")
    var inputs: [String] = []

    @Option(
        name: .long, help: "A file with a path or pattern on each line, relative to its folder; - is standard input.")
    var manifest: String?

    @Option(name: .long, help: "The model, NAME or NAME/VERSION.")
    var model = "niki"

    @Option(
        name: .long,
        help: "What a task holds: rows, or whole tracks (default: track for models that see a track, else rows).")
    var groupBy: GroupingOption?

    @Option(name: .long, help: "Rows of a task, 1…4096; a whole track may be longer.")
    var block = 64

    @Option(name: .long, help: "Gauss-Newton steps on the residual after the model, 0…64.")
    var refine = 0

    @Option(name: .long, help: "Larger is sooner, 0…7; each step doubles the job's share.")
    var priority: UInt8 = 0

    @Option(name: .long, help: "Give up what is not done after this time: 90s, 15m, 12h, 7d (default: the broker's).")
    var ttl: DurationOption?

    @Option(name: .long, help: "Keep results for this long after the end (default: the broker's).")
    var keep: DurationOption?

    @Option(name: .long, help: "A word for people (default: the first file's name).")
    var label: String?

    @Flag(name: .long, help: "Make a new job although the same content was submitted before.")
    var anew = false

    @Flag(name: .long, help: "Read and cut the files, say what would be submitted, and submit nothing.")
    var dryRun = false

    @Flag(name: .long, help: "Wait until the job has ended.")
    var wait = false

    @OptionGroup var joints: JointFileOptions
    @OptionGroup var clips: ClipOptions
    @OptionGroup var tracing: TraceOptions
    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !inputs.isEmpty || manifest != nil else {
            throw ValidationError("give files, patterns, --manifest FILE, or - for people on standard input")
        }
        guard !inputs.contains("-") || inputs.count == 1 && manifest == nil else {
            throw ValidationError("- (standard input) stands alone; put the other inputs into another job")
        }
        guard (1...JobTask.itemsMax).contains(block) else {
            throw ValidationError("--block must be 1…\(JobTask.itemsMax) rows, not \(block)")
        }
        let refineStepsMax = PoseRequest.refineStepsMax
        guard (0...refineStepsMax).contains(refine) else {
            throw ValidationError("--refine must be 0…\(refineStepsMax) steps, not \(refine)")
        }
        guard priority <= 7 else { throw ValidationError("--priority must be 0…7, not \(priority)") }
        guard (label ?? "").utf8.count <= JobSubmission.labelBytesMax else {
            throw ValidationError("--label has more than \(JobSubmission.labelBytesMax) bytes")
        }
        guard !(anew && dryRun) else { throw ValidationError("--anew submits; --dry-run does not") }
    }

    func run() async throws {
        let inputs = try JobInputs(arguments: self.inputs, manifest: manifest).inputs
        let options = try joints.reading()
        let standardInput =
            inputs[0].path == JobInputs.standardInput
            ? try FileContents.readStandardInput(bytesMax: Self.standardInputBytesMax) : []
        try await client.withJobClient { client in
            let ready = try await readyModels(client)
            let plan = JobPlan(
                inputs: inputs, standardInput: standardInput, model: model, refine: refine, reading: options,
                clips: clips.processing, cutter: try cutter(ready: ready ?? []))
            if dryRun {
                try await rehearse(plan, ready == nil ? nil : client)
            } else {
                try await submit(plan, client)
            }
        }
    }

    private static let standardInputBytesMax = 1 << 31

    // MARK: Planning

    /// The models that workers have; nil in a rehearsal without a broker.
    private func readyModels(_ client: Client) async throws -> [ModelAvailability]? {
        do throws(ClientError) {
            return try await client.listModels(deadline: firstContactLimit)
        } catch {
            guard dryRun, error.status == .unavailable else { throw error }
            StandardStreams.talk("note: no broker was asked (\(error.message))")
            return nil
        }
    }

    private func cutter(ready: [ModelAvailability]) throws -> TaskCutter {
        let traits = ModelTraits(of: model, ready: ready)
        if let traits {
            if !traits.isReady {
                StandardStreams.talk("note: no worker has \(model) now; the job waits until one does (sinew worker)")
            }
            if traits.isSequential, groupBy == .rows {
                throw CommandFailure(
                    .usage,
                    "\(model) sees whole tracks, which --group-by rows would cut; leave it out or write --group-by track"
                )
            }
        } else if groupBy == nil {
            let names = ready.map { "\($0.model.name)/\($0.model.version)" }.joined(separator: ", ")
            throw CommandFailure(
                .usage,
                "no worker has the model '\(model)' and none of that name ships with sinew; ready are: \(names.isEmpty ? "none" : names). "
                    + "If a worker will have it later, say --group-by rows, or track if it sees whole tracks")
        }
        let isSequential = traits?.isSequential ?? (groupBy == .track)
        return TaskCutter(
            grouping: groupBy?.grouping ?? (isSequential ? .track : .rows), block: block, isSequential: isSequential)
    }

    /// Reads and cuts everything, and says what it would be.
    private func rehearse(_ plan: JobPlan, _ client: Client?) async throws {
        let hash = try plan.contentHash()
        var tasks = plan.tasks()
        var bytes = 0
        while let task = try tasks.next() { bytes += task.payloadByteCount + task.label.utf8.count }
        var standing: JobStatus?
        if let client { standing = try await client.job(withContent: hash) }
        let rehearsal = Rehearsal(
            files: plan.inputs.count, tasks: tasks.count, people: tasks.people, bytes: bytes,
            contentSha256: SHA256.hexadecimal(hash), standing: standing.map { JobReport($0) })
        if output.json { return try JSONOutput.print(rehearsal) }
        for line in rehearsal.lines { StandardStreams.data(line) }
    }

    // MARK: Submitting

    private func submit(_ plan: JobPlan, _ client: Client) async throws {
        var submission = JobSubmission(.solvePoses, model: plan.model)
        submission.label = label ?? Self.label(for: plan.inputs)
        submission.contentSHA256 = anew ? nil : try plan.contentHash()
        submission.timeToLive = ttl?.duration
        submission.retention = keep?.duration
        submission.priority = priority
        let progress = SubmitProgress()
        let hint = self.client.hint
        let made = submission
        let tracing = tracing.tracing()
        let (report, existed) = try await interruptible(explanation: { progress.detached(hint) }) {
            let submitted = try await client.submitJob(made, tracing: tracing)
            progress.begin(submitted.handle.id)
            guard submitted.status.state == .open else { return (JobReport(submitted.status), true) }
            return (JobReport(try await upload(plan, submitted, progress)), submitted.existed)
        }
        if existed { StandardStreams.talk("note: the job stood already; \(report.line)") }
        if output.json {
            try JSONOutput.print(Submitted(existed: existed, job: report))
        } else {
            StandardStreams.data(report.job)
        }
        guard wait else {
            StandardStreams.talk(
                "\(report.tasks) tasks, \(report.items) people are safe. Next: sinew wait \(report.job)\(hint) && sinew get "
                    + "\(report.job) -o out/\(hint)")
            return
        }
        guard let id = JobID(report.job) else { return }
        let end = try await JobWaiting(handle: client.job(id), limit: nil, brokerHint: hint).run()
        StandardStreams.talk(end.line)
        try JobWaiting.conclude(end, brokerHint: hint)
    }

    /// Appends what is not there yet and seals the job.
    private func upload(
        _ plan: JobPlan, _ submitted: SubmittedJob, _ progress: SubmitProgress
    ) async throws -> JobStatus {
        let first = Int(clamping: submitted.status.nextIndex)
        var tasks = plan.tasks()
        var told = 0
        var bar = ProgressBar(total: plan.inputs.count, unit: "files")
        defer { bar.clear() }
        try await submitted.handle.append(progress: { progress.acknowledge($0 + first) }) {
            let task = try begun(submitted.handle.id) { try tasks.next(from: first) }
            if told < 20, !tasks.notes.isEmpty {
                for note in tasks.takeNotes() { StandardStreams.talk("note: \(note)") }
                told += 1
            }
            bar.draw(done: tasks.filesDone, failed: 0)
            return task
        }
        return try await submitted.handle.seal(tasks: tasks.count)
    }

    /// Says of an input that cannot be read that a job was begun.
    private func begun<Value>(_ job: JobID, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch {
            guard let failure = CommandFailure(explaining: error) else { throw error }
            throw CommandFailure(
                failure.status,
                "\(failure.message). Job \(job) was begun without it; repair the input and submit again, and give this job up: "
                    + "sinew cancel \(job)\(client.hint)")
        }
    }

    private static func label(for inputs: [JobInputs.Input]) -> String {
        let more = inputs.count > 1 ? " and \(inputs.count - 1) more" : ""
        var name = inputs[0].name
        while name.utf8.count + more.utf8.count > JobSubmission.labelBytesMax { name.removeLast() }
        return name + more
    }
}

/// ``TaskCutter/Grouping`` as an option's value.
enum GroupingOption: String, CaseIterable, ExpressibleByArgument {
    case rows, track

    var grouping: TaskCutter.Grouping {
        switch self {
        case .rows: .rows
        case .track: .track
        }
    }
}

/// What `sinew submit` made or found.
private struct Submitted: Encodable {
    let existed: Bool
    let job: JobReport
}

/// What `sinew submit --dry-run` found out.
private struct Rehearsal: Encodable {
    let files, tasks, people, bytes: Int
    let contentSha256: String
    let standing: JobReport?

    var lines: [String] {
        [
            "\(files) files, \(tasks) tasks, \(people) people, \(bytes) bytes", "content \(contentSha256)",
            standing.map { "stands already: \($0.line)" } ?? "no job with this content is known",
        ]
    }
}

/// How far an upload is, for whoever interrupts it.
private final class SubmitProgress: Sendable {
    private struct State {
        var job: JobID?
        var acknowledged = 0
    }
    private let state = Mutex(State())

    func begin(_ job: JobID) { state.withLock { $0.job = job } }
    func acknowledge(_ count: Int) { state.withLock { $0.acknowledged = count } }

    func detached(_ hint: String) -> String {
        let state = state.withLock { $0 }
        guard let job = state.job else { return "interrupted; nothing was submitted" }
        return
            "interrupted; job \(job) has \(state.acknowledged) tasks so far, which are safe and are worked on. The same command "
            + "again goes on; or give it up: sinew cancel \(job)\(hint)"
    }
}
