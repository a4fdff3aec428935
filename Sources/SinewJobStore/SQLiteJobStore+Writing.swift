internal import Foundation
internal import GRDB
package import SinewCore

extension SQLiteJobStore {
    package mutating func commit(_ writes: [JobStoreWrite]) throws(JobStoreFailure) {
        try verifyPayloads(of: writes)
        try commitVerified(writes)
    }

    /// As `commit`, for payloads that ``verifyPayloads(of:)`` has found to have their hashes.
    package mutating func commitVerified(_ writes: [JobStoreWrite]) throws(JobStoreFailure) {
        let known = numbers
        let (database, path) = (self.database, folder.databasePath)
        do {
            try database.queue.writeWithoutTransaction { database in
                try database.inTransaction(.immediate) {
                    try refuseGrowth(of: writes, database)
                    for write in writes { try apply(write, database) }
                    return .commit
                }
            }
        } catch {
            numbers = known
            throw JobStoreFailure(error, to: "write", in: path)
        }
    }

    /// - Throws: ``JobStoreFailure/mismatched(_:)`` for the first payload that does not have the hash of its record.
    package func verifyPayloads(of writes: [JobStoreWrite]) throws(JobStoreFailure) {
        for write in writes {
            guard case .insertTask(let task, let record) = write.operation else { continue }
            guard write.bytes.count == record.payloadBytes, checksum.hash(of: write.bytes) == record.payloadHash else {
                throw .mismatched(task)
            }
        }
    }

    private func refuseGrowth(of writes: [JobStoreWrite], _ database: Database) throws {
        var bytes = 0
        for write in writes {
            switch write.operation {
            case .insertJob, .insertTask: bytes += write.bytes.count + write.label.utf8.count + 256
            case .setJobState, .setTries, .endTask, .reviveTask, .setSequenceFloor, .removeJob, .reserveLeaseSequence:
                break
            }
        }
        guard bytes > 0 else { return }
        // A new page is written twice, to the log and to the database.
        if let free = folder.bytesFree, free - 2 * bytes - folder.logBytes < freeBytesMin {
            throw JobStoreFailure.full(
                "the disk of the job store \(folder.path) has \(free >> 20) MiB left, and \((freeBytesMin + folder.logBytes) >> 20) are kept free so that the store can be opened again; make room on it"
            )
        }
        guard bytesMax < .max else { return }
        let used = try bytesInUse(database)
        guard used + bytes <= bytesMax else {
            throw JobStoreFailure.full(
                "the job store \(folder.path) holds \(used) bytes and may hold \(bytesMax); remove jobs, or give it more with `--store-bytes-max`"
            )
        }
    }

    /// Bytes of the pages that hold something.
    func bytesInUse(_ database: Database) throws -> Int {
        let pages = try Int.fetchOne(database.cachedStatement(sql: "PRAGMA page_count")) ?? 0
        let free = try Int.fetchOne(database.cachedStatement(sql: "PRAGMA freelist_count")) ?? 0
        return (pages - free) * JobStoreSchema.pageBytes
    }

    private mutating func apply(_ write: JobStoreWrite, _ database: Database) throws {
        switch write.operation {
        case .insertJob(let job): try insert(job, database)
        case .insertTask(let task, let record): try insert(task, record, write, database)
        case .setJobState(let id, let state, let sealedTasks, let ended):
            try change(id, database) { job in
                job.state = state
                job.sealedTasks = sealedTasks
                job.ended = ended
            }
        case .setTries(let task, let tries):
            try change(
                "UPDATE task SET tries = ?, tries_checksum = ? WHERE key = ?",
                [tries.bits, checksum.of(task, tries: tries.bits), try existingKey(of: task)], database)
        case .endTask(let task, let end): try self.end(task, end, write.bytes, database)
        case .reviveTask(let task, let sequenceFloor):
            let key = try existingKey(of: task)
            try change(task.job, database) { $0.sequenceFloor = sequenceFloor }
            try change(
                """
                UPDATE task SET outcome = NULL, status = NULL, attempts = NULL, sequence = NULL, result_bytes = NULL,
                end_checksum = NULL, tries = NULL, tries_checksum = NULL WHERE key = ?
                """, [key], database)
            try run("DELETE FROM result WHERE key = ?", [key], database)
        case .setSequenceFloor(let id, let sequenceFloor):
            try change(id, database) { $0.sequenceFloor = sequenceFloor }
        case .removeJob(let id):
            guard let number = numbers.removeValue(forKey: id) else { throw unknown(id) }
            // Its rows go little by little, see `reclaim`; the number is never used again.
            try run("INSERT INTO removal(number) VALUES (?)", [number], database)
            try change("DELETE FROM job WHERE number = ?", [number], database)
        case .reserveLeaseSequence(let limit):
            let value = Int64(bitPattern: limit)
            let row = checksum.ofSetting(JobStoreSchema.leaseSequence, value)
            try run(
                "INSERT OR REPLACE INTO setting(name, value, checksum) VALUES (?, ?, ?)",
                [JobStoreSchema.leaseSequence, value, row], database)
        }
    }

    private mutating func insert(_ job: JobRecord, _ database: Database) throws {
        try removeDamaged(job.id, database)
        let row = checksum.of(job)
        try run(
            """
            INSERT INTO job(id, tenant, method, model, label, content, priority, created, give_up, retention, state,
            sealed_tasks, ended, sequence_floor, checksum, traceparent)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                Data(job.id.bytes), job.tenant.rawValue, job.method, job.model.rawValue, job.label,
                job.content.map { Data($0.bytes) }, Int(job.priority), job.created.microseconds,
                job.giveUp.microseconds, job.retentionMicroseconds, Int(job.state.rawValue), job.sealedTasks,
                job.ended?.microseconds, Int64(bitPattern: job.sequenceFloor), row,
                job.traceparent,
            ], database)
        numbers[job.id] = database.lastInsertedRowID
    }

    /// A job whose row is damaged is left out when the store is opened, so its client begins it anew, under the same id.
    private mutating func removeDamaged(_ id: JobID, _ database: Database) throws {
        guard let number = numbers[id] else { return }
        let rows = try Row.fetchCursor(
            database.cachedStatement(sql: "SELECT \(Self.jobColumns) FROM job WHERE number = ?"), arguments: [number])
        if let row = try rows.next(), try decodeJob(row) != nil {
            throw JobStoreFailure.broken("\(folder.databasePath) has the job \(id.high):\(id.low) already")
        }
        try run("INSERT INTO removal(number) VALUES (?)", [number], database)
        try run("DELETE FROM job WHERE number = ?", [number], database)
    }

    private mutating func change(_ id: JobID, _ database: Database, _ edit: (inout JobRecord) -> Void) throws {
        var job = try record(of: id, database)
        edit(&job)
        let row = checksum.of(job)
        try change(
            "UPDATE job SET state = ?, sealed_tasks = ?, ended = ?, sequence_floor = ?, checksum = ? WHERE number = ?",
            [
                Int(job.state.rawValue), job.sealedTasks, job.ended?.microseconds, Int64(bitPattern: job.sequenceFloor),
                row, numbers[id],
            ], database)
    }

    private mutating func insert(
        _ task: JobTaskID, _ record: JobTaskRecord, _ write: JobStoreWrite, _ database: Database
    ) throws {
        let key = try existingKey(of: task)
        let row = checksum.of(task.job, record)
        let label = checksum.ofLabel(task, write.label)
        // One of that index may be there: damaged, and sent again by its client.
        try run(
            "INSERT OR REPLACE INTO task(key, job, items, payload_bytes, payload_hash, checksum) VALUES (?, ?, ?, ?, ?, ?)",
            [
                key, key >> JobStoreSchema.indexBits, record.items, record.payloadBytes,
                Data(record.payloadHash.bytes), row,
            ], database)
        // The bytes have the hash of the task's record, which is what a reader compares.
        try run(
            "INSERT OR REPLACE INTO payload(key, label, label_checksum, bytes) VALUES (?, ?, ?, ?)",
            [key, write.label, label, Data(write.bytes)], database)
        try run("DELETE FROM result WHERE key = ?", [key], database)
        if let end = record.end { try self.end(task, end, [], database) }
    }

    private mutating func end(
        _ task: JobTaskID, _ end: JobTaskRecord.End, _ bytes: [UInt8], _ database: Database
    ) throws {
        let key = try existingKey(of: task)
        let row = checksum.of(task, end)
        let result = checksum.ofResult(task, end, bytes)
        try change(
            """
            UPDATE task SET outcome = ?, status = ?, attempts = ?, sequence = ?, result_bytes = ?, end_checksum = ?
            WHERE key = ?
            """,
            [
                Int(end.outcome.rawValue), Int(end.status), end.attempts, Int64(bitPattern: end.sequence),
                end.resultBytes, row, key,
            ], database)
        guard !bytes.isEmpty else { return }
        try run(
            "INSERT OR REPLACE INTO result(key, checksum, bytes) VALUES (?, ?, ?)", [key, result, Data(bytes)], database
        )
    }

    private func existingKey(of task: JobTaskID) throws -> Int64 {
        guard let key = key(of: task) else { throw unknown(task.job) }
        precondition(task.index >= 0 && task.index < 1 << Int(JobStoreSchema.indexBits), "a task index beyond 24 bits")
        return key
    }

    /// The store and the one who uses it disagree: only opening it anew makes them agree again.
    private func unknown(_ job: JobID) -> JobStoreFailure {
        .broken("\(folder.databasePath) has no job \(job.high):\(job.low)")
    }

    private func run(_ sql: String, _ arguments: StatementArguments, _ database: Database) throws {
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// A statement that must change one row.
    private func change(_ sql: String, _ arguments: StatementArguments, _ database: Database) throws {
        try run(sql, arguments, database)
        guard database.changesCount == 1 else {
            throw JobStoreFailure.broken("\(folder.databasePath) lacks a row that was written: \(sql)")
        }
    }
}
