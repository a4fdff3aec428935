internal import ArgumentParser
internal import Glibc
internal import SinewBroker
internal import SinewStatus
internal import UnixSignals

/// `sinew broker`: hands calls to workers and results back to clients.
struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Run a broker: clients on one port, workers on another.",
        discussion: """
            Prints its two endpoints once it listens. The first SIGINT or SIGTERM drains (no new calls, running ones \
            finish), a second one stops at once. With keys, only those of the list are admitted; the list is read again when \
            it changes, and on SIGHUP.
            """)

    @Option(name: .long, help: "Where clients connect; port * lets the system choose one.")
    var clients = "tcp://127.0.0.1:7690"

    @Option(name: .long, help: "Where workers connect; port * lets the system choose one.")
    var workers = "tcp://127.0.0.1:7691"

    @OptionGroup var keys: BrokerKeyOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var http: HTTPOptions
    @OptionGroup var service: ServiceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        OpenFileLimit.raise()
        var configuration = BrokerConfiguration()
        configuration.security = try keys.security()
        configuration.allowsInsecure = service.insecure
        // What is wrong with the options is said before anything listens.
        _ = try http.configuration(isInsecureAllowed: service.insecure)
        let hasKeys = configuration.security != nil
        for (option, endpoint) in [("--clients", clients), ("--workers", workers)] {
            try EndpointPolicy.check(
                endpoint, option: option, hasKeys: hasKeys, isInsecureAllowed: service.insecure)
        }
        configuration.clientEndpoint = clients
        configuration.workerEndpoint = workers
        configuration.version = sinewVersion
        configuration.store = store.configuration
        let signals = await stoppingSignals()
        let reloads = hasKeys ? await UnixSignalsSequence(trapping: .sighup) : nil
        let server = try BrokerServer(configuration, logger: service.logger(label: "sinew.broker"))
        let status = try await http.start(server, configuration, service)
        let ready = BrokerReady(
            clientEndpoint: server.clientEndpoint, workerEndpoint: server.workerEndpoint,
            httpAddress: status.map { "\($0.address)" }, processID: Int(getpid()))
        if output.json {
            try JSONOutput.print(ready)
        } else {
            StandardStreams.data(
                "clients \(ready.clientEndpoint)  workers \(ready.workerEndpoint)"
                    + (ready.httpAddress.map { "  http \($0)" } ?? ""))
        }
        await withTaskGroup(of: Void.self) { group in
            if let reloads {
                group.addTask {
                    for await _ in reloads { server.reloadKeys() }
                }
            }
            await runService(server, until: signals, stopsWithParent: service.stopWithParent)
            group.cancelAll()
        }
        await status?.stop()
    }
}

extension BrokerServer: StoppableService {}

/// What a broker prints once it listens.
struct BrokerReady: Codable, Equatable {
    let clientEndpoint: String
    let workerEndpoint: String
    /// `HOST:PORT` of the dashboard; nil: it is off.
    let httpAddress: String?
    let processID: Int

    enum CodingKeys: String, CodingKey {
        case clientEndpoint = "client_endpoint"
        case workerEndpoint = "worker_endpoint"
        case httpAddress = "http_address"
        case processID = "process_id"
    }
}
