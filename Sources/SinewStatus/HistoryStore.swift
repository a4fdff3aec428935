internal import FoundationEssentials
internal import GRDB

/// What the fleet did, second by second for an hour and minute by minute for thirty days.
///
/// One SQLite file beside the jobs, or in memory. `synchronous` is off: what is here are curves for people, and a broker that keeps
/// jobs needs its disk for them. A crash of the process loses nothing; a power cut may damage the file, and a damaged
/// one is removed and begun anew. All work is done on the library's own queue, never on the threads of the one who asks.
///
/// Bounded: 3 600 + 43 200 rows of at most `workersMax` workers each, that is 90 MiB at the very most and 4 MiB for ten workers.
package final class HistoryStore: Sendable {
    /// What is kept of one second or minute.
    package struct Sample: Sendable, Equatable {
        /// Its beginning, seconds since 1970.
        package var time: Int
        /// Nil: not known.
        package var personsPerSecond: Double?
        package var failedPerSecond: Double?
        package var queuedItems: Double
        package var runningItems: Double
        package var workers: Double
        /// People a second by worker; those whose rate is not known are left out.
        package var workerRates: [String: Double]

        package init(
            time: Int, personsPerSecond: Double?, failedPerSecond: Double?, queuedItems: Double, runningItems: Double,
            workers: Double, workerRates: [String: Double]
        ) {
            self.time = time
            self.personsPerSecond = personsPerSecond
            self.failedPerSecond = failedPerSecond
            self.queuedItems = queuedItems
            self.runningItems = runningItems
            self.workers = workers
            self.workerRates = workerRates
        }
    }

    /// How fine what is asked for is.
    package enum Step: Int, Sendable, CaseIterable {
        case second = 1
        case minute = 60

        /// For how long it is kept, seconds.
        package var kept: Int {
            switch self {
            case .second: 3_600
            case .minute: 30 * 86_400
            }
        }
    }

    /// Workers of one row; with more, the slowest are left out.
    package static let workersMax = 256

    private let queue: DatabaseQueue

    /// In memory.
    package init() throws {
        queue = try DatabaseQueue(configuration: Self.configuration)
        try Self.schema.migrate(queue)
    }

    /// In a file; one that is no history, or a damaged one, is replaced.
    package init(path: String) throws {
        do {
            queue = try Self.open(path)
        } catch let error as DatabaseError where Self.isDamage(error) {
            try Self.remove(path)
            queue = try Self.open(path)
        }
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // A newer release may have written it in another way; it is but a history.
        if try queue.read({ try schema.hasBeenSuperseded($0) }) { throw DatabaseError(resultCode: .SQLITE_CORRUPT) }
        try schema.migrate(queue)
        return queue
    }

    private static func isDamage(_ error: DatabaseError) -> Bool {
        error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT
    }

    /// Writes a second, and a minute when one is over; forgets what is older than is kept.
    ///
    /// - Cost: one transaction, not synced, on the store's own queue.
    package func record(_ sample: Sample) async throws {
        try await queue.write { database in try Self.record(sample, in: database) }
    }

    /// What is known of a time, the oldest first.
    ///
    /// - Parameter times: seconds since 1970.
    package func samples(_ step: Step, in times: Range<Int>) async throws -> [Sample] {
        try await queue.read { database in try Self.read(step, times, in: database) }
    }

    private static func remove(_ path: String) throws {
        for name in [path, path + "-wal", path + "-shm"] where FileManager.default.fileExists(atPath: name) {
            try FileManager.default.removeItem(atPath: name)
        }
    }
}
