internal import SinewArrayFiles
internal import SinewClient
internal import SinewFormats
internal import SinewModels

/// What makes a job what it is: the model, how the files are read and cut, and the files themselves.
struct JobPlan: Sendable {
    let inputs: [JobInputs.Input]
    /// What standard input held, where it is the input.
    let standardInput: [UInt8]
    let model: String
    let refine: Int
    let reading: PoseInput.Options
    /// What is done with each file's people before they are cut.
    let clips: ClipProcessing
    let cutter: TaskCutter

    /// Counted up when files are cut or labelled in another way, so that a job begun by an older release is not gone on with.
    private static let format = 1

    /// SHA-256 over all of it, 32 bytes. Two plans with the same hash give the same tasks.
    func contentHash() throws -> [UInt8] {
        var lines = [
            "sinew submit \(Self.format)", "model \(model)", "refine \(refine)",
            "unit \(reading.unit?.rawValue ?? "")", "up \(reading.upAxis?.rawValue ?? "")",
            "skeleton \(reading.skeletonName ?? "")", "grouping \(cutter.grouping.rawValue)", "block \(cutter.block)",
            "sequential \(cutter.isSequential)",
        ]
        // Only where given, so that the jobs of older releases keep their hash.
        if let format = reading.format { lines.append("format \(format.rawValue)") }
        if let rig = reading.rigPath { lines.append("rig \(try SHA256.hexDigest(ofFile: rig))") }
        if !clips.words.isEmpty { lines.append("clips \(clips.words)") }
        for input in inputs {
            let digest =
                input.path == JobInputs.standardInput
                ? SHA256.hexDigest(of: standardInput) : try SHA256.hexDigest(ofFile: input.path)
            lines.append("file \(digest) \(input.name)")
        }
        return SHA256.digest(of: Array(lines.joined(separator: "\n").utf8))
    }

    fileprivate func read(_ input: JobInputs.Input) throws -> PoseInput {
        guard input.path == JobInputs.standardInput else {
            return try clips.applied(to: PoseInput.read(path: input.path, options: reading))
        }
        return try clips.applied(
            to: PoseInput.read(jsonLines: standardInput, path: "standard input", options: reading))
    }

    /// The tasks, one after the other; one file is in memory at a time.
    func tasks() -> JobPlanTasks { JobPlanTasks(self) }
}

/// Reads the files of a plan and makes their tasks.
struct JobPlanTasks {
    private let plan: JobPlan
    private var nextFile = 0
    private var input: PoseInput?
    private var pieces: ArraySlice<TaskCutter.Piece> = []
    /// Tasks made or passed over so far.
    private(set) var count = 0
    /// People in them.
    private(set) var people = 0
    /// Files that were read to their end.
    private(set) var filesDone = 0
    /// What was assumed about the file read last, to be told once.
    private(set) var notes: [String] = []

    init(_ plan: JobPlan) { self.plan = plan }

    /// The next task, nil after the last one.
    ///
    /// - Parameter first: tasks before this one are counted and not made.
    mutating func next(from first: Int = 0) throws -> JobTask? {
        while true {
            if let piece = pieces.popFirst(), let input {
                let index = count
                count += 1
                people += piece.rows.count
                if index < first { continue }
                let request = input.request(
                    rows: piece.rows, hasTwists: piece.hasTwists, isTracked: plan.cutter.isSequential,
                    refine: plan.refine)
                return try JobTask(index: index, request, label: piece.label)
            }
            filesDone = nextFile
            guard nextFile < plan.inputs.count else { return nil }
            let file = plan.inputs[nextFile]
            nextFile += 1
            let read = try plan.read(file)
            notes = read.notes.map { "\(read.path): \($0)" }
            pieces = try plan.cutter.pieces(of: read, name: file.name, files: plan.inputs.count)[...]
            input = read
        }
    }
}

extension JobPlanTasks {
    /// The notes, once.
    mutating func takeNotes() -> [String] { exchange(&notes, with: []) }
}

extension Client {
    /// The job that has a content, when one stands.
    func job(withContent hash: [UInt8]) async throws(ClientError) -> JobStatus? {
        var older: JobID?
        while true {
            let page = try await listJobs(countMax: 1000, olderThan: older, deadline: firstContactLimit)
            if let found = page.first(where: { $0.contentSHA256 == hash && $0.standsForItsContent }) { return found }
            guard let last = page.last?.jobID else { return nil }
            older = last
        }
    }
}

extension JobStatus {
    /// Whether a submit of the same content would find this job: one that was given up is made anew.
    fileprivate var standsForItsContent: Bool {
        switch state {
        case .open, .sealed, .finished: true
        case .cancelled, .expired, .unspecified, .unrecognized: false
        }
    }
}
