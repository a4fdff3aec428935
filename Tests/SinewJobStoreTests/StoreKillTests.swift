import Foundation
import SinewCore
import SinewJobStore
import Testing

@Suite struct `A job store whose process is killed` {
    /// As `JobStoreWriter` makes them.
    private func bytes(of index: Int, salt: Int) -> [UInt8] {
        (0..<(1 + (index &* 7_919 &+ salt) % 20_000)).map {
            UInt8(truncatingIfNeeded: (index &* 40_503 &+ $0 &* salt) >> 3)
        }
    }

    @Test func `has everything that it had acknowledged, thirty kills in a row`() throws {
        let folder = try TemporaryFolder()
        // Beside the test bundle, where the build puts both.
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let tool = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("JobStoreWriter")
        for kill in 1...30 {
            let process = Process()
            let pipe = Pipe()
            process.executableURL = tool
            process.arguments = [folder.path]
            process.standardOutput = pipe
            try process.run()
            // A few commits later each time, so that the kills fall everywhere between two copies of the log.
            var said = Data()
            while said.count(where: { $0 == 10 }) < 2 + kill * 3 {
                let piece = pipe.fileHandleForReading.availableData
                guard !piece.isEmpty else { break }
                said += piece
            }
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            said += pipe.fileHandleForReading.readDataToEndOfFile()
            let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
            let counts = try #require(lines.last).split(separator: " ").compactMap { Int($0) }
            try #require(counts.count == 2, "the writer said \(lines.last ?? "")")
            var store = try SQLiteJobStore(folder: folder.path)
            let read = try store.tasks(of: JobID(high: 1, low: 1))
            #expect(read.damaged.isEmpty)
            #expect(read.tasks.count >= counts[0], "kill \(kill)")
            #expect(read.tasks.map(\.index) == Array(0..<read.tasks.count))
            #expect(read.tasks.count { $0.end != nil } >= counts[1], "kill \(kill)")
            for index in Swift.max(0, counts[0] - 40)..<counts[0] {
                #expect(
                    try store.payload(of: JobTaskID(job: JobID(high: 1, low: 1), index: index))
                        == bytes(of: index, salt: 3))
            }
            let cursor = UInt64(Swift.max(0, counts[1] - 40))
            let results = try store.results(
                of: JobID(high: 1, low: 1), after: cursor, countMax: 100, bytesMax: .max, failuresOnly: false)
            #expect(results.damaged.isEmpty)
            for result in results.results { #expect(result.bytes == bytes(of: result.task.index, salt: 5)) }
        }
    }
}
