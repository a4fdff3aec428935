internal import GRDB
package import SinewCore

extension SQLiteJobStore {
    /// Deletes a slice of what removed jobs have left behind and gives pages back to the file system, in a transaction of its own.
    ///
    /// To be called when nothing else waits, until it says that nothing is left. What was not deleted is found again after a crash.
    ///
    /// - Parameter tasksMax: how many tasks of how many jobs this one call deletes; about 50 µs each with payloads of 20 KB.
    /// - Returns: whether there is more to do.
    package mutating func reclaim(tasksMax: Int = 256) throws(JobStoreFailure) -> Bool {
        try database.perform("remove what has expired") { database in
            var hasMore = false
            try database.inTransaction(.immediate) {
                if let number = try Int64.fetchOne(database, sql: "SELECT number FROM removal ORDER BY number LIMIT 1")
                {
                    try removeTasks(of: number, tasksMax, database)
                    hasMore = true
                }
                return .commit
            }
            if !hasMore {
                let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
                hasMore = free > Self.pagesReclaimedAtOnce
                if free > 0 { try database.execute(sql: "PRAGMA incremental_vacuum(\(Self.pagesReclaimedAtOnce))") }
            }
            return hasMore
        }
    }

    private static var pagesReclaimedAtOnce: Int { 1_024 }

    private func removeTasks(of number: Int64, _ tasksMax: Int, _ database: Database) throws {
        let first = number << JobStoreSchema.indexBits
        let end = (number + 1) << JobStoreSchema.indexBits
        // A limit on the keys and not on the rows, so that the three tables agree on what is gone.
        let keys = try Int64.fetchAll(
            database, sql: "SELECT key FROM task WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
            arguments: [first, end, tasksMax])
        let isLast = keys.count < tasksMax
        let limit = isLast ? end : (keys.last ?? end) + 1
        for table in ["result", "payload", "task"] {
            try database.execute(
                sql: "DELETE FROM \(table) WHERE key >= ? AND key < ?", arguments: [first, limit])
        }
        if isLast { try database.execute(sql: "DELETE FROM removal WHERE number = ?", arguments: [number]) }
    }
}
