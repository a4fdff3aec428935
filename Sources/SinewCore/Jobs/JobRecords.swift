/// What the store knows of a job.
package struct JobRecord: Equatable, Sendable {
    package enum State: UInt8, Sendable, CaseIterable {
        /// Takes tasks.
        case open = 1
        /// Has all its tasks.
        case sealed = 2
        /// All its tasks have ended.
        case finished = 3
        case cancelled = 4
        /// Its time to live was up.
        case expired = 5
    }

    package var id: JobID
    package var tenant: TenantID
    /// The method every task is a request of.
    package var method: String
    package var model: ModelKey
    /// For people.
    package var label: String
    /// A tenant's second job with the same content hash is the first one; nil when the client gave none.
    package var content: ContentHash?
    package var priority: UInt8
    package var created: WallTime
    /// What is not done then is given up.
    package var giveUp: WallTime
    /// How long results are kept after the end, microseconds.
    package var retentionMicroseconds: Int64
    package var state: State
    /// How many tasks it has; nil before it is sealed.
    package var sealedTasks: Int?
    /// When its last task ended, or it was given up.
    package var ended: WallTime?
    /// Every ``JobTaskRecord/End/sequence`` that this job has ever given, also to ends that a replay took away, is at most this
    /// or one of those in the store. So a cursor never meets a number twice.
    package var sequenceFloor: UInt64
    /// The W3C trace context it was submitted with, which workers get with each task; nil for none. Another submission of the same job may have
    /// another one, and changes nothing.
    package var traceparent: String?

    package init(
        id: JobID, tenant: TenantID, method: String, model: ModelKey, label: String, content: ContentHash?,
        priority: UInt8, created: WallTime, giveUp: WallTime, retentionMicroseconds: Int64, state: State = .open,
        sealedTasks: Int? = nil, ended: WallTime? = nil, sequenceFloor: UInt64, traceparent: String? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.method = method
        self.model = model
        self.label = label
        self.content = content
        self.priority = priority
        self.created = created
        self.giveUp = giveUp
        self.retentionMicroseconds = retentionMicroseconds
        self.state = state
        self.sealedTasks = sealedTasks
        self.ended = ended
        self.sequenceFloor = sequenceFloor
        self.traceparent = traceparent
    }
}

/// How a task ended. A task without an outcome is queued, or in the hands of a worker.
package enum JobTaskOutcome: UInt8, Sendable, CaseIterable {
    case done = 1
    /// The request is wrong.
    case failed = 2
    /// Given up after it killed workers or failed too often.
    case dead = 3
    /// Given up with its job.
    case cancelled = 4

    /// The gRPC status of a task that was given up with its job: CANCELLED.
    package static let givenUpStatus: UInt8 = 1
}

/// What the store knows of a task, without its payload, label and result.
package struct JobTaskRecord: Equatable, Sendable {
    package var index: Int
    package var items: Int
    package var payloadBytes: Int
    package var payloadHash: ContentHash
    /// What it has been through without an end; nothing once a replay has given it a new start.
    package var tries: Tries
    package var end: End?

    package struct Tries: Equatable, Sendable {
        /// Attempts that failed with an error that may pass.
        package var failures: UInt8
        /// Workers that died with it in hand.
        package var deaths: UInt8

        package init(failures: UInt8 = 0, deaths: UInt8 = 0) {
            self.failures = failures
            self.deaths = deaths
        }
    }

    package struct End: Equatable, Sendable {
        package var outcome: JobTaskOutcome
        /// The gRPC status of the answer.
        package var status: UInt8
        /// How often it was given to a worker.
        package var attempts: Int
        /// Its place in the order in which the tasks of the job ended, from 1: what a cursor counts. A task that is replayed gets
        /// another one, larger than all before.
        package var sequence: UInt64
        package var resultBytes: Int

        package init(outcome: JobTaskOutcome, status: UInt8, attempts: Int, sequence: UInt64, resultBytes: Int) {
            self.outcome = outcome
            self.status = status
            self.attempts = attempts
            self.sequence = sequence
            self.resultBytes = resultBytes
        }
    }

    package init(
        index: Int, items: Int, payloadBytes: Int, payloadHash: ContentHash, tries: Tries = Tries(), end: End? = nil
    ) {
        self.index = index
        self.items = items
        self.payloadBytes = payloadBytes
        self.payloadHash = payloadHash
        self.tries = tries
        self.end = end
    }
}

/// One change of the store. The driver adds the bytes: those of the message in hand.
package enum JobStoreOperation: Equatable, Sendable {
    case insertJob(JobRecord)
    /// With its payload and label. Replaces a task of that index, whole or damaged, and its result.
    case insertTask(JobTaskID, JobTaskRecord)
    case setJobState(JobID, JobRecord.State, sealedTasks: Int?, ended: WallTime?)
    /// Of a task without an end: a worker died with it, or an attempt failed.
    case setTries(JobTaskID, JobTaskRecord.Tries)
    /// With its result.
    case endTask(JobTaskID, JobTaskRecord.End)
    /// Takes the end, the result and the tries of a task away: it is queued again. The job's `sequenceFloor` becomes this one.
    case reviveTask(JobTaskID, sequenceFloor: UInt64)
    /// No task of the job ends with this number or a smaller one any more, though no row may remember it.
    case setSequenceFloor(JobID, UInt64)
    /// With all its tasks and results.
    case removeJob(JobID)
    /// No lease token with a sequence number below this one will be given again, whatever happens.
    case reserveLeaseSequence(upTo: UInt64)
}

/// Why the store did not do what it was asked. Nothing of the group it was asked in has happened; after `broken`, all of it may turn
/// out to have happened when the store is opened anew.
package enum JobStoreFailure: Error, Equatable, Sendable {
    /// The disk, or the quota, is full.
    case full(String)
    /// The disk failed; the store must be opened anew.
    case broken(String)
    /// A record does not have its checksum.
    case damaged(JobTaskID, String)
    /// The payload of an `insertTask` does not have the hash that its record states.
    case mismatched(JobTaskID)
}
