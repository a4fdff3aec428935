/// A change and the bytes that go with it.
package struct JobStoreWrite: Sendable {
    package var operation: JobStoreOperation
    /// Payload of `insertTask`, result of `endTask`; empty otherwise.
    package var bytes: [UInt8]
    /// Label of `insertTask`; empty otherwise.
    package var label: String

    package init(_ operation: JobStoreOperation, bytes: [UInt8] = [], label: String = "") {
        self.operation = operation
        self.bytes = bytes
        self.label = label
    }
}

/// A finished task as `Results` reads it.
package struct StoredResult: Equatable, Sendable {
    package var task: JobTaskRecord
    package var label: String
    package var bytes: [UInt8]

    package init(task: JobTaskRecord, label: String, bytes: [UInt8]) {
        self.task = task
        self.label = label
        self.bytes = bytes
    }
}

/// Where jobs survive. One thread uses a store; every call may block on the disk.
///
/// `commit` is all or nothing, and durable when it returns: after any crash, opening finds what was committed, and of a group whose
/// commit failed or was cut off either all or nothing.
/// Every record carries a checksum; one that does not fit is reported as `damaged`, and is never given out.
package protocol JobStore: ~Copyable {
    /// Applies the changes in their order, together, and syncs them.
    mutating func commit(_ writes: [JobStoreWrite]) throws(JobStoreFailure)
    /// All jobs in order of their ids, and how many records there are that do not have their checksum.
    mutating func jobs() throws(JobStoreFailure) -> (jobs: [JobRecord], damaged: Int)
    /// The tasks of a job in order of their indexes; damaged ones are left out and named.
    mutating func tasks(of job: JobID) throws(JobStoreFailure) -> (tasks: [JobTaskRecord], damaged: [Int])
    /// What a worker is to be sent.
    mutating func payload(of task: JobTaskID) throws(JobStoreFailure) -> [UInt8]
    /// The label a task was appended with; empty when it is damaged.
    mutating func label(of task: JobTaskID) throws(JobStoreFailure) -> String
    /// Ended tasks with a sequence above `cursor`, in that order, until `countMax` or `bytesMax` is reached; at least one if there is
    /// one. Damaged ones are left out and named; with `failuresOnly`, only tasks that failed or are dead.
    mutating func results(
        of job: JobID, after cursor: UInt64, countMax: Int, bytesMax: Int, failuresOnly: Bool
    ) throws(JobStoreFailure) -> (results: [StoredResult], damaged: [Int])
    /// The first lease sequence number that was never reserved.
    mutating func firstFreeLeaseSequence() throws(JobStoreFailure) -> UInt64
    /// Bytes the store takes on disk.
    mutating func bytesOnDisk() throws(JobStoreFailure) -> Int
}
