import CFaultyStorage
import SinewCore
import SinewJobStore
import TestSupport
import Testing

/// One plan of faults at a time, so one test at a time.
@Suite(.serialized) struct `A job store on a failing disk` {
    private struct Outcome {
        var acknowledged: [JobStoreWrite] = []
        var refused: [JobStoreWrite] = []
        var failure: JobStoreFailure?
    }

    /// Commits groups until one fails at the given operation.
    private func write(
        to store: inout SQLiteJobStore, _ prefix: String, _ kind: faulty_storage_kind, countdown: Int,
        _ random: inout SplitMix64
    ) -> Outcome {
        var outcome = Outcome()
        unsafe faulty_storage_arm(prefix, kind, countdown)
        for index in 0..<60 {
            let group = [
                Sample.insertTask(1, index, Sample.bytes(9_000, &random)),
                Sample.end(1, index, sequence: index + 1, Sample.bytes(5_000, &random)),
            ]
            do {
                try store.commit(group)
                outcome.acknowledged += group
            } catch {
                outcome.refused = group
                outcome.failure = error
                break
            }
        }
        #expect(faulty_storage_disarm() > 0, "operation \(countdown) never came")
        return outcome
    }

    @Test(arguments: [1, 2, 3, 5, 8, 13, 34, 89])
    func `refuses as full when the disk is, keeps all it said, and goes on when there is room`(_ countdown: Int) throws
    {
        #expect(faulty_storage_install() == 0)
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: UInt64(countdown))
        var store = try SQLiteJobStore(folder: folder.path)
        try store.commit([JobStoreWrite(.insertJob(Sample.job(1)))])
        let outcome = write(to: &store, folder.path, FAULTY_STORAGE_DISK_FULL, countdown: countdown, &random)
        guard case .full(let message) = outcome.failure else {
            Issue.record("\(String(describing: outcome.failure))")
            return
        }
        #expect(message.contains(folder.database))
        var model = StoreModel()
        model.apply(JobStoreWrite(.insertJob(Sample.job(1))))
        for write in outcome.acknowledged { model.apply(write) }
        #expect(try model.difference(from: &store) == nil)
        try store.commit(outcome.refused)
        for write in outcome.refused { model.apply(write) }
        #expect(try model.difference(from: &store) == nil)
        _ = consume store
        var reopened = try SQLiteJobStore(folder: folder.path)
        #expect(try model.difference(from: &reopened) == nil)
    }

    @Test(arguments: [FAULTY_STORAGE_WRITE_ERROR, FAULTY_STORAGE_SYNC_ERROR], [1, 2, 3, 5, 8, 13])
    func `is broken after a write or a sync failed, and has all it said when it is opened anew`(
        _ kind: faulty_storage_kind, _ countdown: Int
    ) throws {
        #expect(faulty_storage_install() == 0)
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: UInt64(countdown))
        var store = try SQLiteJobStore(folder: folder.path)
        try store.commit([JobStoreWrite(.insertJob(Sample.job(1)))])
        let outcome = write(to: &store, folder.path, kind, countdown: countdown, &random)
        guard case .broken(let message) = outcome.failure else {
            Issue.record("\(String(describing: outcome.failure))")
            return
        }
        #expect(message.contains(folder.database))
        _ = consume store
        var reopened = try SQLiteJobStore(folder: folder.path)
        var without = StoreModel()
        without.apply(JobStoreWrite(.insertJob(Sample.job(1))))
        for write in outcome.acknowledged { without.apply(write) }
        var with = without
        for write in outcome.refused { with.apply(write) }
        let first = try without.difference(from: &reopened)
        let second = try with.difference(from: &reopened)
        #expect(
            first == nil || second == nil,
            "neither without the last group (\(first ?? "")) nor with it (\(second ?? ""))")
    }

    @Test func `says that it is broken when it cannot be read`() throws {
        #expect(faulty_storage_install() == 0)
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: 1)
        do {
            var store = try SQLiteJobStore(folder: folder.path)
            try store.commit([
                JobStoreWrite(.insertJob(Sample.job(1))), Sample.insertTask(1, 0, Sample.bytes(50_000, &random)),
            ])
        }
        var store = try SQLiteJobStore(folder: folder.path)
        unsafe faulty_storage_arm(folder.path, FAULTY_STORAGE_READ_ERROR, 1)
        var failure: JobStoreFailure?
        do { _ = try store.payload(of: JobTaskID(job: Sample.id(1), index: 0)) } catch { failure = error }
        _ = faulty_storage_disarm()
        guard case .broken = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(try store.payload(of: JobTaskID(job: Sample.id(1), index: 0)).count == 50_000)
    }

    @Test func `leaves room on the disk to be opened again, and uses it for results`() throws {
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: 7)
        do {
            var store = try SQLiteJobStore(folder: folder.path, freeBytesMin: 0)
            try store.commit([JobStoreWrite(.insertJob(Sample.job(1)))])
            try store.commit([Sample.insertTask(1, 0, Sample.bytes(5_000, &random))])
        }
        // As if the disk had less left than is to be kept.
        var store = try SQLiteJobStore(folder: folder.path, freeBytesMin: .max / 4)
        let task = Sample.insertTask(1, 1, Sample.bytes(5_000, &random))
        let refusal = #expect(throws: JobStoreFailure.self) { try store.commit([task]) }
        guard case .full(let message) = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(message.contains("make room") && message.contains(folder.path))
        try store.commit([Sample.end(1, 0, sequence: 1, Sample.bytes(3_000, &random))])
        try store.commit([JobStoreWrite(.removeJob(Sample.id(1)))])
        #expect(try store.jobs().jobs.isEmpty)
    }
}
