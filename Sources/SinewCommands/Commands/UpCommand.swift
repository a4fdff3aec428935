internal import ArgumentParser
internal import Logging
internal import SinewKernels
internal import UnixSignals

/// `sinew up`: a broker and its workers on this machine, one process tree.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run a broker and workers on this machine until Ctrl-C.",
        discussion: """
            Every part is a process of its own; one that dies is started again, and all of them end with this one, \
            however it ends.
            """)

    @Option(name: .long, help: "Worker processes.")
    var workers = 2

    @Option(name: .long, help: "Compute threads of each worker (default: the processors this may use, shared out).")
    var threads: Int?

    @Flag(name: .long, help: "Pin each compute thread to a processor of its own.")
    var pin = false

    @Option(name: .long, help: "Where clients connect.")
    var clients = "tcp://127.0.0.1:7690"

    @Option(name: .customLong("worker-endpoint"), help: "Where workers connect.")
    var workerEndpoint = "tcp://127.0.0.1:7691"

    @Option(name: .long, help: "A model to load, NAME or NAME/VERSION; may be repeated (default: all).")
    var model: [String] = []

    @Option(name: .long, help: "The folder of models (default: those that ship with sinew).")
    var models: String?

    @Option(
        name: .long,
        help: "How all weights are held: float32, bfloat16, int8 (default: what each model.json says).")
    var precision: PrecisionOption?

    @Option(
        name: .long, help: "With --key: the file of the key that the workers use; the list must admit it as a worker.")
    var workerKey: String?

    @OptionGroup var keys: BrokerKeyOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var http: HTTPOptions

    @Flag(
        name: .long,
        help: "Keep no durable jobs (default: keep them in $XDG_STATE_HOME/sinew, that is ~/.local/state/sinew).")
    var noStore = false

    @OptionGroup var service: ServiceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...256).contains(workers) else { throw ValidationError("--workers must be 1…256, not \(workers)") }
        if noStore && store.store != nil { throw ValidationError("--store and --no-store contradict each other") }
    }

    func run() async throws {
        var plan = LocalFleet.Plan()
        let security = try keyOptions()
        for (option, endpoint) in [("--clients", clients), ("--worker-endpoint", workerEndpoint)] {
            try EndpointPolicy.check(
                endpoint, option: option, hasKeys: security != nil, isInsecureAllowed: service.insecure)
        }
        if let security {
            plan.brokerKeyOptions = security.broker
            plan.workerKeyOptions = security.workers
        }
        plan.clientEndpoint = clients
        plan.workerEndpoint = workerEndpoint
        plan.workers = workers
        let allowance = ProcessorAllowance.current
        plan.threads = threads ?? allowance.threadCount(sharedBy: workers)
        if pin {
            guard plan.threads * workers <= allowance.processors.count else {
                throw ValidationError(
                    "--pin: \(workers) workers of \(plan.threads) threads need \(plan.threads * workers) processors, "
                        + "and this may use \(allowance.processors.count); use fewer workers or --threads")
            }
            plan.processors = (0..<workers).map { worker in
                Array(allowance.processors[(worker * plan.threads)..<((worker + 1) * plan.threads)])
            }
        }
        plan.workerOptions =
            model.flatMap { ["--model", $0] } + (models.map { ["--models", $0] } ?? [])
            + (precision.map { ["--precision", $0.rawValue] } ?? [])
        plan.serviceOptions = service.logs.arguments + (service.insecure ? ["--insecure"] : [])

        plan.brokerOptions =
            (noStore ? [] : store.arguments(defaultFolder: StoreOptions.userFolder))
            + (try http.tokenArguments(isInsecureAllowed: service.insecure))
        plan.httpAddress = http.http
        switch service.logs.logFormat {
        case .text: break
        case .json:
            let logger = service.logger(label: "sinew.up")
            plan.tell = { logger.notice("\($0)") }
        }

        let signals = await stoppingSignals()
        let fleet = try await LocalFleet.start(plan)
        if output.json {
            try JSONOutput.print(
                UpReady(
                    clientEndpoint: fleet.broker.clientEndpoint, workerEndpoint: fleet.broker.workerEndpoint,
                    httpAddress: fleet.broker.httpAddress,
                    brokerProcessID: fleet.broker.processID, workerProcessIDs: fleet.workers.map { Int($0.processID) }))
        } else {
            StandardStreams.data(
                "clients \(fleet.broker.clientEndpoint)  workers \(fleet.broker.workerEndpoint)  "
                    + "\(workers) worker processes, \(plan.threads) threads each")
            if let address = fleet.broker.httpAddress { plan.tell("Watch it: http://\(address)") }
            plan.tell(
                "Solve something: sinew solve joints.npz --model niki -o pose.npz    (Ctrl-C stops all)")
        }
        let outcome = await supervise(fleet, until: signals)
        await fleet.stop()
        try outcome.get()
    }

    /// What the broker and the workers are told about keys; nil when none are in use.
    private func keyOptions() throws -> (broker: [String], workers: [String])? {
        guard let paths = try keys.paths() else {
            guard workerKey == nil else {
                throw CommandFailure(
                    .usage, "--worker-key without --key and --authorized-keys: no keys are in use; add them")
            }
            return nil
        }
        guard let workerKey else {
            throw CommandFailure(
                .usage,
                "--key without --worker-key: the workers need a key too; make one with sinew keys generate and admit it "
                    + "with sinew keys authorize --role worker")
        }
        return (
            ["--key", paths.key, "--authorized-keys", paths.authorizedKeys],
            ["--key", workerKey, "--broker-key", paths.key]
        )
    }

    /// Keeps the fleet running until a signal comes, the parent ends, or a process cannot be kept alive.
    private func supervise(_ fleet: LocalFleet, until signals: UnixSignalsSequence) async -> Result<Void, any Error> {
        let parentEnded = Latch<Void>()
        if service.stopWithParent { Lifeline.whenParentEnds { parentEnded.set(()) } }
        return await withTaskGroup(of: Result<Void, any Error>.self) { group in
            group.addTask {
                do { return .success(try await fleet.supervise()) } catch { return .failure(error) }
            }
            group.addTask {
                for await _ in signals { break }
                return .success(())
            }
            group.addTask {
                _ = await parentEnded.wait()
                return .success(())
            }
            let first = await group.next() ?? .success(())
            group.cancelAll()
            return first
        }
    }
}

/// What `sinew up` prints once everything runs.
struct UpReady: Codable, Equatable {
    let clientEndpoint: String
    let workerEndpoint: String
    /// `HOST:PORT` of the dashboard; nil: it is off.
    let httpAddress: String?
    let brokerProcessID: Int
    let workerProcessIDs: [Int]

    enum CodingKeys: String, CodingKey {
        case clientEndpoint = "client_endpoint"
        case workerEndpoint = "worker_endpoint"
        case httpAddress = "http_address"
        case brokerProcessID = "broker_process_id"
        case workerProcessIDs = "worker_process_ids"
    }
}
