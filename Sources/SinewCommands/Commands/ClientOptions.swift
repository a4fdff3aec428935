internal import ArgumentParser
internal import Logging
internal import SinewClient

/// Where the broker is, for the commands that talk to one.
struct ClientOptions: ParsableArguments {
    @Option(name: .long, help: "The broker's endpoint for clients.")
    var broker = "tcp://127.0.0.1:7690"

    @OptionGroup var connection: ConnectionKeyOptions

    @Flag(name: .long, help: "Allow a broker outside this machine without keys; the traffic is not encrypted.")
    var insecure = false

    @OptionGroup var logs: LogOptions

    /// Talks to that broker, and lets cancellations leave before the process may end.
    func withClient<Result: Sendable>(_ body: (Client) async throws -> Result) async throws -> Result {
        try await SinewCommands.withClient(try configuration(), logger: logger, body)
    }

    /// The same for commands about jobs: once the broker has answered, it is waited for, and the person is told so.
    func withJobClient<Result: Sendable>(_ body: (Client) async throws -> Result) async throws -> Result {
        var configuration = try configuration()
        let teller = RefusalTeller()
        configuration.whenJobCallWaits = { teller.tell($0) }
        return try await SinewCommands.withClient(configuration, logger: logger, body)
    }

    private var logger: Logger { logs.logger(label: "sinew.client", level: .warning) }

    private func configuration() throws -> ClientConfiguration {
        var configuration = ClientConfiguration(endpoint: broker)
        configuration.keys = try connection.keys()
        configuration.allowsInsecure = insecure
        try EndpointPolicy.check(
            broker, option: "--broker", hasKeys: configuration.keys != nil, isInsecureAllowed: insecure)
        if insecure, configuration.keys == nil {
            StandardStreams.talk(
                TextStyle.talk.yellow("warning:")
                    + " --insecure: whoever is on the way to \(broker) can read and change everything")
        }
        return configuration
    }

    /// What has to be added to another command that is to reach the same broker.
    var hint: String {
        var words: [String] = []
        if broker != Self.localBroker { words += ["--broker", broker] }
        if let key = connection.key { words += ["--key", key] }
        if let key = connection.brokerKey { words += ["--broker-key", key] }
        if insecure { words.append("--insecure") }
        return words.map { " " + $0 }.joined()
    }

    private static let localBroker = ClientConfiguration().endpoint
}

/// A client for the time of `body`.
func withClient<Result: Sendable>(
    _ configuration: ClientConfiguration, logger: Logger = Logger(label: "sinew.client"),
    _ body: (Client) async throws -> Result
) async throws -> Result {
    let client = try Client(configuration, logger: logger)
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(client)) } catch { outcome = .failure(error) }
    await onOwnThread(named: "close client") { client.closeAndWait() }
    return try outcome.get()
}
