internal import ArgumentParser
internal import Logging

/// `sinew bench`: what this machine can do.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure the service on this machine.", subcommands: [BenchBrokerCommand.self])
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

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard bytes >= 1, calls >= 1, window >= 1, window <= 16_384, roundTrips >= 100 else {
            throw ValidationError(
                "--bytes and --calls must be at least 1, --window 1…16384, --round-trips at least 100")
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
        let report = try bench.run(logger: logger)
        if output.json { return try JSONOutput.print(report) }
        for line in report.lines(style: .data) { StandardStreams.data(line) }
    }
}
