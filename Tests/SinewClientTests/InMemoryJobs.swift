import SinewArrayFiles
import SinewWire
import Synchronization

/// The service `Jobs` in memory, as far as a client sees it: what is submitted is solved as soon as it is asked for. It outlives the
/// fake brokers that serve it, as a store on disk outlives brokers.
final class InMemoryJobs: Sendable {
    struct Job: Sendable {
        var status: JobStatus
        var tasks: [UInt64: TaskBlock] = [:]
        var sealedTasks: UInt64?
        /// Results in the order of their ends.
        var results: [TaskResult] = []
    }

    private struct State: Sendable {
        var jobs: [[UInt8]: Job] = [:]
        var order: [[UInt8]] = []
        /// Calls by method.
        var calls: [String: Int] = [:]
        /// Refuses the next calls of a method.
        var refusals: [String: [ServiceErrorCode]] = [:]
        /// Answers instead of a task's solution.
        var ends: [UInt64: TaskResult] = [:]
        var priorities: [UInt8] = []
        /// Messages with task 0 are refused before so many messages with tasks have come.
        var firstTaskAfter = 0
    }

    private let state = Mutex(State())

    func job(_ id: [UInt8]) -> Job? { state.withLock { $0.jobs[id] } }
    func calls(_ method: Jobs.Method) -> Int { state.withLock { $0.calls[method.rawValue] ?? 0 } }
    var priorities: [UInt8] { state.withLock { $0.priorities } }

    /// The next calls of a method are refused.
    func refuse(_ method: Jobs.Method, _ codes: [ServiceErrorCode]) {
        state.withLock { $0.refusals[method.rawValue, default: []] += codes }
    }

    /// Refuses the first task until so many messages with tasks have come.
    func holdBackFirstTask(untilCalls calls: Int) { state.withLock { $0.firstTaskAfter = calls } }

    /// A task ends like this instead of being solved.
    func end(_ index: UInt64, _ result: TaskResult) { state.withLock { $0.ends[index] = result } }

    var script: FakeBroker.Script { { head, payload in self.answer(head, payload) } }

    private func answer(_ head: Head, _ payload: [UInt8]) -> [FakeBroker.Answer] {
        guard head.kind == .call, let method = Jobs.Method(rawValue: head.method) else { return [] }
        let refusal = state.withLock { state -> ServiceErrorCode? in
            state.calls[head.method, default: 0] += 1
            if method == .submit { state.priorities.append(head.priority) }
            guard let first = state.refusals[head.method]?.first else { return nil }
            state.refusals[head.method]?.removeFirst()
            return first
        }
        if let refusal { return [FakeBroker.refusal(head, refusal, retryAfterMicroseconds: 200)] }
        let outcome = state.withLock { state in Self.perform(method, payload, &state) }
        switch outcome {
        case .success(let bytes):
            return [FakeBroker.Answer(Head(kind: .reply, callID: head.callID, attempt: head.attempt), bytes)]
        case .failure(let refused): return [FakeBroker.refusal(head, refused.code, retryAfterMicroseconds: 200)]
        }
    }

    private struct Refused: Error { let code: ServiceErrorCode }

    private static func perform(
        _ method: Jobs.Method, _ payload: [UInt8], _ state: inout State
    ) -> Result<[UInt8], Refused> {
        do {
            switch method {
            case .submit: return .success(submit(try SubmitJobRequest(decoding: payload), &state).encode())
            case .append:
                let request = try AppendTasksRequest(decoding: payload)
                if request.tasks.contains(where: { $0.index == 0 }),
                    state.calls[method.rawValue] ?? 0 < state.firstTaskAfter
                {
                    throw Refused(code: .storeUnavailable)
                }
                return try change(request.id, &state) { job in try append(request.tasks, to: &job).encode() }
            case .seal:
                let request = try SealJobRequest(decoding: payload)
                return try change(request.id, &state) { job in
                    guard job.status.nextIndex >= request.tasks else { throw Refused(code: .tasksMissing) }
                    job.sealedTasks = request.tasks
                    job.status.state = .sealed
                    return job.status.encode()
                }
            case .status:
                let request = try JobStatusRequest(decoding: payload)
                return try solving(request.id, &state) { $0.status.encode() }
            case .results:
                let request = try JobResultsRequest(decoding: payload)
                return try solving(request.id, &state) { results(request, $0).encode() }
            case .cancel:
                let request = try CancelJobRequest(decoding: payload)
                return try change(request.id, &state) { job in
                    job.status.state = .cancelled
                    return job.status.encode()
                }
            case .list:
                let request = try ListJobsRequest(decoding: payload)
                return .success(list(request, state).encode())
            case .replay:
                let request = try ReplayJobRequest(decoding: payload)
                return try change(request.id, &state) { job in
                    let replayed = job.results.filter { $0.outcome == .dead }
                    job.results.removeAll { $0.outcome == .dead }
                    job.status.state = .sealed
                    return ReplayJobReply(replayed: UInt64(replayed.count)).encode()
                }
            }
        } catch let refused as Refused {
            return .failure(refused)
        } catch {
            return .failure(Refused(code: .malformedRequest))
        }
    }

    private static func change(
        _ id: [UInt8], _ state: inout State, _ body: (inout Job) throws -> [UInt8]
    ) throws -> Result<[UInt8], Refused> {
        guard var job = state.jobs[id] else { throw Refused(code: .unknownJob) }
        let bytes = try body(&job)
        state.jobs[id] = job
        return .success(bytes)
    }

    private static func submit(_ request: SubmitJobRequest, _ state: inout State) -> SubmitJobReply {
        let known = state.order.first { id in
            id == request.id
                || !request.contentSHA256.isEmpty && state.jobs[id]?.status.contentSHA256 == request.contentSHA256
        }
        if let known, let job = state.jobs[known] { return SubmitJobReply(existed: true, job: job.status) }
        let status = JobStatus(
            id: request.id, state: .open, label: request.label, method: request.method, model: request.model,
            contentSHA256: request.contentSHA256)
        state.jobs[request.id] = Job(status: status)
        state.order.append(request.id)
        return SubmitJobReply(job: status)
    }

    private static func append(_ tasks: [TaskBlock], to job: inout Job) throws -> AppendTasksReply {
        for task in tasks {
            guard SHA256.digest(of: task.payload) == task.sha256 else { throw Refused(code: .hashMismatch) }
            guard task.index < job.status.nextIndex + 65_536 else { throw Refused(code: .jobLimit) }
            if let known = job.tasks[task.index], known != task { throw Refused(code: .jobConflict) }
            job.tasks[task.index] = task
            while job.tasks[job.status.nextIndex] != nil { job.status.nextIndex += 1 }
        }
        job.status.tasks = UInt64(job.tasks.count)
        return AppendTasksReply(nextIndex: job.status.nextIndex)
    }

    /// Solves one more task, then answers.
    private static func solving(
        _ id: [UInt8], _ state: inout State, _ body: (Job) -> [UInt8]
    ) throws -> Result<[UInt8], Refused> {
        let ends = state.ends
        return try change(id, &state) { job in
            let solved = Set(job.results.map(\.index))
            // The last one first: results do not come in the order of the tasks.
            if let index = job.tasks.keys.sorted().last(where: { !solved.contains($0) }), let task = job.tasks[index] {
                job.results.append(ends[index] ?? solution(of: task))
            }
            if job.status.state == .sealed, job.results.count == job.tasks.count { job.status.state = .finished }
            return body(job)
        }
    }

    private static func solution(of task: TaskBlock) -> TaskResult {
        let answer = FakeBroker.solution(Head(kind: .call), task.payload)
        return TaskResult(
            index: task.index, outcome: .done, label: task.label, items: task.items, attempts: 1,
            payload: answer.frames[1])
    }

    private static func results(_ request: JobResultsRequest, _ job: Job) -> JobResultsReply {
        let behind = job.results.dropFirst(Int(request.cursor))
        let shown = request.failuresOnly ? behind.filter { $0.outcome != .done } : Array(behind)
        let isEnded: Bool =
            switch job.status.state {
            case .finished, .cancelled, .expired: true
            case .open, .sealed, .unspecified, .unrecognized: false
            }
        return JobResultsReply(results: shown, nextCursor: UInt64(job.results.count), complete: isEnded)
    }

    private static func list(_ request: ListJobsRequest, _ state: State) -> ListJobsReply {
        var ids = Array(state.order.reversed())
        if !request.beforeID.isEmpty, let place = ids.firstIndex(of: request.beforeID) { ids.removeFirst(place + 1) }
        return ListJobsReply(jobs: ids.prefix(Int(request.countMax)).compactMap { state.jobs[$0]?.status })
    }
}
