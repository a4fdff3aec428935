internal import ArgumentParser
internal import SinewClient

/// `sinew worker drain`: lets a worker finish and leave, from wherever the broker is reached.
struct WorkerDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Let a worker finish what it computes and leave.",
        discussion: """
            What it has not begun goes back at once and runs elsewhere; no task loses an attempt. Under sinew up a fresh worker takes its \
            place. Returns when the worker is gone.
            """)

    @Argument(help: "The worker's name; sinew status lists them.")
    var name: String

    @Flag(name: .long, help: "Return once the worker was told, without waiting until it is gone.")
    var noWait = false

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let told = try await client.withClient { client in
            let before = try await processes(client)
            let told = try await client.drainWorker(named: name, deadline: firstContactLimit)
            if !noWait {
                try await interruptible(explanation: { "the worker leaves all the same; sinew status shows it" }) {
                    while try await !processes(client).isDisjoint(with: before) {
                        try await Task.sleep(for: .milliseconds(200))
                    }
                }
            }
            return told
        }
        if output.json {
            try JSONOutput.print(["workers": told])
        } else {
            StandardStreams.talk(
                "\(name): \(told == 1 ? "the worker" : "\(told) workers") \(noWait ? "told to leave" : "left")")
        }
    }

    /// The workers of that name, by machine and process: a fresh one may have the same name.
    private func processes(_ client: Client) async throws -> Set<String> {
        let workers = try await client.fleetStatus(deadline: firstContactLimit).workers
        return Set(workers.filter { $0.name == name }.map { "\($0.host) \($0.processID)" })
    }
}
