package import SinewCore
internal import SinewModels
internal import SinewWire
internal import SinewZeroMQ

/// Turns the requests of a batch into answers: decode, validate, solve together, cut apart, encode.
///
/// Runs on a compute thread. A person's numbers do not depend on who shares the batch, because validation removes what
/// could and the model promises the rest.
package struct BatchSolver: Sendable {
    private let workerName: String
    private let limits: Limits

    package init(workerName: String, limits: Limits = Limits()) {
        self.workerName = workerName
        self.limits = limits
    }

    package func solve(_ job: BatchJob) -> BatchResult {
        let start = ContinuousClock.now
        let requests = job.parts.map { part in validate(part, for: job.model) }
        let rows = BatchRows(requests)
        let outcome = solve(rows, with: job.model, on: job.team, cancellation: job.cancellation)
        let compute = (ContinuousClock.now - start).remainingMicroseconds
        var answers: [Answer] = []
        for (index, request) in requests.enumerated() {
            switch (request, outcome) {
            case (.failure(let failure), _), (.success, .failure(let failure)):
                answers.append(failure.answer)
            case (.success(let request), .success(let solved)):
                var reply = solved.reply(to: request, firstRow: rows.firstRow[index])
                reply.model = job.model.identity.name
                reply.modelVersion = job.model.identity.version
                reply.weightsSHA256 = job.model.identity.weightsSHA256
                reply.worker = workerName
                reply.batchSize = UInt32(rows.observations.count)
                reply.queueMicroseconds = job.parts[index].queueMicroseconds
                reply.computeMicroseconds = compute
                answers.append(Answer(status: .ok, code: .none, payload: reply.encode()))
            }
        }
        return BatchResult(
            id: job.id, leases: job.parts.map(\.lease), answers: answers, itemCount: rows.observations.count,
            busy: ContinuousClock.now - start)
    }

    private func validate(
        _ part: BatchJob.Part, for model: any PoseModel
    ) -> Result<ValidatedRequest, CallFailure> {
        do throws(CallFailure) {
            let request = try decode(part)
            guard request.startTheta == nil || model.isSequential else {
                throw CallFailure(
                    .invalidArgument, .malformedRequest, field: "start_theta",
                    "\(model.identity) starts from no pose; leave start_theta out or ask a model that does "
                        + "(architecture learnable-smplify)")
            }
            return .success(
                try ValidatedRequest(request, declaredItems: part.declaredItems, limits: limits))
        } catch {
            return .failure(error)
        }
    }

    private func decode(_ part: BatchJob.Part) throws(CallFailure) -> SolvePosesRequest {
        guard let payload = part.payload else {
            throw CallFailure(
                .invalidArgument, .malformedRequest, "the call has no payload; it needs a SolvePosesRequest")
        }
        do throws(WireError) {
            return try payload.withBytes { (bytes) throws(WireError) in
                try unsafe SolvePosesRequest(decoding: bytes.bytes)
            }
        } catch {
            throw CallFailure(.invalidArgument, .malformedRequest, error.message)
        }
    }

    private func solve(
        _ rows: BatchRows, with model: any PoseModel, on team: ComputeTeam, cancellation: Cancellation
    ) -> Result<SolvedRows, CallFailure> {
        var solved = SolvedRows(count: rows.observations.count)
        do throws(ModelError) {
            try solved.fill(
                from: rows.observations, range: 0..<rows.observations.count, with: model, on: team,
                refineSteps: rows.refineSteps, isCancelled: { cancellation.isCancelled })
            return .success(solved)
        } catch {
            switch error.reason {
            case .cancelled: return .failure(CallFailure(.cancelled, .cancelled, error.message))
            case .unknownModel, .unusableFile, .degenerateInput:
                return .failure(
                    CallFailure(.internal, .solverFailed, "\(model.identity) failed on the batch: \(error.message)"))
            }
        }
    }
}

/// The people of all valid requests of a batch, one after the other.
struct BatchRows {
    let observations: PoseObservations
    /// Where the people of each request begin; requests that failed have none.
    let firstRow: [Int]
    /// Gauss-Newton steps that each person gets after the model.
    let refineSteps: [Int]

    init(_ requests: [Result<ValidatedRequest, CallFailure>]) {
        var firstRow: [Int] = []
        var refineSteps: [Int] = []
        var all = PoseObservations(
            count: 0, joints: [], sigma: [], observed: [], twists: [], hasTwists: [], betas: [], genders: [])
        for request in requests {
            firstRow.append(all.count)
            switch request {
            case .success(let request):
                all.append(request.observations)
                refineSteps += Array(repeating: request.refineSteps, count: request.rows.count)
            case .failure: break
            }
        }
        observations = all
        self.firstRow = firstRow
        self.refineSteps = refineSteps
    }
}
