internal import ArgumentParser
internal import SinewClient

/// `sinew top`: the fleet as it works.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch the fleet: who solves how fast, what waits, which jobs run.",
        discussion: """
            In a terminal it follows the fleet until q: s sorts, arrows select, d drains the selected worker (operators only), h helps. \
            Anywhere else it prints the state once, after two seconds of counting. With --json it prints an object per interval until \
            interrupted, or one with --once.
            """)

    @Flag(name: .long, help: "Print once, also in a terminal.")
    var once = false

    @Option(name: .long, help: "Seconds between two looks, 0.2…60.")
    var interval = 1.0

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (0.2...60).contains(interval) else {
            throw ValidationError("--interval must be 0.2…60 seconds, not \(interval)")
        }
    }

    func run() async throws {
        try await client.withClient { client in
            if !once && !output.json && RawTerminal.isThere {
                try await TopLoop(client: client, interval: .seconds(interval)).run()
            } else if once || !output.json {
                try show(try await lookTwice(client))
            } else {
                try await showUntilNobodyReads(client)
            }
        }
    }

    /// A state with rates: they need two looks.
    private func lookTwice(_ client: Client) async throws -> TopFleet {
        var watch = TopWatch(client)
        _ = try await watch.next()
        try await Task.sleep(for: TopWatch.beatWindow)
        return try await watch.next()
    }

    private func show(_ fleet: TopFleet) throws {
        if output.json { return try JSONOutput.print(TopReport(fleet)) }
        let width =
            environmentValue("COLUMNS").flatMap { Int($0) }
            ?? (StandardStreams.dataIsTerminal ? RawTerminal.size.width : 120)
        for line in TopScreen(width: width, height: nil, style: .data).text(fleet) { StandardStreams.data(line) }
    }

    private func showUntilNobodyReads(_ client: Client) async throws {
        var watch = TopWatch(client)
        _ = try await watch.next()
        while true {
            try await Task.sleep(for: .seconds(interval))
            guard StandardStreams.data(try JSONOutput.text(TopReport(try await watch.next()))) else { return }
        }
    }
}
