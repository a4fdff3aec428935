internal import ArgumentParser
internal import Glibc
internal import SinewKernels
internal import SinewModels
internal import SinewStatus
internal import SinewWorker

/// `sinew worker`: runs one, or sends one away.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Run a worker, or let one leave.",
        discussion: "sinew worker alone is sinew worker run; sinew worker run --help lists the options.",
        subcommands: [WorkerRunCommand.self, WorkerDrainCommand.self], defaultSubcommand: WorkerRunCommand.self)
}

/// `sinew worker run`: loads models and solves what its broker sends.
struct WorkerRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a worker: load models, solve batches for a broker.",
        discussion: """
            Prints its name and models once they are loaded. It keeps looking for its broker, and introduces itself \
            again when the broker was restarted. The first SIGINT or SIGTERM drains, a second one stops at once.
            """)

    @Option(name: .long, help: "The broker's endpoint for workers.")
    var broker = "tcp://127.0.0.1:7691"

    @Option(name: .long, help: "What people call this worker (default: host-pid).")
    var name: String?

    @Option(
        name: .long,
        help: """
            Compute threads: batches side by side, or all on a batch that is alone (default: what the process may use).
            """)
    var threads: Int?

    @Flag(name: .long, help: "Pin each compute thread to a processor.")
    var pin = false

    @Option(name: .long, help: "With --pin: the processors, for example 0,2-3 (default: all that the process may use).")
    var processors: String?

    @Option(name: .long, help: "A model to load, NAME or NAME/VERSION; may be repeated (default: all).")
    var model: [String] = []

    @Option(name: .long, help: "The folder of models (default: those that ship with sinew).")
    var models: String?

    @Option(
        name: .long,
        help: "How all weights are held: float32, bfloat16, int8 (default: what each model.json says).")
    var precision: PrecisionOption?

    @Option(name: .long, help: "People the broker may hand over before the first answer.")
    var credits: Int?

    @Option(
        name: .long,
        help: "People in one batch, solved by one thread (default: measured for each model at the start).")
    var batch: Int?

    @Option(name: .long, help: "The strongest instruction set to use: portable, neon, avx2, avx512.")
    var isaMax: ISAOption?

    @Option(
        name: .long,
        help:
            "Where this worker's own /metrics, /livez and /readyz are served, HOST:PORT (default: none; the broker tells all)."
    )
    var http: String?

    @OptionGroup var connection: ConnectionKeyOptions
    @OptionGroup var service: ServiceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if processors != nil, !pin { throw ValidationError("--processors is for --pin; add --pin") }
    }

    func run() async throws {
        let keys = try connection.keys()
        try EndpointPolicy.check(
            broker, option: "--broker", hasKeys: keys != nil, isInsecureAllowed: service.insecure)
        if let isaMax { ISA.limit(to: isaMax.isa) }
        let repository = ModelRepository(path: models)
        let names = model.isEmpty ? try repository.list().map { "\($0.name)/\($0.version)" } : model
        var loadTimes: [String: Duration] = [:]
        let loaded = try names.map { name in
            let begin = ContinuousClock.now
            let model = try repository.load(name, precision: precision?.precision)
            loadTimes[model.identity.description] = ContinuousClock.now - begin
            return model
        }

        var configuration = WorkerConfiguration(brokerEndpoint: broker, version: sinewVersion)
        configuration.loadTimes = loadTimes
        configuration.keys = keys
        configuration.allowsInsecure = service.insecure
        let allowance = ProcessorAllowance.current
        configuration.processors = pin ? try PinnedProcessors.list(processors, allowed: allowance.processors) : []
        configuration.computeThreads =
            threads ?? (pin ? min(allowance.threadCount, configuration.processors.count) : allowance.threadCount)
        if let name { configuration.name = name }
        if let credits { configuration.creditItems = credits }
        configuration.batchItemsMax = batch
        configuration.batchTableFolder = BatchTableCache.userFolder(environmentValue)
        let signals = await stoppingSignals()
        let server = try WorkerServer(configuration, models: loaded, logger: service.logger(label: "sinew.worker"))
        let status = try await startHTTP(of: server, configuration)
        let ready = WorkerReady(
            name: configuration.name, models: loaded.map(\.identity.description),
            httpAddress: status.map { "\($0.address)" }, processID: Int(getpid()))
        if output.json {
            try JSONOutput.print(ready)
        } else {
            StandardStreams.data(
                "worker \(ready.name)  models \(ready.models.joined(separator: " "))"
                    + (ready.httpAddress.map { "  http \($0)" } ?? ""))
        }
        await runService(server, until: signals, stopsWithParent: service.stopWithParent)
        await status?.stop()
    }

    private func startHTTP(
        of server: WorkerServer, _ workerConfiguration: WorkerConfiguration
    ) async throws -> StatusServer? {
        guard let http, http != "none" else { return nil }
        var configuration = StatusConfiguration(address: try HTTPOptions.address(http))
        configuration.allowsInsecure = service.insecure
        configuration.limits = workerConfiguration.limits
        configuration.metrics = workerConfiguration.metrics
        return try await StatusServer.start(
            configuration, worker: { WorkerFacts(status: server.report.status, isReady: server.report.isReady) },
            logger: service.logger(label: "sinew.http"))
    }
}

extension WorkerServer: StoppableService {}

/// What a worker prints once its models are loaded.
struct WorkerReady: Codable, Equatable {
    let name: String
    let models: [String]
    /// `HOST:PORT` of its own metrics; nil: they are not served.
    let httpAddress: String?
    let processID: Int

    enum CodingKeys: String, CodingKey {
        case name
        case models
        case httpAddress = "http_address"
        case processID = "process_id"
    }
}
