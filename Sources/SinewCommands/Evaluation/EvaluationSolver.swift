internal import SinewBody
internal import SinewClient
internal import SinewModels
internal import SinewWire

/// One of the solvers that are compared, in this process or behind a broker.
struct EvaluationSolver: Sendable {
    /// What a solver made of some people.
    struct Answer: Sendable {
        var solutions: PoseSolutions
        /// Time that it took.
        var duration: Duration
    }

    /// Rows of one local batch: full kernels.
    private static let batchRowsMax = 256

    /// `name/version`, joined by `+`.
    let name: String
    /// Whether an answer says what became of a start pose.
    let hasStarts: Bool
    /// Poses of joints; tracks are frames of one person.
    let solve: @Sendable (PoseObservations) async throws -> Answer
    /// Poses of effectors; nil for solvers that take none.
    let reach: Reach?

    /// Finds the effectors of one of some people; nil for solvers that take none, that refine, or that are behind a broker.
    var recover: Recover?

    /// Solves effectors.
    typealias Reach = @Sendable (EffectorObservations) async throws -> Answer
    /// Recovers effectors.
    typealias Recover =
        @Sendable (EvaluationPeople, Int, EffectorRecovery.Options) async throws -> EffectorRecovery.Recovered

    /// Whether models of an architecture start from a pose that somebody else found.
    private static func startsFromPoses(_ architecture: String) -> Bool {
        ModelDescription.Architecture.isSequential(named: architecture)
            && !ModelDescription.Architecture.seesWholeTracks(named: architecture)
    }

    private static func check(_ chain: SolverChain, architectures: [String]) throws {
        for index in chain.stages.indices.dropFirst() where !startsFromPoses(architectures[index]) {
            throw CommandFailure(
                .usage,
                "\(chain.stages[index].model) starts from no pose and cannot follow another model; "
                    + "learnable-smplify can (niki+learnable-smplify)")
        }
    }

    private static func name(_ chain: SolverChain, _ models: [String]) -> String {
        zip(chain.stages, models).map { $0.refine > 0 ? "\($1)+refine\($0.refine)" : $1 }.joined(separator: "+")
    }
}

// MARK: In this process

extension EvaluationSolver {
    /// Solves in this process, batch after batch on one thread; the time is that of the solvers alone.
    init(local chain: SolverChain, _ load: (String) throws -> any PoseModel) throws {
        let models = try chain.stages.map { try load($0.model) }
        try Self.check(chain, architectures: models.map(\.identity.architecture))
        let stages = zip(models, chain.stages).map { LocalStage(model: $0, refine: $1.refine) }
        name = Self.name(chain, models.map(\.identity.description))
        hasStarts = models.contains { Self.startsFromPoses($0.identity.architecture) }
        solve = { seen in
            // The frames of a track need each other.
            let isWhole = !seen.tracks.isEmpty && stages[0].model.isSequential
            var rest = seen
            if !isWhole { rest.tracks = [] }
            let rowsMax = isWhole ? max(seen.count, 1) : Self.batchRowsMax
            return try await Self.collect(seen.count, rowsMax: rowsMax) { [rest] (range) throws(ModelError) in
                try stages.solve(isWhole ? rest : rest.rows(range))
            }
        }
        guard stages.count == 1, let model = models[0] as? any EffectorPoseModel else {
            reach = nil
            return
        }
        let steps = chain.stages[0].refine
        reach = { effectors in
            try await Self.collect(effectors.count, rowsMax: Self.batchRowsMax) { (range) throws(ModelError) in
                var part = EffectorObservations()
                part.append(Array(range), of: effectors)
                return try model.solve(part, refine: steps)
            }
        }
        guard steps == 0 else { return }
        let recovery = try EffectorRecovery(model: model)
        recover = { people, person, options in
            try await onOwnThread(named: "recover") { () throws(ModelError) in
                try recovery.recover(
                    theta: Array(people.theta[(person * 72)..<(person * 72 + 72)]), translation: [0, 0, 0],
                    betas: Array(people.betas[(person * 10)..<(person * 10 + 10)]), gender: people.genders[person],
                    options: options, isCancelled: { false })
            }
        }
    }

    /// Batches one after the other, each on a thread of its own.
    private static func collect(
        _ count: Int, rowsMax: Int, _ solve: @escaping @Sendable (Range<Int>) throws(ModelError) -> Answer
    ) async throws -> Answer {
        var answer = Answer(solutions: PoseSolutions(count: 0), duration: .zero)
        for start in stride(from: 0, to: count, by: rowsMax) {
            try Task.checkCancellation()
            let solved = try await onOwnThread(named: "evaluate") { () throws(ModelError) in
                try solve(start..<min(count, start + rowsMax))
            }
            answer.solutions.append(solved.solutions)
            answer.duration += solved.duration
        }
        return answer
    }
}

/// A loaded model and the steps after it.
private struct LocalStage: Sendable {
    let model: any PoseModel
    let refine: Int
}

extension [LocalStage] {
    fileprivate func solve(_ seen: PoseObservations) throws(ModelError) -> EvaluationSolver.Answer {
        let begin = ContinuousClock.now
        var given = seen
        var solutions = PoseSolutions(count: 0)
        for stage in self {
            solutions = try stage.model.solve(given, isCancelled: { false })
            try PoseRefinement.refine(
                &solutions, toward: seen, steps: Array<Int>(repeating: stage.refine, count: seen.count),
                isCancelled: { false })
            // Whoever comes next starts every frame from this answer.
            given.tracks = []
            given.startTheta = solutions.theta
            given.hasStart = Array<Bool>(repeating: true, count: seen.count)
        }
        return EvaluationSolver.Answer(solutions: solutions, duration: ContinuousClock.now - begin)
    }
}

extension EffectorPoseModel {
    fileprivate func solve(
        _ effectors: EffectorObservations, refine steps: Int
    ) throws(ModelError) -> EvaluationSolver.Answer {
        let begin = ContinuousClock.now
        var solutions = try solve(effectors, isCancelled: { false })
        try PoseRefinement.refine(
            &solutions, toward: effectors, steps: Array(repeating: steps, count: effectors.count),
            isCancelled: { false })
        return EvaluationSolver.Answer(solutions: solutions, duration: ContinuousClock.now - begin)
    }
}

// MARK: Behind a broker

extension EvaluationSolver {
    /// Solvers through a broker; their time is that of all rows on all of its workers.
    static func behind(_ client: Client, _ chains: [SolverChain]) async throws -> [EvaluationSolver] {
        let ready = try await client.listModels(deadline: .seconds(5)).map(\.model)
        return try chains.map { chain in
            let architectures = chain.stages.map { stage in
                ready.first { $0.name == stage.model || "\($0.name)/\($0.version)" == stage.model }?.architecture ?? ""
            }
            return try EvaluationSolver(client, chain, architectures, deadline: .seconds(600))
        }
    }

    private init(
        _ client: Client, _ chain: SolverChain, _ architectures: [String], deadline: Duration
    ) throws {
        try Self.check(chain, architectures: architectures)
        name = Self.name(chain, chain.stages.map(\.model))
        hasStarts = architectures.contains(where: Self.startsFromPoses)
        solve = { seen in
            let begin = ContinuousClock.now
            var solutions = PoseSolutions(count: 0)
            for (index, stage) in chain.stages.enumerated() {
                var request = PoseRequest(
                    count: seen.count, joints: seen.joints, skeleton: Skeleton.smpl29.name, sigma: seen.sigma,
                    twists: seen.hasTwists.contains(false) ? nil : seen.twists, betas: seen.betas,
                    genders: seen.genders.map(\.rawValue), refine: stage.refine)
                if index > 0 {
                    request.startTheta = solutions.theta
                } else if !seen.tracks.isEmpty,
                    ModelDescription.Architecture.isSequential(named: architectures[index])
                {
                    request.tracks = seen.tracks
                    request.keepsTracksWhole = ModelDescription.Architecture.seesWholeTracks(
                        named: architectures[index])
                }
                let scene = client.solveScene(request, model: stage.model, deadline: deadline)
                solutions = try Self.whole(try await scene.collect(), of: stage.model)
            }
            return Answer(solutions: solutions, duration: ContinuousClock.now - begin)
        }
        let stage = chain.stages[0]
        guard chain.stages.count == 1, ModelDescription.Architecture.takesEffectors(named: architectures[0]) else {
            reach = nil
            return
        }
        reach = { effectors in
            let begin = ContinuousClock.now
            let request = EffectorRequest(effectors, people: Array(0..<effectors.count), refine: stage.refine)
            let reply = try await client.solve(request, model: stage.model, deadline: deadline)
            return Answer(
                solutions: try Self.whole(reply, of: stage.model), duration: ContinuousClock.now - begin)
        }
    }

    private static func whole(_ reply: PoseReply, of model: String) throws -> PoseSolutions {
        if let failure = reply.itemErrors.first {
            throw CommandFailure(.software, "\(model) could not solve row \(failure.item): \(failure.message)")
        }
        return PoseSolutions(reply)
    }
}
