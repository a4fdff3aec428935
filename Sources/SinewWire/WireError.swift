package import SinewMessagePack

/// Why the bytes of a peer are not the message they should be. A value, not a trap: the peer made the mistake.
package struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure, for receivers that react differently.
    package enum Reason: Sendable, Equatable {
        /// The bytes are not msgpack, are cut short, or hold a value of another type.
        case malformed
        /// A count, length or nesting depth is above its limit.
        case limitExceeded
        /// The head carries a protocol version that is not spoken here.
        case unsupportedVersion
        /// The head carries a kind or status that this version does not know.
        case unknownKind
        /// A message has a number of frames that its kind does not allow.
        case wrongFrames
    }
    /// The kind of failure.
    package let reason: Reason
    /// What was expected, where, and what was found.
    package let message: String

    /// Creates an error.
    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// Says what was being read when msgpack failed.
    package init(_ error: MessagePackError, reading what: String) {
        reason =
            switch error.reason {
            case .limitExceeded: .limitExceeded
            case .truncated, .unexpectedType, .outOfRange, .malformed, .trailingBytes: .malformed
            }
        message = "\(what): \(error)"
    }

    /// The message.
    package var description: String { message }
}
