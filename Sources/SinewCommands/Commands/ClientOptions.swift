internal import ArgumentParser
internal import SinewClient

/// Where the broker is, for the commands that talk to one.
struct ClientOptions: ParsableArguments {
    @Option(name: .long, help: "The broker's endpoint for clients.")
    var broker = "tcp://127.0.0.1:7690"

    @OptionGroup var connection: ConnectionKeyOptions

    @Flag(name: .long, help: "Allow a broker outside this machine without keys; the traffic is not encrypted.")
    var insecure = false

    /// Talks to that broker, and lets cancellations leave before the process may end.
    func withClient<Result: Sendable>(_ body: (Client) async throws -> Result) async throws -> Result {
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
        return try await SinewCommands.withClient(configuration, body)
    }
}

/// A client for the time of `body`.
func withClient<Result: Sendable>(
    _ configuration: ClientConfiguration, _ body: (Client) async throws -> Result
) async throws -> Result {
    let client = try Client(configuration)
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(client)) } catch { outcome = .failure(error) }
    await onOwnThread(named: "close client") { client.closeAndWait() }
    return try outcome.get()
}
