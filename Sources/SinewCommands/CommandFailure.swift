/// Why a command ended early: what the person reads, and the status the shell sees.
///
/// The message says what went wrong, where, why, and what to type next; it is printed once, by ``CommandLineEntry``.
package struct CommandFailure: Error, Equatable, Sendable {
    package let status: CommandStatus
    package let message: String

    package init(_ status: CommandStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}
