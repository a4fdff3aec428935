internal import SinewBody
internal import SinewClient
internal import SinewFormats
internal import SinewModels

/// Solves an input through a broker.
struct ServiceSolver {
    let client: Client
    let model: String
    /// Gauss-Newton steps after the model.
    let refine: Int
    /// For each call, from when it is sent.
    let deadline: Duration

    /// The trace that the calls belong to.
    var tracing = CallTracing.off
    /// Whether the model's frames depend on each other.
    var isSequential = false
    /// Whether its frames see later ones.
    var seesWholeTracks = false
    /// `[count, 24, 3]`, a row of NaN has no start pose; nil when none has.
    var startTheta: [Float]?

    /// Solves every row; `progress` hears of each part that comes back.
    ///
    /// - Throws: `ClientError` when a call fails as a whole. A row that cannot be solved is a failure in the result.
    func solve(_ input: PoseInput, progress: (SolvedRows) -> Void) async throws -> SolvedRows {
        var solved = SolvedRows(count: input.count, model: model)
        // A request has twists for all of its people or for none.
        for hasTwists in [true, false] {
            let (rows, isTracked) = rows(of: input, hasTwists: hasTwists)
            guard !rows.isEmpty else { continue }
            let request = input.request(
                rows: rows, hasTwists: hasTwists, isTracked: isTracked, refine: refine, startTheta: startTheta,
                keepsTracksWhole: seesWholeTracks)
            for try await part in client.solveScene(request, model: model, deadline: deadline, tracing: tracing) {
                solved.take(part, rows: rows)
                progress(solved)
            }
            // A cancelled iteration may end without an error.
            try Task.checkCancellation()
        }
        return solved
    }

    /// The rows with twists, or those without; whole tracks one after the other where frames depend on each other.
    private func rows(of input: PoseInput, hasTwists: Bool) -> (rows: [Int], isTracked: Bool) {
        if isSequential, startTheta.map({ !input.everyRowHasStart($0) }) ?? true {
            let tracks = TrackRows(input)
            let chosen = tracks.tracks.indices.filter { tracks.hasTwists[$0] == hasTwists }
            return (chosen.flatMap { tracks.tracks[$0] }, true)
        }
        return ((0..<input.count).filter { input.hasTwists[$0] == hasTwists }, false)
    }

    /// Solves every pose from its effectors; `progress` hears of each request that comes back.
    ///
    /// - Throws: `ClientError` when a call fails as a whole. A pose that cannot be solved is a failure in the result.
    func solve(_ input: EffectorInput, progress: (SolvedRows) -> Void) async throws -> SolvedRows {
        var solved = SolvedRows(count: input.count, model: model)
        for start in stride(from: 0, to: input.count, by: Self.effectorRowsMax) {
            let rows = Array(start..<min(input.count, start + Self.effectorRowsMax))
            let request = EffectorRequest(input.effectors, people: rows, refine: refine)
            let reply = try await client.solve(request, model: model, deadline: deadline, tracing: tracing)
            solved.take(reply, rows: rows, errorRows: rows)
            progress(solved)
        }
        return solved
    }

    /// Poses of one request: as many calls as are under way together.
    private static let effectorRowsMax = 1024
}

extension EffectorRequest {
    /// Some people of a batch, for a service.
    init(_ effectors: EffectorObservations, people: [Int], refine: Int) {
        self.init(refine: refine)
        for person in people {
            let pose = effectors.effectors(of: person).map { index in
                EffectorRequest.Effector(
                    kind: effectors.kinds[index].rawValue, joint: effectors.joints[index],
                    values: Array(effectors.values[(index * 6)..<(index * 6 + 6)]),
                    tolerance: effectors.tolerances[index], weight: effectors.weights[index])
            }
            append(
                pose, betas: Array(effectors.betas[(person * 10)..<(person * 10 + 10)]),
                gender: effectors.genders[person].rawValue)
        }
    }
}
