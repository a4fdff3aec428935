import SinewCore
import Testing

/// Each limit of jobs at its maximum and one above.
@Suite struct JobLimitsTests {
    private func refusal(_ submission: JobSubmission, _ limits: Limits = Limits()) -> JobRefusal? {
        let bench = JobBench(limits)
        let request = bench.submit(submission)
        bench.commitAll()
        return bench.refusal(request)
    }

    @Test func `labels, names and priorities of jobs`() {
        var submission = JobBench.submission(1)
        submission.label = String(repeating: "é", count: 128)
        #expect(refusal(submission) == nil)
        submission.label += "."
        #expect(refusal(submission) == .tooLarge(.jobLabelBytes, max: 256))
        submission = JobBench.submission(1)
        submission.method = String(repeating: "m", count: 256)
        #expect(refusal(submission) == nil)
        submission.method += "m"
        #expect(refusal(submission) == .tooLarge(.nameBytes, max: 256))
        #expect(refusal(JobBench.submission(1, priority: 7)) == nil)
        #expect(refusal(JobBench.submission(1, priority: 8)) == .tooLarge(.priority, max: 7))
    }

    private func refusal(_ blocks: [JobBlock], _ limits: Limits = Limits()) -> JobRefusal? {
        let bench = JobBench(limits, credit: 0)
        bench.job(1, tasks: 0, sealed: false)
        let request = bench.request { .appended($0, JobBench.tenant, JobBench.id(1), blocks) }
        bench.commitAll()
        return bench.refusal(request)
    }

    @Test func `items, payloads, labels and indexes of tasks`() {
        #expect(refusal([JobBench.block(0, items: 4_096)]) == nil)
        #expect(refusal([JobBench.block(0, items: 4_097)]) == .tooLarge(.itemsOfTask, max: 4_096))
        #expect(refusal([JobBench.block(0, items: 0)]) == .tooLarge(.itemsOfTask, max: 4_096))
        #expect(refusal([JobBench.block(0, bytes: 16 << 20)]) == nil)
        #expect(refusal([JobBench.block(0, bytes: 16 << 20 + 1)]) == .tooLarge(.payloadBytes, max: 16 << 20))
        #expect(refusal([JobBench.block(0, label: 1_024)]) == nil)
        #expect(refusal([JobBench.block(0, label: 1_025)]) == .tooLarge(.taskLabelBytes, max: 1_024))
        #expect(refusal([JobBench.block(65_535)]) == nil)
        #expect(refusal([JobBench.block(65_536)]) == .tooLarge(.appendWindow, max: 65_536))
        var limits = Limits()
        limits.tasksPerJobMax = 4
        #expect(refusal([JobBench.block(3)], limits) == nil)
        #expect(refusal([JobBench.block(4)], limits) == .tooLarge(.tasksOfJob, max: 4))
        limits = Limits()
        limits.tasksPerAppendMax = 2
        #expect(refusal((0..<2).map { JobBench.block($0) }, limits) == nil)
        #expect(refusal((0..<3).map { JobBench.block($0) }, limits) == .tooLarge(.tasksOfRequest, max: 2))
    }

    @Test func `jobs, open tasks and bytes of a tenant`() {
        var limits = Limits()
        limits.jobsPerTenantMax = 2
        limits.openTasksPerTenantMax = 3
        limits.jobBytesPerTenantMax = 1_000
        let bench = JobBench(limits)
        bench.job(1, tasks: 0, sealed: false)
        bench.job(2, tasks: 0, sealed: false)
        let third = bench.submit(JobBench.submission(3))
        #expect(bench.refusal(third) == .quota(.jobs, max: 2, retryAfter: limits.retryAfterMax))
        let foreign = bench.submit(JobBench.submission(4), of: TenantID("other"))
        bench.commitAll()
        #expect(bench.refusal(foreign) == nil)
        let most = bench.append(1, [0, 1, 2])
        bench.commitAll()
        #expect(bench.refusal(most) == nil)
        #expect(
            bench.refusal(bench.append(2, [0])) == .quota(.openTasks, max: 3, retryAfter: limits.retryAfterMax))
        bench.answer(1, 0, bytes: 0)
        bench.commitAll()
        let last = bench.request {
            .appended($0, JobBench.tenant, JobBench.id(2), [JobBench.block(0, bytes: 700)])
        }
        bench.commitAll()
        #expect(bench.refusal(last) == nil, "1 000 bytes are there")
        bench.answer(1, 1, bytes: 0)
        bench.commitAll()
        let over = bench.request { .appended($0, JobBench.tenant, JobBench.id(2), [JobBench.block(1, bytes: 1)]) }
        #expect(bench.refusal(over) == .quota(.bytes, max: 1_000, retryAfter: limits.retryAfterMax))
    }

    @Test func `bytes in the store, on their way there, and requests that wait for it`() {
        var limits = Limits()
        limits.storeBytesMax = 1_000
        limits.taskPayloadBytesMax = 900
        limits.storeBytesPendingMax = 900
        limits.storeRequestsPendingMax = 2
        let bench = JobBench(limits, credit: 0)
        bench.job(1, tasks: 0, sealed: false)
        func append(_ index: Int, bytes: Int) -> JobRequestID {
            bench.request { .appended($0, JobBench.tenant, JobBench.id(1), [JobBench.block(index, bytes: bytes)]) }
        }
        let first = append(0, bytes: 899)
        let one = append(1, bytes: 1)
        #expect(bench.reply(first) == nil && bench.reply(one) == nil)
        #expect(bench.refusal(append(2, bytes: 1)) == .overloaded(retryAfter: limits.storeRetryAfter), "two wait")
        bench.commitFirst()
        #expect(bench.reply(first) == .appended(nextIndex: 1))
        #expect(bench.refusal(append(2, bytes: 101)) != nil, "1 001 bytes in the store")
        let fits = append(2, bytes: 100)
        bench.commitAll()
        #expect(bench.reply(fits) == .appended(nextIndex: 3))
        limits.storeRequestsPendingMax = 100
        limits.storeBytesMax = 1 << 20
        let other = JobBench(limits, credit: 0)
        other.job(1, tasks: 0, sealed: false)
        _ = other.request { .appended($0, JobBench.tenant, JobBench.id(1), [JobBench.block(0, bytes: 900)]) }
        let over = other.request { .appended($0, JobBench.tenant, JobBench.id(1), [JobBench.block(1, bytes: 1)]) }
        #expect(other.refusal(over) == .overloaded(retryAfter: limits.retryAfterMin), "901 bytes on their way")
    }

    @Test func `tasks and bytes in the dispatcher`() {
        var limits = Limits()
        limits.jobTasksOfferedMax = 3
        let bench = JobBench(limits)
        bench.job(1, tasks: 10)
        #expect(bench.loads.count == 3)
        limits = Limits()
        limits.taskPayloadBytesMax = 250
        limits.jobBytesOfferedMax = 250
        let other = JobBench(limits)
        other.job(1, tasks: 10)
        #expect(other.loads.count == 3, "100 bytes each; the one that passes the bound is the last")
    }

    @Test func `requests of a client that wait, and how long they may`() {
        var limits = Limits()
        limits.jobWaitersPerClientMax = 2
        limits.jobWaitMax = .seconds(5)
        let bench = JobBench(limits, credit: 0)
        bench.job(1, tasks: 1)
        let first = bench.status(1, wait: .seconds(100))
        #expect(bench.reply(first) == nil && bench.reply(bench.status(1, wait: .seconds(100))) == nil)
        #expect(
            bench.refusal(bench.status(1, wait: .seconds(100))) == .overloaded(retryAfter: limits.retryAfterMax))
        bench.pass(.seconds(5))
        #expect(bench.reply(first) != nil, "a longer wait is cut")
    }

    @Test func `results in a reply, jobs in a list, tasks in a replay`() {
        var limits = Limits()
        limits.resultsPerReplyMax = 10
        limits.jobsPerListMax = 2
        limits.jobsPerListDefault = 1
        limits.tasksPerReplayMax = 2
        let bench = JobBench(limits)
        bench.job(1, tasks: 3)
        #expect(bench.reads[bench.results(1, count: 11)]?.countMax == 10)
        #expect(bench.reads[bench.results(1, count: 9)]?.countMax == 9)
        #expect(bench.reads[bench.results(1)]?.bytesMax == limits.resultsReplyBytesMax)
        for number in 2...4 as ClosedRange<UInt64> { bench.job(number, tasks: 0) }
        for (asked, given) in [(0, 1), (2, 2), (3, 2)] {
            let list = bench.request { .listAsked($0, JobBench.tenant, countMax: asked, before: nil) }
            guard case .jobs(let jobs)? = bench.reply(list) else { return #expect(Bool(false)) }
            #expect(jobs.count == given)
        }
        for index in 0..<3 { bench.abort(1, index, .poisoned(deaths: 4)) }
        bench.commitAll()
        #expect(bench.refusal(bench.replay(1, [0, 1, 2])) == .tooLarge(.tasksOfRequest, max: 2))
        let replay = bench.replay(1)
        bench.commitAll()
        #expect(bench.reply(replay) == .replayed(2), "the rest with the next one")
    }

    @Test func `times to live and retentions are cut`() {
        var limits = Limits()
        limits.timeToLiveMax = .seconds(1_000_000)
        limits.retentionMax = .seconds(1_000_000)
        let bench = JobBench(limits)
        var submission = JobBench.submission(1)
        submission.timeToLive = .seconds(2_000_000)
        submission.retention = .seconds(2_000_000)
        _ = bench.submit(submission)
        bench.commitAll()
        #expect(bench.record(1)?.record.giveUp == JobBench.wallStart + .seconds(1_000_000))
        #expect(bench.record(1)?.record.retentionMicroseconds == 1_000_000_000_000)
    }

    private static let oneStepOver: [(String, @Sendable (inout Limits) -> Void)] = [
        ("tasksPerJobMax", { $0.tasksPerJobMax = 1 << 24 + 1 }),
        ("tasksPerAppendMax", { $0.tasksPerAppendMax = $0.appendWindow + 1 }),
        ("storeBytesPendingMax", { $0.taskPayloadBytesMax = $0.storeBytesPendingMax + 1 }),
        ("priorityMax", { $0.priorityMax = 8 }),
        ("jobTasksOfferedMax", { $0.jobTasksOfferedMax = 0 }),
        ("jobsPerListDefault", { $0.jobsPerListDefault = $0.jobsPerListMax + 1 }),
        ("taskAttemptsMax", { $0.taskAttemptsMax = 256 }),
        ("taskBackoffInitial", { $0.taskBackoffInitial = $0.taskBackoffMax + .nanoseconds(1) }),
        ("timeToLiveDefault", { $0.timeToLiveDefault = $0.timeToLiveMax + .nanoseconds(1) }),
        ("retentionDefault", { $0.retentionDefault = $0.retentionMax + .nanoseconds(1) }),
        ("leaseSequencesPerBlock", { $0.leaseSequencesPerBlock = 15 }),
        ("ageing", { $0.ageing = .zero }),
    ]

    @Test(arguments: oneStepOver) func `a limit of jobs one step over its relation is named`(
        name: String, change: @Sendable (inout Limits) -> Void
    ) {
        var limits = Limits()
        change(&limits)
        #expect(limits.violatedRelation?.contains(name) == true)
    }
}
