internal import SinewBody
internal import SinewClient
internal import SinewFormats
internal import SinewModels

/// Solves corrected frames and puts them into their file's poses.
struct CorrectionRun: Sendable {
    /// The file's poses.
    let output: PoseOutput
    let path: String
    let corrections: [FrameCorrection]

    /// Finds the frames that are meant.
    ///
    /// - Throws: ``CommandFailure`` for a frame or track that is not there, one without a pose, and one that is given twice.
    init(_ moves: [MovedJoints], of output: PoseOutput, path: String) throws(CommandFailure) {
        self.output = output
        self.path = path
        var found: [FrameCorrection] = []
        for move in moves {
            let track = try Self.track(of: move, in: output, path)
            let frames = output.tracks[track].frames
            guard let row = frames.firstIndex(of: move.frame) else {
                let range = frames.isEmpty ? "no frames" : "frames \(frames.min() ?? 0)…\(frames.max() ?? 0)"
                throw CommandFailure(
                    .badData,
                    "\(move.place): \(path) has no frame \(move.frame) of track “\(output.tracks[track].name)”; it has "
                        + range)
            }
            guard !found.contains(where: { $0.track == track && $0.row == row }) else {
                throw CommandFailure(
                    .usage, "\(move.place): frame \(move.frame) is corrected twice; put all moved joints into one")
            }
            let isSolved = output.tracks[track].isSolved
            guard isSolved.isEmpty || isSolved[row] else {
                throw CommandFailure(
                    .badData,
                    "\(move.place): frame \(move.frame) has no pose to correct; give its joints to sinew solve, or effectors: sinew solve "
                        + "--effector")
            }
            found.append(FrameCorrection(track, row: row, of: output, moved: move.places))
        }
        corrections = found
    }

    private static func track(
        of move: MovedJoints, in output: PoseOutput, _ path: String
    ) throws(CommandFailure) -> Int {
        let names = output.tracks.map(\.name)
        guard let name = move.track else {
            guard names.count == 1 else {
                throw CommandFailure(
                    .usage,
                    "\(move.place): \(path) has \(names.count) tracks; say which is meant: "
                        + names.prefix(20).joined(separator: ", "))
            }
            return 0
        }
        guard let index = names.firstIndex(of: name) else {
            throw CommandFailure(
                .usage,
                "\(move.place): \(path) has no track “\(name)”; it has \(names.prefix(20).joined(separator: ", "))")
        }
        return index
    }

    // MARK: Solving

    /// The corrected frames as poses to be solved from effectors.
    var effectorInput: EffectorInput {
        var input = EffectorInput(path: path)
        for correction in corrections {
            let track = output.tracks[correction.track]
            input.append(
                correction.effectors, betas: correction.betas, gender: correction.gender, track: track.name,
                frame: track.frames[correction.row], place: place(of: correction))
        }
        return input
    }

    /// The same as joints.
    func poseInput() throws -> PoseInput {
        var input = try PoseClip.observations(corrections.map(\.clip), path: path)
        for (row, correction) in corrections.enumerated() { try correction.observe(row, in: &input) }
        input.places = corrections.map(place(of:))
        return input
    }

    /// Where a corrected frame stands, for messages.
    func place(of correction: FrameCorrection) -> String {
        let track = output.tracks[correction.track]
        return "track \(track.name), frame \(track.frames[correction.row])"
    }

    /// Solves the frames through a service, in one call as long as there are no more than a call holds.
    func solve(with solver: ServiceSolver, takesEffectors: Bool) async throws -> SolvedRows {
        takesEffectors
            ? try await solver.solve(effectorInput) { _ in } : try await solver.solve(poseInput()) { _ in }
    }

    /// Whether a service's model of that name is asked by effectors; others are asked by joints.
    static func takesEffectors(_ model: String, _ client: Client, deadline: Duration) async throws -> Bool {
        try await client.listModels(deadline: deadline).contains {
            ($0.model.name == model || "\($0.model.name)/\($0.model.version)" == model)
                && ModelDescription.Architecture.takesEffectors(named: $0.model.architecture)
        }
    }

    // MARK: Putting in

    /// The file's poses with the corrected frames in their places; frames that could not be solved stay as they were.
    func corrected(_ solved: SolvedRows) -> PoseOutput {
        var output = output
        let failed = Set(solved.failures.map(\.row))
        for (person, correction) in corrections.enumerated() where !failed.contains(person) {
            output.tracks[correction.track].put(
                solved.solutions, person, at: correction.row,
                PoseOutput.Correction(joints: correction.moved.map(\.joint), model: solved.model))
        }
        return output
    }
}

extension PoseOutput.Track {
    /// Replaces a row by a solution; measures only where the track has them.
    fileprivate mutating func put(
        _ solved: PoseSolutions, _ person: Int, at row: Int, _ correction: PoseOutput.Correction
    ) {
        for index in 0..<72 { theta[row * 72 + index] = solved.theta[person * 72 + index] }
        for index in 0..<3 { translation[row * 3 + index] = solved.translation[person * 3 + index] }
        for index in 0..<87 { joints[row * 87 + index] = solved.joints[person * 87 + index] }
        corrections[row] = correction
        guard isSolved.count == frames.count else { return }
        latentNorm[row] = solved.latentNorm[person]
        jointResidualMillimetres[row] = solved.jointResidualMillimetres[person]
        orientationResidualRadians[row] = solved.orientationResidualRadians[person]
        boneLengthChange[row] = solved.boneLengthChange[person]
        unobservedJoints[row] = solved.unobservedJoints[person]
        outcome[row] = solved.outcome[person].rawValue
    }
}
