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
        let batchCount = (input.count + Self.batchRowsMax - 1) / Self.batchRowsMax
        let sideBySide = batchCount >= threads ? threads : 1
        let team = ComputeTeam(try ThreadTeam(count: sideBySide == 1 ? threads : 1, processors: processors))
        let isCancelled = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: BatchOutcome.self) { group in
                var solved = SolvedRows(count: input.count, model: model.identity.description)
                var next = 0
                func startOne(_ lane: Int) {
                    guard next < input.count else { return }
                    let rows = Array(next..<min(input.count, next + Self.batchRowsMax))
                    next += rows.count
                    let processor = processors.isEmpty ? nil : processors[lane % processors.count]
                    group.addTask {
                        try await onOwnThread(named: "solve") {
                            if let processor { ProcessorPinning.restrictCallingThread(to: [processor]) }
                            return solve(input, rows, lane, on: team, isCancelled: { isCancelled.isSet })
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

    /// Solves a batch; a row the model refuses is noted and the others are solved without it.
    private func solve(
        _ input: PoseInput, _ rows: [Int], _ lane: Int, on team: ComputeTeam, isCancelled: () -> Bool
    ) -> Result<BatchOutcome, any Error> {
        var outcome = BatchOutcome(rows: rows, lane: lane)
        while !outcome.rows.isEmpty {
            do throws(ModelError) {
                let observations = input.observations(of: outcome.rows)
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
            }
        }
        return .success(outcome)
    }
}

/// Set once, read from other threads.
private final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}

extension PoseInput {
    /// Some rows as a model wants them.
    fileprivate func observations(of rows: [Int]) -> PoseObservations {
        func pick<Element>(_ values: [Element], _ columns: Int) -> [Element] {
            rows.flatMap { values[($0 * columns)..<($0 * columns + columns)] }
        }
        return PoseObservations(
            count: rows.count, joints: pick(joints, 87), sigma: pick(sigma, 29), observed: pick(observed, 1),
            twists: pick(twists, 23), hasTwists: pick(hasTwists, 1), betas: pick(betas, 10), genders: pick(genders, 1))
    }
}
