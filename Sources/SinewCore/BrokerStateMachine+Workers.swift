extension BrokerStateMachine {
    var readyWorkerCount: Int {
        var count = 0
        for worker in workers where worker?.lifecycle == .ready { count += 1 }
        return count
    }

    mutating func introduce(
        _ id: WorkerID, _ introduction: WorkerIntroduction, at now: Instant, into actions: inout [Action]
    ) {
        if let slot = slotOfWorker[id], let known = workers[slot] {
            if known.incarnation == introduction.incarnation {
                hear(slot, at: now)
                // A copy of an old hello must not bring back a worker that has said goodbye.
                if known.lifecycle == .ready { actions.append(.welcome(id)) }
                return
            }
            lose(slot, .restarted, at: now, into: &actions)
        }
        if let refusal = reasonToRefuse(introduction) {
            actions.append(.refuse(id, refusal))
            return
        }
        let served = introduction.models.map { queueIndex(of: $0) }
        let slot = freeWorkerSlots.popLast() ?? workers.count
        if slot == workers.count { workers.append(nil) }
        workers[slot] = BrokerWorker(
            id: id, incarnation: introduction.incarnation, queues: served,
            creditItems: Swift.min(Swift.max(introduction.creditItems, 1), limits.creditItemsMax), at: now)
        slotOfWorker[id] = slot
        for queue in served { queues[queue].readyWorkers += 1 }
        fleetVersion += 1
        hear(slot, at: now)
        actions.append(.welcome(id))
    }

    private func reasonToRefuse(_ introduction: WorkerIntroduction) -> WorkerRefusal? {
        switch lifecycle {
        case .stopped: return .stopped
        case .serving, .draining: break
        }
        if slotOfWorker.count >= limits.workersMax { return .tooManyWorkers(max: limits.workersMax) }
        if introduction.models.isEmpty { return .noModels }
        if introduction.models.count > limits.modelsPerWorkerMax {
            return .tooManyModels(max: limits.modelsPerWorkerMax)
        }
        let new = introduction.models.filter { queueOfModel[$0] == nil }
        if queues.count + new.count > limits.modelKeysMax { return .tooManyModels(max: limits.modelKeysMax) }
        return nil
    }

    private mutating func queueIndex(of key: ModelKey) -> Int {
        if let known = queueOfModel[key] { return known }
        queues.append(ModelQueue(key: key))
        queueOfModel[key] = queues.count - 1
        return queues.count - 1
    }

    /// Every message of a worker proves that it lives.
    mutating func hear(_ slot: Int, at now: Instant) {
        workers[slot]?.heard = now
        silences.set(slot, now + limits.workerSilenceMax)
    }

    mutating func beat(_ id: WorkerID, holding: [LeaseToken]?, at now: Instant, into actions: inout [Action]) {
        guard let slot = slotOfWorker[id], let worker = workers[slot] else {
            actions.append(.askForHello(id))
            return
        }
        hear(slot, at: now)
        guard let holding else {
            for task in worker.leased { confirm(task, on: slot, at: now) }
            return
        }
        for token in holding {
            guard isValid(token, on: slot) else { continue }
            confirm(token.slot, on: slot, at: now)
        }
        // A lease that is not named may be on its way in either direction, so it is only lost after its full time.
        for task in worker.leased {
            guard let lease = tasks[task].lease(on: slot) else { preconditionFailure("a queued task on a worker") }
            guard lease.confirmed + limits.leaseDuration <= now else { continue }
            counts.leasesLost += 1
            counts.leasesExpired += 1
            actions.append(.withdraw(tasks[task].id, tasks[task].token(of: lease), from: id))
            if dropLease(task, on: slot, at: now) { continue }
            requeue(task, diedWithWorker: false, at: now, into: &actions)
        }
    }

    private mutating func confirm(_ slot: Int, on worker: Int, at now: Instant) {
        tasks[slot].update(on: worker) { $0.confirmed = now }
    }

    mutating func settle(_ id: WorkerID, _ token: LeaseToken, at now: Instant, into actions: inout [Action]) {
        guard let (worker, slot) = validLease(id, token, at: now, into: &actions) else { return }
        let task = tasks[slot]
        workers[worker]?.rate.noteSettled(items: task.items)
        deadlines.remove(slot)
        if dropLease(slot, on: worker, at: now), case .leased(let other) = tasks[slot].state {
            if let slower = workers[other.worker] {
                actions.append(.withdraw(task.id, task.token(of: other), from: slower.id))
            }
            endLease(slot, other, at: now)
        }
        stragglers.remove(slot)
        tasks.remove(slot)
        counts.callsDone += 1
        counts.itemsDone += task.items
        actions.append(.deliver(task.id, to: task.client, task.call, attempt: task.attempt))
    }

    /// Only a worker that drains gives work back, so it gets no more.
    mutating func takeBack(_ id: WorkerID, _ token: LeaseToken, at now: Instant, into actions: inout [Action]) {
        if let slot = slotOfWorker[id] { startLeaving(slot) }
        guard let (worker, slot) = validLease(id, token, at: now, into: &actions) else { return }
        if dropLease(slot, on: worker, at: now) { return }
        requeue(slot, diedWithWorker: false, at: now, into: &actions)
    }

    /// Worker and task that a token stands for, if it is valid and this worker has it.
    private mutating func validLease(
        _ id: WorkerID, _ token: LeaseToken, at now: Instant, into actions: inout [Action]
    ) -> (worker: Int, slot: Int)? {
        guard let worker = slotOfWorker[id] else {
            counts.staleLeases += 1
            actions.append(.askForHello(id))
            return nil
        }
        hear(worker, at: now)
        guard isValid(token, on: worker) else {
            counts.staleLeases += 1
            return nil
        }
        return (worker, token.slot)
    }

    private func isValid(_ token: LeaseToken, on worker: Int) -> Bool {
        guard let task = tasks.task(at: token.slot), let lease = task.lease(on: worker) else { return false }
        return task.token(of: lease) == token
    }

    mutating func sayGoodbye(_ id: WorkerID, at now: Instant, into actions: inout [Action]) {
        guard let slot = slotOfWorker[id], let worker = workers[slot] else { return }
        hear(slot, at: now)
        startLeaving(slot)
        if worker.leased.isEmpty { lose(slot, .saidGoodbye, at: now, into: &actions) }
    }

    mutating func drainWorker(_ id: WorkerID, into actions: inout [Action]) {
        guard let slot = slotOfWorker[id] else { return }
        startLeaving(slot)
        actions.append(.drainWorker(id))
    }

    private mutating func startLeaving(_ slot: Int) {
        guard let worker = workers[slot], worker.lifecycle == .ready else { return }
        workers[slot]?.lifecycle = .leaving
        for queue in worker.queues { queues[queue].readyWorkers -= 1 }
        fleetVersion += 1
        switch worker.reservation {
        case .emptying(let queue):
            workers[slot]?.reservation = .none
            queues[queue].soloWorker = nil
        case .none, .alone: break
        }
    }

    mutating func disconnect(_ id: WorkerID, unsent: LeaseToken, at now: Instant, into actions: inout [Action]) {
        guard let slot = slotOfWorker[id] else { return }
        // The lease that never left costs its task nothing.
        if isValid(unsent, on: slot), !dropLease(unsent.slot, on: slot, at: now) {
            requeue(unsent.slot, diedWithWorker: false, at: now, into: &actions)
        }
        if slotOfWorker[id] != nil { lose(slot, .disconnected, at: now, into: &actions) }
    }

    mutating func extendSilences(by duration: Duration) {
        for slot in workers.indices {
            guard let worker = workers[slot] else { continue }
            silences.set(slot, worker.heard + limits.workerSilenceMax + duration)
        }
    }

    mutating func forgetSilentWorkers(at now: Instant, except speaker: WorkerID?, into actions: inout [Action]) {
        // The message in hand shows that its sender lives, however late the driver came to read it.
        if let speaker, let slot = slotOfWorker[speaker] { hear(slot, at: now) }
        while let due = silences.min, due.key <= now { lose(due.slot, .silent, at: now, into: &actions) }
    }

    /// Forgets a worker; what it held runs again elsewhere. Only a worker that went without a word counts as a death.
    mutating func lose(_ slot: Int, _ loss: WorkerLoss, at now: Instant, into actions: inout [Action]) {
        guard let worker = workers[slot] else { preconditionFailure("a worker was lost twice") }
        let isDeath = worker.lifecycle == .ready
        startLeaving(slot)
        if loss != .saidGoodbye { counts.leasesExpired += worker.leased.count }
        for task in worker.leased.sorted() {
            if dropLease(task, on: slot, at: now) {
                if isDeath {
                    tasks[task].deaths += 1
                    noteDeaths(tasks[task], into: &actions)
                }
                continue
            }
            requeue(task, diedWithWorker: isDeath, at: now, into: &actions)
        }
        silences.remove(slot)
        slotOfWorker[worker.id] = nil
        workers[slot] = nil
        freeWorkerSlots.append(slot)
        if isDeath { counts.workersLost += 1 }
        actions.append(.forget(worker.id, loss))
    }
}
