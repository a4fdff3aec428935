internal import SinewFormats
internal import SinewKernels
internal import SinewModels
internal import Synchronization

/// Solves an input in this process, without any service.
struct LocalSolver: Sendable {
    /// Rows of one batch: full kernels, and progress that moves.
    static let batchRowsMax = 256

    let model: any PoseModel
    /// Gauss-Newton steps after the model.
    let refine: Int
    let threads: Int
    /// The processors that threads are pinned to, in turn; empty leaves them to the scheduler.
    var processors: [Int] = []
    /// `[count, 24, 3]`, a row of NaN has no start pose; nil when none has.
    var startTheta: [Float]?

    /// What one batch gave.
    private struct BatchOutcome: Sendable {
        var rows: [Int]
        /// Which of the batches side by side it was; the next one takes its place and its processor.
        let lane: Int
        var solutions: PoseSolutions?
        var failures: [SolvedRows.Failure] = []
    }

    /// Solves every row; `progress` hears of each batch that is done.
    ///
    /// Where every thread has a batch of its own they work side by side; fewer batches are solved one after the other by all.
    /// - Throws: ``CancellationError``, or `ModelError` when the failure is not about one row.
    func solve(_ input: PoseInput, progress: (SolvedRows) -> Void) async throws -> SolvedRows {
        let batches = batches(of: input)
        let sideBySide = batches.count >= threads ? threads : 1
        let team = ComputeTeam(try ThreadTeam(count: sideBySide == 1 ? threads : 1, processors: processors))
        return try await run(batches, rowCount: input.count, sideBySide: sideBySide, progress) {
            batch, lane, isCancelled in solve(batch, lane, on: team, isCancelled: isCancelled)
        }
    }

    /// Solves every pose from its effectors, as many batches side by side as there are threads. What a worker would refuse is refused
    /// with the same words.
    ///
    /// - Throws: ``CancellationError``, or `ModelError` when the failure is not about one row; ``CommandFailure`` when the model takes
    ///   no effectors.
    func solve(_ input: EffectorInput, progress: (SolvedRows) -> Void) async throws -> SolvedRows {
        guard let model = model as? any EffectorPoseModel else {
            throw CommandFailure(.usage, "model \(model.identity) solves joints, not effectors; use --model smpl-ik")
        }
        let batches = stride(from: 0, to: input.count, by: Self.batchRowsMax).map { first in
            Array(first..<min(input.count, first + Self.batchRowsMax))
        }
        return try await run(batches, rowCount: input.count, sideBySide: threads, progress) {
            rows, lane, isCancelled in solve(rows, of: input, with: model, lane, isCancelled: isCancelled)
        }
    }

    /// Solves batches side by side, each on a thread of its own; the next one takes the place of the one that ended.
    private func run<Work: Sendable>(
        _ batches: [Work], rowCount: Int, sideBySide: Int, _ progress: (SolvedRows) -> Void,
        _ solve: @escaping @Sendable (Work, _ lane: Int, _ isCancelled: () -> Bool) -> Result<BatchOutcome, any Error>
    ) async throws -> SolvedRows {
        var batches = batches[...]
        let isCancelled = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: BatchOutcome.self) { group in
                var solved = SolvedRows(count: rowCount, model: model.identity.description)
                func startOne(_ lane: Int) {
                    guard let batch = batches.popFirst() else { return }
                    let processor = processors.isEmpty ? nil : processors[lane % processors.count]
                    group.addTask {
                        try await onOwnThread(named: "solve") {
                            if let processor { ProcessorPinning.restrictCallingThread(to: [processor]) }
                            return solve(batch, lane, { isCancelled.isSet })
                        }.get()
                    }
                }
                for lane in 0..<sideBySide { startOne(lane) }
                while let outcome = try await group.next() {
                    startOne(outcome.lane)
                    if let solutions = outcome.solutions { solved.take(solutions, rows: outcome.rows) }
                    solved.fail(outcome.failures)
                    progress(solved)
                }
                return solved
            }
        } onCancel: {
            isCancelled.set()
        }
    }

    /// Rows that are solved together.
    private struct Batch: Sendable {
        var rows: [Int]
        var observations: PoseObservations
    }

    /// Some hundred rows each; of a sequential model whole tracks, shared out to the threads.
    private func batches(of input: PoseInput) -> [Batch] {
        if model.isSequential, startTheta.map({ !input.everyRowHasStart($0) }) ?? true {
            let tracks = TrackRows(input)
            return tracks.groups(atMost: threads).map { group in
                let rows = group.flatMap { tracks.tracks[$0] }
                var observations = input.observations(of: rows, startTheta: startTheta)
                observations.tracks = rows.map { UInt32(input.tracks[$0]) }
                observations.hasTwists = rows.map { tracks.hasTwists[input.tracks[$0]] }
                return Batch(rows: rows, observations: observations)
            }
        }
        return stride(from: 0, to: input.count, by: Self.batchRowsMax).map { first in
            let rows = Array(first..<min(input.count, first + Self.batchRowsMax))
            return Batch(rows: rows, observations: input.observations(of: rows, startTheta: startTheta))
        }
    }

    /// Solves a batch; a row the model refuses is noted and the others are solved without it.
    private func solve(
        _ batch: Batch, _ lane: Int, on team: ComputeTeam, isCancelled: () -> Bool
    ) -> Result<BatchOutcome, any Error> {
        var outcome = BatchOutcome(rows: batch.rows, lane: lane)
        var observations = batch.observations
        while !outcome.rows.isEmpty {
            do throws(ModelError) {
                var solutions = try model.solve(observations, on: team, isCancelled: isCancelled)
                try PoseRefinement.refine(
                    &solutions, toward: observations, steps: Array(repeating: refine, count: observations.count),
                    isCancelled: isCancelled)
                outcome.solutions = solutions
                return .success(outcome)
            } catch {
                if error.reason == .cancelled { return .failure(CancellationError()) }
                guard let person = error.person, outcome.rows.indices.contains(person) else { return .failure(error) }
                outcome.failures.append(
                    SolvedRows.Failure(row: outcome.rows.remove(at: person), message: error.message))
                observations = observations.without(person)
            }
        }
        return .success(outcome)
    }

    /// Solves a batch of poses from effectors; a pose that cannot be solved is noted and the others are solved without it.
    private func solve(
        _ rows: [Int], of input: EffectorInput, with model: any EffectorPoseModel, _ lane: Int, isCancelled: () -> Bool
    ) -> Result<BatchOutcome, any Error> {
        var outcome = BatchOutcome(rows: [], lane: lane)
        for row in rows {
            if let problem = input.effectors.problem(of: row) {
                outcome.failures.append(
                    SolvedRows.Failure(row: row, message: "\(problem.field): \(problem.message)"))
            } else {
                outcome.rows.append(row)
            }
        }
        guard !outcome.rows.isEmpty else { return .success(outcome) }
        let effectors = input.effectors(of: outcome.rows)
        do throws(ModelError) {
            var solutions = try model.solve(effectors, isCancelled: isCancelled)
            try PoseRefinement.refine(
                &solutions, toward: effectors, steps: Array(repeating: refine, count: effectors.count),
                isCancelled: isCancelled)
            outcome.solutions = solutions
            return .success(outcome)
        } catch {
            return .failure(error.reason == .cancelled ? CancellationError() : error)
        }
    }
}

/// Set once, read from other threads.
private final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}

extension PoseInput {
    /// Whether no row has to wait for another one's answer.
    func everyRowHasStart(_ startTheta: [Float]) -> Bool {
        (0..<count).allSatisfy { !startTheta[$0 * 72].isNaN }
    }

    /// Some rows as a model wants them, each a track of its own.
    fileprivate func observations(of rows: [Int], startTheta: [Float]?) -> PoseObservations {
        func pick<Element>(_ values: [Element], _ columns: Int) -> [Element] {
            rows.flatMap { values[($0 * columns)..<($0 * columns + columns)] }
        }
        return PoseObservations(
            count: rows.count, joints: pick(joints, 87), sigma: pick(sigma, 29), observed: pick(observed, 1),
            twists: pick(twists, 23), hasTwists: pick(hasTwists, 1), betas: pick(betas, 10), genders: pick(genders, 1),
            startTheta: startTheta.map { pick($0, 72) } ?? [],
            hasStart: startTheta.map { theta in rows.map { !theta[$0 * 72].isNaN } } ?? [])
    }
}
