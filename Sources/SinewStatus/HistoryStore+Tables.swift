internal import FoundationEssentials
internal import GRDB

/// The tables of the history, and how samples lie in them.
///
/// A row's `rates` are pairs of a worker's number and its rate, a little-endian `UInt32` and a `Float32` each; names stand once, in `worker`.
extension HistoryStore {
    /// Names that are remembered; the one that was seen longest ago makes room.
    static let namesMax = 16_384

    static var schema: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE sample(
                        step INTEGER NOT NULL,
                        time INTEGER NOT NULL,
                        persons REAL,
                        failed REAL,
                        queued REAL NOT NULL,
                        running REAL NOT NULL,
                        workers REAL NOT NULL,
                        rates BLOB NOT NULL,
                        PRIMARY KEY(step, time)
                    ) WITHOUT ROWID;
                    CREATE TABLE worker(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, seen INTEGER NOT NULL);
                    """)
        }
        return migrator
    }

    static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "sinew.history"
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = OFF")
            try database.execute(sql: "PRAGMA journal_size_limit = 4194304")
        }
        return configuration
    }

    static func record(_ sample: Sample, in database: Database) throws {
        let last = try Int.fetchOne(
            database, sql: "SELECT max(time) FROM sample WHERE step = ?", arguments: [Step.second.rawValue])
        try write(sample, .second, in: database)
        // A minute is written when the first second after it is; one of which this process saw a part is made of that part.
        if let last, minute(of: last) < minute(of: sample.time) {
            let begin = minute(of: last)
            let seconds = try read(.second, begin..<begin + 60, in: database)
            if let mean = mean(of: seconds, at: begin) { try write(mean, .minute, in: database) }
            try forget(before: sample.time, in: database)
        }
        try database.execute(
            sql: "DELETE FROM sample WHERE step = ? AND time <= ?",
            arguments: [Step.second.rawValue, sample.time - Step.second.kept])
    }

    private static func forget(before now: Int, in database: Database) throws {
        try database.execute(
            sql: "DELETE FROM sample WHERE step = ? AND time <= ?",
            arguments: [Step.minute.rawValue, now - Step.minute.kept])
        try database.execute(sql: "DELETE FROM worker WHERE seen <= ?", arguments: [now - Step.minute.kept])
        try database.execute(
            sql: """
                DELETE FROM worker WHERE number IN (
                    SELECT number FROM worker ORDER BY seen DESC, number DESC LIMIT -1 OFFSET ?)
                """,
            arguments: [namesMax])
    }

    private static func write(_ sample: Sample, _ step: Step, in database: Database) throws {
        var rates: [UInt8] = []
        for (name, rate) in fastest(sample.workerRates) {
            let number = try number(of: name, seen: sample.time, in: database)
            rates += bytes(UInt32(truncatingIfNeeded: number)) + bytes(Float(rate).bitPattern)
        }
        try database.execute(
            sql: "INSERT OR REPLACE INTO sample VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                step.rawValue, sample.time, sample.personsPerSecond, sample.failedPerSecond, sample.queuedItems,
                sample.runningItems, sample.workers, rates.isEmpty ? Data() : Data(rates),
            ])
    }

    /// At most as many as a row holds, in order of their names.
    private static func fastest(_ rates: [String: Double]) -> [(name: String, rate: Double)] {
        let all = rates.map { (name: $0.key, rate: $0.value) }
        guard all.count > workersMax else { return all.sorted { $0.name < $1.name } }
        let kept = all.sorted { ($1.rate, $0.name) < ($0.rate, $1.name) }.prefix(workersMax)
        return kept.sorted { $0.name < $1.name }
    }

    private static func number(of name: String, seen time: Int, in database: Database) throws -> Int64 {
        if let row = try Row.fetchOne(
            database, sql: "SELECT number, seen FROM worker WHERE name = ?", arguments: [name])
        {
            let number: Int64 = row[0]
            let seen: Int = row[1]
            if time - seen >= 3_600 {
                try database.execute(sql: "UPDATE worker SET seen = ? WHERE number = ?", arguments: [time, number])
            }
            return number
        }
        try database.execute(sql: "INSERT INTO worker(name, seen) VALUES(?, ?)", arguments: [name, time])
        return database.lastInsertedRowID
    }

    static func read(_ step: Step, _ times: Range<Int>, in database: Database) throws -> [Sample] {
        var names: [UInt32: String] = [:]
        let workers = try Row.fetchCursor(database, sql: "SELECT number, name FROM worker")
        while let row = try workers.next() { names[UInt32(truncatingIfNeeded: row[0] as Int64)] = row[1] }
        var samples: [Sample] = []
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT time, persons, failed, queued, running, workers, rates FROM sample
                WHERE step = ? AND time >= ? AND time < ? ORDER BY time
                """,
            arguments: [step.rawValue, times.lowerBound, times.upperBound])
        while let row = try rows.next() {
            samples.append(
                Sample(
                    time: row[0], personsPerSecond: row[1], failedPerSecond: row[2], queuedItems: row[3],
                    runningItems: row[4], workers: row[5], workerRates: rates(row[6], names)))
        }
        return samples
    }

    private static func rates(_ data: Data, _ names: [UInt32: String]) -> [String: Double] {
        let bytes = [UInt8](data)
        var rates: [String: Double] = [:]
        for begin in stride(from: 0, to: bytes.count - 7, by: 8) {
            guard let name = names[word(bytes, begin)] else { continue }
            rates[name] = Double(Float(bitPattern: word(bytes, begin + 4)))
        }
        return rates
    }

    /// The means of what is known; nil when there is nothing.
    static func mean(of samples: [Sample], at time: Int) -> Sample? {
        guard !samples.isEmpty else { return nil }
        func mean(_ values: [Double]) -> Double? {
            values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        var rates: [String: [Double]] = [:]
        for sample in samples {
            for (name, rate) in sample.workerRates { rates[name, default: []].append(rate) }
        }
        return Sample(
            time: time, personsPerSecond: mean(samples.compactMap(\.personsPerSecond)),
            failedPerSecond: mean(samples.compactMap(\.failedPerSecond)),
            queuedItems: mean(samples.map(\.queuedItems)) ?? 0, runningItems: mean(samples.map(\.runningItems)) ?? 0,
            workers: mean(samples.map(\.workers)) ?? 0, workerRates: rates.compactMapValues { mean($0) })
    }

    private static func minute(of time: Int) -> Int { time - time % 60 }

    private static func bytes(_ word: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
    }

    private static func word(_ bytes: [UInt8], _ begin: Int) -> UInt32 {
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[begin + $1]) << (8 * UInt32($1)) }
    }
}
