import DequeModule

/// A task as the broker keeps it in memory: 48 bytes; payload, label and result are on disk.
package struct JobTask: Sendable {
    /// Exactly one of these. On the wire, *queued* is queued, backing off and loading; *leased* is offered and ending.
    package enum State: UInt8, Sendable, CaseIterable {
        /// Not on disk.
        case absent
        /// On its way to the disk; not acknowledged.
        case inserting
        case queued
        /// Queued again after a failure, not before its time.
        case backingOff
        /// Its payload is being read.
        case loading
        /// In the hands of the dispatcher: waiting for a place on a worker, or leased.
        case offered
        /// Its end is on its way to the disk.
        case ending
        case done
        case failed
        case dead
    }

    var hash: ContentHash
    var items: UInt32
    var payloadBytes: UInt32
    var resultBytes: UInt32 = 0
    var state = State.absent
    /// The status of its end.
    var status: UInt8 = 0
    var tries = JobTaskRecord.Tries()

    /// Its record was damaged; what it was is not known.
    var isLost: Bool { hash == JobTask.absent.hash }

    static let absent = JobTask(hash: ContentHash(words: [0, 0, 0, 0]), items: 0, payloadBytes: 0)
}

/// A job and its tasks.
struct Job: Sendable {
    /// A change of the job itself that is on its way to the disk. Other changes of the job wait for it.
    enum Transition: Equatable, Sendable {
        case submitting
        case sealing(tasks: Int)
        case cancelling
        case finishing
        case expiring
        case removing
        case replaying
    }

    /// The record as it is on disk.
    var record: JobRecord
    var transition: Transition?
    var history = JobHistory()
    /// By index; the array ends behind the last task that is not absent.
    private(set) var tasks: [JobTask] = []
    /// Every task below is on disk.
    private(set) var nextIndex = 0
    /// Indexes of queued tasks, in the order in which they will be fed. Those not queued any more are skipped.
    var ready: Deque<UInt32> = []
    private var counts = [Int](repeating: 0, count: JobTask.State.allCases.count)
    private(set) var items = 0
    private(set) var itemsDone = 0
    private(set) var payloadBytes = 0
    private(set) var resultBytes = 0
    /// The last end number given.
    var lastSequence: UInt64
    /// The last one that is on disk, and the last of a task that failed or is dead.
    var lastCommitted: UInt64
    var lastFailure: UInt64 = 0
    /// Commits of tasks that are under way.
    var insertsUnderWay = 0
    var endsUnderWay = 0
    /// Ends that the disk had no room for; they are written again later.
    var unwritten: [Unwritten] = []
    /// Requests that wait for the job, in order of arrival.
    var waiters: [Int] = []
    /// Indexes of the tasks that are loading or offered, in no order.
    var underWay: [UInt32] = []
    /// Where its model's tasks are chosen.
    let feed: Int
    /// Whether it stands in line there.
    var isFed = false
    /// No job lies in this place.
    var isVacant = false

    struct Unwritten: Sendable {
        let index: Int
        let outcome: JobTaskOutcome
        let status: UInt8
        let attempts: Int
        let resultBytes: Int
        let bytes: JobBytes
    }

    init(record: JobRecord, feed: Int) {
        self.record = record
        self.feed = feed
        lastSequence = record.sequenceFloor
        lastCommitted = record.sequenceFloor
    }

    func count(_ state: JobTask.State) -> Int { counts[Int(state.rawValue)] }

    /// Tasks on disk.
    var present: Int {
        var sum = 0
        for state in JobTask.State.allCases {
            switch state {
            case .absent, .inserting: break
            case .queued, .backingOff, .loading, .offered, .ending, .done, .failed, .dead: sum += count(state)
            }
        }
        return sum
    }

    /// Tasks on disk without an end there.
    var open: Int {
        count(.queued) + count(.backingOff) + count(.loading) + count(.offered) + count(.ending)
    }

    /// The job takes no more tasks and computes none.
    var isOver: Bool {
        switch record.state {
        case .open, .sealed: false
        case .finished, .cancelled, .expired: true
        }
    }

    /// Sealed, and every task has ended.
    var isComplete: Bool { record.state == .sealed && open == 0 && record.sealedTasks == present }

    func state(_ index: Int) -> JobTask.State { index < tasks.count ? tasks[index].state : .absent }

    mutating func put(_ index: Int, _ task: JobTask) {
        while tasks.count <= index { tasks.append(.absent) }
        replace(index, task)
    }

    /// Takes a task out as if it had never been.
    mutating func retract(_ index: Int) { replace(index, .absent) }

    mutating func move(_ index: Int, to new: JobTask.State) {
        var task = tasks[index]
        task.state = new
        replace(index, task)
    }

    mutating func setEnd(_ index: Int, status: UInt8, resultBytes: Int) {
        var task = tasks[index]
        task.status = status
        task.resultBytes = UInt32(clamping: resultBytes)
        replace(index, task)
    }

    mutating func setTries(_ index: Int, _ tries: JobTaskRecord.Tries) { tasks[index].tries = tries }

    /// The one place where a task changes, so that the sums are right.
    private mutating func replace(_ index: Int, _ new: JobTask) {
        account(tasks[index], -1)
        tasks[index] = new
        account(new, 1)
        if index == nextIndex || (index < nextIndex && !new.state.isPresent) {
            nextIndex = Swift.min(index, nextIndex)
            while nextIndex < tasks.count, tasks[nextIndex].state.isPresent { nextIndex += 1 }
        }
    }

    private mutating func account(_ task: JobTask, _ sign: Int) {
        counts[Int(task.state.rawValue)] += sign
        resultBytes += sign * Int(task.resultBytes)
        guard task.state.isPresent else { return }
        items += sign * Int(task.items)
        payloadBytes += sign * Int(task.payloadBytes)
        if task.state == .done { itemsDone += sign * Int(task.items) }
    }

    /// The next task to be fed; nil when none waits.
    mutating func popReady() -> Int? {
        while let index = ready.popFirst() {
            if tasks[Int(index)].state == .queued { return Int(index) }
        }
        return nil
    }

    var status: JobStatusRecord {
        let givenUp = record.state == .cancelled || record.state == .expired
        return JobStatusRecord(
            record: record, nextIndex: nextIndex, tasks: present, items: items,
            queued: givenUp ? 0 : count(.queued) + count(.backingOff) + count(.loading),
            leased: givenUp ? 0 : count(.offered) + count(.ending), done: count(.done), failed: count(.failed),
            dead: count(.dead), cancelled: givenUp ? open : 0, itemsDone: itemsDone, payloadBytes: payloadBytes,
            resultBytes: resultBytes, history: history)
    }
}

extension JobTask.State {
    /// On disk, as far as anybody was told.
    var isPresent: Bool {
        switch self {
        case .absent, .inserting: false
        case .queued, .backingOff, .loading, .offered, .ending, .done, .failed, .dead: true
        }
    }

    var hasEnded: Bool {
        switch self {
        case .absent, .inserting, .queued, .backingOff, .loading, .offered, .ending: false
        case .done, .failed, .dead: true
        }
    }
}
