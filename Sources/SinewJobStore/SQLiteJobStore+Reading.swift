internal import Foundation
internal import GRDB
package import SinewCore

extension SQLiteJobStore {
    package mutating func jobs() throws(JobStoreFailure) -> (jobs: [JobRecord], damaged: Int) {
        let database = self.database
        return try database.perform("read the jobs") { database in
            var found: [JobRecord] = []
            var damaged = 0
            let rows = try Row.fetchCursor(database, sql: "SELECT \(Self.jobColumns) FROM job ORDER BY id")
            while let row = try rows.next() {
                if let job = try decodeJob(row) { found.append(job) } else { damaged += 1 }
            }
            return (found, damaged)
        }
    }

    package mutating func tasks(of job: JobID) throws(JobStoreFailure) -> (tasks: [JobTaskRecord], damaged: [Int]) {
        guard let number = numbers[job] else { return ([], []) }
        let all = number << JobStoreSchema.indexBits..<(number + 1) << JobStoreSchema.indexBits
        let database = self.database
        return try database.perform("read the tasks of a job") { database in
            var tasks: [JobTaskRecord] = []
            var damaged: [Int] = []
            var next = all.lowerBound
            do {
                try scan(job, all, descending: false, &tasks, &damaged, database) { next = $0 + 1 }
            } catch  where isCorruption(error) {
                // A page between two readable stretches is destroyed: what lies there is lost, the other side is not.
                var rest: [JobTaskRecord] = []
                var previous = all.upperBound
                var hasReadBack = false
                do {
                    try scan(job, next..<all.upperBound, descending: true, &rest, &damaged, database) {
                        previous = $0
                        hasReadBack = true
                    }
                } catch  where isCorruption(error) {}
                let end = hasReadBack ? previous : next + 1
                damaged += (next..<end).map { Int($0 - all.lowerBound) }
                tasks += rest.reversed()
            }
            return (tasks, damaged.sorted())
        }
    }

    private mutating func scan(
        _ job: JobID, _ keys: Range<Int64>, descending: Bool, _ tasks: inout [JobTaskRecord], _ damaged: inout [Int],
        _ database: Database, seen: (Int64) -> Void
    ) throws {
        let order = descending ? "DESC" : "ASC"
        let sql = "SELECT \(Self.taskColumns) FROM task t WHERE t.key >= ? AND t.key < ? ORDER BY t.key \(order)"
        let rows = try Row.fetchCursor(
            database.cachedStatement(sql: sql), arguments: [keys.lowerBound, keys.upperBound])
        while let row = try rows.next() {
            let key: Int64 = row[0]
            if let task = try decodeTask(row, of: job) {
                tasks.append(task)
            } else {
                damaged.append(Int(key & (1 << JobStoreSchema.indexBits - 1)))
            }
            seen(key)
        }
    }

    package mutating func payload(of task: JobTaskID) throws(JobStoreFailure) -> [UInt8] {
        guard let key = key(of: task) else { throw .damaged(task, "the store has no such job") }
        let path = folder.databasePath
        do {
            return try database.queue.writeWithoutTransaction { database in
                let statement = try database.cachedStatement(
                    sql: "SELECT t.payload_hash, p.bytes FROM task t JOIN payload p USING (key) WHERE key = ?")
                let rows = try Row.fetchCursor(statement, arguments: [key])
                guard let row = try rows.next() else { throw JobStoreFailure.damaged(task, "the payload is not there") }
                let bytes = try row.bytes(at: 1)
                guard try ContentHash(bytes: row.bytes(at: 0)) == checksum.hash(of: bytes) else {
                    throw JobStoreFailure.damaged(task, "the payload does not have its SHA-256")
                }
                return bytes
            }
        } catch  where isCorruption(error) {
            throw .damaged(task, "the page of the payload is destroyed")
        } catch {
            throw JobStoreFailure(error, to: "read a payload", in: path)
        }
    }

    package mutating func label(of task: JobTaskID) throws(JobStoreFailure) -> String {
        guard let key = key(of: task) else { return "" }
        let path = folder.databasePath
        do {
            return try database.queue.writeWithoutTransaction { try readLabel(of: task, key, $0) ?? "" }
        } catch  where isCorruption(error) {
            return ""
        } catch {
            throw JobStoreFailure(error, to: "read a label", in: path)
        }
    }

    /// Nil when it is not there, or damaged.
    private mutating func readLabel(of task: JobTaskID, _ key: Int64, _ database: Database) throws -> String? {
        let labels = try Row.fetchCursor(
            database.cachedStatement(sql: "SELECT label, label_checksum FROM payload WHERE key = ?"), arguments: [key])
        guard let row = try labels.next() else { return nil }
        let label: String = row[0]
        return checksum.ofLabel(task, label) == row[1] as Int64 ? label : nil
    }

    package mutating func results(
        of job: JobID, after cursor: UInt64, countMax: Int, bytesMax: Int, failuresOnly: Bool
    ) throws(JobStoreFailure) -> (results: [StoredResult], damaged: [Int]) {
        guard let number = numbers[job], cursor < UInt64(Int64.max) else { return ([], []) }
        let database = self.database
        return try database.perform("read results") { database in
            // The index that is named holds the tasks in the order of their ends.
            let source =
                failuresOnly
                ? "task t INDEXED BY task_by_failure WHERE t.outcome IN (2, 3) AND"
                : "task t INDEXED BY task_by_end WHERE t.sequence IS NOT NULL AND"
            let statement = try database.cachedStatement(
                sql: "SELECT \(Self.taskColumns) FROM \(source) t.job = ? AND t.sequence > ? ORDER BY t.sequence")
            let rows = try Row.fetchCursor(statement, arguments: [number, Int64(cursor)])
            var found: [StoredResult] = []
            var damaged: [Int] = []
            var bytes = 0
            while found.count < countMax, let row = try rows.next() {
                let key: Int64 = row[0]
                let index = Int(key & (1 << JobStoreSchema.indexBits - 1))
                guard let task = try decodeTask(row, of: job), let end = task.end,
                    let result = try readResult(task, end, of: job, key, database)
                else {
                    damaged.append(index)
                    continue
                }
                bytes += result.bytes.count + result.label.utf8.count + Self.resultOverheadBytes
                if !found.isEmpty, bytes > bytesMax { break }
                found.append(result)
            }
            return (found, damaged)
        }
    }

    /// What a result takes in a reply beside payload and label.
    private static var resultOverheadBytes: Int { 64 }

    private mutating func readResult(
        _ task: JobTaskRecord, _ end: JobTaskRecord.End, of job: JobID, _ key: Int64, _ database: Database
    ) throws -> StoredResult? {
        let id = JobTaskID(job: job, index: task.index)
        do {
            guard let label = try readLabel(of: id, key, database) else { return nil }
            guard end.resultBytes > 0 else { return StoredResult(task: task, label: label, bytes: []) }
            let results = try Row.fetchCursor(
                database.cachedStatement(sql: "SELECT bytes, checksum FROM result WHERE key = ?"), arguments: [key])
            guard let row = try results.next() else { return nil }
            let bytes = try row.bytes(at: 0)
            guard bytes.count == end.resultBytes, checksum.ofResult(id, end, bytes) == row[1] as Int64 else {
                return nil
            }
            return StoredResult(task: task, label: label, bytes: bytes)
        } catch  where isCorruption(error) {
            return nil
        }
    }

    package mutating func firstFreeLeaseSequence() throws(JobStoreFailure) -> UInt64 {
        let (database, path) = (self.database, folder.databasePath)
        return try database.perform("read the lease sequence") { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT value, checksum FROM setting WHERE name = ?",
                arguments: [JobStoreSchema.leaseSequence])
            guard let row else { return 0 }
            let value: Int64 = row[0]
            guard checksum.ofSetting(JobStoreSchema.leaseSequence, value) == row[1] as Int64 else {
                throw JobStoreFailure.broken("the lease sequence in \(path) does not have its checksum")
            }
            return UInt64(bitPattern: value)
        }
    }
}
