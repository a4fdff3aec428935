internal import ArgumentParser
internal import Glibc

/// The way from `main` to a command and back to an exit status.
package enum CommandLineEntry {
    /// Runs the command that the process was started with and ends the process with its status.
    package static func run() async -> Never {
        // A reader that goes away must end a write, not the process: `sinew status | head -1`.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try SinewCommand.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit(CommandStatus.ok.rawValue)
        } catch {
            guard let failure = CommandFailure(explaining: error) else { SinewCommand.exit(withError: error) }
            if !failure.message.isEmpty { StandardStreams.talk(TextStyle.talk.red("error:") + " " + failure.message) }
            exit(failure.status.rawValue)
        }
    }
}
