/// Why a worker could not start.
package struct WorkerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Reason: Sendable, Equatable {
        /// The configuration contradicts itself or a limit.
        case configuration
        /// The endpoint is malformed, or the process has no socket or thread left.
        case transport
        /// No model, or two of the same name and version.
        case models
    }
    /// The kind of failure.
    package let reason: Reason
    /// What, where, why, and what to type next.
    package let message: String

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
