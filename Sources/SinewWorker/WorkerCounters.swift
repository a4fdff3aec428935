package import SinewCore
internal import SinewMetrics
package import SinewWire

/// What a worker has done since it started, all together and by model.
package struct WorkerCounters: Sendable {
    private(set) var itemsDone: UInt64 = 0
    private var batchesDone: UInt64 = 0
    private var busy: Duration = .zero
    private var largestBatch = 0
    private var batchSizes: [BatchSizeCount] = []
    private var models: [ModelActivity]

    /// - Parameter models: in the order in which they are loaded, with name, version, load time and best batch size.
    package init(models: [ModelActivity]) { self.models = models }

    /// A compute thread is done with a batch.
    ///
    /// - Parameters:
    ///   - threads: how many solved it together.
    ///   - expected: how long they should have been at work by the batch table, summed over them; nil when there is none.
    package mutating func note(_ result: BatchResult, of model: Int, threads: Int, expected: Duration?) {
        busy += result.busy * threads
        models[model].busyMicroseconds += (result.busy * threads).remainingMicroseconds
        // A batch whose every request was refused never reached a model.
        guard result.itemCount > 0 else { return }
        itemsDone += UInt64(result.itemCount)
        batchesDone += 1
        largestBatch = max(largestBatch, result.itemCount)
        batchSizes.note(size: UInt32(clamping: result.itemCount))
        models[model].batches += 1
        models[model].batchItems += UInt64(result.itemCount)
        models[model].batchSizes.note(size: UInt32(clamping: result.itemCount))
        models[model].expectedMicroseconds += expected?.remainingMicroseconds ?? 0
        models[model].flop += 2 * UInt64(result.multiplyAdds)
    }

    /// A request is being answered.
    ///
    /// - Parameters:
    ///   - items: people in it.
    ///   - queued: how long it waited for its batch; nil when it never got into one.
    ///   - computed: how long its batch took.
    ///   - total: from its arrival until now.
    package mutating func note(
        _ answer: Answer, of model: Int, items: Int, queued: Duration?, computed: Duration?, total: Duration
    ) {
        if answer.status == .ok {
            models[model].requestsOk += 1
        } else {
            models[model].requestsFailed += 1
        }
        models[model].itemsOk += UInt64(answer.itemsSolved)
        models[model].itemsFailed += UInt64(max(items - answer.itemsSolved, 0))
        if let queued { models[model].queueTime.note(queued.remainingMicroseconds) }
        if let computed { models[model].computeTime.note(computed.remainingMicroseconds) }
        models[model].totalTime.note(total.remainingMicroseconds)
    }

    /// The counters as they are sent, with the process's use of processor and memory.
    package func beat(
        queuedItems: Int, runningItems: Int, modelCounts: [BatchingStateMachine.ModelCounts], leases: [UInt64]?
    ) -> WorkerBeat {
        var models = models
        for (index, counts) in modelCounts.enumerated() {
            models[index].queuedItems = UInt32(clamping: counts.queuedItems)
            models[index].batchesFull = UInt64(counts.batchesFull)
            models[index].batchesIdle = UInt64(counts.batchesIdle)
        }
        let usage = ProcessUsage.now
        return WorkerBeat(
            itemsDone: itemsDone, batchesDone: batchesDone, busyMicroseconds: busy.remainingMicroseconds,
            largestBatch: UInt32(largestBatch), batchSizes: batchSizes, queuedItems: UInt32(queuedItems),
            runningItems: UInt32(runningItems), holding: leases.map { HeldLeases(leases: $0) },
            cpuMicroseconds: usage.processorMicroseconds, residentBytes: usage.residentBytes, models: models)
    }
}
