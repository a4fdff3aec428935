internal import SinewClient
internal import SinewFormats
internal import SinewModels

/// The solved rows of an input, in its order, whoever solved them.
struct SolvedRows: Sendable {
    /// A row that could not be solved, and why; its numbers are zero.
    struct Failure: Sendable, Equatable {
        let row: Int
        let message: String
    }
    private(set) var solutions: PoseSolutions
    private(set) var failures: [Failure] = []
    private(set) var doneCount = 0
    /// `name/version`.
    private(set) var model: String
    /// Who solved: names of workers, or `this process`.
    private(set) var solvers: Set<String> = []
    /// Of the calls that were asked for timings, in the order of their answers.
    private(set) var calls: [Waterfall.Call] = []

    init(count: Int, model: String) {
        solutions = PoseSolutions(count: count)
        self.model = model
    }

    /// Takes a part of a service's reply; its row `i` belongs to row `rows[part.rows.lowerBound + i]` of the input.
    mutating func take(_ part: ScenePart, rows: [Int]) {
        take(part.reply, rows: part.rows.map { rows[$0] }, errorRows: rows)
    }

    /// Takes a service's reply; its row `i` belongs to row `rows[i]` of the input, and an error's item counts in `errorRows`.
    mutating func take(_ reply: PoseReply, rows: [Int], errorRows: [Int]) {
        put(PoseSolutions(reply), rows: rows)
        for error in reply.itemErrors {
            let field = error.field.isEmpty ? "" : "\(error.field): "
            failures.append(Failure(row: errorRows[Int(error.item)], message: field + error.message))
        }
        for answered in reply.parts {
            solvers.insert(answered.worker)
            if let trace = answered.trace { calls.append(.init(rows: answered.rows.count, trace: trace)) }
            model = "\(reply.model)/\(answered.modelVersion)"
        }
    }

    /// Takes the solutions of a local batch; its row `i` belongs to row `rows[i]` of the input.
    mutating func take(_ solutions: PoseSolutions, rows: [Int]) {
        put(solutions, rows: rows)
        solvers.insert("this process")
    }

    private mutating func put(_ solved: PoseSolutions, rows: [Int]) {
        for (index, row) in rows.enumerated() { solutions.put(index, of: solved, at: row) }
        doneCount += rows.count
    }

    /// Notes rows that could not be solved.
    mutating func fail(_ failed: [Failure]) {
        failures += failed
        doneCount += failed.count
    }

    /// One file's tracks, with the input's own frames, shapes and genders.
    func output(for input: some SolvableInput) -> PoseOutput {
        let failed = Set(failures.map(\.row))
        var tracks: [PoseOutput.Track?] = Array(repeating: nil, count: input.trackNames.count)
        for row in 0..<input.count {
            let index = input.tracks[row]
            // Taken out while it grows, so that appending does not copy it each time.
            var track =
                tracks[index].take() ?? PoseOutput.Track(name: input.trackNames[index], gender: input.genders[row])
            track.frames.append(input.frames[row])
            track.theta += solutions.theta[(row * 72)..<(row * 72 + 72)]
            track.translation += solutions.translation[(row * 3)..<(row * 3 + 3)]
            track.joints += solutions.joints[(row * 87)..<(row * 87 + 87)]
            track.betas += input.betas[(row * 10)..<(row * 10 + 10)]
            track.latentNorm.append(solutions.latentNorm[row])
            track.jointResidualMillimetres.append(solutions.jointResidualMillimetres[row])
            track.orientationResidualRadians.append(solutions.orientationResidualRadians[row])
            track.boneLengthChange.append(solutions.boneLengthChange[row])
            track.unobservedJoints.append(solutions.unobservedJoints[row])
            track.outcome.append(solutions.outcome[row].rawValue)
            track.isSolved.append(!failed.contains(row))
            tracks[index] = track
        }
        return PoseOutput(tracks: tracks.compactMap { $0 }, framesPerSecond: input.framesPerSecond, model: model)
    }
}

extension PoseSolutions {
    /// What a service answered.
    init(_ reply: PoseReply) {
        self.init(count: reply.count)
        theta = reply.theta
        translation = reply.translation
        joints = reply.joints
        latentNorm = reply.latentNorm
        jointResidualMillimetres = reply.jointResidualMillimetres
        orientationResidualRadians = reply.orientationResidualRadians
        boneLengthChange = reply.boneLengthChange
        unobservedJoints = reply.unobservedJoints
        // A number that only a newer worker knows stands beside an answer like any other.
        outcome = reply.outcome.map { Outcome(rawValue: $0) ?? .solved }
    }
}
