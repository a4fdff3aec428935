import Foundation
import SinewCore
import SinewJobStore
import TestSupport
import Testing

@Suite struct `A job store` {
    @Test(arguments: 0..<20) func `holds what was committed in any order of changes and reopenings`(_ seed: Int) throws
    {
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: UInt64(seed))
        var model = StoreModel()
        var sequences: [JobID: Int] = [:]
        for round in 0..<8 {
            var store = try SQLiteJobStore(folder: folder.path)
            #expect(try model.difference(from: &store) == nil, "seed \(seed), round \(round)")
            for _ in 0..<20 {
                var group: [JobStoreWrite] = []
                // As the state machine does it, a group is applied to what the group itself has changed.
                var next = model
                for _ in 0..<(1 + random.next() % 6) {
                    guard let write = Self.change(of: next, &sequences, &random) else { continue }
                    next.apply(write)
                    group.append(write)
                }
                try store.commit(group)
                model = next
                if random.next() % 4 == 0 { _ = try store.reclaim(tasksMax: 3) }
            }
            #expect(try model.difference(from: &store) == nil, "seed \(seed), round \(round)")
        }
    }

    /// A change that fits what is there.
    private static func change(
        of model: StoreModel, _ sequences: inout [JobID: Int], _ random: inout SplitMix64
    ) -> JobStoreWrite? {
        let number = Int(random.next() % 5)
        let job = Sample.id(number)
        guard model.jobs[job] != nil else { return JobStoreWrite(.insertJob(Sample.job(number))) }
        let index = Int(random.next() % 12)
        let task = model.tasks[JobTaskID(job: job, index: index)]
        switch random.next() % 8 {
        case 0 where random.next() % 4 == 0: return JobStoreWrite(.removeJob(job))
        case 1:
            return JobStoreWrite(
                .setJobState(job, .sealed, sealedTasks: Int(random.next() % 100), ended: WallTime(microseconds: 5)))
        case 2: return JobStoreWrite(.reserveLeaseSequence(upTo: model.leaseSequence + 1 << 24))
        case 3 where task != nil && task?.record.end == nil:
            let tries = JobTaskRecord.Tries(
                failures: UInt8(truncatingIfNeeded: random.next()), deaths: UInt8(truncatingIfNeeded: random.next()))
            return JobStoreWrite(.setTries(JobTaskID(job: job, index: index), tries))
        default:
            guard let task else {
                let payload = Sample.bytes(1 + Int(random.next() % 30_000), &random)
                return Sample.insertTask(number, index, payload, label: "frames \(index)")
            }
            if random.next() % 16 == 0 {
                return Sample.insertTask(number, index, Sample.bytes(500, &random), label: "again")
            }
            guard task.record.end == nil else {
                return JobStoreWrite(
                    .reviveTask(JobTaskID(job: job, index: index), sequenceFloor: UInt64(sequences[job] ?? 0)))
            }
            sequences[job, default: 0] += 1
            let outcome = JobTaskOutcome(rawValue: UInt8(1 + random.next() % 4)) ?? .done
            let result = outcome == .cancelled ? [] : Sample.bytes(1 + Int(random.next() % 20_000), &random)
            return Sample.end(number, index, sequence: sequences[job] ?? 0, result, outcome: outcome)
        }
    }

    @Test func `reads results by cursor with the same bytes each time, within count and bytes`() throws {
        let folder = try TemporaryFolder()
        var store = try SQLiteJobStore(folder: folder.path)
        var random = SplitMix64(seed: 7)
        var group = [JobStoreWrite(.insertJob(Sample.job(1)))]
        for index in 0..<50 { group.append(Sample.insertTask(1, index, Sample.bytes(100, &random), label: "\(index)")) }
        // They end in another order than they came.
        for index in 0..<50 {
            let outcome: JobTaskOutcome = index % 10 == 3 ? .dead : .done
            let task = (index * 17) % 50
            group.append(Sample.end(1, task, sequence: index + 1, Sample.bytes(1_000, &random), outcome: outcome))
        }
        try store.commit(group)
        let all = try store.results(of: Sample.id(1), after: 0, countMax: 100, bytesMax: .max, failuresOnly: false)
            .results
        #expect(all.count == 50)
        #expect(all.map { $0.task.end?.sequence } == (1...50).map { UInt64($0) })
        #expect(all.map(\.label) == (0..<50).map { "\(($0 * 17) % 50)" })
        for cursor in [0, 1, 17, 49, 50, 51] as [UInt64] {
            let once = try store.results(
                of: Sample.id(1), after: cursor, countMax: 7, bytesMax: .max, failuresOnly: false)
            let again = try store.results(
                of: Sample.id(1), after: cursor, countMax: 7, bytesMax: .max, failuresOnly: false)
            #expect(once.results == again.results)
            #expect(once.results == Array(all.dropFirst(Int(cursor)).prefix(7)))
        }
        let few = try store.results(of: Sample.id(1), after: 0, countMax: 100, bytesMax: 3_500, failuresOnly: false)
        #expect(few.results.count == 3)
        let one = try store.results(of: Sample.id(1), after: 0, countMax: 100, bytesMax: 1, failuresOnly: false)
        #expect(one.results.count == 1)
        let failures = try store.results(of: Sample.id(1), after: 0, countMax: 100, bytesMax: .max, failuresOnly: true)
        #expect(failures.results == all.filter { $0.task.end?.outcome == .dead })
    }

    @Test func `refuses a payload without its hash and takes nothing of the group`() throws {
        let folder = try TemporaryFolder()
        var store = try SQLiteJobStore(folder: folder.path)
        try store.commit([JobStoreWrite(.insertJob(Sample.job(1)))])
        var wrong = Sample.insertTask(1, 1, [1, 2, 3])
        wrong.bytes = [1, 2, 4]
        #expect(throws: JobStoreFailure.mismatched(JobTaskID(job: Sample.id(1), index: 1))) {
            try store.commit([Sample.insertTask(1, 0, [9]), wrong])
        }
        #expect(try store.tasks(of: Sample.id(1)).tasks.isEmpty)
    }

    @Test func `takes jobs up to its quota, refuses the next, and still takes results`() throws {
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: 3)
        let quota = 400_000
        var store = try SQLiteJobStore(folder: folder.path, bytesMax: quota)
        try store.commit([JobStoreWrite(.insertJob(Sample.job(1)))])
        var taken = 0
        var refusal: JobStoreFailure?
        while refusal == nil, taken < 100 {
            do {
                try store.commit([Sample.insertTask(1, taken, Sample.bytes(20_000, &random))])
                taken += 1
            } catch {
                refusal = error
            }
        }
        guard case .full(let message) = refusal else {
            Issue.record("\(taken) tasks of 20 000 bytes went into \(quota) bytes: \(String(describing: refusal))")
            return
        }
        #expect(message.contains("may hold 400000") && message.contains("--store-bytes-max"))
        #expect(taken >= 10 && taken <= 20)
        try store.commit([Sample.end(1, 0, sequence: 1, Sample.bytes(20_000, &random))])
        #expect(try store.tasks(of: Sample.id(1)).tasks.count == taken)
        // Room comes back when a job is removed, without a restart.
        try store.commit([JobStoreWrite(.removeJob(Sample.id(1)))])
        while try store.reclaim() {}
        try store.commit([
            JobStoreWrite(.insertJob(Sample.job(2))), Sample.insertTask(2, 0, Sample.bytes(20_000, &random)),
        ])
    }

    @Test func `gives the disk back when jobs are removed`() throws {
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: 4)
        var store = try SQLiteJobStore(folder: folder.path)
        for job in 1...2 {
            try store.commit([JobStoreWrite(.insertJob(Sample.job(job)))])
            for index in 0..<500 {
                let payload = Sample.bytes(20_000, &random)
                try store.commit([
                    Sample.insertTask(job, index, payload), Sample.end(job, index, sequence: index + 1, payload),
                ])
            }
        }
        try store.commit([JobStoreWrite(.removeJob(Sample.id(1)))])
        #expect(try store.tasks(of: Sample.id(1)).tasks.isEmpty)
        while try store.reclaim() {}
        let kept = try store.tasks(of: Sample.id(2)).tasks.count
        #expect(kept == 500)
        // The log is copied into the file when the store is opened.
        _ = consume store
        var reopened = try SQLiteJobStore(folder: folder.path)
        let bytes = try reopened.bytesOnDisk()
        #expect(bytes < 25_000_000, "\(bytes) bytes for 500 tasks of 40 000 bytes")
        #expect(try reopened.payload(of: JobTaskID(job: Sample.id(2), index: 499)).count == 20_000)
    }

    @Test func `makes its folder readable by its owner alone`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/a/b"
        let store = try SQLiteJobStore(folder: path)
        _ = consume store
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o700)
    }
}
