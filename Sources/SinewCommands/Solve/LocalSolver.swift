internal import SinewFormats
internal import SinewModels
internal import Synchronization

/// Solves an input in this process, without any service.
struct LocalSolver {
    /// Rows of one batch: full kernels, and progress that moves.
    static let batchRowsMax = 256

    let model: any PoseModel
    /// Gauss-Newton steps after the model.
    let refine: Int
    let threads: Int

    /// What one batch gave.
    private struct BatchOutcome: Sendable {
        var rows: [Int]
        var solutions: PoseSolutions?
        var failures: [SolvedRows.Failure] = []
    }

    /// Solves every row; `progress` hears of each batch that is done.
    ///
    /// - Throws: ``CancellationError``, or `ModelError` when the failure is not about one row.
    func solve(_ input: PoseInput, progress: (SolvedRows) -> Void) async throws -> SolvedRows {
        let isCancelled = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: BatchOutcome.self) { group in
                var solved = SolvedRows(count: input.count, model: model.identity.description)
                var next = 0
                func startOne() {
                    guard next < input.count else { return }
                    let rows = Array(next..<min(input.count, next + Self.batchRowsMax))
                    next += rows.count
                    group.addTask { [model, refine] in
                        try await onOwnThread(named: "solve") {
                            Self.solve(input, rows, model, refine: refine, isCancelled: { isCancelled.isSet })
                        }.get()
                    }
                }
                for _ in 0..<threads { startOne() }
                while let outcome = try await group.next() {
                    startOne()
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
    private static func solve(
        _ input: PoseInput, _ rows: [Int], _ model: any PoseModel, refine: Int, isCancelled: () -> Bool
    ) -> Result<BatchOutcome, any Error> {
        var outcome = BatchOutcome(rows: rows)
        while !outcome.rows.isEmpty {
            do throws(ModelError) {
                let observations = input.observations(of: outcome.rows)
                var solutions = try model.solve(observations, isCancelled: isCancelled)
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
