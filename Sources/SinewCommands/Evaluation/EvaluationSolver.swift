internal import SinewBody
internal import SinewClient
internal import SinewModels

/// One of the models that are compared, in this process or behind a broker.
struct EvaluationSolver: Sendable {
    /// What a model made of some people.
    struct Answer: Sendable {
        /// `[count, 24, 3]`.
        var theta: [Float]
        /// Time that it took.
        var duration: Duration
    }

    /// Rows of one local batch: full kernels.
    private static let batchRowsMax = 256

    /// `name/version`.
    let name: String
    let solve: @Sendable (PoseObservations) async throws -> Answer

    /// Solves in this process, batch after batch on one thread; the time is that of the solver alone.
    init(local model: any PoseModel) {
        name = model.identity.description
        solve = { seen in
            var answer = Answer(theta: [], duration: .zero)
            answer.theta.reserveCapacity(seen.count * 72)
            for start in stride(from: 0, to: seen.count, by: Self.batchRowsMax) {
                try Task.checkCancellation()
                let batch = seen.rows(start..<min(seen.count, start + Self.batchRowsMax))
                let solved = try await onOwnThread(named: "evaluate") { Self.solve(batch, with: model) }.get()
                answer.theta += solved.theta
                answer.duration += solved.duration
            }
            return answer
        }
    }

    private static func solve(_ batch: PoseObservations, with model: any PoseModel) -> Result<Answer, ModelError> {
        let begin = ContinuousClock.now
        do throws(ModelError) {
            let theta = try model.solve(batch, isCancelled: { false }).theta
            return .success(Answer(theta: theta, duration: ContinuousClock.now - begin))
        } catch {
            return .failure(error)
        }
    }

    /// Solves through a broker; the time is that of all rows on all of its workers.
    init(client: Client, model: String, deadline: Duration) {
        name = model
        solve = { seen in
            let request = PoseRequest(
                count: seen.count, joints: seen.joints, skeleton: Skeleton.smpl29.name, sigma: seen.sigma,
                twists: seen.twists, betas: seen.betas, genders: [Gender.neutral.rawValue])
            let begin = ContinuousClock.now
            let reply = try await client.solveScene(request, model: model, deadline: deadline).collect()
            if let failure = reply.itemErrors.first {
                throw CommandFailure(.software, "\(model) could not solve row \(failure.item): \(failure.message)")
            }
            return Answer(theta: reply.theta, duration: ContinuousClock.now - begin)
        }
    }
}
