import SinewBody
import SinewClient
import SinewCommands
import SinewFormats
import SinewWire
import TestSupport
import Testing

struct JobFilesTests {
    private func label(_ file: String, rows: Int, at: Int, _ count: Int, track: Int = 0) -> TaskLabel {
        TaskLabel(
            file: file, files: 2, rows: rows, fps: 25,
            runs: [
                TaskLabel.Run(
                    at: at, count: count, track: track, name: "t\(track)", frame: 100 + at, gender: .male,
                    betas: [Float](repeating: 0.5, count: 10))
            ])
    }

    /// A result in whose row `i` every number is the row's place.
    private func done(_ task: Int, _ label: TaskLabel, errors: [ItemError] = []) throws -> JobResult {
        let places = label.runs.flatMap { run in (0..<run.count).map { Float(run.at + $0) } }
        let n = places.count
        func rows(_ columns: Int) -> [Float] { places.flatMap { Array(repeating: $0, count: columns) } }
        let reply = SolvePosesReply(
            theta: Tensor(rows(72), shape: [n, 24, 3]), translation: Tensor(rows(3), shape: [n, 3]),
            joints: Tensor(rows(87), shape: [n, 29, 3]),
            quality: SolveQuality(
                latentNorm: rows(1), jointResidualMillimetres: rows(1), boneLengthChange: rows(1),
                unobservedJoints: Array(repeating: 0, count: n)),
            model: "fake", modelVersion: "7", itemErrors: errors)
        return try JobResult(
            TaskResult(
                index: UInt64(task), outcome: .done, label: try label.text(), items: UInt32(n), attempts: 1,
                payload: reply.encode()))
    }

    private func lost(_ task: Int, _ label: TaskLabel, _ outcome: TaskOutcome) throws -> JobResult {
        let detail = ErrorDetail(message: "3 workers were lost", code: UInt32(ServiceErrorCode.killsWorkers.rawValue))
        return try JobResult(
            TaskResult(
                index: UInt64(task), outcome: outcome, status: 13, label: try label.text(), items: UInt32(label.items),
                attempts: 3, payload: outcome == .cancelled ? [] : detail.encode()))
    }

    /// What was written, by name.
    private final class Written {
        var outputs: [(name: String, output: PoseOutput)] = []
        func files(finished: (names: [String], paths: [String], rows: Int) = ([], [], 0)) -> JobFiles {
            JobFiles(finished: finished) { name, output in
                self.outputs.append((name, output))
                return ["\(name).npz"]
            }
        }
        var names: [String] { outputs.map(\.name) }
    }

    @Test func `a file is written with its last row, whatever the order of the tasks`() throws {
        let written = Written()
        var files = written.files()
        try files.take(done(2, label("a", rows: 7, at: 5, 2)), behind: 0)
        try files.take(done(3, label("b", rows: 2, at: 0, 2)), behind: 1)
        #expect(written.names == ["b"])
        try files.take(done(1, label("a", rows: 7, at: 2, 3)), behind: 2)
        try files.take(done(0, label("a", rows: 7, at: 0, 2)), behind: 3)
        #expect(written.names == ["b", "a"])
        let track = try #require(written.outputs[1].output.tracks.first)
        #expect(track.frames == Array(100..<107) && track.isSolved == Array(repeating: true, count: 7))
        #expect(track.theta == (0..<7).flatMap { Array(repeating: Float($0), count: 72) })
        #expect(track.gender == .male && track.betas.count == 70)
        #expect(written.outputs[1].output.model == "fake/7" && written.outputs[1].output.framesPerSecond == 25)
        let short = try files.finishAll()
        #expect(short.isEmpty && files.failures.isEmpty)
        #expect(files.paths == ["b.npz", "a.npz"])
    }

    @Test func `tracks come in the order of the file`() throws {
        let written = Written()
        var files = written.files()
        try files.take(done(0, label("a", rows: 9, at: 5, 4, track: 7)), behind: 0)
        try files.take(done(1, label("a", rows: 9, at: 0, 5, track: 0)), behind: 0)
        let tracks = written.outputs[0].output.tracks
        #expect(tracks.map(\.name) == ["t0", "t7"])
        #expect(tracks.map(\.latentNorm) == [[0, 1, 2, 3, 4], [5, 6, 7, 8]])
    }

    @Test func `a lost task leaves zeros and says why, at the end of the job`() throws {
        let written = Written()
        var files = written.files()
        try files.take(lost(0, label("a", rows: 3, at: 0, 2), .dead), behind: 0)
        try files.take(done(1, label("a", rows: 3, at: 2, 1)), behind: 0)
        #expect(written.names.isEmpty && files.lostRowCount == 2)
        let short = try files.finishAll()
        #expect(short.isEmpty)
        let track = try #require(written.outputs.first?.output.tracks.first)
        #expect(track.isSolved == [false, false, true])
        #expect(Array(track.theta.prefix(144)) == [Float](repeating: 0, count: 144))
        #expect(files.failures.map(\.frame) == [100, 101])
        #expect(files.failures[0].outcome == "dead" && files.failures[0].code == "KILLS_WORKERS")
    }

    @Test func `a task that was tried again replaces its first end`() throws {
        let written = Written()
        var files = written.files()
        try files.take(lost(0, label("a", rows: 3, at: 0, 2), .dead), behind: 0)
        try files.take(done(1, label("a", rows: 3, at: 2, 1)), behind: 0)
        try files.take(done(0, label("a", rows: 3, at: 0, 2)), behind: 0)
        #expect(written.names == ["a"] && files.failures.isEmpty && files.lostRowCount == 0 && files.rowCount == 3)
    }

    @Test func `a person that was not solved is listed with its frame`() throws {
        let written = Written()
        var files = written.files()
        let error = ItemError(item: 1, status: 3, code: 120, field: "joints", message: "NaN")
        try files.take(done(0, label("a", rows: 3, at: 0, 3), errors: [error]), behind: 0)
        #expect(written.outputs[0].output.tracks[0].isSolved == [true, false, true])
        let failure = try #require(files.failures.first)
        #expect(failure.frame == 101 && failure.message == "joints: NaN" && failure.status == "INVALID_ARGUMENT")
    }

    @Test func `a file without any pose is not written`() throws {
        let written = Written()
        var files = written.files()
        try files.take(lost(0, label("a", rows: 2, at: 0, 2), .cancelled), behind: 0)
        let short = try files.finishAll()
        #expect(short.isEmpty)
        #expect(written.names.isEmpty && files.failures.count == 2 && files.failures[0].outcome == "cancelled")
    }

    @Test func `what was submitted in part is written and named`() throws {
        let written = Written()
        var files = written.files()
        try files.take(done(0, label("a", rows: 9, at: 0, 4)), behind: 0)
        let short = try files.finishAll()
        #expect(short.map(\.name) == ["a"] && short.map(\.rows) == [4] && short.map(\.of) == [9])
        #expect(written.outputs[0].output.tracks[0].frames.count == 4)
    }

    @Test func `reading may begin anew where the oldest unwritten file began`() throws {
        let written = Written()
        var files = written.files()
        try files.take(done(0, label("a", rows: 2, at: 0, 2)), behind: 0)
        try files.take(done(1, label("b", rows: 4, at: 0, 2)), behind: 10)
        try files.take(done(2, label("c", rows: 4, at: 0, 2)), behind: 20)
        #expect(files.resumeCursor(30) == 10)
        try files.take(done(3, label("b", rows: 4, at: 2, 2)), behind: 30)
        #expect(files.resumeCursor(40) == 20)
        // Another run goes on there: what is written is passed over.
        var more = written.files(finished: (files.finished.sorted(), files.paths, files.finishedRowCount))
        try more.take(done(2, label("c", rows: 4, at: 0, 2)), behind: 20)
        try more.take(done(3, label("b", rows: 4, at: 2, 2)), behind: 30)
        try more.take(done(4, label("c", rows: 4, at: 2, 2)), behind: 40)
        #expect(written.names == ["a", "b", "c"])
        #expect(more.resumeCursor(50) == 50 && more.rowCount == 10)
    }

    @Test func `tasks that contradict each other are refused`() throws {
        var files = Written().files()
        try files.take(done(0, label("a", rows: 4, at: 0, 2)), behind: 0)
        #expect(throws: CommandFailure.self) { try files.take(done(1, label("a", rows: 5, at: 2, 2)), behind: 0) }
        var more = Written().files()
        try more.take(done(0, label("a", rows: 4, at: 0, 2)), behind: 0)
        #expect(throws: CommandFailure.self) { try more.take(done(1, label("a", rows: 4, at: 1, 2)), behind: 0) }
    }
}
