/// Why bytes are not the msgpack value that was asked for.
public struct MessagePackError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure, for callers that react differently.
    public enum Reason: Sendable, Equatable {
        /// The bytes end in the middle of a value.
        case truncated
        /// A value of another type stands where this one was expected.
        case unexpectedType
        /// A number does not fit the type that was asked for.
        case outOfRange
        /// A count, length or nesting depth is above its limit.
        case limitExceeded
        /// A string is not UTF-8, or a byte is no msgpack type.
        case malformed
        /// Bytes follow the value that should have been the last one.
        case trailingBytes
    }
    /// The kind of failure.
    public let reason: Reason
    /// What was expected and what was found.
    public let message: String
    /// Where the value begins, in bytes from the start.
    public let offset: Int

    /// Creates an error.
    public init(_ reason: Reason, _ message: String, offset: Int) {
        self.reason = reason
        self.message = message
        self.offset = offset
    }

    /// The message with its place.
    public var description: String { "\(message) (byte \(offset))" }
}
