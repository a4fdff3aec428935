import SinewCore

/// What survives a broker: what `SinewJobStore` keeps in a file, with the faults of disks.
///
/// A group is on disk whole or not at all. Groups that were given to the disk and not answered when the broker died may be there or
/// not, in their order. Bits may flip in what is there; a checksum shows it.
struct SimulatedDisk {
    struct Write {
        var operation: JobStoreOperation
        /// Payload of `insertTask`.
        var request: Packet.Request?
        /// Result of `endTask`.
        var result: UInt64 = 0
    }

    struct Task {
        var record: JobTaskRecord
        var request: Packet.Request?
        var result: UInt64 = 0
        var isRecordDamaged = false
        var isPayloadDamaged = false
        var isResultDamaged = false
        var isDamaged: Bool { isRecordDamaged || isPayloadDamaged || isResultDamaged }
    }

    struct Entry {
        var record: JobRecord
        var isDamaged = false
        var tasks: [Int: Task] = [:]
        /// The largest number an end ever had.
        var lastSequence: UInt64 = 0
    }

    private(set) var jobs: [JobID: Entry] = [:]
    private(set) var firstFreeLease: UInt64 = 1
    private(set) var endsWritten = 0
    /// Tasks revived by the group in hand.
    private var revived: Set<JobTaskID> = []

    subscript(job: JobID) -> Entry? { jobs[job] }
    func task(_ task: JobTaskID) -> Task? { jobs[task.job]?.tasks[task.index] }
    var ids: [JobID] { jobs.keys.sorted() }

    /// Does what the store would do, and says what must never be asked of it.
    mutating func apply(_ writes: [Write]) -> String? {
        revived = []
        for write in writes {
            if let violated = apply(write) { return violated }
        }
        return nil
    }

    private mutating func apply(_ write: Write) -> String? {
        switch write.operation {
        case .insertJob(let record):
            if jobs[record.id]?.isDamaged == false { return "a job is inserted twice" }
            jobs[record.id] = Entry(record: record)
        case .insertTask(let id, let record):
            guard let entry = jobs[id.job] else { return "a task is inserted into no job" }
            if let old = entry.tasks[id.index], !old.isDamaged, old.record.end?.status != 15, !revived.contains(id) {
                return "task \(id.index) is inserted twice"
            }
            jobs[id.job]?.tasks[id.index] = Task(record: record, request: write.request)
        case .setJobState(let id, let state, let sealedTasks, let ended):
            guard let entry = jobs[id] else { return "a state is set of no job" }
            if state == .finished, entry.tasks.values.contains(where: { $0.record.end == nil && !$0.isRecordDamaged }) {
                return "a job is finished with open tasks"
            }
            switch entry.record.state {
            case .cancelled, .expired: return "a job that was given up becomes \(state)"
            case .open, .sealed, .finished: break
            }
            jobs[id]?.record.state = state
            jobs[id]?.record.sealedTasks = sealedTasks
            jobs[id]?.record.ended = ended
        case .setTries(let id, let tries):
            guard let old = task(id) else { return "tries are set of no task" }
            if old.record.end != nil { return "tries are set of task \(id.index), which has ended" }
            jobs[id.job]?.tasks[id.index]?.record.tries = tries
        case .endTask(let id, let last): return end(id, last, write.result)
        case .reviveTask(let id, let floor):
            guard let old = task(id) else { return "a task is revived that is not there" }
            if old.record.end == nil { return "a task is revived that has not ended" }
            if let last = jobs[id.job]?.lastSequence, floor < last { return "the floor \(floor) is below \(last)" }
            revived.insert(id)
            jobs[id.job]?.record.sequenceFloor = floor
            jobs[id.job]?.tasks[id.index]?.record.end = nil
            jobs[id.job]?.tasks[id.index]?.record.tries = .init()
            jobs[id.job]?.tasks[id.index]?.isResultDamaged = false
        case .setSequenceFloor(let id, let floor):
            if let last = jobs[id]?.lastSequence, floor < last { return "the floor \(floor) is below \(last)" }
            if jobs[id] == nil { return "a floor is set of no job" }
            jobs[id]?.record.sequenceFloor = floor
        case .removeJob(let id):
            if jobs.removeValue(forKey: id) == nil { return "a job is removed that is not there" }
        case .reserveLeaseSequence(let limit):
            if limit < firstFreeLease { return "a reservation goes back" }
            firstFreeLease = limit
        }
        return nil
    }

    private mutating func end(_ id: JobTaskID, _ end: JobTaskRecord.End, _ result: UInt64) -> String? {
        guard let entry = jobs[id.job], let old = entry.tasks[id.index] else { return "a task ends that is not there" }
        if old.record.end != nil { return "the result of task \(id.index) is stored twice" }
        if end.sequence <= entry.lastSequence { return "end \(end.sequence) comes after \(entry.lastSequence)" }
        if end.outcome == .done {
            guard let request = old.request, result == Packet.solve(request.tag) else {
                return "task \(id.index) ends with the result of another one"
            }
        }
        endsWritten += 1
        jobs[id.job]?.lastSequence = end.sequence
        jobs[id.job]?.tasks[id.index]?.record.end = end
        jobs[id.job]?.tasks[id.index]?.result = result
        return nil
    }

    /// Whether a group changes the row of a job, and that row is damaged: the store must be read anew then.
    func meetsDamage(_ writes: [Write]) -> Bool {
        writes.contains { write in
            switch write.operation {
            case .setJobState(let id, _, _, _), .setSequenceFloor(let id, _): jobs[id]?.isDamaged == true
            case .reviveTask(let task, _): jobs[task.job]?.isDamaged == true
            case .insertJob, .insertTask, .setTries, .endTask, .removeJob, .reserveLeaseSequence: false
            }
        }
    }

    /// Damages a job, or a payload, a result or a record somewhere; false when there is nothing yet.
    mutating func flipBit(using random: inout some RandomNumberGenerator) -> Bool {
        let ids = ids.filter { jobs[$0]?.tasks.isEmpty == false }
        guard let job = ids.randomElement(using: &random),
            let index = jobs[job]?.tasks.keys.sorted().randomElement(using: &random)
        else { return false }
        switch Int.random(in: 0..<4, using: &random) {
        case 3: jobs[job]?.isDamaged = true
        case 0: jobs[job]?.tasks[index]?.isPayloadDamaged = true
        case 1: jobs[job]?.tasks[index]?.isResultDamaged = true
        default: jobs[job]?.tasks[index]?.isRecordDamaged = true
        }
        return true
    }

    func results(_ read: JobResultsRead) -> (results: [Packet.JobResult], damaged: [Int]) {
        var ended: [(index: Int, task: Task, end: JobTaskRecord.End)] = []
        for (index, task) in jobs[read.job]?.tasks ?? [:] {
            guard let end = task.record.end, end.sequence > read.cursor else { continue }
            if read.failuresOnly && end.outcome == .done { continue }
            ended.append((index, task, end))
        }
        ended.sort { $0.end.sequence < $1.end.sequence }
        var found: [Packet.JobResult] = []
        var damaged: [Int] = []
        for entry in ended.prefix(read.countMax) {
            // A record that is damaged while the broker runs is met when the row is read.
            if entry.task.isResultDamaged || entry.task.isRecordDamaged {
                damaged.append(entry.index)
            } else {
                found.append(
                    .init(
                        index: entry.index, outcome: entry.end.outcome, status: entry.end.status,
                        sequence: entry.end.sequence, bytes: entry.task.result))
            }
        }
        return (found, damaged)
    }
}
