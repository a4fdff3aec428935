internal import SinewCore

/// A task of a job that has ended.
public struct JobResult: Sendable, Equatable {
    /// Its place in the job.
    public let index: Int
    /// How it ended.
    public let outcome: TaskOutcome
    /// The label it was appended with.
    public let label: String
    /// How many people it holds.
    public let items: Int
    /// How often it was given to a worker.
    public let attempts: Int
    private let status: UInt32
    private let payload: [UInt8]

    package init(_ result: TaskResult) throws(ClientError) {
        switch result.outcome {
        case .done, .failed, .dead, .cancelled: break
        case .unspecified, .unrecognized:
            throw ClientError(
                .malformedReply,
                "task \(result.index) ended with outcome \(result.outcome.rawValue), which this version does not know")
        }
        guard result.index <= UInt64(Int.max), result.items <= UInt32(JobTask.itemsMax) else {
            throw ClientError(
                .malformedReply,
                "a result of task \(result.index) with \(result.items) people is none we could have asked for")
        }
        index = Int(result.index)
        outcome = result.outcome
        label = result.label
        items = Int(result.items)
        attempts = Int(result.attempts)
        status = result.status
        payload = result.payload
    }

    /// Why it was not solved; nil when it was.
    public var error: ClientError? {
        switch outcome {
        case .done: return nil
        case .cancelled: return ClientError(.cancelled, "the task was given up with its job")
        case .failed, .dead, .unspecified, .unrecognized: break
        }
        let detail = try? ErrorDetail(decoding: payload)
        return ClientError(
            replyStatus: UInt8(exactly: status).flatMap { StatusCode(rawValue: $0) } ?? .unknown,
            errorCode: detail.map { UInt16(clamping: $0.code) } ?? 0, detail: detail)
    }

    /// The poses, in the order of the task's people. A person that could not be solved is an entry of ``PoseReply/itemErrors``.
    ///
    /// - Throws: ``error`` when the task was not solved; code `malformedReply` when the numbers are not what was asked for.
    public func poses() throws(ClientError) -> PoseReply {
        if let error { throw error }
        let message: SolvePosesReply
        do throws(WireError) { message = try SolvePosesReply(decoding: payload) } catch {
            throw ClientError(.malformedReply, "the result of task \(index) cannot be read: \(error)")
        }
        return try PoseReply(message, rows: 0..<items)
    }
}

/// Some results of a job, in the order in which the tasks ended.
public struct JobResultPage: Sendable, Equatable {
    /// The results.
    public let results: [JobResult]
    /// Where the next page begins. The same cursor always reads the same results.
    public let nextCursor: UInt64
    /// Whether nothing comes after these: the job has ended.
    public let isComplete: Bool
}

extension JobHandle {
    /// Reads results that are there.
    ///
    /// - Parameters:
    ///   - cursor: `nextCursor` of the page before; 0 is the beginning.
    ///   - countMax: at most so many; nil: as many as fit in a message.
    ///   - wait: answer when there is at least one, or the job has ended, or after this time.
    ///   - failuresOnly: only tasks that failed or are dead.
    /// - Throws: ``ClientError``.
    public func resultPage(
        after cursor: UInt64 = 0, countMax: Int? = nil, wait: Duration = .zero, failuresOnly: Bool = false,
        deadline: Duration? = nil
    ) async throws(ClientError) -> JobResultPage {
        let request = JobResultsRequest(
            id: id.bytes, cursor: cursor, countMax: UInt32(clamping: countMax ?? 0),
            waitMicroseconds: wait > .zero ? wait.remainingMicroseconds : nil, failuresOnly: failuresOnly)
        let reply = try await client.durableCall(Jobs.Results.self, request, wait: wait, deadline: deadline)
        var results: [JobResult] = []
        for result in reply.results { results.append(try JobResult(result)) }
        guard reply.nextCursor >= cursor, results.isEmpty || reply.nextCursor > cursor else {
            throw ClientError(
                .malformedReply, "results behind cursor \(cursor) came with the next cursor \(reply.nextCursor)")
        }
        return JobResultPage(results: results, nextCursor: reply.nextCursor, isComplete: reply.complete)
    }

    /// All results, as they come, until the job has ended.
    ///
    /// Iterating again reads them again; nothing is lost when an iteration ends early.
    /// - Parameters:
    ///   - cursor: where to begin; ``JobResults/Iterator/cursor`` of an earlier iteration goes on behind it.
    ///   - failuresOnly: only tasks that failed or are dead.
    public func results(after cursor: UInt64 = 0, failuresOnly: Bool = false) -> JobResults {
        JobResults(self, cursor: cursor, failuresOnly: failuresOnly)
    }
}

/// The results of a job in the order in which its tasks ended.
public struct JobResults: AsyncSequence, Sendable {
    /// A result.
    public typealias Element = JobResult
    /// What iterating throws.
    public typealias Failure = ClientError

    private let job: JobHandle
    private let cursor: UInt64
    private let failuresOnly: Bool

    init(_ job: JobHandle, cursor: UInt64, failuresOnly: Bool) {
        self.job = job
        self.cursor = cursor
        self.failuresOnly = failuresOnly
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(job, cursor: cursor, failuresOnly: failuresOnly) }

    /// Reads page after page.
    public struct Iterator: AsyncIteratorProtocol {
        private let job: JobHandle
        private let failuresOnly: Bool
        private var page: ArraySlice<JobResult> = []
        private var nextCursor: UInt64
        private var isComplete = false
        /// Behind which all results were handed out that came before: where another iteration may go on. It moves with whole pages.
        public private(set) var cursor: UInt64

        init(_ job: JobHandle, cursor: UInt64, failuresOnly: Bool) {
            self.job = job
            self.failuresOnly = failuresOnly
            self.cursor = cursor
            nextCursor = cursor
        }

        /// The next result, as soon as there is one; nil after the last one of a job that has ended.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ClientError) -> JobResult? {
            while true {
                if let result = page.popFirst() {
                    if page.isEmpty { cursor = nextCursor }
                    return result
                }
                if isComplete { return nil }
                let next = try await job.resultPage(
                    after: nextCursor, wait: JobResults.pageWait, failuresOnly: failuresOnly)
                page = next.results[...]
                nextCursor = next.nextCursor
                isComplete = next.isComplete
                if page.isEmpty { cursor = nextCursor }
            }
        }
    }

    /// How long the broker holds an answer back while there is none.
    private static let pageWait = Duration.seconds(10)
}
