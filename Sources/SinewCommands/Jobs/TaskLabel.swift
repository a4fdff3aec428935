internal import FoundationEssentials
package import SinewBody

/// What a task says about its rows, so that `sinew get` can write them on any machine: the input file, and the frames, track, gender and
/// shape of each row. Rows have *places*: their order in the file, track by track.
package struct TaskLabel: Codable, Equatable, Sendable {
    /// Neighbouring rows of one track, of one gender and shape, whose frames are equally far apart.
    package struct Run: Codable, Equatable, Sendable {
        /// The place of the first row.
        package var at: Int
        package var count: Int
        /// The track's place among the file's tracks, and its name.
        package var track: Int
        package var name: String
        /// The first row's frame, and how far the next one is.
        package var frame: Int
        package var step: Int
        package var gender: Gender
        /// Ten shape coefficients.
        package var betas: [Float]

        package init(
            at: Int, count: Int, track: Int, name: String, frame: Int, step: Int = 1, gender: Gender, betas: [Float]
        ) {
            self.at = at
            self.count = count
            self.track = track
            self.name = name
            self.frame = frame
            self.step = step
            self.gender = gender
            self.betas = betas
        }
    }

    /// The name of the input, without its ending and without the folders that all inputs share.
    package var file: String
    /// Inputs of the job.
    package var files: Int
    /// Rows of the file.
    package var rows: Int
    /// Frames per second, where the file says so.
    package var fps: Double?
    /// The task's rows, in their order.
    package var runs: [Run]

    package init(file: String, files: Int, rows: Int, fps: Double?, runs: [Run]) {
        self.file = file
        self.files = files
        self.rows = rows
        self.fps = fps
        self.runs = runs
    }

    /// People of the task.
    package var items: Int { runs.reduce(0) { $0 + $1.count } }

    // MARK: Text

    /// One line of JSON.
    package func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Reads a label and checks it: it came over the network.
    ///
    /// - Throws: ``CommandFailure`` when it is none of ours, or does not describe `items` rows.
    package init(reading text: String, items: Int, task: Int) throws(CommandFailure) {
        guard let label = try? JSONDecoder().decode(TaskLabel.self, from: Data(text.utf8)), label.isSound,
            label.items == items
        else {
            throw CommandFailure(
                .badData,
                "the label of task \(task) does not say which rows it holds (\(text.prefix(80))); only jobs of `sinew submit` can be "
                    + "fetched as files, others through SinewClient")
        }
        self = label
    }

    private var isSound: Bool {
        guard Self.isName(file), files >= 1, fps.map({ $0.isFinite && $0 > 0 }) ?? true else { return false }
        return (1...Self.rowsMax).contains(rows)
            && runs.allSatisfy { run in
                (0..<rows).contains(run.at) && (1...(rows - run.at)).contains(run.count)
                    && (0..<rows).contains(run.track) && run.frame.magnitude < Self.framesMax
                    && run.step.magnitude < Self.framesMax && run.betas.count == 10
                    && run.betas.allSatisfy(\.isFinite)
            }
    }

    /// Rows of a file; a frame number times a count of rows stays far from what an integer holds.
    private static let rowsMax = 1 << 31
    private static let framesMax: UInt = 1 << 31

    /// Whether a name may become a path below a folder, and nowhere else.
    static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return name.utf8.count <= nameBytesMax && !name.utf8.contains(where: { $0 < 0x20 })
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// A longer name would leave no room for the rows.
    static let nameBytesMax = 300
}

extension TaskLabel {
    private enum Keys: String, CodingKey { case file, files, rows, fps, runs }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(file, forKey: .file)
        if files != 1 { try container.encode(files, forKey: .files) }
        try container.encode(rows, forKey: .rows)
        try container.encodeIfPresent(fps, forKey: .fps)
        try container.encode(runs, forKey: .runs)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        file = try container.decode(String.self, forKey: .file)
        files = try container.decodeIfPresent(Int.self, forKey: .files) ?? 1
        rows = try container.decode(Int.self, forKey: .rows)
        fps = try container.decodeIfPresent(Double.self, forKey: .fps)
        runs = try container.decode([Run].self, forKey: .runs)
    }
}

extension TaskLabel.Run {
    /// Short names: a label has room for 1 024 bytes.
    private enum Keys: String, CodingKey {
        case at, frame, step, betas
        case count = "n"
        case track = "t"
        case name = "of"
        case gender = "g"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(at, forKey: .at)
        try container.encode(count, forKey: .count)
        try container.encode(track, forKey: .track)
        try container.encode(name, forKey: .name)
        try container.encode(frame, forKey: .frame)
        if step != 1 { try container.encode(step, forKey: .step) }
        if gender != .neutral { try container.encode(gender.rawValue, forKey: .gender) }
        if let last = betas.lastIndex(where: { $0 != 0 }) {
            try container.encode(Array(betas[...last]), forKey: .betas)
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        at = try container.decode(Int.self, forKey: .at)
        count = try container.decode(Int.self, forKey: .count)
        track = try container.decode(Int.self, forKey: .track)
        name = try container.decode(String.self, forKey: .name)
        frame = try container.decode(Int.self, forKey: .frame)
        step = try container.decodeIfPresent(Int.self, forKey: .step) ?? 1
        let word = try container.decodeIfPresent(String.self, forKey: .gender) ?? Gender.neutral.rawValue
        guard let gender = Gender(rawValue: word) else {
            throw DecodingError.dataCorruptedError(forKey: .gender, in: container, debugDescription: word)
        }
        self.gender = gender
        let given = try container.decodeIfPresent([Float].self, forKey: .betas) ?? []
        betas = given + [Float](repeating: 0, count: max(0, 10 - given.count))
    }
}
