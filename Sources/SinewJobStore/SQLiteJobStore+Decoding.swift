internal import GRDB
internal import SinewCore

/// Rows to records; nil when the row does not have its checksum.
extension SQLiteJobStore {
    static var jobColumns: String {
        """
        id, tenant, method, model, label, content, priority, created, give_up, retention, state, sealed_tasks, ended,
        sequence_floor, checksum, traceparent
        """
    }

    static var taskColumns: String {
        """
        t.key, t.items, t.payload_bytes, t.payload_hash, t.checksum, t.outcome, t.status, t.attempts, t.sequence,
        t.result_bytes, t.end_checksum, t.tries, t.tries_checksum
        """
    }

    mutating func decodeJob(_ row: Row) throws -> JobRecord? {
        // A flipped bit may have changed the type of a value; asking for the wrong one must not trap.
        guard let id = try JobID(bytes: row.blob(0)), let tenant = row.text(1), let method = row.text(2),
            let model = row.text(3), let label = row.text(4),
            let priority = row.integer(6).flatMap(UInt8.init(exactly:)),
            let created = row.integer(7), let giveUp = row.integer(8), let retention = row.integer(9),
            let state = row.integer(10).flatMap(UInt8.init(exactly:)).flatMap(JobRecord.State.init(rawValue:)),
            let sequenceFloor = row.integer(13)
        else { return nil }
        let content = try row.blob(5)
        let job = JobRecord(
            id: id, tenant: TenantID(tenant), method: method, model: ModelKey(model), label: label,
            content: ContentHash(bytes: content), priority: priority, created: WallTime(microseconds: created),
            giveUp: WallTime(microseconds: giveUp), retentionMicroseconds: retention, state: state,
            sealedTasks: row.integer(11).map { Int($0) }, ended: row.integer(12).map { WallTime(microseconds: $0) },
            sequenceFloor: UInt64(bitPattern: sequenceFloor), traceparent: row.text(15))
        return checksum.of(job) == row.integer(14) ? job : nil
    }

    mutating func decodeTask(_ row: Row, of job: JobID) throws -> JobTaskRecord? {
        guard let key = row.integer(0), let items = row.integer(1), let payloadBytes = row.integer(2),
            let hash = try ContentHash(bytes: row.blob(3))
        else { return nil }
        var task = JobTaskRecord(
            index: Int(key & (1 << JobStoreSchema.indexBits - 1)), items: Int(items), payloadBytes: Int(payloadBytes),
            payloadHash: hash)
        guard checksum.of(job, task) == row.integer(4) else { return nil }
        // Without their checksum they are forgotten, and the task lives once more than it would have.
        if let tries = row.integer(11), checksum.of(.init(job: job, index: task.index), tries: tries) == row.integer(12)
        {
            task.tries = .init(bits: tries)
        }
        guard let expected = row.integer(10) else {
            // Without its checksum there is no end, so nothing of one may be there.
            return row.integer(5) == nil && row.integer(8) == nil ? task : nil
        }
        guard let outcome = row.integer(5).flatMap(UInt8.init(exactly:)).flatMap(JobTaskOutcome.init(rawValue:)),
            let status = row.integer(6).flatMap(UInt8.init(exactly:)), let attempts = row.integer(7),
            let sequence = row.integer(8), let resultBytes = row.integer(9)
        else { return nil }
        let end = JobTaskRecord.End(
            outcome: outcome, status: status, attempts: Int(attempts), sequence: UInt64(bitPattern: sequence),
            resultBytes: Int(resultBytes))
        guard checksum.of(JobTaskID(job: job, index: task.index), end) == expected else { return nil }
        task.end = end
        return task
    }

    /// The stored record of a job that is about to change.
    mutating func record(of id: JobID, _ database: Database) throws -> JobRecord {
        let rows = try Row.fetchCursor(
            database.cachedStatement(sql: "SELECT \(Self.jobColumns) FROM job WHERE number = ?"),
            arguments: [numbers[id]])
        guard let row = try rows.next(), let job = try decodeJob(row) else {
            throw JobStoreFailure.broken("\(folder.databasePath) has no sound record of the job \(id.high):\(id.low)")
        }
        return job
    }
}

extension JobTaskRecord.Tries {
    init(bits: Int64) {
        self.init(failures: UInt8(truncatingIfNeeded: bits), deaths: UInt8(truncatingIfNeeded: bits >> 8))
    }

    var bits: Int64 { Int64(deaths) << 8 | Int64(failures) }
}

extension Row {
    fileprivate func integer(_ index: Int) -> Int64? { Int64.fromDatabaseValue(self[index]) }
    fileprivate func text(_ index: Int) -> String? { String.fromDatabaseValue(self[index]) }
    fileprivate func blob(_ index: Int) throws -> [UInt8] {
        try withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } ?? [] }
    }
}
