internal import ArgumentParser
internal import SinewClient

/// Where the broker is, for the commands that talk to one.
struct ClientOptions: ParsableArguments {
    @Option(name: .long, help: "The broker's endpoint for clients.")
    var broker = "tcp://127.0.0.1:7690"

    @Flag(name: .long, help: "Allow a broker outside this machine; the traffic is not encrypted.")
    var insecure = false

    /// Talks to that broker, and lets cancellations leave before the process may end.
    func withClient<Result: Sendable>(_ body: (Client) async throws -> Result) async throws -> Result {
        try EndpointPolicy.check(broker, option: "--broker", isInsecureAllowed: insecure)
        return try await SinewCommands.withClient(of: broker, body)
    }
}

/// A client for the time of `body`.
func withClient<Result: Sendable>(
    of endpoint: String, _ body: (Client) async throws -> Result
) async throws -> Result {
    let client = try Client(ClientConfiguration(endpoint: endpoint))
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(client)) } catch { outcome = .failure(error) }
    await onOwnThread(named: "close client") { client.closeAndWait() }
    return try outcome.get()
}
