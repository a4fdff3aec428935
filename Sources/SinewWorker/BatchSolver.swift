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

    /// Solves a batch; its joints and its effectors are solved by a call of the model each.
    package func solve(_ job: BatchJob) -> BatchResult {
        let start = ContinuousClock.now
        var answers = [Answer?](repeating: nil, count: job.parts.count)
        var itemCount = 0
        var multiplyAdds = 0
        for method in PoseSolver.Method.allCases {
            let places = job.parts.indices.filter { job.parts[$0].method == method }
            guard !places.isEmpty else { continue }
            let work = Work(job: job, parts: places.map { job.parts[$0] }, start: ContinuousClock.now)
            let solved =
                switch method {
                case .solvePoses: solvePoses(work)
                case .solveEffectors: solveEffectors(work)
                }
            itemCount += solved.itemCount
            multiplyAdds += solved.multiplyAdds
            for (place, answer) in zip(places, solved.answers) { answers[place] = answer }
        }
        return BatchResult(
            id: job.id, leases: job.parts.map(\.lease), answers: answers.compactMap { $0 }, itemCount: itemCount,
            busy: ContinuousClock.now - start, multiplyAdds: multiplyAdds)
    }

    /// What one call of the model gave.
    private struct Solved {
        let answers: [Answer]
        let itemCount: Int
        let multiplyAdds: Int
    }

    /// The parts of a batch that are solved by one call of the model.
    private struct Work {
        let job: BatchJob
        let parts: [BatchJob.Part]
        let start: ContinuousClock.Instant
        var isCancelled: Bool { job.cancellation.isCancelled }
    }

    private func solvePoses(_ work: Work) -> Solved {
        let requests = work.parts.map { part in
            validate { () throws(CallFailure) in
                let request: SolvePosesRequest = try decode(part)
                guard request.startTheta == nil || work.job.model.isSequential else {
                    throw CallFailure(
                        .invalidArgument, .malformedRequest, field: "start_theta",
                        "\(work.job.model.identity) starts from no pose; leave start_theta out or ask a model that does "
                            + "(architecture learnable-smplify)")
                }
                return try ValidatedRequest(request, declaredItems: part.declaredItems, limits: limits)
            }
        }
        let rows = BatchRows(requests)
        let people = rows.observations
        let outcome = solve(work, count: people.count) { (range) throws(ModelError) in
            let part = range.count == people.count ? people : people.rows(range)
            var solved = try work.job.model.solve(part, on: work.job.team, isCancelled: { work.isCancelled })
            try PoseRefinement.refine(
                &solved, toward: part, steps: Array(rows.refineSteps[range]), isCancelled: { work.isCancelled })
            return solved
        }
        return Solved(
            answers: answers(to: requests, rows.firstRow, outcome, work, batchSize: people.count),
            itemCount: people.count, multiplyAdds: outcome.isSuccess ? work.job.model.multiplyAdds(of: people) : 0)
    }

    private func solveEffectors(_ work: Work) -> Solved {
        guard let model = work.job.model as? any EffectorPoseModel else {
            let failure = CallFailure(
                .invalidArgument, .unsuitableModel, field: "model",
                "model \(work.job.model.identity) solves joints, not effectors; ask for smpl-ik, or send SolvePoses")
            return Solved(answers: work.parts.map { _ in failure.answer }, itemCount: 0, multiplyAdds: 0)
        }
        let requests = work.parts.map { part in
            validate { () throws(CallFailure) in
                try ValidatedEffectorRequest(try decode(part), declaredItems: part.declaredItems, limits: limits)
            }
        }
        var people = EffectorObservations()
        var firstRow: [Int] = []
        var refineSteps: [Int] = []
        for request in requests {
            firstRow.append(people.count)
            switch request {
            case .success(let request):
                people.append(Array(0..<request.rows.count), of: request.effectors)
                refineSteps += Array(repeating: request.refineSteps, count: request.rows.count)
            case .failure: break
            }
        }
        let (all, steps) = (people, refineSteps)
        let outcome = solve(work, count: all.count) { (range) throws(ModelError) in
            var part = all
            if range.count < all.count {
                part = EffectorObservations()
                part.append(Array(range), of: all)
            }
            var solved = try model.solve(part, isCancelled: { work.isCancelled })
            try PoseRefinement.refine(
                &solved, toward: part, steps: Array(steps[range]), isCancelled: { work.isCancelled })
            return solved
        }
        return Solved(
            answers: answers(to: requests, firstRow, outcome, work, batchSize: all.count), itemCount: all.count,
            multiplyAdds: outcome.isSuccess ? model.multiplyAdds(of: all) : 0)
    }

    private func answers<Request: BatchedRequest>(
        to requests: [Result<Request, CallFailure>], _ firstRow: [Int], _ outcome: Result<SolvedRows, CallFailure>,
        _ work: Work, batchSize: Int
    ) -> [Answer] {
        let compute = (ContinuousClock.now - work.start).remainingMicroseconds
        let identity = work.job.model.identity
        return requests.enumerated().map { index, request in
            switch (request, outcome) {
            case (.failure(let failure), _), (.success, .failure(let failure)):
                return failure.answer
            case (.success(let request), .success(let solved)):
                var reply = solved.reply(to: request, firstRow: firstRow[index])
                reply.model = identity.name
                reply.modelVersion = identity.version
                reply.weightsSHA256 = identity.weightsSHA256
                reply.worker = workerName
                reply.batchSize = UInt32(batchSize)
                reply.queueMicroseconds = work.parts[index].queueMicroseconds
                reply.computeMicroseconds = compute
                return Answer(
                    status: .ok, code: .none, payload: reply.encode(),
                    itemsSolved: request.itemCount - reply.itemErrors.count)
            }
        }
    }

    private func validate<Request>(
        _ check: () throws(CallFailure) -> Request
    ) -> Result<Request, CallFailure> {
        do throws(CallFailure) { return .success(try check()) } catch { return .failure(error) }
    }

    private func decode<Request: WireMessage>(_ part: BatchJob.Part) throws(CallFailure) -> Request {
        guard let payload = part.payload else {
            let name = Request.messageName.split(separator: ".").last ?? ""
            throw CallFailure(
                .invalidArgument, .malformedRequest, "the call has no payload; it needs a \(name)")
        }
        do throws(WireError) {
            return try payload.withBytes { (bytes) throws(WireError) in
                try unsafe Request(decoding: bytes.bytes)
            }
        } catch {
            throw CallFailure(.invalidArgument, .malformedRequest, error.message)
        }
    }

    private func solve(
        _ work: Work, count: Int, _ solve: (Range<Int>) throws(ModelError) -> PoseSolutions
    ) -> Result<SolvedRows, CallFailure> {
        var solved = SolvedRows(count: count)
        do throws(ModelError) {
            try solved.fill(solve: solve)
            return .success(solved)
        } catch {
            switch error.reason {
            case .cancelled: return .failure(CallFailure(.cancelled, .cancelled, error.message))
            case .unknownModel, .unusableFile, .degenerateInput:
                return .failure(
                    CallFailure(
                        .internal, .solverFailed,
                        "\(work.job.model.identity) failed on the batch: \(error.message)"))
            }
        }
    }
}

extension Result {
    fileprivate var isSuccess: Bool {
        switch self {
        case .success: true
        case .failure: false
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
