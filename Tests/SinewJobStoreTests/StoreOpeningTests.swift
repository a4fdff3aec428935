import Foundation
import SinewCore
import SinewJobStore
import Testing

@Suite struct `Opening a job store` {
    private func opening(_ path: String) -> JobStoreOpenError? {
        do {
            let store = try SQLiteJobStore(folder: path)
            _ = consume store
            return nil
        } catch {
            return error
        }
    }

    @Test func `fails while another one has the folder and works when that one is gone`() throws {
        let folder = try TemporaryFolder()
        do {
            let first = try SQLiteJobStore(folder: folder.path)
            let error = try #require(opening(folder.path))
            #expect(error.reason == .inUse)
            #expect(error.message.contains(folder.path))
            #expect(error.message.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
            #expect(error.message.contains("--store FOLDER"))
            _ = consume first
        }
        #expect(opening(folder.path) == nil)
    }

    @Test func `says where a folder cannot be made`() throws {
        let error = try #require(opening("/proc/sinew/store"))
        #expect(error.reason == .notAccessible)
        #expect(error.message.contains("/proc/sinew"))
    }

    @Test func `refuses a file that is no store`() throws {
        let folder = try TemporaryFolder()
        try Data(repeating: 0x55, count: 100_000).write(to: URL(fileURLWithPath: folder.database))
        let error = try #require(opening(folder.path))
        #expect(error.reason == .destroyed)
        #expect(error.message.contains("jobs.sqlite3"))
    }

    @Test func `takes a store from before jobs had a trace, with everything in it`() throws {
        let folder = try TemporaryFolder()
        var job = Sample.job(3)
        job.traceparent = nil
        do {
            var store = try SQLiteJobStore(folder: folder.path)
            try store.commit([JobStoreWrite(.insertJob(job)), Sample.insertTask(3, 0, [1, 2, 3], label: "x")])
        }
        let file = try SQLiteFile(folder.database)
        try file.run("ALTER TABLE job DROP COLUMN traceparent; DELETE FROM grdb_migrations WHERE identifier = '3'")
        var store = try SQLiteJobStore(folder: folder.path)
        let found = try store.jobs()
        #expect(found.jobs == [job] && found.damaged == 0)
        #expect(try store.payload(of: JobTaskID(job: job.id, index: 0)) == [1, 2, 3])
        let traced = Sample.job(5)
        try store.commit([JobStoreWrite(.insertJob(traced))])
        #expect(traced.traceparent != nil)
        #expect(try store.jobs().jobs == [job, traced])
    }

    @Test func `refuses a store of a newer release`() throws {
        let folder = try TemporaryFolder()
        #expect(opening(folder.path) == nil)
        try SQLiteFile(folder.database).run("INSERT INTO grdb_migrations(identifier) VALUES ('99')")
        let error = try #require(opening(folder.path))
        #expect(error.reason == .tooNew)
        #expect(error.message.contains("newer release"))
    }
}
