internal import CoreMetrics
internal import DequeModule
internal import Logging
internal import SinewCore
internal import SinewJobStore
internal import SinewMetrics

/// The thread that owns the job store: a commit takes as long as the disk takes, and the broker's loop must not wait for it.
///
/// Group commit: all groups that wait go into one transaction, up to 256 KiB (one group may be larger); none ever waits for others
/// to come. While the disk syncs one transaction the next one gathers, so a slower disk makes larger transactions. Reads go first: a
/// worker waits for them.
struct JobStoreLoop: ~Copyable {
    /// Bytes in one transaction: some 2 ms of writing.
    static let transactionBytesMax = 256 << 10

    let folder: String
    let bytesMax: Int
    let mailbox: JobStoreMailbox
    let logger: Logger
    /// Nil from a failure of the disk until the next `reopen`.
    private var store: SQLiteJobStore?
    private var commands: Deque<JobStoreCommand> = []
    private var hasRemovals = true
    private var isStopped = false
    private let commitTime: Timer
    private let groupCount: Counter
    private let readCount: Counter

    private struct Group {
        let ticket: CommitTicket
        let writes: [JobStoreWrite]
    }

    init(
        store: consuming SQLiteJobStore, folder: String, bytesMax: Int, mailbox: JobStoreMailbox,
        metrics: MetricRegistry, logger: Logger
    ) {
        commitTime = Timer(label: MetricCatalogue.storeCommitTime.name, factory: metrics)
        groupCount = Counter(label: MetricCatalogue.storeGroups.name, factory: metrics)
        readCount = Counter(label: MetricCatalogue.storeReads.name, factory: metrics)
        self.store = consume store
        self.folder = folder
        self.bytesMax = bytesMax
        self.mailbox = mailbox
        self.logger = logger
    }

    mutating func run() {
        restore()
        while !isStopped {
            let isIdle = commands.isEmpty
            commands += mailbox.takeCommands(mayWait: isIdle && !(hasRemovals && store != nil))
            if commands.isEmpty {
                reclaim()
            } else {
                obey()
            }
        }
    }

    /// Does all reads, then one transaction; the rest stays for the next turn, behind reads that came meanwhile.
    private mutating func obey() {
        var rest: Deque<JobStoreCommand> = []
        var groups: [Group] = []
        var bytes = 0
        while let command = commands.popFirst() {
            switch command {
            case .load(let task): load(task)
            case .read(let request, let read): self.read(request, read)
            case .commit(let ticket, let writes):
                let size = writes.reduce(0) { $0 + $1.bytes.count + 128 }
                if rest.isEmpty && (groups.isEmpty || bytes + size <= Self.transactionBytesMax) {
                    groups.append(Group(ticket: ticket, writes: writes))
                    bytes += size
                } else {
                    rest.append(command)
                }
            case .reopen:
                // What came before is void: the state machine starts anew from what the disk has.
                groups.removeAll()
                rest.removeAll()
                reopen()
            case .stop:
                commit(groups)
                groups.removeAll()
                if rest.isEmpty {
                    isStopped = true
                } else {
                    rest.append(.stop)
                }
            }
        }
        commit(groups)
        commands = rest
    }

    // MARK: Writing.

    private mutating func commit(_ groups: [Group]) {
        guard !groups.isEmpty, store != nil else { return }
        var sound: [Group] = []
        for group in groups {
            do {
                try store?.verifyPayloads(of: group.writes)
                sound.append(group)
            } catch {
                mailbox.report(.commitFailed(group.ticket, group.writes, error))
            }
        }
        guard !sound.isEmpty else { return }
        do {
            let begin = ContinuousClock.now
            try store?.commitVerified(sound.flatMap(\.writes))
            commitTime.recordNanoseconds((ContinuousClock.now - begin).wholeNanoseconds)
            groupCount.increment(by: sound.count)
            for group in sound { noteCommitted(group) }
        } catch {
            switch error {
            case .full where sound.count > 1:
                // One that needs no room, or less, may still go.
                for group in sound { commit([group]) }
            case .full, .damaged, .mismatched:
                for group in sound { mailbox.report(.commitFailed(group.ticket, group.writes, error)) }
            case .broken:
                abandon(error)
                for group in sound { mailbox.report(.commitFailed(group.ticket, group.writes, error)) }
            }
        }
    }

    private mutating func noteCommitted(_ group: Group) {
        for write in group.writes {
            if case .removeJob = write.operation { hasRemovals = true }
        }
        mailbox.report(.committed(group.ticket))
    }

    /// When nothing else is to be done.
    private mutating func reclaim() {
        do {
            hasRemovals = try store?.reclaim() ?? false
        } catch {
            hasRemovals = false
            switch error {
            case .broken(let why):
                logger.warning("what has expired cannot be removed from the job store", metadata: ["reason": "\(why)"])
            case .full, .damaged, .mismatched: break
            }
        }
    }

    // MARK: Reading.

    private mutating func load(_ task: JobTaskID) {
        guard store != nil else { return }
        readCount.increment()
        do {
            let bytes = try store?.payload(of: task) ?? []
            mailbox.report(.loaded(task, bytes))
        } catch {
            if case .broken = error { abandon(error) }
            mailbox.report(.loadFailed(task, error))
        }
    }

    private mutating func read(_ request: JobRequestID, _ read: JobResultsRead) {
        guard store != nil else { return }
        readCount.increment()
        do {
            var found =
                try store?.results(
                    of: read.job, after: read.cursor, countMax: read.countMax, bytesMax: read.bytesMax,
                    failuresOnly: read.failuresOnly) ?? (results: [], damaged: [])
            if found.damaged.isEmpty { found.results += try givenUp(read, behind: found.results) }
            mailbox.report(.read(request, read, found.results, damaged: found.damaged))
        } catch {
            if case .broken = error { abandon(error) }
            mailbox.report(.readFailed(request, read, error))
        }
    }

    /// The tasks that were given up with their job, once all that have ended are read, as far as there is room.
    private mutating func givenUp(
        _ read: JobResultsRead, behind found: [StoredResult]
    ) throws(JobStoreFailure) -> [StoredResult] {
        guard found.last?.task.end?.sequence ?? .max >= read.through else { return [] }
        var bytes = 0
        for result in found { bytes += result.bytes.count + result.label.utf8.count + 64 }
        var added: [StoredResult] = []
        for task in read.givenUp where found.count + added.count < read.countMax && bytes < read.bytesMax {
            let label = try store?.label(of: JobTaskID(job: read.job, index: task.index)) ?? ""
            bytes += label.utf8.count + 64
            added.append(StoredResult(task: task, label: label, bytes: []))
        }
        return added
    }

    // MARK: Opening.

    private mutating func abandon(_ failure: JobStoreFailure) {
        logger.error("the job store failed and is opened anew", metadata: ["reason": "\(failure)"])
        store = nil
    }

    private mutating func reopen() {
        store = nil
        do {
            store = try SQLiteJobStore(folder: folder, bytesMax: bytesMax)
        } catch {
            logger.error("the job store cannot be opened; it is tried again", metadata: ["reason": "\(error)"])
            return mailbox.report(.openFailed(error.message))
        }
        restore()
    }

    /// Reports all that the store has.
    private mutating func restore() {
        do {
            let found = try store?.jobs() ?? (jobs: [], damaged: 0)
            var (tasks, damagedTasks) = (0, 0)
            for job in found.jobs {
                let read = try store?.tasks(of: job.id) ?? (tasks: [], damaged: [])
                tasks += read.tasks.count
                damagedTasks += read.damaged.count
                mailbox.report(.restored(job, tasks: read.tasks, damaged: read.damaged))
            }
            let free = try store?.firstFreeLeaseSequence() ?? 0
            mailbox.report(.opened(firstFreeLease: free))
            let bytes = (try? store?.bytesOnDisk()) ?? 0
            hasRemovals = true
            logger.info(
                "job store opened",
                metadata: [
                    "folder": "\(folder)", "jobs": "\(found.jobs.count)", "tasks": "\(tasks)", "bytes": "\(bytes)",
                ])
            guard found.damaged + damagedTasks > 0 else { return }
            logger.error(
                "the job store has records without their checksum; they are not used",
                metadata: ["jobs": "\(found.damaged)", "tasks": "\(damagedTasks)", "folder": "\(folder)"])
        } catch {
            abandon(error)
            mailbox.report(.openFailed("\(error)"))
        }
    }
}
