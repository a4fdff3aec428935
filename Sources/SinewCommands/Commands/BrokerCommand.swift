internal import ArgumentParser
internal import Glibc
internal import SinewBroker

/// `sinew broker`: hands calls to workers and results back to clients.
struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Run a broker: clients on one port, workers on another.",
        discussion: """
            Prints its two endpoints once it listens. The first SIGINT or SIGTERM drains (no new calls, running ones \
            finish), a second one stops at once.
            """)

    @Option(name: .long, help: "Where clients connect; port * lets the system choose one.")
    var clients = "tcp://127.0.0.1:7690"

    @Option(name: .long, help: "Where workers connect; port * lets the system choose one.")
    var workers = "tcp://127.0.0.1:7691"

    @OptionGroup var service: ServiceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try EndpointPolicy.check(clients, option: "--clients", isInsecureAllowed: service.insecure)
        try EndpointPolicy.check(workers, option: "--workers", isInsecureAllowed: service.insecure)
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = clients
        configuration.workerEndpoint = workers
        configuration.version = sinewVersion
        let signals = await stoppingSignals()
        let server = try BrokerServer(configuration, logger: service.logger(label: "sinew.broker"))
        let ready = BrokerReady(
            clientEndpoint: server.clientEndpoint, workerEndpoint: server.workerEndpoint, processID: Int(getpid()))
        if output.json {
            try JSONOutput.print(ready)
        } else {
            StandardStreams.data("clients \(ready.clientEndpoint)  workers \(ready.workerEndpoint)")
        }
        await runService(server, until: signals, stopsWithParent: service.stopWithParent)
    }
}

extension BrokerServer: StoppableService {}

/// What a broker prints once it listens.
struct BrokerReady: Codable, Equatable {
    let clientEndpoint: String
    let workerEndpoint: String
    let processID: Int

    enum CodingKeys: String, CodingKey {
        case clientEndpoint = "client_endpoint"
        case workerEndpoint = "worker_endpoint"
        case processID = "process_id"
    }
}
