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
    /// The map keys that lead to the value, outermost first.
    public private(set) var path: [String] = []

    /// Creates an error.
    public init(_ reason: Reason, _ message: String, offset: Int) {
        self.reason = reason
        self.message = message
        self.offset = offset
    }

    /// The same error, seen from the map that holds the failing value under `key`.
    public func under(_ key: String) -> MessagePackError {
        var error = self
        error.path.insert(key, at: 0)
        return error
    }

    /// The message with its place, for example `joints.shape: expected an array, found a string (byte 12)`.
    public var description: String {
        (path.isEmpty ? "" : path.joined(separator: ".") + ": ") + "\(message) (byte \(offset))"
    }
}
