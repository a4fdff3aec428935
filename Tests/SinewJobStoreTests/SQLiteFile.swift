import CFaultyStorage
import Foundation

/// A database opened beside the store's own code, to change what lies in it.
final class SQLiteFile {
    private let path: String

    init(_ path: String) throws { self.path = path }

    func run(_ sql: String) throws {
        let code = unsafe faulty_storage_run(path, sql)
        guard code == 0 else { throw CocoaError(.fileWriteUnknown, userInfo: ["code": code, "sql": sql]) }
    }
}
