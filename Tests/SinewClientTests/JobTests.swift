import SinewClient
import SinewWire
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct JobTests {
    /// Tasks of two people each; the first coordinates of task `i` are `2i` and `2i + 1`.
    private func tasks(_ range: Range<Int>) throws -> [JobTask] {
        try range.map { index in
            var two = people(2)
            two.joints[0] = Float(2 * index)
            two.joints[87] = Float(2 * index + 1)
            return try JobTask(index: index, two, label: "task \(index)")
        }
    }

    private func withJobs<Value>(
        _ change: (inout ClientConfiguration) -> Void = { _ in },
        isolation: isolated (any Actor)? = #isolation, _ body: (InMemoryJobs, Client) async throws -> Value
    ) async throws -> Value {
        let jobs = InMemoryJobs()
        let broker = try FakeBroker(answer: jobs.script)
        return try await body(jobs, try Client(configuration(broker.endpoint, change)))
    }

    private func payload(_ people: PoseRequest) -> [UInt8] {
        SolvePosesRequest(
            joints: Tensor(people.joints, shape: [people.count, 29, 3]), skeleton: people.skeleton
        ).encode()
    }

    private func submit(_ client: Client) async throws -> JobHandle {
        try await client.submitJob(JobSubmission(.solvePoses, model: "fake")).handle
    }

    @Test func `a job is submitted, filled, sealed and read`() async throws {
        try await withJobs { jobs, client in
            var submission = JobSubmission(.solvePoses, model: "fake")
            submission.label = "two clips"
            submission.priority = 9
            let made = try await client.submitJob(submission)
            #expect(!made.existed && made.handle.id == submission.id && made.status.label == "two clips")
            #expect(jobs.priorities == [9])
            let next = try await made.handle.append(try tasks(0..<5))
            #expect(next == 5)
            #expect(try await made.handle.seal(tasks: next).state == .sealed)
            var found: [Int: [Float]] = [:]
            for try await result in made.handle.results() {
                #expect(result.outcome == .done && result.items == 2 && result.label == "task \(result.index)")
                let reply = try result.poses()
                found[result.index] = [reply.theta[0], reply.theta[72]]
            }
            let expected = (0..<5).map { [Float(2 * $0), Float(2 * $0 + 1)] }
            #expect((0..<5).map { found[$0] } == expected)
            let status = try await made.handle.status()
            #expect(status.isEnded && status.jobID == made.handle.id)
        }
    }

    @Test func `the same content is the same job, whatever its id`() async throws {
        try await withJobs { _, client in
            var submission = JobSubmission(.solvePoses, model: "fake")
            submission.contentSHA256 = Array(0..<32)
            let first = try await client.submitJob(submission)
            try await first.handle.append(try tasks(0..<3))
            submission.id = JobID()
            let second = try await client.submitJob(submission)
            #expect(second.existed && second.handle.id == first.handle.id && second.status.nextIndex == 3)
        }
    }

    @Test func `refusals of a broker without disk or place cost time and no error`() async throws {
        let reasons = Mutex<[ServiceErrorCode]>([])
        try await withJobs {
            $0.whenJobCallWaits = { error in reasons.withLock { $0.append(error.code) } }
        } _: { jobs, client in
            // More than a call's own attempts, and more than its retry budget allows.
            let refusals =
                Array(repeating: ServiceErrorCode.storeUnavailable, count: 40) + Array(repeating: .diskFull, count: 40)
            jobs.refuse(.submit, refusals)
            let job = try await submit(client)
            jobs.refuse(.append, [.tenantQuota, .hashMismatch, .storeUnavailable])
            #expect(try await job.append(try tasks(0..<1)) == 1)
            jobs.refuse(.seal, [.diskFull])
            #expect(try await job.seal(tasks: 1).state == .sealed)
            #expect(jobs.calls(.submit) == 81 && jobs.calls(.append) == 4 && jobs.calls(.seal) == 2)
            #expect(reasons.withLock { $0.contains(.hashMismatch) && $0.contains(.storeUnavailable) })
        }
    }

    @Test func `what is wrong for good is not sent again`() async throws {
        try await withJobs { jobs, client in
            let job = try await submit(client)
            try await job.append(try tasks(0..<1))
            let other = try JobTask(index: 0, people(1))
            let error = await #expect(throws: ClientError.self) { try await job.append([other]) }
            #expect(error?.code == .jobConflict && jobs.calls(.append) == 2)
            let unknown = await #expect(throws: ClientError.self) { try await client.job(JobID()).status() }
            #expect(unknown?.code == .unknownJob && unknown?.status == .notFound)
            let early = await #expect(throws: ClientError.self) { try await job.seal(tasks: 2) }
            #expect(early?.code == .tasksMissing)
        }
    }

    @Test func `the caller's deadline ends the waiting with the last reason`() async throws {
        try await withJobs { jobs, client in
            jobs.refuse(.submit, Array(repeating: .storeUnavailable, count: 100_000))
            let error = await #expect(throws: ClientError.self) {
                try await client.submitJob(JobSubmission(.solvePoses, model: "fake"), deadline: .milliseconds(300))
            }
            #expect(error?.status == .unavailable || error?.status == .deadlineExceeded)
            #expect(jobs.calls(.submit) > 1)
        }
    }

    @Test func `a broker that is restarted in the middle costs no task`() async throws {
        let jobs = InMemoryJobs()
        let broker = try FakeBroker(answer: jobs.script)
        let endpoint = broker.endpoint
        let brokers = Mutex<[FakeBroker]>([broker])
        let client = try Client(
            configuration(endpoint) {
                $0.callsInFlightMax = 4
            })
        let job = try await submit(client)
        var index = 0
        let all = try tasks(0..<1500)
        let next = try await job.append { () async throws -> JobTask? in
            defer { index += 1 }
            if index == 700 {
                let fresh = try await restart(brokers.withLock { $0.removeLast() }, jobs)
                brokers.withLock { $0.append(fresh) }
            }
            return index < all.count ? all[index] : nil
        }
        #expect(next == 1500)
        try await job.seal(tasks: next)
        #expect(jobs.job(job.id.bytes)?.tasks.count == 1500)
    }

    /// The same service behind a new broker at the same place.
    private func restart(_ broker: FakeBroker, _ jobs: InMemoryJobs) async throws -> FakeBroker {
        broker.stop()
        while true {
            do {
                return try FakeBroker(endpoint: broker.endpoint, incarnation: 2, answer: jobs.script)
            } catch {
                // The port is free when libzmq has closed the old socket, on its own thread.
                await Task.yield()
            }
        }
    }

    @Test func `tasks far ahead of a missing one wait for it`() async throws {
        try await withJobs { jobs, client in
            let job = try await submit(client)
            // All 70 000 tasks make 274 messages; the broker refuses what is 65 536 ahead for good.
            jobs.holdBackFirstTask(untilCalls: 2000)
            var index = 0
            let next = try await job.append { () throws -> JobTask? in
                defer { index += 1 }
                return index < 70_000 ? try JobTask(index: index, people(1)) : nil
            }
            #expect(next == 70_000)
        }
    }

    @Test func `failed, dead and cancelled tasks say why`() async throws {
        try await withJobs { jobs, client in
            let job = try await submit(client)
            try await job.append(try tasks(0..<4))
            let detail = ErrorDetail(
                message: "3 workers were lost", code: UInt32(ServiceErrorCode.killsWorkers.rawValue)
            ).encode()
            jobs.end(
                1, TaskResult(index: 1, outcome: .dead, status: 13, label: "x", items: 2, attempts: 3, payload: detail))
            jobs.end(2, TaskResult(index: 2, outcome: .cancelled, items: 2))
            jobs.end(3, TaskResult(index: 3, outcome: .failed, status: 3, items: 2, attempts: 1, payload: [0xC1]))
            try await job.seal(tasks: 4)
            var errors: [Int: ClientError] = [:]
            for try await result in job.results() { errors[result.index] = result.error }
            #expect(errors[0] == nil)
            #expect(errors[1]?.code == .killsWorkers && errors[1]?.message == "3 workers were lost")
            #expect(errors[2]?.status == .cancelled)
            #expect(errors[3]?.status == .invalidArgument)
            var failures: [Int] = []
            for try await result in job.results(failuresOnly: true) {
                failures.append(result.index)
                #expect(throws: ClientError.self) { try result.poses() }
            }
            #expect(failures == [3, 2, 1])
            #expect(try await job.replay() == 1)
        }
    }

    @Test func `a result that is not what was asked for is refused`() async throws {
        try await withJobs { jobs, client in
            let job = try await submit(client)
            try await job.append(try tasks(0..<4))
            let one = FakeBroker.solution(Head(kind: .call), payload(people(1)))
            jobs.end(0, TaskResult(index: 0, outcome: .done, items: 2, payload: one.frames[1]))
            jobs.end(1, TaskResult(index: 1, outcome: .done, items: 2, payload: [0x80]))
            jobs.end(2, TaskResult(index: 2, outcome: .done, items: 2, payload: [0xC1]))
            var two = people(2)
            two.joints[87] = .nan
            let lying = FakeBroker.solution(Head(kind: .call), payload(two))
            jobs.end(3, TaskResult(index: 3, outcome: .done, items: 2, payload: lying.frames[1]))
            try await job.seal(tasks: 4)
            var messages: [Int: String] = [:]
            for try await result in job.results() {
                let error = #expect(throws: ClientError.self) { try result.poses() }
                #expect(error?.code == .malformedReply)
                messages[result.index] = error?.message
            }
            #expect(messages.count == 4 && messages[3]?.contains("person 1") == true)
        }
    }

    @Test func `an answer that is no job is refused`() async throws {
        let broker = try FakeBroker { head, _ in
            guard head.kind == .call else { return [] }
            let ok = Head(kind: .reply, callID: head.callID, attempt: head.attempt)
            switch Jobs.Method(rawValue: head.method) {
            case .results:
                let outcome = TaskResult(index: 0, outcome: .unrecognized(9))
                return [FakeBroker.Answer(ok, JobResultsReply(results: [outcome], nextCursor: 1).encode())]
            case .list: return [FakeBroker.Answer(ok, ListJobsReply(jobs: [JobStatus(id: [1])]).encode())]
            default: return [FakeBroker.Answer(ok, SubmitJobReply().encode())]
            }
        }
        let client = try Client(configuration(broker.endpoint))
        let submission = JobSubmission(.solvePoses, model: "fake")
        let made = await #expect(throws: ClientError.self) { try await client.submitJob(submission) }
        let listed = await #expect(throws: ClientError.self) { try await client.listJobs() }
        let read = await #expect(throws: ClientError.self) { try await client.job(JobID()).resultPage() }
        for error in [made, listed, read] { #expect(error?.code == .malformedReply) }
    }

    @Test func `a cursor goes on where an iteration ended`() async throws {
        try await withJobs { _, client in
            let job = try await submit(client)
            try await job.append(try tasks(0..<6))
            try await job.seal(tasks: 6)
            var iterator = job.results().makeAsyncIterator()
            var first: [Int] = []
            for _ in 0..<3 { first.append(try #require(try await iterator.next(isolation: #isolation)).index) }
            var second: [Int] = []
            for try await result in job.results(after: iterator.cursor) { second.append(result.index) }
            #expect(first + second == [5, 4, 3, 2, 1, 0])
        }
    }

    @Test func `waiting ends with the job or with the caller's patience`() async throws {
        try await withJobs { _, client in
            let job = try await submit(client)
            try await job.append(try tasks(0..<3))
            let error = await #expect(throws: ClientError.self) { try await job.wait(deadline: .milliseconds(50)) }
            #expect(error?.status == .deadlineExceeded && error?.message.contains("tasks are left") == true)
            try await job.seal(tasks: 3)
            var seen = 0
            #expect(try await job.wait(progress: { _ in seen += 1 }).state == .finished)
            #expect(seen >= 1)
        }
    }

    @Test func `jobs are listed newest first, page by page, and cancelled`() async throws {
        try await withJobs { _, client in
            var made: [JobID] = []
            for _ in 0..<5 { made.append(try await submit(client).id) }
            let first = try await client.listJobs(countMax: 2)
            let second = try await client.listJobs(countMax: 9, olderThan: first.last?.jobID)
            #expect((first + second).compactMap(\.jobID) == made.reversed())
            #expect(try await client.job(made[0]).cancel().state == .cancelled)
        }
    }

    @Test func `what cannot be a job or a task is refused before it is sent`() async throws {
        try await withJobs { jobs, client in
            func refused(_ change: (inout JobSubmission) -> Void) async -> ServiceErrorCode? {
                var submission = JobSubmission(.solvePoses, model: "fake")
                change(&submission)
                let sent = submission
                return await failure { () throws(ClientError) in try await client.submitJob(sent) }?.code
            }
            #expect(await refused { $0.model = "" } == .unknownModel)
            #expect(await refused { $0.label = String(repeating: "x", count: 257) } == .jobLimit)
            #expect(await refused { $0.label = String(repeating: "x", count: 256) } == nil)
            #expect(await refused { $0.contentSHA256 = [1] } == .wrongShape)
            #expect(jobs.calls(.submit) == 1)
            #expect(throws: ClientError.self) { try JobTask(index: 0, people(4097)) }
            #expect(throws: Never.self) { try JobTask(index: 0, people(4096)) }
            #expect(throws: ClientError.self) { try JobTask(index: 0, people(0)) }
            #expect(throws: ClientError.self) {
                try JobTask(index: 0, people(1), label: String(repeating: "x", count: 1025))
            }
            #expect(throws: Never.self) { try JobTask(index: 0, people(1), label: String(repeating: "x", count: 1024)) }
            #expect(throws: ClientError.self) { try JobTask(index: 0, EffectorRequest()) }
        }
    }
}
