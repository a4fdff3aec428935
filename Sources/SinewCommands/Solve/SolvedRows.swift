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
    var theta: [Float]
    var translation: [Float]
    var joints: [Float]
    var latentNorm: [Float]
    var jointResidualMillimetres: [Float]
    var orientationResidualRadians: [Float]
    var boneLengthChange: [Float]
    var unobservedJoints: [Int32]
    /// 0 solved, 1 the start pose was kept, 2 begun anew.
    var outcome: [Int32]
    private(set) var failures: [Failure] = []
    private(set) var doneCount = 0
    /// `name/version`.
    private(set) var model: String
    /// Who solved: names of workers, or `this process`.
    private(set) var solvers: Set<String> = []

    init(count: Int, model: String) {
        theta = Array(repeating: 0, count: count * 72)
        translation = Array(repeating: 0, count: count * 3)
        joints = Array(repeating: 0, count: count * 87)
        latentNorm = Array(repeating: 0, count: count)
        jointResidualMillimetres = Array(repeating: 0, count: count)
        orientationResidualRadians = Array(repeating: 0, count: count)
        boneLengthChange = Array(repeating: 0, count: count)
        unobservedJoints = Array(repeating: 0, count: count)
        outcome = Array(repeating: 0, count: count)
        self.model = model
    }

    /// Takes a part of a service's reply; its row `i` belongs to row `rows[part.rows.lowerBound + i]` of the input.
    mutating func take(_ part: ScenePart, rows: [Int]) {
        take(part.reply, rows: part.rows.map { rows[$0] }, errorRows: rows)
    }

    /// Takes a service's reply; its row `i` belongs to row `rows[i]` of the input, and an error's item counts in `errorRows`.
    mutating func take(_ reply: PoseReply, rows: [Int], errorRows: [Int]) {
        for (index, row) in rows.enumerated() {
            theta.copyRow(row, 72, from: reply.theta, index)
            translation.copyRow(row, 3, from: reply.translation, index)
            joints.copyRow(row, 87, from: reply.joints, index)
            latentNorm[row] = reply.latentNorm[index]
            jointResidualMillimetres[row] = reply.jointResidualMillimetres[index]
            orientationResidualRadians[row] = reply.orientationResidualRadians[index]
            boneLengthChange[row] = reply.boneLengthChange[index]
            unobservedJoints[row] = reply.unobservedJoints[index]
            outcome[row] = reply.outcome[index]
        }
        for error in reply.itemErrors {
            let field = error.field.isEmpty ? "" : "\(error.field): "
            failures.append(Failure(row: errorRows[Int(error.item)], message: field + error.message))
        }
        doneCount += rows.count
        for answered in reply.parts {
            solvers.insert(answered.worker)
            model = "\(reply.model)/\(answered.modelVersion)"
        }
    }

    /// Takes the solutions of a local batch; its row `i` belongs to row `rows[i]` of the input.
    mutating func take(_ solutions: PoseSolutions, rows: [Int]) {
        for (index, row) in rows.enumerated() {
            theta.copyRow(row, 72, from: solutions.theta, index)
            translation.copyRow(row, 3, from: solutions.translation, index)
            joints.copyRow(row, 87, from: solutions.joints, index)
            latentNorm[row] = solutions.latentNorm[index]
            jointResidualMillimetres[row] = solutions.jointResidualMillimetres[index]
            orientationResidualRadians[row] = solutions.orientationResidualRadians[index]
            boneLengthChange[row] = solutions.boneLengthChange[index]
            unobservedJoints[row] = solutions.unobservedJoints[index]
            outcome[row] = solutions.outcome[index].rawValue
        }
        doneCount += rows.count
        solvers.insert("this process")
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
            track.theta += theta[(row * 72)..<(row * 72 + 72)]
            track.translation += translation[(row * 3)..<(row * 3 + 3)]
            track.joints += joints[(row * 87)..<(row * 87 + 87)]
            track.betas += input.betas[(row * 10)..<(row * 10 + 10)]
            track.latentNorm.append(latentNorm[row])
            track.jointResidualMillimetres.append(jointResidualMillimetres[row])
            track.orientationResidualRadians.append(orientationResidualRadians[row])
            track.boneLengthChange.append(boneLengthChange[row])
            track.unobservedJoints.append(unobservedJoints[row])
            track.outcome.append(outcome[row])
            track.isSolved.append(!failed.contains(row))
            tracks[index] = track
        }
        return PoseOutput(tracks: tracks.compactMap { $0 }, framesPerSecond: input.framesPerSecond, model: model)
    }
}

extension [Float] {
    /// Copies one row of a row-major array.
    fileprivate mutating func copyRow(_ row: Int, _ columns: Int, from source: [Float], _ sourceRow: Int) {
        for column in 0..<columns { self[row * columns + column] = source[sourceRow * columns + column] }
    }
}
