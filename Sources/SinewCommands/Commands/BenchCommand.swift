internal import ArgumentParser
internal import Logging

/// `sinew bench`: what this machine can do.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure the service on this machine.",
        subcommands: [BenchBrokerCommand.self, BenchServiceCommand.self])
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

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard scrapeWorkers >= 1, scrapeWorkers <= 1_000, scrapeModels >= 1, scrapeModels <= 64 else {
            throw ValidationError("--scrape-workers must be 1…1000, --scrape-models 1…64")
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
        if let durable {
            var jobs = DurableBench(folder: durable)
            jobs.blocks = blocks
            report.durable = try await jobs.run(logger: logger)
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
