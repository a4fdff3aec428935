import DequeModule

/// Decides which tasks a worker runs together, and runs none of them: no thread, clock or socket.
///
/// **Batch while busy**: there is no timer. As long as a compute thread is free, a task starts at once; while all are
/// busy, tasks wait, and the next free thread takes what waits of one model, up to that model's best batch size. A batch that is
/// alone (nothing else runs, nothing else waits) gets all threads where its model is faster so: then its callers are answered
/// sooner, and who comes meanwhile is served sooner too.
///
/// States: *serving* → *draining* → *drained*. A batch has tasks of one model only, and a task is never split. A task
/// is *waiting*, *running*, or *running and cancelled*; every task that arrives leaves by exactly one of `reply`,
/// `expire`, `sendHome`, `drop`.
///
/// Leases name tasks, because a task that comes back in a second attempt is another piece of work.
package struct BatchingStateMachine: Sendable {
    package enum Event: Equatable, Sendable {
        /// The broker handed over a task. `deadline` is nil when the task has none.
        case taskArrived(LeaseToken, model: ModelKey, items: Int, deadline: Instant?)
        /// The broker no longer wants the answer.
        case cancelled(LeaseToken)
        /// A compute thread finished (or gave up) a batch and is free again.
        case batchFinished(BatchID)
        /// Take nothing new; send home what has not started; finish what runs.
        case drainRequested
    }

    package enum Action: Equatable, Sendable {
        /// Give the tasks to a free compute thread, or to all of them together when `threads` says so. They are in order of
        /// arrival.
        case run(BatchID, model: ModelKey, [LeaseToken], threads: Int = 1)
        /// Send the result that the finished batch holds for this task.
        case reply(LeaseToken)
        /// The deadline passed while the task waited: nothing expired is computed. Answer DEADLINE_EXCEEDED.
        case expire(LeaseToken)
        /// Not started and not going to be: give the lease back to the broker. Costs the task no attempt.
        case sendHome(LeaseToken)
        /// Cancelled: forget the task and its payload, answer nothing.
        case drop(LeaseToken)
        /// Every task of this running batch was cancelled: the thread may stop between two layers.
        case abandon(BatchID)
        /// Drain is complete: nothing waits, nothing runs. Say goodbye.
        case drained
    }

    /// The best batch size of a model, in items, as measured at load.
    package struct Model: Equatable, Sendable {
        package let key: ModelKey
        package let batchItemsMax: Int
        /// Items from which on a batch is done sooner by all compute threads together; nil when it never is.
        package let splitItemsMin: Int?

        package init(key: ModelKey, batchItemsMax: Int, splitItemsMin: Int? = nil) {
            precondition(batchItemsMax >= 1, "a batch of \(key) must hold at least one item")
            self.key = key
            self.batchItemsMax = batchItemsMax
            self.splitItemsMin = splitItemsMin
        }
    }

    private enum Lifecycle { case serving, draining, drained }

    private enum TaskState {
        case waiting
        case running(BatchID)
        case cancelledWhileRunning
    }

    private struct Task {
        let queue: Int
        let items: Int
        let deadline: Instant
        let sequence: UInt64
        var state: TaskState
    }

    /// A place in line; it is void when the task was cancelled.
    private struct Waiting {
        let lease: LeaseToken
        let sequence: UInt64
    }

    private struct ModelQueue {
        let model: Model
        /// In order of arrival; a lease that has left `tasks` is skipped.
        var leases: Deque<Waiting> = []
        var waitingCount = 0
        var counts = ModelCounts()
    }

    /// What waits for a model, and why its batches were started.
    package struct ModelCounts: Equatable, Sendable {
        /// Items that wait for a compute thread.
        package internal(set) var queuedItems = 0
        /// Batches of the best size, or to which the next task could not be added without passing it.
        package internal(set) var batchesFull = 0
        /// Smaller ones, started because a thread was free.
        package internal(set) var batchesIdle = 0

        package init(queuedItems: Int = 0, batchesFull: Int = 0, batchesIdle: Int = 0) {
            self.queuedItems = queuedItems
            self.batchesFull = batchesFull
            self.batchesIdle = batchesIdle
        }
    }

    private struct Batch {
        let leases: [LeaseToken]
        let threads: Int
        var wantedCount: Int
    }

    private let limits: Limits
    private let computeThreads: Int
    private var busyThreads = 0
    private var lifecycle = Lifecycle.serving
    private var queues: [ModelQueue]
    private let queueOfModel: [ModelKey: Int]
    private var tasks: [LeaseToken: Task] = [:]
    private var batches: [BatchID: Batch] = [:]
    private var nextSequence: UInt64 = 0
    private var nextBatch: UInt64 = 1

    /// Items waiting for a compute thread.
    package private(set) var queuedItems = 0
    /// Items in the hands of compute threads.
    package private(set) var runningItems = 0

    /// - Parameters:
    ///   - models: what this worker has loaded. Several keys may name one model only if each has its own queue.
    ///   - computeThreads: how many batches may run at a time; all are free at the start.
    package init(models: [Model], computeThreads: Int, limits: Limits) {
        precondition(computeThreads >= 1, "a worker needs at least one compute thread")
        if let violated = limits.violatedRelation { preconditionFailure(violated) }
        self.limits = limits
        self.computeThreads = computeThreads
        queues = models.map { ModelQueue(model: $0) }
        var index: [ModelKey: Int] = [:]
        for (position, model) in models.enumerated() {
            precondition(index[model.key] == nil, "model \(model.key) is listed twice")
            index[model.key] = position
        }
        queueOfModel = index
    }

    package var isDrained: Bool {
        switch lifecycle {
        case .drained: true
        case .serving, .draining: false
        }
    }

    /// By model, in the order of the models.
    package var modelCounts: [ModelCounts] { queues.map(\.counts) }

    /// Every lease in hand, waiting or running (the cancelled ones left out), in ascending order: what a beat tells
    /// the broker. Cost: O(n log n).
    package var heldLeases: [LeaseToken] {
        tasks.keys.filter { isHeld($0) }.sorted()
    }

    package mutating func handle(_ event: Event, at now: Instant, into actions: inout [Action]) {
        switch event {
        case .taskArrived(let lease, let model, let items, let deadline):
            arrive(lease, model: model, items: items, deadline: deadline ?? .distantFuture, into: &actions)
        case .cancelled(let lease):
            cancel(lease, into: &actions)
        case .batchFinished(let batch):
            finish(batch, into: &actions)
        case .drainRequested:
            drain(into: &actions)
        }
        startBatches(at: now, into: &actions)
        becomeDrainedIfEmpty(into: &actions)
    }
}

extension BatchingStateMachine {
    private func isHeld(_ lease: LeaseToken) -> Bool {
        switch tasks[lease]?.state {
        case .waiting, .running: true
        case .cancelledWhileRunning, nil: false
        }
    }

    private mutating func arrive(
        _ lease: LeaseToken, model: ModelKey, items: Int, deadline: Instant, into actions: inout [Action]
    ) {
        // The network may deliver a task twice; the first copy stands.
        if tasks[lease] != nil { return }
        switch lifecycle {
        case .draining, .drained:
            actions.append(.sendHome(lease))
            return
        case .serving:
            break
        }
        guard let queue = queueOfModel[model], queuedItems + items <= limits.workerQueuedItemsMax else {
            actions.append(.sendHome(lease))
            return
        }
        tasks[lease] = Task(queue: queue, items: items, deadline: deadline, sequence: nextSequence, state: .waiting)
        nextSequence += 1
        queues[queue].leases.append(Waiting(lease: lease, sequence: nextSequence - 1))
        queues[queue].waitingCount += 1
        queues[queue].counts.queuedItems += items
        queuedItems += items
    }

    private mutating func cancel(_ lease: LeaseToken, into actions: inout [Action]) {
        guard let task = tasks[lease] else { return }  // answered already, or never seen
        switch task.state {
        case .waiting:
            leaveQueue(lease, task)
            actions.append(.drop(lease))
            compactIfMostlyGone(task.queue)
        case .running(let batch):
            tasks[lease]?.state = .cancelledWhileRunning
            guard let wanted = batches[batch]?.wantedCount else {
                preconditionFailure("running task without its batch")
            }
            batches[batch]?.wantedCount = wanted - 1
            if wanted == 1 { actions.append(.abandon(batch)) }
        case .cancelledWhileRunning:
            break
        }
    }

    private mutating func finish(_ id: BatchID, into actions: inout [Action]) {
        guard let batch = batches.removeValue(forKey: id) else {
            preconditionFailure("batch \(id.rawValue) finished and is not running")
        }
        busyThreads -= batch.threads
        for lease in batch.leases {
            guard let task = tasks.removeValue(forKey: lease) else { preconditionFailure("running task was forgotten") }
            runningItems -= task.items
            switch task.state {
            case .running: actions.append(.reply(lease))
            case .cancelledWhileRunning: actions.append(.drop(lease))
            case .waiting: preconditionFailure("a waiting task was in a batch")
            }
        }
    }

    private mutating func drain(into actions: inout [Action]) {
        switch lifecycle {
        case .draining, .drained:
            return
        case .serving:
            lifecycle = .draining
        }
        for queue in queues.indices {
            while let waiting = queues[queue].leases.popFirst() {
                guard let task = task(of: waiting) else { continue }
                leaveQueue(waiting.lease, task)
                actions.append(.sendHome(waiting.lease))
            }
        }
    }

    private mutating func becomeDrainedIfEmpty(into actions: inout [Action]) {
        switch lifecycle {
        case .serving, .drained:
            return
        case .draining:
            guard tasks.isEmpty else { return }
            lifecycle = .drained
            actions.append(.drained)
        }
    }

    /// The one place where waiting tasks and free threads meet.
    private mutating func startBatches(at now: Instant, into actions: inout [Action]) {
        while busyThreads < computeThreads, let queue = queueOfOldestTask() {
            let leases = takeBatch(from: queue, at: now, into: &actions)
            if leases.isEmpty { continue }  // all of them had expired; look again
            let id = BatchID(rawValue: nextBatch)
            nextBatch += 1
            for lease in leases { tasks[lease]?.state = .running(id) }
            let model = queues[queue].model
            let threads = threadsForBatch(of: model, items: leases.reduce(0) { $0 + (tasks[$1]?.items ?? 0) })
            busyThreads += threads
            batches[id] = Batch(leases: leases, threads: threads, wantedCount: leases.count)
            actions.append(.run(id, model: model.key, leases, threads: threads))
        }
    }

    /// All threads for a batch that is alone, else one.
    private func threadsForBatch(of model: Model, items: Int) -> Int {
        guard let splitItemsMin = model.splitItemsMin, items >= splitItemsMin, batches.isEmpty, queuedItems == 0 else {
            return 1
        }
        return computeThreads
    }

    /// The queue whose first waiting task arrived before all others, so that no model starves another.
    private mutating func queueOfOldestTask() -> Int? {
        var best: (queue: Int, sequence: UInt64)?
        for queue in queues.indices {
            guard let lease = firstWaiting(in: queue), let task = tasks[lease] else { continue }
            if let known = best, known.sequence < task.sequence { continue }
            best = (queue, task.sequence)
        }
        return best?.queue
    }

    private mutating func firstWaiting(in queue: Int) -> LeaseToken? {
        while let waiting = queues[queue].leases.first {
            if task(of: waiting) != nil { return waiting.lease }
            queues[queue].leases.removeFirst()
        }
        return nil
    }

    /// Takes tasks in order of arrival while they fit; the first one always fits.
    private mutating func takeBatch(from queue: Int, at now: Instant, into actions: inout [Action]) -> [LeaseToken] {
        var taken: [LeaseToken] = []
        var items = 0
        var nextIsTooMuch = false
        while let lease = firstWaiting(in: queue), let task = tasks[lease] {
            if task.deadline <= now {
                leaveQueue(lease, task)
                actions.append(.expire(lease))
                continue
            }
            if !taken.isEmpty && items + task.items > queues[queue].model.batchItemsMax {
                nextIsTooMuch = true
                break
            }
            queues[queue].leases.removeFirst()
            queues[queue].waitingCount -= 1
            queues[queue].counts.queuedItems -= task.items
            queuedItems -= task.items
            runningItems += task.items
            items += task.items
            taken.append(lease)
        }
        noteRelease(from: queue, isFull: nextIsTooMuch || items >= queues[queue].model.batchItemsMax, taken)
        return taken
    }

    private mutating func noteRelease(from queue: Int, isFull: Bool, _ taken: [LeaseToken]) {
        if taken.isEmpty { return }  // all had expired
        if isFull {
            queues[queue].counts.batchesFull += 1
        } else {
            queues[queue].counts.batchesIdle += 1
        }
    }

    private mutating func leaveQueue(_ lease: LeaseToken, _ task: Task) {
        tasks[lease] = nil
        queues[task.queue].waitingCount -= 1
        queues[task.queue].counts.queuedItems -= task.items
        queuedItems -= task.items
    }

    /// Keeps the queue of a worker that is sent and taken back many tasks from growing with the dead ones.
    private mutating func compactIfMostlyGone(_ queue: Int) {
        guard queues[queue].leases.count > 2 * queues[queue].waitingCount + 64 else { return }
        queues[queue].leases = Deque(queues[queue].leases.filter { task(of: $0) != nil })
    }

    /// The task that still waits in this place. A lease that was taken back and arrives once more stands in line twice, and only its
    /// second place counts.
    private func task(of waiting: Waiting) -> Task? {
        guard let task = tasks[waiting.lease], task.sequence == waiting.sequence else { return nil }
        return task
    }
}
