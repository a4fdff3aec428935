internal import Logging
internal import SinewCore
internal import SinewModels
internal import SinewWire
internal import SinewZeroMQ

extension WorkerLoop {
    /// Does what the batching machine decided.
    mutating func perform(_ action: BatchingStateMachine.Action) throws(ZeroMQError) {
        switch action {
        case .run(let batch, _, let leases, let threads): run(batch, leases, threads: threads)
        case .reply(let lease):
            guard let answer = answers.removeValue(forKey: lease) else {
                preconditionFailure("a finished task has no answer")
            }
            try settle(lease, answer)
        case .expire(let lease):
            let failure = CallFailure(
                .deadlineExceeded, .deadlineExceeded,
                "the deadline passed while the call waited in worker "
                    + "\(configuration.name); allow more time or start more workers")
            try settle(lease, failure.answer)
        case .sendHome(let lease):
            guard let task = forget(lease) else { return }
            try send(Head(kind: .returned, callID: task.callID, lease: task.brokerLease, attempt: task.attempt))
            // It crossed the goodbye on its way; the broker can forget the worker only after another one.
            if case .farewell = lifecycle { try sayFarewell() }
        case .drop(let lease):
            answers[lease] = nil
            forget(lease)
        case .abandon(let batch): running[batch]?.cancellation.cancel()
        case .drained: try beginFarewell()
        }
    }

    private mutating func run(_ batch: BatchID, _ leases: [LeaseToken], threads count: Int) {
        guard let thread = takeThread(toLead: count), let first = tasks[leases[0]] else {
            preconditionFailure("a batch was started without a free thread or without a task")
        }
        let now = clock.now
        let cancellation = Cancellation()
        let parts = leases.map { lease in
            guard let task = tasks[lease] else { preconditionFailure("a started task is not in hand") }
            return BatchJob.Part(
                lease: lease, method: task.method, payload: task.payload, declaredItems: Int(task.items),
                queueMicroseconds: (now - task.arrived).remainingMicroseconds)
        }
        for lease in leases {
            tasks[lease]?.started = now
            tasks[lease]?.batch = batch
        }
        running[batch] = RunningBatch(thread: thread, model: first.model, threads: count, cancellation: cancellation)
        threads[thread].run(
            BatchJob(
                id: batch, model: models.all[first.model], parts: parts, team: count > 1 ? team : .alone,
                cancellation: cancellation))
    }

    /// A free thread; the team's lead is thread 0, which is pinned apart from the helpers.
    private mutating func takeThread(toLead count: Int) -> Int? {
        guard count > 1 else { return freeThreads.popLast() }
        return freeThreads.firstIndex(of: 0).map { freeThreads.remove(at: $0) }
    }

    /// A compute thread is done with a batch.
    mutating func finish(_ result: BatchResult) throws(ZeroMQError) {
        guard let batch = running.removeValue(forKey: result.id) else {
            preconditionFailure("a batch finished that was not running")
        }
        freeThreads.append(batch.thread)
        counters.note(
            result, of: batch.model, threads: batch.threads,
            expected: measured[batch.model].expectedWork(items: result.itemCount, threads: batch.threads))
        for (lease, answer) in zip(result.leases, result.answers) {
            answers[lease] = answer
            tasks[lease]?.computed = result.busy
            tasks[lease]?.batchItems = result.itemCount
        }
        try step(.batchFinished(result.id))
    }

    private mutating func settle(_ lease: LeaseToken, _ answer: Answer) throws(ZeroMQError) {
        guard let task = forget(lease) else { return }
        counters.note(
            answer, of: task.model, items: Int(task.items), queued: task.started.map { $0 - task.arrived },
            computed: task.computed, total: clock.now - task.arrived)
        let head = Head(
            kind: .result, callID: task.callID, lease: task.brokerLease, attempt: task.attempt, items: task.items,
            status: answer.status, errorCode: answer.code.rawValue)
        if logsTasks { log(task, answer) }
        let timings = answer.status == .ok && task.metadata?.wantsTimings == true ? timings(of: task) : nil
        try send(head, metadata: timings?.encode(), payload: answer.payload)
    }

    @discardableResult
    private mutating func forget(_ lease: LeaseToken) -> Task? {
        guard let task = tasks.removeValue(forKey: lease) else { return nil }
        // After an introduction the same number may already stand for a task of the new broker.
        if leaseOfBroker[task.brokerLease] == lease { leaseOfBroker[task.brokerLease] = nil }
        return task
    }
}
