internal import GRDB
internal import SinewCore

extension JobStoreFailure {
    /// What an error of SQLite means for the one who asked.
    init(_ error: any Error, to action: String, in path: String) {
        if let failure = error as? JobStoreFailure {
            self = failure
            return
        }
        guard let error = error as? DatabaseError else {
            self = .broken("cannot \(action) in \(path): \(error)")
            return
        }
        let reason = error.message ?? "no reason given"
        let text = "cannot \(action) in \(path): \(reason) (SQLite error \(error.extendedResultCode.rawValue))"
        self = error.resultCode == .SQLITE_FULL ? .full(text) : .broken(text)
    }
}

/// Whether a page of the database contradicts itself, so that only what lies on it is lost.
func isCorruption(_ error: any Error) -> Bool {
    guard let error = error as? DatabaseError else { return false }
    return error.resultCode == .SQLITE_CORRUPT
}
