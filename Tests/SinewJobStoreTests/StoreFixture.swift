import Foundation
import SinewArrayFiles
import SinewCore
import SinewJobStore
import TestSupport

/// A folder of its own that goes with the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sinew-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var database: String { path + "/jobs.sqlite3" }
}

/// Records that are cheap to make and hard to confuse.
enum Sample {
    static func id(_ number: Int) -> JobID { JobID(high: 0x0190_0000_0000_7000, low: UInt64(number)) }

    static func job(_ number: Int) -> JobRecord {
        JobRecord(
            id: id(number), tenant: TenantID("tenant-\(number % 3)"), method: "sinew.v1.PoseSolver/SolvePoses",
            model: ModelKey("rest"), label: "job \(number)",
            content: number % 2 == 0 ? hash(of: [UInt8(truncatingIfNeeded: number)]) : nil,
            priority: UInt8(number % 8), created: WallTime(microseconds: Int64(1_000 + number)),
            giveUp: WallTime(microseconds: 1 << 50), retentionMicroseconds: 1 << 40, sequenceFloor: 0,
            traceparent: number % 2 == 0 ? nil : "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\(number % 8)")
    }

    static func hash(of bytes: [UInt8]) -> ContentHash {
        let digest = MessageDigest()
        digest.update(bytes)
        return ContentHash(bytes: digest.finish())!
    }

    static func bytes(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    static func insertTask(_ job: Int, _ index: Int, _ payload: [UInt8], label: String = "") -> JobStoreWrite {
        let record = JobTaskRecord(
            index: index, items: 1 + index % 64, payloadBytes: payload.count, payloadHash: hash(of: payload))
        return JobStoreWrite(.insertTask(JobTaskID(job: id(job), index: index), record), bytes: payload, label: label)
    }

    static func end(
        _ job: Int, _ index: Int, sequence: Int, _ result: [UInt8], outcome: JobTaskOutcome = .done
    ) -> JobStoreWrite {
        let end = JobTaskRecord.End(
            outcome: outcome, status: outcome == .done ? 0 : 13, attempts: 1, sequence: UInt64(sequence),
            resultBytes: result.count)
        return JobStoreWrite(.endTask(JobTaskID(job: id(job), index: index), end), bytes: result)
    }
}

/// What a store should hold, kept in memory.
struct StoreModel: Equatable {
    struct Task: Equatable {
        var record: JobTaskRecord
        var payload: [UInt8]
        var label: String
        var result: [UInt8] = []
    }

    var jobs: [JobID: JobRecord] = [:]
    var tasks: [JobTaskID: Task] = [:]
    var leaseSequence: UInt64 = 0

    mutating func apply(_ write: JobStoreWrite) {
        switch write.operation {
        case .insertJob(let job): jobs[job.id] = job
        case .insertTask(let id, let record):
            tasks[id] = Task(record: record, payload: write.bytes, label: write.label)
        case .setJobState(let id, let state, let sealedTasks, let ended):
            jobs[id]?.state = state
            jobs[id]?.sealedTasks = sealedTasks
            jobs[id]?.ended = ended
        case .setTries(let id, let tries): tasks[id]?.record.tries = tries
        case .endTask(let id, let end):
            tasks[id]?.record.end = end
            tasks[id]?.result = write.bytes
        case .reviveTask(let id, let floor):
            jobs[id.job]?.sequenceFloor = floor
            tasks[id]?.record.end = nil
            tasks[id]?.record.tries = .init()
            tasks[id]?.result = []
        case .setSequenceFloor(let id, let floor): jobs[id]?.sequenceFloor = floor
        case .removeJob(let id):
            jobs[id] = nil
            tasks = tasks.filter { $0.key.job != id }
        case .reserveLeaseSequence(let limit): leaseSequence = limit
        }
    }

    func tasks(of job: JobID) -> [(key: JobTaskID, value: Task)] {
        tasks.filter { $0.key.job == job }.sorted { $0.key < $1.key }
    }

    func results(of job: JobID) -> [StoredResult] {
        let ended = tasks(of: job).map(\.value).filter { $0.record.end != nil }
        return ended.sorted { ($0.record.end?.sequence ?? 0) < ($1.record.end?.sequence ?? 0) }
            .map { StoredResult(task: $0.record, label: $0.label, bytes: $0.result) }
    }

    /// The first thing in which a store differs from this; nil when it holds exactly this.
    func difference(from store: inout SQLiteJobStore) throws -> String? {
        let found = try store.jobs()
        guard found.damaged == 0 else { return "\(found.damaged) damaged jobs" }
        guard found.jobs == jobs.values.sorted(by: { $0.id < $1.id }) else { return "jobs: \(found.jobs)" }
        for job in found.jobs {
            let read = try store.tasks(of: job.id)
            guard read.damaged.isEmpty else { return "damaged tasks \(read.damaged)" }
            guard read.tasks == tasks(of: job.id).map(\.value.record) else { return "tasks of \(job.label)" }
            for (id, task) in tasks(of: job.id) {
                guard try store.payload(of: id) == task.payload else { return "payload \(id)" }
            }
            let results = try store.results(of: job.id, after: 0, countMax: .max, bytesMax: .max, failuresOnly: false)
            guard results.damaged.isEmpty, results.results == self.results(of: job.id) else {
                return "results of \(job.label)"
            }
        }
        guard try store.firstFreeLeaseSequence() == leaseSequence else { return "lease sequence" }
        return nil
    }
}
