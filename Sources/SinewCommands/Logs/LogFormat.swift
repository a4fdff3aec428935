/// How the messages of a command are printed on standard error.
package enum LogFormat: String, CaseIterable, Sendable {
    /// A line of text per message, for people.
    case text
    /// A JSON object per line, for programs: ``JSONLogHandler``.
    case json
}
