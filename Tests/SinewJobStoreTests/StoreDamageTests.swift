import Foundation
import SinewCore
import SinewJobStore
import TestSupport
import Testing

@Suite struct `A damaged job store` {
    /// Two jobs with 40 ended tasks each, closed.
    private func makeStore(in folder: TemporaryFolder) throws -> StoreModel {
        var random = SplitMix64(seed: 11)
        var model = StoreModel()
        var store = try SQLiteJobStore(folder: folder.path)
        for job in 1...2 {
            var group = [JobStoreWrite(.insertJob(Sample.job(job)))]
            for index in 0..<40 {
                group.append(Sample.insertTask(job, index, Sample.bytes(300 + index * 50, &random), label: "\(index)"))
                group.append(Sample.end(job, index, sequence: index + 1, Sample.bytes(200 + index * 40, &random)))
            }
            try store.commit(group)
            for write in group { model.apply(write) }
        }
        return model
    }

    @Test(arguments: 0..<150) func `never gives out a record that differs from what was written`(_ seed: Int) throws {
        let folder = try TemporaryFolder()
        let model = try makeStore(in: folder)
        var random = SplitMix64(seed: UInt64(seed))
        var file = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        let byte = Int(random.next() % UInt64(file.count))
        file[byte] ^= 1 << UInt8(random.next() % 8)
        try file.write(to: URL(fileURLWithPath: folder.database))
        // Refusing the whole store is sound too, when the bit was one of the structure.
        guard var store = try? SQLiteJobStore(folder: folder.path), let jobs = try unlessCorrupt({ try store.jobs() })
        else { return }
        let place = Comment(rawValue: "seed \(seed), byte \(byte)")
        for job in jobs.jobs {
            #expect(job == model.jobs[job.id], place)
            guard let tasks = try unlessCorrupt({ try store.tasks(of: job.id) }) else { continue }
            for task in tasks.tasks {
                let id = JobTaskID(job: job.id, index: task.index)
                #expect(task == model.tasks[id]?.record, place)
                if let payload = try unlessCorrupt({ try store.payload(of: id) }) {
                    #expect(payload == model.tasks[id]?.payload, place)
                }
            }
            #expect(Set(tasks.tasks.map(\.index)).union(tasks.damaged).isSuperset(of: 0..<40), place)
            let read = try unlessCorrupt {
                try store.results(of: job.id, after: 0, countMax: 100, bytesMax: .max, failuresOnly: false)
            }
            for result in read?.results ?? [] {
                let expected = model.tasks[JobTaskID(job: job.id, index: result.task.index)]
                #expect(result.task == expected?.record, place)
                #expect(result.bytes == expected?.result && result.label == expected?.label, place)
            }
        }
    }

    /// Nil when SQLite says that a page contradicts itself, or the store that a record is damaged; any other failure is thrown.
    private func unlessCorrupt<Value>(_ body: () throws -> Value) throws -> Value? {
        do {
            return try body()
        } catch JobStoreFailure.damaged {
            return nil
        } catch JobStoreFailure.broken(let message) where message.contains("malformed") {
            return nil
        }
    }

    @Test func `reports a payload, a result, a label, a task and a job, and serves the rest`() throws {
        let folder = try TemporaryFolder()
        let model = try makeStore(in: folder)
        let file = try SQLiteFile(folder.database)
        try file.run("UPDATE payload SET bytes = zeroblob(length(bytes)) WHERE key = (1 << 24) + 3")
        try file.run("UPDATE result SET bytes = zeroblob(length(bytes)) WHERE key = (1 << 24) + 5")
        try file.run("UPDATE payload SET label = 'x' WHERE key = (1 << 24) + 6")
        try file.run("UPDATE task SET items = items + 1 WHERE key = (1 << 24) + 7")
        try file.run("UPDATE task SET attempts = attempts + 1 WHERE key = (1 << 24) + 8")
        try file.run("UPDATE task SET outcome = 'done' WHERE key = (1 << 24) + 9")
        try file.run("UPDATE job SET priority = 7 WHERE number = 2")
        var store = try SQLiteJobStore(folder: folder.path)
        let jobs = try store.jobs()
        #expect(jobs.jobs == [model.jobs[Sample.id(1)]])
        #expect(jobs.damaged == 1)
        #expect(try store.tasks(of: Sample.id(1)).damaged == [7, 8, 9])
        let damaged = JobTaskID(job: Sample.id(1), index: 3)
        #expect(throws: JobStoreFailure.damaged(damaged, "the payload does not have its SHA-256")) {
            try store.payload(of: damaged)
        }
        let read = try store.results(of: Sample.id(1), after: 0, countMax: 100, bytesMax: .max, failuresOnly: false)
        #expect(read.damaged.sorted() == [5, 6, 7, 8, 9])
        #expect(read.results.count == 35)
        #expect(
            try store.payload(of: JobTaskID(job: Sample.id(1), index: 4))
                == model.tasks[JobTaskID(job: Sample.id(1), index: 4)]?.payload)
    }

    @Test func `takes a job anew whose record was damaged, and nothing of the old one comes back`() throws {
        let folder = try TemporaryFolder()
        _ = try makeStore(in: folder)
        try SQLiteFile(folder.database).run("UPDATE job SET priority = priority + 1 WHERE label = 'job 1'")
        do {
            var store = try SQLiteJobStore(folder: folder.path)
            let found = try store.jobs()
            #expect(found.damaged == 1 && found.jobs == [Sample.job(2)])
            try store.commit([JobStoreWrite(.insertJob(Sample.job(1))), Sample.insertTask(1, 3, [1, 2, 3])])
            while try store.reclaim() {}
        }
        var store = try SQLiteJobStore(folder: folder.path)
        let found = try store.jobs()
        #expect(found.damaged == 0 && found.jobs == [Sample.job(1), Sample.job(2)])
        #expect(try store.tasks(of: Sample.id(1)).tasks.map(\.index) == [3])
        let results = try store.results(
            of: Sample.id(1), after: 0, countMax: 100, bytesMax: .max, failuresOnly: false)
        #expect(results.results.isEmpty && results.damaged.isEmpty)
        #expect(try store.tasks(of: Sample.id(2)).tasks.count == 40)
        #expect(throws: JobStoreFailure.self, "a sound job is not replaced") {
            try store.commit([JobStoreWrite(.insertJob(Sample.job(2)))])
        }
    }

    @Test func `reports a payload that lies in another task's place`() throws {
        let folder = try TemporaryFolder()
        _ = try makeStore(in: folder)
        let file = try SQLiteFile(folder.database)
        try file.run("UPDATE result SET key = -1 WHERE key = (1 << 24) + 1")
        try file.run("UPDATE result SET key = (1 << 24) + 1 WHERE key = (1 << 24) + 2")
        var store = try SQLiteJobStore(folder: folder.path)
        let read = try store.results(of: Sample.id(1), after: 0, countMax: 100, bytesMax: .max, failuresOnly: false)
        #expect(read.damaged.sorted() == [1, 2])
    }
}
