internal import GRDB

/// The tables of `jobs.sqlite3`, version by version.
///
/// A job has a number here, which is never used twice, and a task the key `number << 24 | index`. What the broker reads at its start
/// (`job`, `task`) is apart from what is read one by one (`payload`, `result`), so that a million tasks open in seconds.
enum JobStoreSchema {
    /// A job has at most 2^24 tasks, and a number fits in what is left of 63 bits.
    static let indexBits: Int64 = 24
    static let pageBytes = 8_192
    /// The name of a setting: lease sequence numbers below its value were reserved.
    static let leaseSequence = "lease_sequence"

    static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { try createTables($0) }
        migrator.registerMigration("2") { database in
            // What a task without an end has been through: failures, and deaths of workers in the second byte.
            try database.execute(sql: "ALTER TABLE task ADD COLUMN tries INTEGER")
            try database.execute(sql: "ALTER TABLE task ADD COLUMN tries_checksum INTEGER")
        }
        migrator.registerMigration("3") { database in
            try database.execute(sql: "ALTER TABLE job ADD COLUMN traceparent TEXT")
        }
        return migrator
    }

    static func configuration(busyTimeout: Double) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(busyTimeout)
        configuration.label = "sinew.jobs"
        configuration.prepareDatabase { database in
            // First, so that the index of the log is in memory and not in a mapped file, in which a full disk is a SIGBUS.
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            // These two have an effect only before the first table is made.
            try database.execute(sql: "PRAGMA page_size = \(pageBytes)")
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
            // 32 MiB of log, then it is copied into the database; 32 MiB of pages in memory.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 4096")
            try database.execute(sql: "PRAGMA cache_size = -32768")
            try database.execute(sql: "PRAGMA cell_size_check = ON")
        }
        return configuration
    }

    private static func createTables(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE setting(
                    name TEXT PRIMARY KEY NOT NULL,
                    value INTEGER NOT NULL,
                    checksum INTEGER NOT NULL
                ) WITHOUT ROWID;
                CREATE TABLE job(
                    number INTEGER PRIMARY KEY AUTOINCREMENT,
                    id BLOB NOT NULL UNIQUE,
                    tenant TEXT NOT NULL,
                    method TEXT NOT NULL,
                    model TEXT NOT NULL,
                    label TEXT NOT NULL,
                    content BLOB,
                    priority INTEGER NOT NULL,
                    created INTEGER NOT NULL,
                    give_up INTEGER NOT NULL,
                    retention INTEGER NOT NULL,
                    state INTEGER NOT NULL,
                    sealed_tasks INTEGER,
                    ended INTEGER,
                    sequence_floor INTEGER NOT NULL,
                    checksum INTEGER NOT NULL
                );
                CREATE TABLE task(
                    key INTEGER PRIMARY KEY,
                    job INTEGER NOT NULL,
                    items INTEGER NOT NULL,
                    payload_bytes INTEGER NOT NULL,
                    payload_hash BLOB NOT NULL,
                    checksum INTEGER NOT NULL,
                    outcome INTEGER,
                    status INTEGER,
                    attempts INTEGER,
                    sequence INTEGER,
                    result_bytes INTEGER,
                    end_checksum INTEGER
                );
                CREATE UNIQUE INDEX task_by_end ON task(job, sequence) WHERE sequence IS NOT NULL;
                CREATE INDEX task_by_failure ON task(job, sequence) WHERE outcome IN (2, 3);
                CREATE TABLE payload(
                    key INTEGER PRIMARY KEY,
                    label TEXT NOT NULL,
                    label_checksum INTEGER NOT NULL,
                    bytes BLOB NOT NULL
                );
                CREATE TABLE result(
                    key INTEGER PRIMARY KEY,
                    checksum INTEGER NOT NULL,
                    bytes BLOB NOT NULL
                );
                CREATE TABLE removal(number INTEGER PRIMARY KEY NOT NULL);
                """)
    }
}
