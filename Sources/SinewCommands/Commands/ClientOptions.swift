internal import ArgumentParser
internal import SinewClient

/// Where the broker is, for the commands that talk to one.
struct ClientOptions: ParsableArguments {
    @Option(name: .long, help: "The broker's endpoint for clients.")
    var broker = "tcp://127.0.0.1:7690"

    @Flag(name: .long, help: "Allow a broker outside this machine; the traffic is not encrypted.")
    var insecure = false

    /// A client of that broker.
    func client(_ adjust: (inout ClientConfiguration) -> Void = { _ in }) throws -> Client {
        try EndpointPolicy.check(broker, option: "--broker", isInsecureAllowed: insecure)
        var configuration = ClientConfiguration(endpoint: broker)
        adjust(&configuration)
        return try Client(configuration)
    }
}
