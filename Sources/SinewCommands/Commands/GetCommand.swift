internal import ArgumentParser
internal import SinewClient

/// `sinew get`: a job's results as files.
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Fetch a job's results, as they come, into one file per input.",
        discussion: """
            Files are those of sinew solve, named after the inputs; each appears once it is complete. Runs on any machine that reaches the \
            broker, as often as wanted until the results expire; after an interruption the same command goes on. Rows without a pose \
            are zero, are listed in failures.jsonl, and make the exit status 3.
            """)

    @Argument(help: "The job: its id, or the beginning of it.")
    var job: String

    @Option(
        name: [.short, .customLong("output")],
        help: "A folder, or a file (.npz, .html, .glb, .png) for a job of one input.")
    var output: String

    @OptionGroup var client: ClientOptions
    @OptionGroup var options: OutputOptions

    func run() async throws {
        let reference = try JobReference(job)
        let target = try JobTarget(output)
        let hint = client.hint
        try await client.withJobClient { client in
            let handle = try await reference.resolve(client)
            let status = try await handle.status(deadline: firstContactLimit)
            if status.state == .open {
                StandardStreams.talk("note: the job still takes tasks; this ends when its submit has")
            }
            let fetch = JobFetch(handle: handle, target: target, people: Int(clamping: status.items))
            let again = "sinew get \(handle.id) -o \(output)\(hint)"
            let fetched = try await interruptible(
                explanation: { "interrupted; files that were complete are written. Go on with: \(again)" }
            ) {
                StandardStreams.talk(JobReport(status).line)
                return try await fetch.run()
            }
            try report(fetched, handle.id, target)
        }
    }

    private func report(_ fetched: JobFetch.Outcome, _ id: JobID, _ target: JobTarget) throws {
        let summary = GetSummary(
            job: id.description, output: target.path, files: fetched.files, rows: fetched.rows,
            failedRows: fetched.failures, failures: fetched.failures > 0 ? target.failuresPath : nil,
            short: fetched.short)
        if options.json {
            try JSONOutput.print(summary)
        } else {
            StandardStreams.talk("\(target.path): \(fetched.files) files, \(fetched.rows) rows")
        }
        for line in fetched.short.prefix(20) { StandardStreams.talk("\(line); the job ended before the others came") }
        guard fetched.failures > 0 || !fetched.short.isEmpty else { return }
        throw CommandFailure(
            .someItemsFailed,
            fetched.failures > 0
                ? "\(fetched.failures) of \(fetched.rows) rows have no pose; \(target.failuresPath) says why. They are zero in the "
                    + "output, with solved = 0; a file without any pose is not written"
                : "\(fetched.short.count) inputs are not complete; submit them again")
    }
}

/// What `sinew get` did.
private struct GetSummary: Encodable {
    let job, output: String
    let files, rows, failedRows: Int
    let failures: String?
    let short: [String]
}
