internal import SinewBody
internal import SinewClient
package import SinewFormats

/// Cuts the rows of a file into tasks.
///
/// The same file and settings always give the same tasks, byte for byte: so a submit that was cut off goes on where it was.
package struct TaskCutter: Sendable {
    /// How rows are shared out.
    package enum Grouping: String, CaseIterable, Sendable {
        /// So many rows to a task, of whatever tracks.
        case rows
        /// Whole tracks; short ones share a task.
        case track
    }

    /// The rows of a task, and its label.
    package struct Piece: Equatable, Sendable {
        package let rows: [Int]
        package let hasTwists: Bool
        package let label: String
    }

    package let grouping: Grouping
    /// Rows of a task, unless a whole track is longer.
    package let block: Int
    /// Whether the model's frames depend on each other.
    package let isSequential: Bool

    package init(grouping: Grouping, block: Int, isSequential: Bool) {
        precondition(grouping == .track || !isSequential, "a sequential model needs whole tracks")
        self.grouping = grouping
        self.block = block
        self.isSequential = isSequential
    }

    /// The tasks of a file, in order.
    ///
    /// - Parameters:
    ///   - name: of the file, for the labels.
    ///   - files: inputs of the job.
    /// - Throws: ``CommandFailure`` when a track fits into no task.
    package func pieces(of input: PoseInput, name: String, files: Int) throws -> [Piece] {
        let order = RowOrder(input, isSequential: isSequential)
        let label = TaskLabel(file: name, files: files, rows: input.count, fps: input.framesPerSecond, runs: [])
        var pieces: [Piece] = []
        // A request has twists for all of its people or for none.
        for hasTwists in [true, false] {
            let tracks = order.tracks(hasTwists: hasTwists, of: input)
            let units: [[Int]] =
                switch grouping {
                case .rows: tracks.joined().map { [$0] }
                case .track: tracks
                }
            var open: [[Int]] = []
            var count = 0
            for unit in units {
                if count > 0, count + unit.count > block {
                    pieces += try fit(open[...], input, order, label, hasTwists)
                    (open, count) = ([], 0)
                }
                open.append(unit)
                count += unit.count
            }
            if count > 0 { pieces += try fit(open[...], input, order, label, hasTwists) }
        }
        return pieces
    }

    /// One task, or several where people or label are too many for one.
    private func fit(
        _ units: ArraySlice<[Int]>, _ input: PoseInput, _ order: RowOrder, _ label: TaskLabel, _ hasTwists: Bool
    ) throws -> [Piece] {
        let rows = Array(units.joined())
        var label = label
        label.runs = order.runs(of: rows, in: input)
        let text = try label.text()
        if rows.count <= JobTask.itemsMax, text.utf8.count <= JobTask.labelBytesMax {
            return [Piece(rows: rows, hasTwists: hasTwists, label: text)]
        }
        var halves: [ArraySlice<[Int]>] = []
        if units.count > 1 {
            let middle = units.startIndex + units.count / 2
            halves = [units[..<middle], units[middle...]]
        } else if rows.count > 1, !isSequential {
            halves = [[Array(rows[..<(rows.count / 2)])], [Array(rows[(rows.count / 2)...])]]
        } else {
            throw tooLarge(rows, input, labelBytes: text.utf8.count)
        }
        return try halves.flatMap { try fit($0, input, order, label, hasTwists) }
    }

    private func tooLarge(_ rows: [Int], _ input: PoseInput, labelBytes: Int) -> CommandFailure {
        let track = "\(input.path), track \(input.trackNames[input.tracks[rows[0]]])"
        if rows.count > JobTask.itemsMax {
            return CommandFailure(
                .badData,
                "\(track) has \(rows.count) rows, and a task of a model that sees whole tracks holds at most \(JobTask.itemsMax); cut "
                    + "it into shorter tracks, or use sinew solve")
        }
        return CommandFailure(
            .badData,
            "\(track): its frames, shapes and genders change too often to be noted beside the task (\(labelBytes) bytes, "
                + "\(JobTask.labelBytesMax) are kept); give the track one shape and one gender, or use sinew solve")
    }
}

/// The rows of a file track by track; a row's *place* is its position in that order.
private struct RowOrder {
    private let rowsByTrack: [[Int]]
    private let hasTwists: [Bool]?
    private let places: [Int]

    init(_ input: PoseInput, isSequential: Bool) {
        if isSequential {
            let tracks = TrackRows(input)
            rowsByTrack = tracks.tracks
            hasTwists = tracks.hasTwists
        } else {
            var rows = [[Int]](repeating: [], count: input.trackNames.count)
            for row in 0..<input.count { rows[input.tracks[row]].append(row) }
            rowsByTrack = rows
            hasTwists = nil
        }
        var places = [Int](repeating: 0, count: input.count)
        for (place, row) in rowsByTrack.joined().enumerated() { places[row] = place }
        self.places = places
    }

    /// The rows whose twists are used, or the others; of a sequential model whole tracks.
    func tracks(hasTwists wanted: Bool, of input: PoseInput) -> [[Int]] {
        rowsByTrack.indices.map { track in
            guard let hasTwists else { return rowsByTrack[track].filter { input.hasTwists[$0] == wanted } }
            return hasTwists[track] == wanted ? rowsByTrack[track] : []
        }.filter { !$0.isEmpty }
    }

    func runs(of rows: [Int], in input: PoseInput) -> [TaskLabel.Run] {
        var runs: [TaskLabel.Run] = []
        for row in rows {
            let betas = Array(input.betas[(row * 10)..<(row * 10 + 10)])
            if var last = runs.last, last.track == input.tracks[row], last.gender == input.genders[row],
                last.at + last.count == places[row], last.betas == betas
            {
                let step = input.frames[row] - last.frame
                if last.count == 1 { last.step = step }
                if step == last.count * last.step {
                    last.count += 1
                    runs[runs.count - 1] = last
                    continue
                }
            }
            runs.append(
                TaskLabel.Run(
                    at: places[row], count: 1, track: input.tracks[row], name: input.trackNames[input.tracks[row]],
                    frame: input.frames[row], gender: input.genders[row], betas: betas))
        }
        return runs
    }
}
