/// Why a body could not be loaded.
public struct BodyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure, for callers that react differently.
    public enum Reason: Sendable, Equatable {
        /// There is no such file.
        case missingFile
        /// The file is damaged, or is not what its name promises.
        case unusableFile
        /// The file is readable, but its arrays do not make a body.
        case invalidBody
    }
    /// The kind of failure.
    public let reason: Reason
    /// What, where, why and what to do next.
    public let message: String

    /// Creates an error.
    public init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
