/// A request of a client to the service Jobs, as its driver numbers them: each is answered once.
package struct JobRequestID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// A group of writes that the store does together or not at all. Tickets only grow.
package struct CommitTicket: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// What a client says of a new job.
package struct JobSubmission: Equatable, Sendable {
    package var id: JobID
    package var method: String
    package var model: ModelKey
    package var label: String
    package var content: ContentHash?
    package var priority: UInt8
    /// The W3C trace context it belongs to; nil for none.
    package var traceparent: String?
    /// Nil: the broker's default.
    package var timeToLive: Duration?
    /// Nil: the broker's default.
    package var retention: Duration?

    package init(
        id: JobID, method: String, model: ModelKey, label: String = "", content: ContentHash? = nil,
        priority: UInt8 = 0, traceparent: String? = nil, timeToLive: Duration? = nil, retention: Duration? = nil
    ) {
        self.id = id
        self.method = method
        self.model = model
        self.label = label
        self.content = content
        self.priority = priority
        self.traceparent = traceparent
        self.timeToLive = timeToLive
        self.retention = retention
    }
}

/// What the head of an appended task says. Payload and label stay with the driver.
package struct JobBlock: Equatable, Sendable {
    package var index: Int
    package var items: Int
    package var payloadBytes: Int
    package var labelBytes: Int
    package var hash: ContentHash

    package init(index: Int, items: Int, payloadBytes: Int, labelBytes: Int, hash: ContentHash) {
        self.index = index
        self.items = items
        self.payloadBytes = payloadBytes
        self.labelBytes = labelBytes
        self.hash = hash
    }
}

/// Which results a client wants.
package struct JobResultsQuery: Equatable, Sendable {
    package var job: JobID
    package var cursor: UInt64
    /// 0: as many as fit.
    package var countMax: Int
    package var wait: Duration
    package var failuresOnly: Bool

    package init(job: JobID, cursor: UInt64, countMax: Int = 0, wait: Duration = .zero, failuresOnly: Bool = false) {
        self.job = job
        self.cursor = cursor
        self.countMax = countMax
        self.wait = wait
        self.failuresOnly = failuresOnly
    }
}

/// A read of the store that answers a client. The driver makes the reply of it: what the store has behind `cursor`, and once that
/// reaches `through` also `givenUp`, as far as there is room. `next_cursor` is the last sequence of it, or, when there is nothing, the
/// larger of `cursor` and `through`; the reply is complete when `jobHasEnded` and that next cursor is at least `last`.
package struct JobResultsRead: Equatable, Sendable {
    package var job: JobID
    package var cursor: UInt64
    package var countMax: Int
    package var bytesMax: Int
    package var failuresOnly: Bool
    /// No task will end any more.
    package var jobHasEnded: Bool
    /// The last sequence given up to now; whatever ends later gets a larger one.
    package var through: UInt64
    /// Tasks that were given up with their job, behind `cursor`: their ends are not on disk, and are made of the job's.
    package var givenUp: [JobTaskRecord]
    /// The last sequence of all; more than any when `givenUp` does not reach it.
    package var last: UInt64
}

/// A job at one instant. `tasks` is the sum of queued, leased, done, failed, dead and cancelled.
package struct JobStatusRecord: Equatable, Sendable {
    package var record: JobRecord
    /// Every task below this index is on disk.
    package var nextIndex = 0
    package var tasks = 0
    package var items = 0
    /// They wait on disk.
    package var queued = 0
    /// A worker has them or will be the next to take them, or their ends are being written.
    package var leased = 0
    package var done = 0
    package var failed = 0
    package var dead = 0
    package var cancelled = 0
    package var itemsDone = 0
    package var payloadBytes = 0
    package var resultBytes = 0
    package var history = JobHistory()
}

/// The answer to a request. Reads of results are answered by the driver, see ``JobResultsRead``.
package enum JobReply: Equatable, Sendable {
    case submitted(JobStatusRecord, existed: Bool)
    case appended(nextIndex: Int)
    /// To seal, status and cancel.
    case status(JobStatusRecord)
    /// Newest first.
    case jobs([JobStatusRecord])
    case replayed(Int)
    case refused(JobRefusal)
}

/// Why a request is not done. The driver maps each to a status, a code and a sentence by an exhaustive switch.
package enum JobRefusal: Equatable, Sendable {
    /// NOT_FOUND, UNKNOWN_JOB.
    case unknownJob
    /// ALREADY_EXISTS, JOB_CONFLICT: a job with this id says something else.
    case jobConflict
    /// ALREADY_EXISTS, JOB_CONFLICT: the task of this index has another hash.
    case taskConflict(index: Int)
    /// ALREADY_EXISTS, JOB_CONFLICT: the job is sealed with so many tasks, or has more than it is to be sealed with.
    case sealConflict(tasks: Int)
    /// FAILED_PRECONDITION, JOB_SEALED.
    case sealed(JobRecord.State)
    /// FAILED_PRECONDITION, TASKS_MISSING: so many, this one first.
    case tasksMissing(count: Int, first: Int)
    /// DATA_LOSS, HASH_MISMATCH.
    case hashMismatch(index: Int)
    /// INVALID_ARGUMENT, JOB_LIMIT.
    case tooLarge(Bound, max: Int)
    /// RESOURCE_EXHAUSTED, TENANT_QUOTA.
    case quota(Quota, max: Int, retryAfter: Duration)
    /// RESOURCE_EXHAUSTED, QUEUE_FULL: more waits for the disk, or for the ends of jobs, than may.
    case overloaded(retryAfter: Duration)
    /// RESOURCE_EXHAUSTED, DISK_FULL, with the store's own words.
    case diskFull(String, retryAfter: Duration)
    /// UNAVAILABLE, STORE_UNAVAILABLE, with the store's own words.
    case storeUnavailable(String, retryAfter: Duration)
    /// UNAVAILABLE, DRAINING.
    case draining

    /// What of a single job is bounded.
    package enum Bound: Equatable, Sendable {
        case jobLabelBytes
        case taskLabelBytes
        case nameBytes
        case payloadBytes
        case itemsOfTask
        case tasksOfRequest
        case tasksOfJob
        /// Index too far behind the first missing task.
        case appendWindow
        case priority
    }

    /// What of a tenant is bounded.
    package enum Quota: Equatable, Sendable {
        case jobs
        case openTasks
        case bytes
    }
}

/// The bytes that go with a write of the store.
package enum JobBytes: Equatable, Sendable {
    case none
    /// Payload and label of the block at this place of a request; the driver keeps it until the request is answered.
    case block(JobRequestID, at: Int)
    /// The result in hand.
    case result
    /// An `ErrorDetail` that the driver makes.
    case failure(JobTaskFailure)
    /// Those of a group that the store refused. The driver keeps the bytes of a refused group until they are
    /// named here or the group is dropped.
    case kept(CommitTicket)
}

/// Why a task ended without an answer of a worker.
package enum JobTaskFailure: Equatable, Sendable {
    /// INTERNAL, KILLS_WORKERS: the last of so many workers had nothing else.
    case killsWorkers(deaths: Int)
    /// ABORTED, GIVEN_UP: it failed so often, the last time with this status.
    case givenUp(attempts: Int, status: UInt8)
    /// DATA_LOSS, RECORD_DAMAGED.
    case damaged
    /// INVALID_ARGUMENT: the broker's own limits forbid it.
    case refused(RejectionReason)

    /// The gRPC status of the end.
    package var status: UInt8 {
        switch self {
        case .killsWorkers: 13
        case .givenUp: 10
        case .damaged: 15
        case .refused: 3
        }
    }
}
