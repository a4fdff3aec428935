internal import SinewArrayFiles

/// Why a file of observations or poses could not be read or written.
package struct FormatError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure; a command maps it to its exit code.
    package enum Reason: Sendable, Equatable {
        /// There is no such file or folder (exit code 66).
        case missingFile
        /// The file is damaged or no such format (65).
        case unreadableFile
        /// The file is readable, but what it says cannot be solved (65).
        case invalidData
        /// The operating system refused (74).
        case io
    }
    /// The kind of failure.
    package let reason: Reason
    /// What, where, why and what to type next.
    package let message: String
    /// The field that is wrong, where one is.
    package let field: String?

    package init(_ reason: Reason, _ message: String, field: String? = nil) {
        self.reason = reason
        self.message = message
        self.field = field
    }

    init(_ error: ArrayFileError, field: String? = nil) {
        switch error.reason {
        case .missingFile: self.init(.missingFile, error.message, field: field)
        case .truncated, .malformed, .unsupported: self.init(.unreadableFile, error.message, field: field)
        case .wrongShape: self.init(.invalidData, error.message, field: field)
        case .io: self.init(.io, error.message, field: field)
        }
    }

    /// The message.
    package var description: String { message }
}

/// Runs a reader of array files and rewords its errors, naming file and field where they do not name them themselves.
func rewording<Value>(
    field: String? = nil, path: String? = nil, _ body: () throws(ArrayFileError) -> Value
) throws(FormatError) -> Value {
    do throws(ArrayFileError) {
        return try body()
    } catch {
        guard let path, let field, !error.message.contains(path) else { throw FormatError(error, field: field) }
        throw FormatError(ArrayFileError(error.reason, "\(path): \(field): \(error.message)"), field: field)
    }
}
