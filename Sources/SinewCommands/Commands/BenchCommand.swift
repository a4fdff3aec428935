internal import ArgumentParser
internal import Logging

/// `sinew bench`: what this machine can do.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure the service on this machine.",
        subcommands: [
            BenchBrokerCommand.self, BenchRecoveryCommand.self, BenchServiceCommand.self, BenchCorrectCommand.self,
            BenchHoldTasksCommand.self,
        ])
}

/// `sinew bench broker`: what a broker carries when workers cost nothing.
struct BenchBrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Measure a broker between a caller and a worker that echoes.",
        discussion: "tools/bench/router_echo.c is the bound to compare with: it forwards and does nothing else.")

    @Option(name: .long, help: "Bytes of each call's payload.")
    var bytes = 1_024

    @Option(name: .long, help: "Calls to make for the rate.")
    var calls = 100_000

    @Option(name: .long, help: "Calls under way at a time.")
    var window = 1_000

    @Option(name: .long, help: "Lone calls to make for the round trip.")
    var roundTrips = 2_000

    @Flag(
        name: .long,
        help: "Give broker, worker and caller keys, made for this: everything is encrypted and authenticated.")
    var curve = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Also submit durable work to a store that is made in this folder and removed again.", valueName: "folder"))
    var durable: String?

    @Option(name: .long, help: "With --durable: blocks of 64 people to submit.")
    var blocks = 2_000

    @Flag(name: .long, help: "Also scrape the metrics of a broker whose workers are simulated.")
    var scrape = false

    @Option(name: .long, help: "With --scrape: workers.")
    var scrapeWorkers = 200

    @Option(name: .long, help: "With --scrape: models of each worker.")
    var scrapeModels = 20

    @Option(
        name: .long,
        help: ArgumentHelp(
            "With --durable: also queue so many tasks, kill the broker, and start it anew on them.", valueName: "tasks")
    )
    var restartTasks: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Also queue so many calls, and look at the memory that they take.", valueName: "calls"))
    var queueCalls: Int?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard scrapeWorkers >= 1, scrapeWorkers <= 1_000, scrapeModels >= 1, scrapeModels <= 64 else {
            throw ValidationError("--scrape-workers must be 1…1000, --scrape-models 1…64")
        }
        if let queueCalls {
            guard queueCalls >= 1, queueCalls <= 60_000 else { throw ValidationError("--queue-calls must be 1…60000") }
        }
        if let restartTasks {
            guard durable != nil, restartTasks >= 1, restartTasks <= 1 << 24 else {
                throw ValidationError("--restart-tasks must be 1…16777216, and needs --durable FOLDER")
            }
        }
        guard blocks >= 1 else { throw ValidationError("--blocks must be at least 1") }
        guard bytes >= 1, bytes <= 1 << 20, calls >= 1, window >= 1, window <= 16_384, roundTrips >= 100 else {
            throw ValidationError(
                "--bytes must be 1…1048576, --calls at least 1, --window 1…16384, --round-trips at least 100")
        }
    }

    func run() async throws {
        var bench = BrokerBench()
        bench.payloadBytes = bytes
        bench.calls = calls
        bench.window = window
        bench.roundTrips = roundTrips
        bench.usesKeys = curve
        var logger = Logger(label: "sinew.bench") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        var report = try bench.run(logger: logger)
        if let queueCalls { report.memory = try await MemoryBench(payloadBytes: bytes, calls: queueCalls).run() }
        if let durable {
            var jobs = DurableBench(folder: durable)
            jobs.blocks = blocks
            report.durable = try await jobs.run(logger: logger)
            if let restartTasks {
                report.restart = try await RestartBench(tasks: restartTasks, folder: durable).run()
            }
        }
        if scrape {
            var bench = ScrapeBench()
            (bench.workers, bench.models) = (scrapeWorkers, scrapeModels)
            report.scrape = try await bench.run(logger: logger)
        }
        if output.json { return try JSONOutput.print(report) }
        for line in report.lines(style: .data) { StandardStreams.data(line) }
    }
}

/// `sinew bench recovery`: how long the tasks of a worker wait after it died.
struct BenchRecoveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery",
        abstract: "Measure how soon the tasks of a worker that is killed or stands still run elsewhere.",
        discussion: "The broker and the workers that are killed are processes of their own.")

    @Option(name: .long, help: "Workers to kill (SIGKILL), one after the other.")
    var kills = 100

    @Option(name: .long, help: "Workers to stop (SIGSTOP), one after the other; each takes three seconds.")
    var stops = 5

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard kills >= 1, stops >= 0 else { throw ValidationError("--kills must be at least 1, --stops not negative") }
    }

    func run() async throws {
        let report = try await RecoveryBench(kills: kills, stops: stops).run()
        if output.json { return try JSONOutput.print(report) }
        var table = TextTable(["tasks run elsewhere after", "times", "p50 ms", "p99 ms", "max ms"])
        for (what, times) in [("their worker was killed", report.killed), ("their worker stood still", report.stopped)]
        {
            table.add([what, "\(times.count)", fixed(times.p50Ms, 0), fixed(times.p99Ms, 0), fixed(times.maxMs, 0)])
        }
        for line in table.lines() { StandardStreams.data(line) }
    }
}

/// The worker that `sinew bench recovery` kills; ends when its parent does.
struct BenchHoldTasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold-tasks", abstract: "Take tasks and answer none.", shouldDisplay: false)

    @Argument(help: "Where the broker's workers connect.")
    var endpoint: String

    @Option(name: .long, help: "Items to take.")
    var credits: UInt32

    func run() async throws {
        let worker = try EchoWorker(endpoint, credits: credits, answers: false)
        let ended = Latch<Void>()
        Lifeline.whenParentEnds { ended.set(()) }
        _ = await ended.wait()
        worker.stop()
    }
}
