internal import ArgumentParser
internal import Glibc
internal import SinewClient

/// `sinew wait`: returns when a job has ended.
struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until a job has ended.",
        discussion: """
            Exit status: 0 everything was solved, 3 some tasks failed or were given up, 75 the time is up and the job goes on. \
            Ctrl-C ends the waiting, not the job.
            """)

    @Argument(help: "The job: its id, or the beginning of it.")
    var job: String

    @Option(name: .long, help: "Wait at most so long: 90s, 15m, 12h, 7d (default: as long as it takes).")
    var timeout: DurationOption?

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let reference = try JobReference(job)
        let report = try await client.withJobClient { client in
            let handle = try await reference.resolve(client)
            return try await JobWaiting(handle: handle, limit: timeout?.duration, brokerHint: self.client.hint).run()
        }
        if output.json { try JSONOutput.print(report) } else { StandardStreams.talk(report.line) }
        try JobWaiting.conclude(report, brokerHint: client.hint)
    }
}

/// `sinew jobs`: what the broker keeps.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List durable jobs, newest first, or show one.")

    @Argument(help: "Show this one alone: its id, or the beginning of it.")
    var job: String?

    @Option(name: .long, help: "At most so many.")
    var count = 100

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...100_000).contains(count) else { throw ValidationError("--count must be 1…100000, not \(count)") }
    }

    func run() async throws {
        let reports = try await client.withJobClient { client in
            guard let job else { return try await list(client) }
            let handle = try await JobReference(job).resolve(client)
            return [JobReport(try await handle.status(deadline: firstContactLimit))]
        }
        if output.json {
            for report in reports { try JSONOutput.print(report) }
            return
        }
        guard !reports.isEmpty else {
            StandardStreams.talk("no jobs; make one: sinew submit FILES --model niki")
            return
        }
        let now = Double(time(nil))
        var table = TextTable(["job", "state", "model", "tasks done", "people", "lost", "age", "ends by", "label"])
        for report in reports {
            table.add([
                report.job, report.state, report.model, "\(report.done)/\(report.tasks)",
                "\(report.itemsDone)/\(report.items)", "\(report.lost)", clockText(max(0, now - report.created)),
                report.ended == nil ? report.givenUpAt.map { clockText(max(0, $0 - now)) } ?? "–" : "–",
                report.label,
            ])
        }
        for line in table.lines(style: .data) { StandardStreams.data(line) }
    }

    private func list(_ client: Client) async throws -> [JobReport] {
        var reports: [JobReport] = []
        var older: JobID?
        while reports.count < count {
            let page = try await client.listJobs(
                countMax: min(1000, count - reports.count), olderThan: older, deadline: firstContactLimit)
            reports += page.map { JobReport($0) }
            guard let last = page.last?.jobID else { break }
            older = last
        }
        return reports
    }
}

/// `sinew cancel`: gives a job up.
struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Give up what is not finished of a job; results that are there stay.")

    @Argument(help: "The job: its id, or the beginning of it.")
    var job: String

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let reference = try JobReference(job)
        let report = try await client.withJobClient { client in
            JobReport(try await reference.resolve(client).cancel(deadline: firstContactLimit))
        }
        if output.json { try JSONOutput.print(report) } else { StandardStreams.talk(report.line) }
    }
}

/// `sinew dead`: tasks that were given up.
struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "List a job's tasks that failed or were given up, or try them again.",
        subcommands: [List.self, Replay.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the tasks of a job that failed or are dead, with the reason.",
            discussion: "A failed task's request is wrong; a dead one killed its workers, or failed too often.")

        @Argument(help: "The job: its id, or the beginning of it.")
        var job: String

        @OptionGroup var client: ClientOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let reference = try JobReference(job)
            try await client.withJobClient { client in
                let handle = try await reference.resolve(client)
                var cursor: UInt64 = 0
                var count = 0
                while true {
                    let page = try await handle.resultPage(
                        after: cursor, failuresOnly: true, deadline: firstContactLimit)
                    for result in page.results { try show(result) }
                    count += page.results.count
                    // Nothing more is there now; a job that still runs may have more later.
                    if page.isComplete || page.nextCursor == cursor { break }
                    cursor = page.nextCursor
                }
                if count == 0 { StandardStreams.talk("no task of job \(handle.id) failed or is dead") }
            }
        }

        private func show(_ result: JobResult) throws {
            guard let error = result.error else { return }
            // A label of another program's is shown as it is.
            let label = try? TaskLabel(reading: result.label, items: result.items, task: result.index)
            let first = label?.runs.first
            let place = label.map { label in
                first.map { "\(label.file), track \($0.name), from frame \($0.frame)" } ?? label.file
            }
            if output.json {
                try JSONOutput.print(
                    DeadTask(
                        task: result.index, outcome: result.outcome.word, people: result.items,
                        attempts: result.attempts, status: "\(error.status)", code: "\(error.code)",
                        message: error.message, label: result.label))
            } else {
                StandardStreams.data(
                    "task \(result.index) \(result.outcome.word) after \(result.attempts) attempts, \(result.items) people "
                        + "(\(place ?? result.label)): \(error)")
            }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay", abstract: "Queue the dead tasks of a job again, or those that are named.")

        @Argument(help: "The job: its id, or the beginning of it.")
        var job: String

        @Option(name: .long, help: "Only this task, dead or failed; may be repeated.")
        var task: [Int] = []

        @OptionGroup var client: ClientOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if let wrong = task.first(where: { $0 < 0 }) {
                throw ValidationError("--task \(wrong): tasks count from 0")
            }
        }

        func run() async throws {
            let reference = try JobReference(job)
            let replayed = try await client.withJobClient { client in
                try await reference.resolve(client).replay(task, deadline: firstContactLimit)
            }
            if output.json {
                try JSONOutput.print(["replayed": replayed])
            } else {
                StandardStreams.talk("\(replayed) tasks are tried again")
            }
        }
    }
}

/// A task that has no result.
private struct DeadTask: Encodable {
    let task: Int
    let outcome: String
    let people, attempts: Int
    let status, code, message, label: String
}
