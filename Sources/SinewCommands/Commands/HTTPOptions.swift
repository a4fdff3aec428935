internal import ArgumentParser
internal import Logging
internal import SinewBroker
internal import SinewStatus

/// Where a broker tells over HTTP how the fleet does.
struct HTTPOptions: ParsableArguments {
    /// The port that Prometheus exporters of this kind have.
    static let defaultAddress = "127.0.0.1:9464"

    @Option(
        name: .long,
        help: """
            Where the dashboard, metrics and events are served over HTTP, HOST:PORT, or none \
            (default: \(HTTPOptions.defaultAddress)).
            """)
    var http: String?

    @Option(
        name: .long,
        help: """
            A file whose first line is the operator's token: whoever shows it over HTTP may send workers away and cancel \
            jobs.
            """)
    var httpTokenFile: String?

    /// Whether somebody asked for this very address.
    var isAddressGiven: Bool { http != nil }

    /// What the HTTP side is told; nil: there is none.
    func configuration(isInsecureAllowed: Bool) throws -> StatusConfiguration? {
        let text = http ?? Self.defaultAddress
        if text == "none" {
            guard httpTokenFile == nil else {
                throw CommandFailure(.usage, "--http-token-file with --http none: nothing would ask for the token")
            }
            return nil
        }
        let address = try Self.address(text)
        var configuration = StatusConfiguration(address: address)
        configuration.allowsInsecure = isInsecureAllowed
        configuration.operatorToken = try httpTokenFile.map { try OperatorToken(file: $0) }
        try configuration.checkReach()
        return configuration
    }

    static func address(_ text: String) throws(CommandFailure) -> HTTPAddress {
        if let address = HTTPAddress(parsing: text) { return address }
        throw CommandFailure(
            .usage,
            "--http '\(text)' is no address: write HOST:PORT (port 0 lets the system choose), for example "
                + "\(defaultAddress), or none")
    }

    /// The token as arguments of `sinew broker`. What is wrong with any of the options is said here and not by the child.
    func tokenArguments(isInsecureAllowed: Bool) throws -> [String] {
        _ = try configuration(isInsecureAllowed: isInsecureAllowed)
        return httpTokenFile.map { ["--http-token-file", $0] } ?? []
    }

    /// Starts the HTTP side of a broker; nil when there is to be none, or when nobody asked for the address and somebody else has it.
    func start(
        _ broker: BrokerServer, _ brokerConfiguration: BrokerConfiguration, _ service: ServiceOptions
    ) async throws -> StatusServer? {
        guard var configuration = try configuration(isInsecureAllowed: service.insecure) else { return nil }
        configuration.limits = brokerConfiguration.limits
        configuration.metrics = broker.metrics
        configuration.store = brokerConfiguration.store.map { StatusStore(folder: $0.folder, bytesMax: $0.bytesMax) }
        let logger = service.logger(label: "sinew.http")
        do throws(StatusError) {
            return try await StatusServer.start(configuration, BrokerStatusSource(broker), logger: logger)
        } catch {
            guard error.reason == .addressInUse, !isAddressGiven else { throw error }
            logger.warning(
                "HTTP is off: its usual address is in use; choose another one with --http HOST:PORT",
                metadata: ["address": "\(configuration.address)"])
            return nil
        }
    }
}
