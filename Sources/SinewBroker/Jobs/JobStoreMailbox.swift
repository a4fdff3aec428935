internal import DequeModule
internal import SinewCore
internal import SinewZeroMQ
internal import Synchronization

/// What the broker's thread asks of the thread that owns the store.
enum JobStoreCommand: Sendable {
    /// Write these together or not at all.
    case commit(CommitTicket, [JobStoreWrite])
    /// Read what a worker is to be sent.
    case load(JobTaskID)
    /// Read results for a client.
    case read(JobRequestID, JobResultsRead)
    /// Close the store, open it, and report all that it holds; everything asked for before is void.
    case reopen
    /// End, when all that was asked for before is done.
    case stop
}

/// What the thread of the store tells the broker's thread.
enum JobStoreReport: Sendable {
    case restored(JobRecord, tasks: [JobTaskRecord], damaged: [Int])
    /// Everything that the store has was reported.
    case opened(firstFreeLease: UInt64)
    case openFailed(String)
    case committed(CommitTicket)
    /// The bytes come back: the state machine may want them written again.
    case commitFailed(CommitTicket, [JobStoreWrite], JobStoreFailure)
    case loaded(JobTaskID, [UInt8])
    case loadFailed(JobTaskID, JobStoreFailure)
    case read(JobRequestID, JobResultsRead, [StoredResult], damaged: [Int])
    case readFailed(JobRequestID, JobResultsRead, JobStoreFailure)
}

/// Between the broker's thread and the thread of the store; neither ever waits for the other.
///
/// What may lie here is bounded by the state machine: payload bytes by `storeBytesPendingMax` and `jobBytesOfferedMax`, requests by
/// `storeRequestsPendingMax`.
final class JobStoreMailbox: Sendable {
    private struct State {
        var commands: Deque<JobStoreCommand> = []
        var reports: [JobStoreReport] = []
    }

    /// Wakes the thread of the store.
    let commandWaker: Waker
    /// Wakes the broker's thread.
    let reportWaker: Waker
    private let state = Mutex(State())

    init(reportingTo reportWaker: Waker) throws(ZeroMQError) {
        commandWaker = try Waker()
        self.reportWaker = reportWaker
    }

    func post(_ command: JobStoreCommand) {
        state.withLock { $0.commands.append(command) }
        commandWaker.wake()
    }

    /// Everything asked since the last time; waits for something when `mayWait`.
    func takeCommands(mayWait: Bool) -> Deque<JobStoreCommand> {
        while true {
            commandWaker.clear()
            var taken: Deque<JobStoreCommand> = []
            state.withLock { swap(&$0.commands, &taken) }
            if !taken.isEmpty || !mayWait { return taken }
            commandWaker.wait()
        }
    }

    func report(_ report: JobStoreReport) {
        state.withLock { $0.reports.append(report) }
        reportWaker.wake()
    }

    func takeReports() -> [JobStoreReport] {
        state.withLock { state in
            let taken = state.reports
            state.reports = []
            return taken
        }
    }
}
