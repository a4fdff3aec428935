internal import ArgumentParser
internal import SinewClient

/// `sinew status`: what the broker holds and how its workers do.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the broker's queue and its workers.")

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let status = FleetReport(try await client.withClient { try await $0.fleetStatus(deadline: .seconds(5)) })
        if output.json { return try JSONOutput.print(status) }
        for line in status.lines(style: .data) { StandardStreams.data(line) }
    }
}
