internal import SinewBody
package import SinewClient
package import SinewFormats

/// Puts the results of a job together to one output per input file, and writes each when its last row is there.
///
/// Memory holds the files that are begun and not complete; results come nearly in the order in which they were submitted.
package struct JobFiles {
    /// A row that has no pose, for the file of failures.
    package struct Failure: Encodable, Equatable, Sendable {
        package let file, track: String
        package let frame, task: Int
        package let outcome, status, code, message: String
    }

    /// The results of one task.
    private struct Piece {
        let task: Int
        let label: TaskLabel
        let poses: PoseReply?
        let outcome: TaskOutcome
        let error: ClientError?
    }

    private struct File {
        var label: TaskLabel
        var pieces: [Int: Piece] = [:]
        var rows = 0
        /// Behind which nothing of this file had come.
        let firstCursor: UInt64
        /// Tasks without poses. They may be tried again while the job is read, so the file waits for the end of the job.
        var lostTasks = 0
    }

    private var files: [String: File] = [:]
    /// Files that are written.
    package private(set) var finished: Set<String>
    /// Rows without a pose, of files that are written.
    package private(set) var failures: [Failure] = []
    /// Rows of the files that are written.
    package private(set) var finishedRowCount: Int
    /// Rows of all files that have come.
    package var rowCount: Int { files.values.reduce(finishedRowCount) { $0 + $1.rows } }
    /// Rows of them without a pose.
    package private(set) var lostRowCount = 0
    /// What was written for them.
    package private(set) var paths: [String]
    private let write: (_ name: String, PoseOutput) throws -> [String]

    /// - Parameters:
    ///   - finished: files that an earlier run has written, their paths and their rows.
    ///   - write: writes the output of a file, and returns the paths.
    package init(
        finished: (names: [String], paths: [String], rows: Int) = ([], [], 0),
        write: @escaping (_ name: String, PoseOutput) throws -> [String]
    ) {
        self.finished = Set(finished.names)
        paths = finished.paths
        finishedRowCount = finished.rows
        self.write = write
    }

    /// Takes a result that came behind a cursor.
    ///
    /// - Throws: ``CommandFailure`` when its label is none of ours, or contradicts another one.
    package mutating func take(_ result: JobResult, behind cursor: UInt64) throws {
        let label = try TaskLabel(reading: result.label, items: result.items, task: result.index)
        guard !finished.contains(label.file) else { return }
        let piece = try Self.piece(of: result, label)
        var file = files.removeValue(forKey: label.file) ?? File(label: label, firstCursor: cursor)
        guard file.label.rows == label.rows, file.label.fps == label.fps else {
            throw CommandFailure(
                .badData,
                "task \(result.index) says that \(label.file) has \(label.rows) rows, others say \(file.label.rows)")
        }
        // A task that was tried again ends a second time; the later end counts.
        if let earlier = file.pieces.updateValue(piece, forKey: result.index) {
            file.rows -= earlier.label.items
            if earlier.error != nil {
                file.lostTasks -= 1
                lostRowCount -= earlier.label.items
            }
        }
        file.rows += result.items
        if piece.error != nil {
            file.lostTasks += 1
            lostRowCount += result.items
        }
        guard file.rows >= label.rows, file.lostTasks == 0 else {
            files[label.file] = file
            return
        }
        try finish(file)
    }

    /// Where reading may begin anew without missing anything of a file that is not written.
    ///
    /// - Parameter cursor: up to which everything was taken.
    package func resumeCursor(_ cursor: UInt64) -> UInt64 {
        files.values.reduce(cursor) { min($0, $1.firstCursor) }
    }

    /// Writes what is left when the job has ended: files with lost tasks, and files whose rest was never submitted.
    ///
    /// - Returns: files with fewer rows than they should have.
    package mutating func finishAll() throws -> [(name: String, rows: Int, of: Int)] {
        var short: [(name: String, rows: Int, of: Int)] = []
        for name in files.keys.sorted() {
            guard let file = files.removeValue(forKey: name) else { continue }
            if file.rows < file.label.rows { short.append((name, file.rows, file.label.rows)) }
            try finish(file)
        }
        return short
    }

    private static func piece(of result: JobResult, _ label: TaskLabel) throws -> Piece {
        if let error = result.error {
            return Piece(task: result.index, label: label, poses: nil, outcome: result.outcome, error: error)
        }
        return Piece(task: result.index, label: label, poses: try result.poses(), outcome: result.outcome, error: nil)
    }

    // MARK: Putting together

    /// A run of rows and where its poses are.
    private struct Stretch {
        let run: TaskLabel.Run
        /// The run's first row in its task.
        let offset: Int
        let piece: Piece
    }

    private mutating func finish(_ file: File) throws {
        let name = file.label.file
        var stretches: [Stretch] = []
        for piece in file.pieces.values {
            var offset = 0
            for run in piece.label.runs {
                stretches.append(Stretch(run: run, offset: offset, piece: piece))
                offset += run.count
            }
        }
        stretches.sort { ($0.run.at, $0.piece.task) < ($1.run.at, $1.piece.task) }
        for (one, next) in zip(stretches, stretches.dropFirst()) where one.run.at + one.run.count > next.run.at {
            throw CommandFailure(
                .badData, "tasks \(one.piece.task) and \(next.piece.task) both have row \(next.run.at) of \(name)")
        }
        for stretch in stretches { note(stretch, of: name) }
        let rows = LabelledRows(name, stretches.map(\.run), framesPerSecond: file.label.fps)
        let solved = Self.solved(stretches, count: rows.count)
        finished.insert(name)
        finishedRowCount += rows.count
        guard solved.failures.count < rows.count else { return }
        paths += try write(name, solved.output(for: rows))
    }

    /// The rows as `sinew solve` keeps them.
    private static func solved(_ stretches: [Stretch], count: Int) -> SolvedRows {
        var solved = SolvedRows(count: count, model: "")
        /// Where the rows of each task are.
        var rowsOfTask: [Int: [(offset: Int, rows: Range<Int>)]] = [:]
        var pieces: [Int: Piece] = [:]
        var start = 0
        for stretch in stretches {
            let rows = start..<(start + stretch.run.count)
            rowsOfTask[stretch.piece.task, default: []].append((stretch.offset, rows))
            pieces[stretch.piece.task] = stretch.piece
            start = rows.upperBound
        }
        for task in pieces.keys.sorted() {
            guard let piece = pieces[task], let parts = rowsOfTask[task] else { continue }
            let rows = parts.sorted { $0.offset < $1.offset }.flatMap(\.rows)
            if let poses = piece.poses {
                solved.take(poses, rows: rows, errorRows: rows)
            } else {
                solved.fail(rows.map { SolvedRows.Failure(row: $0, message: piece.error?.message ?? "") })
            }
        }
        return solved
    }

    private mutating func note(_ stretch: Stretch, of name: String) {
        func add(_ row: Int, status: StatusCode, code: ServiceErrorCode, message: String, outcome: String) {
            failures.append(
                Failure(
                    file: name, track: stretch.run.name, frame: stretch.run.frame + row * stretch.run.step,
                    task: stretch.piece.task, outcome: outcome, status: "\(status)", code: "\(code)", message: message))
        }
        if let error = stretch.piece.error {
            for row in 0..<stretch.run.count {
                add(
                    row, status: error.status, code: error.code, message: error.message,
                    outcome: stretch.piece.outcome.word)
            }
        }
        for error in stretch.piece.poses?.itemErrors ?? [] {
            let row = Int(error.item) - stretch.offset
            guard (0..<stretch.run.count).contains(row) else { continue }
            let field = error.field.isEmpty ? "" : "\(error.field): "
            lostRowCount += 1
            add(
                row, status: StatusCode(rawValue: UInt8(clamping: error.status)) ?? .unknown,
                code: ServiceErrorCode(rawValue: UInt16(clamping: error.code)), message: field + error.message,
                outcome: "not solved")
        }
    }
}

/// The rows of a file as its labels describe them, in the order of their places.
private struct LabelledRows: SolvableInput {
    let path: String
    private(set) var count = 0
    private(set) var trackNames: [String] = []
    private(set) var tracks: [Int] = []
    private(set) var frames: [Int] = []
    private(set) var betas: [Float] = []
    private(set) var genders: [Gender] = []
    let framesPerSecond: Double?
    let notes: [String] = []
    var places: [String] { (0..<count).map { "track \(trackNames[tracks[$0]]), frame \(frames[$0])" } }

    init(_ path: String, _ runs: [TaskLabel.Run], framesPerSecond: Double?) {
        self.path = path
        self.framesPerSecond = framesPerSecond
        var known: [Int: Int] = [:]
        // Runs come in the order of their places, and so track by track.
        for run in runs {
            let track = known[run.track] ?? trackNames.count
            if known.updateValue(track, forKey: run.track) == nil { trackNames.append(run.name) }
            tracks += Array(repeating: track, count: run.count)
            frames += (0..<run.count).map { run.frame + $0 * run.step }
            for _ in 0..<run.count { betas += run.betas }
            genders += Array(repeating: run.gender, count: run.count)
            count += run.count
        }
    }
}
