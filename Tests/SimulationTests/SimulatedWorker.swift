import SinewCore

/// A worker process around the batching machine, as `SinewWorker` is one.
struct SimulatedWorker {
    static let niki = ModelKey("niki/1")
    static let hybrik = ModelKey("hybrik/1")
    static let announced = ["niki/1", "niki", "hybrik/1", "hybrik"].map { ModelKey($0) }

    /// Another number for each process started in the slot.
    let process: UInt64
    /// The connection; a process may come back under the old one.
    let connection: UInt64
    let itemTime: Duration
    let creditItems: Int
    var machine: BatchingStateMachine
    var requests: [LeaseToken: Packet.Request] = [:]
    var running: [BatchID: [LeaseToken]] = [:]
    var isDraining = false

    init(process: UInt64, connection: UInt64, itemTime: Duration, creditItems: Int, limits: Limits) {
        self.process = process
        self.connection = connection
        self.itemTime = itemTime
        self.creditItems = creditItems
        machine = BatchingStateMachine(
            models: [.init(key: Self.niki, batchItemsMax: 16), .init(key: Self.hybrik, batchItemsMax: 64)],
            computeThreads: 2, limits: limits)
    }

    /// `niki` means the version that is loaded.
    static func resolve(_ key: ModelKey) -> ModelKey {
        key.rawValue.contains("/") ? key : ModelKey(key.rawValue + "/1")
    }

    var introduction: BrokerStateMachine.WorkerIntroduction {
        .init(incarnation: process, models: Self.announced, creditItems: creditItems)
    }
}

extension Simulation {
    func startWorker(_ slot: Int) {
        guard workers[slot] == nil else { return }
        nextProcess += 1
        // Half of the restarted processes come back under their old address, as one with a fixed routing id does.
        let old = lastConnection[slot]
        let connection = old != 0 && Bool.random(using: &random) ? old : nextProcess
        lastConnection[slot] = connection
        let worker = SimulatedWorker(
            process: nextProcess, connection: connection, itemTime: itemTimes[slot], creditItems: 40, limits: limits)
        workers[slot] = worker
        transmit(.hello(worker.introduction), from: .worker(connection), to: .broker)
        schedule.add(.workerBeats(slot: slot, process: worker.process), at: now + limits.beatInterval)
    }

    /// SIGKILL: not a word to anybody.
    func crashWorker(_ slot: Int) {
        guard workers[slot] != nil else { return }
        workers[slot] = nil
        schedule.add(.startWorker(slot: slot), at: now + randomDuration(200...2_500))
    }

    func beat(_ slot: Int, process: UInt64) {
        guard let worker = workers[slot], worker.process == process else { return }
        transmit(.beat(holding: worker.machine.heldLeases), from: .worker(worker.connection), to: .broker)
        // No two clocks run equally fast: up to one percent apart.
        let drift = limits.beatInterval * Double(slot % 3 - 1) / 100
        schedule.add(.workerBeats(slot: slot, process: process), at: now + limits.beatInterval + drift)
    }

    func deliver(_ packet: Packet, toWorker connection: UInt64) {
        guard let slot = workers.firstIndex(where: { $0?.connection == connection }), let worker = workers[slot] else {
            return
        }
        switch packet {
        case .welcome: break
        case .helloAgain:
            if !worker.isDraining {
                transmit(.hello(worker.introduction), from: .worker(connection), to: .broker)
            }
        case .task(let lease, let request, let remaining):
            if workers[slot]?.requests[lease] == nil { workers[slot]?.requests[lease] = request }
            feed(
                slot,
                .taskArrived(
                    lease, model: SimulatedWorker.resolve(request.model), items: request.items,
                    deadline: now + remaining))
        case .cancelTask(let lease): feed(slot, .cancelled(lease))
        case .call, .cancel, .ping, .ask, .reply, .pong, .goingAway, .told, .hello, .beat, .result, .returned,
            .goodbye:
            fail("a worker was sent \(packet)")
        }
    }

    func feed(_ slot: Int, _ event: BatchingStateMachine.Event) {
        guard var worker = workers[slot] else { return }
        var actions: [BatchingStateMachine.Action] = []
        worker.machine.handle(event, at: now, into: &actions)
        workers[slot] = worker
        for action in actions { perform(action, slot) }
    }

    private func perform(_ action: BatchingStateMachine.Action, _ slot: Int) {
        guard let worker = workers[slot] else { return }  // it died of the action before
        let address = Address.worker(worker.connection)
        switch action {
        case .run(let batch, let model, let leases, _):
            var items = 0
            for lease in leases {
                guard let request = worker.requests[lease] else { return fail("a batch holds an unknown lease") }
                if SimulatedWorker.resolve(request.model) != model { fail("two models share a batch") }
                if request.isDeadly {
                    if request.tag >> 40 == 0 { deadlyStarts += 1 }
                    return crashWorker(slot)
                }
                items += request.items
            }
            workers[slot]?.running[batch] = leases
            schedule.add(
                .batchDone(slot: slot, process: worker.process, batch), at: now + worker.itemTime * Double(items))
        case .reply(let lease):
            guard let request = workers[slot]?.requests.removeValue(forKey: lease) else {
                return fail("a worker answers an unknown lease")
            }
            var status: UInt8 = request.isWrong ? 3 : 0
            if chance(request.failPercent) { status = 13 }
            transmit(.result(lease, tag: Packet.solve(request.tag), status: status), from: address, to: .broker)
        case .expire(let lease), .drop(let lease):
            workers[slot]?.requests[lease] = nil
        case .sendHome(let lease):
            workers[slot]?.requests[lease] = nil
            transmit(.returned(lease), from: address, to: .broker)
        case .abandon: break
        case .drained:
            transmit(.goodbye, from: address, to: .broker)
            workers[slot] = nil
            schedule.add(.startWorker(slot: slot), at: now + randomDuration(100...1_000))
        }
    }

    func drainWorker(_ slot: Int) {
        guard workers[slot] != nil else { return }
        workers[slot]?.isDraining = true
        feed(slot, .drainRequested)
    }

    func finishBatch(_ slot: Int, process: UInt64, _ batch: BatchID) {
        guard let worker = workers[slot], worker.process == process else { return }
        workers[slot]?.running[batch] = nil
        feed(slot, .batchFinished(batch))
    }
}
