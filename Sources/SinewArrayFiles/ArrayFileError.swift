/// Why an array file could not be read or written.
package struct ArrayFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure, for callers that react differently.
    package enum Reason: Sendable, Equatable {
        /// The file, or the folder it should be written to, does not exist.
        case missingFile
        /// The file ends before its own headers say that it does.
        case truncated
        /// The bytes contradict the format, or a checksum does not match.
        case malformed
        /// A correct file that uses something we do not read (zip64, pickled objects, encryption…).
        case unsupported
        /// An array is absent, or has another shape or element type than the reader needs.
        case wrongShape
        /// The operating system refused to read or write.
        case io
    }
    /// The kind of failure.
    package let reason: Reason
    /// What, where, why and what to do next.
    package let message: String

    /// Creates an error.
    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
