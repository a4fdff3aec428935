/// Why a folder of jobs could not be opened: what, where, why, and what to type next.
package struct JobStoreOpenError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// Another process has the folder.
        case inUse
        /// The folder or a file in it cannot be made, read or written.
        case notAccessible
        /// A newer release has written it.
        case tooNew
        /// The file is not a store, or its structure is destroyed.
        case destroyed
    }

    package let reason: Reason
    package let message: String
    package var description: String { message }

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
