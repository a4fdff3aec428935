internal import GRDB
package import SinewCore

/// Jobs in a folder: one SQLite database in WAL mode with `synchronous=FULL`, so that a commit returns after `fdatasync`.
///
/// A folder belongs to one store of one process at a time. After ``JobStoreFailure/broken(_:)`` the value is to be dropped and the folder
/// opened anew: opening copies the log into the database and syncs both, so that what is read afterwards is on the disk, whatever a
/// failed `fdatasync` has left in the system's cache.
///
/// Cost: a commit takes two or three writes of pages per record and one `fdatasync`.
package struct SQLiteJobStore: JobStore, ~Copyable {
    let folder: StoreFolder
    let database: JobDatabase
    let bytesMax: Int
    let freeBytesMin: Int
    var checksum = RecordChecksum()
    /// The rows of the jobs.
    var numbers: [JobID: Int64] = [:]

    /// Takes a folder, which is made if it is not there.
    ///
    /// - Parameter bytesMax: what the database may hold before new jobs and tasks are refused as ``JobStoreFailure/full(_:)``. Ends and
    ///   results of tasks that were taken are always written.
    /// - Parameter freeBytesMin: what new jobs and tasks leave free on the disk, besides the size of the log. A store that fills its own
    ///   disk could not be opened again: opening copies the log into the database, and nothing can be removed before that.
    package init(
        folder path: String, bytesMax: Int = .max, freeBytesMin: Int = Limits().storeFreeBytesMin
    ) throws(JobStoreOpenError) {
        let folder = try StoreFolder(path)
        let opened = try Self.openDatabase(folder.databasePath, of: path)
        self.folder = folder
        self.bytesMax = bytesMax
        self.freeBytesMin = freeBytesMin
        database = opened.database
        numbers = opened.numbers
    }

    private static func openDatabase(
        _ path: String, of folder: String
    ) throws(JobStoreOpenError) -> (database: JobDatabase, numbers: [JobID: Int64]) {
        do {
            let queue = try DatabaseQueue(path: path, configuration: JobStoreSchema.configuration(busyTimeout: 2))
            let isTooNew = try queue.read { try JobStoreSchema.migrations.hasBeenSuperseded($0) }
            guard !isTooNew else {
                throw JobStoreOpenError(
                    .tooNew,
                    "the job store \(folder) was written by a newer release of Sinew; start that one, or give another folder with `--store FOLDER`"
                )
            }
            try JobStoreSchema.migrations.migrate(queue)
            try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            return (JobDatabase(queue: queue, path: path), try queue.writeWithoutTransaction { try readNumbers($0) })
        } catch let error as JobStoreOpenError {
            throw error
        } catch {
            throw openError(error, path: path)
        }
    }

    private static func openError(_ error: any Error, path: String) -> JobStoreOpenError {
        guard let error = error as? DatabaseError else {
            return JobStoreOpenError(.notAccessible, "cannot open \(path): \(error)")
        }
        let reason = "\(error.message ?? "no reason given") (SQLite error \(error.extendedResultCode.rawValue))"
        if error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT {
            return JobStoreOpenError(
                .destroyed,
                "\(path) is not a job store, or is destroyed: \(reason); move the folder away and start anew, or bring it back from a copy"
            )
        }
        return JobStoreOpenError(
            .notAccessible, "cannot open \(path): \(reason); look at the disk and the rights of the folder")
    }

    private static func readNumbers(_ database: Database) throws -> [JobID: Int64] {
        var numbers: [JobID: Int64] = [:]
        let rows = try Row.fetchCursor(database, sql: "SELECT id, number FROM job")
        while let row = try rows.next() {
            guard let id = JobID(bytes: try row.bytes(at: 0)) else { continue }
            numbers[id] = row[1]
        }
        return numbers
    }

    /// The key of a task's rows; nil when the store has no such job.
    func key(of task: JobTaskID) -> Int64? {
        numbers[task.job].map { $0 << JobStoreSchema.indexBits | Int64(task.index) }
    }

    package mutating func bytesOnDisk() throws(JobStoreFailure) -> Int { folder.bytesOnDisk }
}

/// The database and its name for messages.
struct JobDatabase: Sendable {
    let queue: DatabaseQueue
    let path: String

    /// Runs statements, each a transaction of its own unless it says otherwise.
    ///
    /// - Parameter action: what a failure was to do, for the message: "read the jobs".
    func perform<Result>(
        _ action: String, _ body: (Database) throws -> Result
    ) throws(JobStoreFailure) -> Result {
        do {
            return try queue.writeWithoutTransaction(body)
        } catch {
            throw JobStoreFailure(error, to: action, in: path)
        }
    }
}

extension Row {
    /// A blob, copied; empty when there is none.
    func bytes(at index: Int) throws -> [UInt8] { try withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } ?? [] } }
}
