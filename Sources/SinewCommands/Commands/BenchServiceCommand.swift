internal import ArgumentParser
internal import Glibc
internal import SinewClient
internal import SinewFormats

/// `sinew bench service`: what one client gets out of a running service.
struct BenchServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service", abstract: "Measure how many people one client gets solved by a running service.",
        discussion: """
            The rows of a file are solved again and again, in calls of 64 people, after a round that warms everything up. \
            tools/bench/python_map.py does the same from Python, and prints the ratio.
            """)

    @Argument(help: "The file of observed joints, as sinew solve reads it.")
    var input: String

    @Option(name: .long, help: "People to solve.")
    var people = 100_000

    @Option(name: .long, help: "The model, NAME or NAME/VERSION.")
    var model = "niki"

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...100_000_000).contains(people) else {
            throw ValidationError("--people must be 1…100000000, not \(people)")
        }
    }

    func run() async throws {
        let file = try PoseInput.read(path: input, options: PoseInput.Options())
        // The joints alone, as a caller has them who knows nothing else.
        let request = PoseRequest(
            count: file.count,
            joints: file.request(rows: Array(0..<file.count), hasTwists: false, isTracked: false, refine: 0).joints)
        let report = try await client.withClient { client in
            _ = try await client.solve(request, model: model)
            return try await measure(request, client)
        }
        if output.json { return try JSONOutput.print(report) }
        StandardStreams.data(report.line)
    }

    private func measure(_ request: PoseRequest, _ client: Client) async throws -> ServiceBenchReport {
        let clock = ContinuousClock()
        let start = clock.now
        let processorStart = processorSeconds()
        var solved = 0
        var failed = 0
        while solved < people {
            for try await part in client.solveScene(request, model: model) {
                solved += part.rows.count
                failed += part.reply.itemErrors.count
            }
        }
        let elapsed = seconds(clock.now - start)
        return ServiceBenchReport(
            model: model, people: solved, failed: failed, seconds: elapsed, peoplePerSecond: Double(solved) / elapsed,
            clientProcessorSeconds: processorSeconds() - processorStart)
    }

    /// What this process has used of all processors.
    private func processorSeconds() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// What `sinew bench service` found.
struct ServiceBenchReport: Encodable {
    let model: String
    let people: Int
    /// People that could not be solved.
    let failed: Int
    let seconds: Double
    let peoplePerSecond: Double
    /// Processor time of the client itself.
    let clientProcessorSeconds: Double

    var line: String {
        let each = clientProcessorSeconds / Double(max(1, people)) * 1e6
        return "\(model): \(people) people in \(fixed(seconds, 2)) s, \(fixed(peoplePerSecond, 0)) a second; "
            + "the client used \(fixed(each, 2)) µs of processor time for each; \(failed) failed"
    }
}
