internal import FoundationEssentials
internal import Glibc
internal import SinewArrayFiles
internal import SinewClient
internal import SinewFormats
internal import SinewPictures

/// Where the results of a job go: a folder with a file per input, or one file.
struct JobTarget: Equatable, Sendable {
    let path: String
    /// The one file to write, or nil for a folder.
    let file: PoseDestination?

    /// Whether `path` is one file.
    var isFile: Bool { file != nil }

    /// Looks at the path before anything is fetched.
    init(_ path: String) throws(CommandFailure) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        let isFile = path.hasSuffix(".npz") || PictureFormat(path: path) != nil
        file = isFile ? try PoseDestination(checking: path) : nil
        if !isFile { try OutputPath.makeFolder(self.path) }
    }

    /// Writes the output of an input file; complete or not at all.
    ///
    /// - Returns: what was written, below the folder.
    func write(_ output: PoseOutput, named name: String) throws -> [String] {
        if let file { return try file.write(output, observed: nil, titled: name) }
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/\(part)"
            try OutputPath.makeFolder(folder)
        }
        return try output.write(to: "\(path)/\(name).npz").map { String($0.dropFirst(path.count + 1)) }
    }

    /// Where the rows without a pose are listed.
    var failuresPath: String {
        guard isFile else { return "\(path)/failures.jsonl" }
        return (path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path) + ".failures.jsonl"
    }

    /// Where an interrupted fetch notes how far it was; a single file is fetched in one go.
    func notePath(of job: JobID) -> String? { isFile ? nil : "\(path)/.sinew-get-\(job).json" }
}

/// Reads a job's results from wherever the last run got to, and writes them.
struct JobFetch: Sendable {
    let handle: JobHandle
    let target: JobTarget
    /// People of the job, for the bar.
    let people: Int

    /// What was fetched.
    struct Outcome: Sendable {
        var files = 0
        var rows = 0
        var failures = 0
        /// Inputs of which not every row was submitted.
        var short: [String] = []
    }

    /// How far a run was that did not get to the end.
    private struct Note: Codable {
        let job: String
        let cursor: UInt64
        let finished: [String]
        /// What was written for them, below the folder.
        let paths: [String]
        /// Rows in them.
        let rows: Int
    }

    /// Fetches until the job has ended and everything is written.
    func run() async throws -> Outcome {
        let note = readNote()
        var files = JobFiles(finished: (note?.finished ?? [], note?.paths ?? [], note?.rows ?? 0)) { name, output in
            try target.write(output, named: name)
        }
        var cursor = note?.cursor ?? 0
        var noted = ContinuousClock.now
        var bar = ProgressBar(total: people, unit: "people")
        defer { bar.clear() }
        do {
            while true {
                let page = try await handle.resultPage(after: cursor, wait: Self.pageWait)
                for result in page.results {
                    if target.isFile { try checkSingle(result) }
                    try files.take(result, behind: cursor)
                }
                cursor = page.nextCursor
                bar.draw(done: files.rowCount, failed: files.lostRowCount)
                if page.isComplete { break }
                if ContinuousClock.now - noted > Self.noteInterval {
                    try writeNote(files, cursor)
                    noted = .now
                }
            }
        } catch {
            // The failure that counts is the one that ended the fetch; without the note the next run only fetches more.
            try? writeNote(files, cursor)
            throw error
        }
        let short = try files.finishAll()
        try writeFailures(files.failures)
        if let path = target.notePath(of: handle.id) { _ = unsafe unlink(path) }
        return Outcome(
            files: files.finished.count, rows: files.rowCount, failures: files.failures.count,
            short: short.map { "\($0.name) has \($0.rows) of \($0.of) rows" })
    }

    private static let pageWait = Duration.seconds(10)
    private static let noteInterval = Duration.seconds(2)

    private func checkSingle(_ result: JobResult) throws {
        let label = try TaskLabel(reading: result.label, items: result.items, task: result.index)
        guard label.files == 1 else {
            throw CommandFailure(
                .usage, "the job has \(label.files) files: write -o FOLDER instead of '\(target.path)'")
        }
    }

    // MARK: Going on

    /// The note of an earlier run, when everything it wrote is still there.
    private func readNote() -> Note? {
        // A note that cannot be read is as good as none: everything is fetched again.
        guard let path = target.notePath(of: handle.id),
            let bytes = try? AtomicFile.read(path, bytesMax: 1 << 30),
            let note = try? JSONDecoder().decode(Note.self, from: Data(bytes)), note.job == handle.id.description,
            note.paths.allSatisfy({ unsafe access("\(target.path)/\($0)", R_OK) == 0 })
        else { return nil }
        return note
    }

    private func writeNote(_ files: JobFiles, _ cursor: UInt64) throws {
        // Rows that failed are only known to this run, so a run that goes on would not list them.
        guard let path = target.notePath(of: handle.id), files.failures.isEmpty else { return }
        let note = Note(
            job: handle.id.description, cursor: files.resumeCursor(cursor), finished: files.finished.sorted(),
            paths: files.paths, rows: files.finishedRowCount)
        try AtomicFile.write(Array(try JSONEncoder().encode(note)), to: path)
    }

    private func writeFailures(_ failures: [JobFiles.Failure]) throws {
        guard !failures.isEmpty else {
            // A list of an earlier fetch would be wrong now.
            _ = unsafe unlink(target.failuresPath)
            return
        }
        let lines = try failures.map { try JSONOutput.text($0) + "\n" }
        try AtomicFile.write(Array(lines.joined().utf8), to: target.failuresPath)
    }
}
