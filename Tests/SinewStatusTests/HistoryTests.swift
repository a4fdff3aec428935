import Foundation
import SinewArrayFiles
import SinewStatus
import SinewWire
import TestSupport
import Testing

/// A file for a history, in a folder that goes with the test.
private final class HistoryFolder {
    let path = NSTemporaryDirectory() + "sinew-history-\(UUID().uuidString)"
    var store: StatusStore { StatusStore(folder: path, bytesMax: 1 << 30) }
    var file: String { path + "/history.sqlite3" }

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// With the log and its index.
    func bytes() throws -> Int {
        var sum = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            sum += try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")).count
        }
        return sum
    }
}

private func sample(_ time: Int, _ persons: Double?, workers: [String: Double] = [:]) -> HistoryStore.Sample {
    HistoryStore.Sample(
        time: time, personsPerSecond: persons, failedPerSecond: persons.map { $0 / 100 }, queuedItems: 3,
        runningItems: 2,
        workers: Double(workers.count), workerRates: workers)
}

@Suite(.timeLimit(.minutes(3))) struct HistoryTests {
    /// A round number of hours.
    static let begin = 1_800_000_000 - 1_800_000_000 % 3_600

    @Test func `what was recorded is read back after the file was closed`() async throws {
        let folder = try HistoryFolder()
        var recorded: [HistoryStore.Sample] = []
        do {
            let store = try HistoryStore(path: folder.file)
            for second in 0..<90 {
                // Half a person is a binary fraction, and comes back as it went.
                let one = sample(
                    Self.begin + second, second == 7 ? nil : Double(second) + 0.5,
                    workers: ["a": Double(second), "b/ü": 0.25])
                try await store.record(one)
                recorded.append(one)
            }
        }
        let again = try HistoryStore(path: folder.file)
        let read = try await again.samples(.second, in: Self.begin..<Self.begin + 90)
        #expect(read == recorded)
        let part = try await again.samples(.second, in: Self.begin + 10..<Self.begin + 12)
        #expect(part == Array(recorded[10..<12]))
        withExtendedLifetime(folder) {}
    }

    @Test func `a minute is the mean of its seconds, over a restart`() async throws {
        let folder = try HistoryFolder()
        for half in 0..<2 {
            let store = try HistoryStore(path: folder.file)
            for second in half * 31..<(half + 1) * 31 {
                try await store.record(sample(Self.begin + second, Double(second), workers: ["a": Double(2 * second)]))
            }
        }
        let store = try HistoryStore(path: folder.file)
        let minutes = try await store.samples(.minute, in: Self.begin..<Self.begin + 3_600)
        // The second minute is not over.
        try #require(minutes.count == 1)
        #expect(minutes[0].time == Self.begin)
        #expect(minutes[0].personsPerSecond == 29.5)
        #expect(minutes[0].workerRates == ["a": 59])
        #expect(minutes[0].queuedItems == 3)
        withExtendedLifetime(folder) {}
    }

    @Test func `an hour of seconds and thirty days of minutes are kept, and the file stays small`() async throws {
        let folder = try HistoryFolder()
        let store = try HistoryStore(path: folder.file)
        let workers = Dictionary(uniqueKeysWithValues: (0..<10).map { ("worker-\($0)", Double($0)) })
        // Thirty-one days, one second of each minute.
        let days = 31
        for minute in 0..<days * 1_440 { try await store.record(sample(Self.begin + 60 * minute, 1, workers: workers)) }
        let end = Self.begin + days * 86_400
        let minutes = try await store.samples(.minute, in: 0..<end)
        #expect(minutes.count <= 30 * 1_440)
        #expect(minutes.count >= 30 * 1_440 - 2)
        #expect(try #require(minutes.first).time > end - 30 * 86_400 - 120)
        // Two hours, every second.
        for second in 0..<7_200 { try await store.record(sample(end + second, 1, workers: workers)) }
        let seconds = try await store.samples(.second, in: 0..<end + 7_200)
        #expect(seconds.map(\.time) == Array(end + 3_600..<end + 7_200))
        #expect(try folder.bytes() < 16 << 20)
        withExtendedLifetime(folder) {}
    }

    @Test func `of more workers than a row holds the fastest are kept`() async throws {
        let store = try HistoryStore()
        let count = HistoryStore.workersMax + 1
        let workers = Dictionary(uniqueKeysWithValues: (0..<count).map { ("w\($0)", Double($0)) })
        try await store.record(sample(Self.begin, 1, workers: workers))
        let read = try #require(try await store.samples(.second, in: Self.begin..<Self.begin + 1).first)
        #expect(read.workerRates.count == HistoryStore.workersMax)
        #expect(read.workerRates["w0"] == nil)
        #expect(read.workerRates["w1"] == 1)
        #expect(read.workerRates["w\(count - 1)"] == Double(count - 1))
    }

    @Test(arguments: [Array("this is no database at all, but long enough to be taken for one".utf8), []])
    func `a file that is no history is replaced`(content: [UInt8]) async throws {
        let folder = try HistoryFolder()
        try Data(content + Array(repeating: 0x5A, count: content.isEmpty ? 0 : 8_192)).write(
            to: URL(fileURLWithPath: folder.file))
        let store = try HistoryStore(path: folder.file)
        try await store.record(sample(Self.begin, 1))
        #expect(try await store.samples(.second, in: 0..<Int.max).count == 1)
        withExtendedLifetime(folder) {}
    }

    @Test func `a damaged history is begun anew`() async throws {
        let folder = try HistoryFolder()
        do {
            let store = try HistoryStore(path: folder.file)
            for second in 0..<600 { try await store.record(sample(Self.begin + second, 1, workers: ["a": 1])) }
        }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file))
        // The page of the schema.
        bytes.replaceSubrange(100..<400, with: Data(repeating: 0xFF, count: 300))
        try bytes.write(to: URL(fileURLWithPath: folder.file))
        let store = try HistoryStore(path: folder.file)
        try await store.record(sample(Self.begin, 1))
        #expect(try await store.samples(.second, in: 0..<Int.max).count == 1)
        withExtendedLifetime(folder) {}
    }

    @Test func `the page is not empty after a restart`() async throws {
        let folder = try HistoryFolder()
        let source = ScriptedSource(.example("a", "b"))
        let now = Int(Date().timeIntervalSince1970)
        do {
            let store = try HistoryStore(path: folder.file)
            for second in now - 300..<now - 200 { try await store.record(sample(second, 7, workers: ["a": 3])) }
            try await store.record(sample(now - 100, 9, workers: ["a": 4]))
        }
        try await withServer(source, edit: { $0.store = folder.store }) { (probe, _) throws in
            let shown = try JSONValue(parsing: probe.get("/api/v1/history?seconds=600").body)
            #expect(shown["step_seconds"]?.int == 1)
            let start = try #require(shown["start_unix"]?.int)
            let persons = try #require(shown["series"]?["persons_per_second"]?.array)
            #expect(persons.count == 600)
            #expect(persons[now - 250 - start].double == 7)
            #expect(persons[now - 100 - start].double == 9)
            #expect(persons[now - 150 - start] == .null)
            #expect(shown["worker_series"]?["a"]?["persons_per_second"]?.array?[now - 250 - start].double == 3)
            #expect(shown["series"]?["queued_items"]?.array?[now - 250 - start].double == 3)
            let days = try JSONValue(parsing: probe.get("/api/v1/history?days=1").body)
            #expect(days["step_seconds"]?.int == 60)
            #expect(days["series"]?["persons_per_second"]?.array?.count == 1_440)
            for query in ["seconds=9", "seconds=3601", "days=31", "days=0", "days=1&seconds=60", "seconds=x"] {
                #expect(try probe.get("/api/v1/history?\(query)").status == 400, "\(query)")
            }
        }
        withExtendedLifetime(folder) {}
    }

    @Test func `the server records what it sees`() async throws {
        try await withServer(ScriptedSource(.example("a", "b"))) { (probe, _) throws in
            func last() throws -> Double? {
                let shown = try JSONValue(parsing: probe.get("/api/v1/history?seconds=10").body)
                return shown["series"]?["workers"]?.array?.compactMap(\.double).last
            }
            while try last() == nil {}
            #expect(try last() == 2)
            let shown = try JSONValue(parsing: probe.get("/api/v1/history?seconds=10").body)
            #expect(shown["series"]?["queued_items"]?.array?.compactMap(\.double).last == 70)
        }
    }
}
