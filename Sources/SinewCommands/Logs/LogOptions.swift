internal import ArgumentParser
internal import Logging

/// What is said on standard error besides errors, and how.
struct LogOptions: ParsableArguments {
    @Option(
        name: .long,
        help: """
            The least important messages to print: debug, info, notice, warning, error (default: info for services, \
            warning for commands that talk to one).
            """)
    var logLevel: LogLevelOption?

    @Option(name: .long, help: "How messages are printed: text, or json for an object per line.")
    var logFormat = LogFormat.text

    /// A logger that writes to standard error.
    ///
    /// - Parameter level: the least important level that is printed when no option says otherwise.
    func logger(label: String, level: Logger.Level) -> Logger {
        let format = logFormat
        var logger = Logger(label: label) { label in
            switch format {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler(label: label) { StandardStreams.talk($0) }
            }
        }
        logger.logLevel = logLevel?.level ?? level
        return logger
    }

    /// The options of a process that is to say the same in the same way.
    var arguments: [String] {
        (logLevel.map { ["--log-level", $0.rawValue] } ?? []) + ["--log-format", logFormat.rawValue]
    }
}

extension LogFormat: ExpressibleByArgument {}

/// `Logger.Level` as an option's value.
enum LogLevelOption: String, CaseIterable, ExpressibleByArgument {
    case debug, info, notice, warning, error

    var level: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
