import SinewCore
import TestSupport

/// Clients, a broker and workers on a virtual clock and a network that loses, duplicates, delays and reorders.
///
/// The processes are thin drivers around the very state machines that run in production. All chance comes from one
/// seed, so seed and commit replay a run exactly. Checks run at every step; the first violation ends the run.
final class Simulation {
    let start = Instant(nanoseconds: 1_000_000_000_000)
    let limits: Limits
    let faults: Faults
    let callsPerClient: Int
    let callEveryMilliseconds = 120
    let itemTimes: [Duration]

    var random: SplitMix64
    var now: Instant
    var schedule = Schedule()
    var broker: SimulatedBroker?
    var clients: [SimulatedClient]
    var workers: [SimulatedWorker?]
    var lastConnection: [UInt64]
    var nextProcess: UInt64 = 0
    var incarnations: UInt64 = 0
    var cutUntil: [Instant]
    var requestInHand: Packet.Request?
    var resultInHand: (lease: LeaseToken, tag: UInt64, wasValid: Bool)?
    var replyInHand: Packet.Answer?
    var deadlyStarts = 0
    private(set) var violation: String?
    private(set) var steps = 0
    /// A digest of everything that happened, to see that a seed repeats.
    private(set) var trace: UInt64 = 0xCBF2_9CE4_8422_2325

    init(seed: UInt64, faults: Faults, clients: Int = 3, workers: Int = 4, callsPerClient: Int = 120) {
        var random = SplitMix64(seed: seed)
        var limits = Limits()
        limits.queuedCallsMax = 60
        limits.callsPerClientMax = 50
        self.limits = limits
        self.faults = faults
        self.callsPerClient = callsPerClient
        now = start
        // The last one is slow.
        itemTimes = (0..<workers).map { .milliseconds($0 == workers - 1 ? 40 : Int.random(in: 1...6, using: &random)) }
        self.clients = (0..<clients).map { index in
            SimulatedClient(
                machine: ClientStateMachine(
                    limits: limits, waitForReady: true, seed: seed &* 1_000 &+ UInt64(index)))
        }
        self.workers = Array(repeating: nil, count: workers)
        lastConnection = Array(repeating: 0, count: workers)
        cutUntil = Array(repeating: start, count: workers)
        self.random = random
        startBroker()
        for slot in 0..<workers { schedule.add(.startWorker(slot: slot), at: now + randomDuration(0...500)) }
        for client in 0..<clients { schedule.add(.userCalls(client: client), at: now + randomDuration(0...1_000)) }
        plan(faults.workerCrashes) { .crashWorker(slot: $0) }
        plan(faults.workerDrains) { .drainWorker(slot: $0) }
        plan(faults.cutLinks) { [self] in .cutLink(slot: $0, until: now + faults.until) }
        plan(faults.brokerCrashes) { _ in .crashBroker }
    }

    private func plan(_ count: Int, _ make: (Int) -> Occurrence) {
        let milliseconds = Int(faults.until.components.seconds) * 1_000
        for _ in 0..<count {
            let slot = Int.random(in: 0..<workers.count, using: &random)
            schedule.add(make(slot), at: start + randomDuration(500...Swift.max(501, milliseconds)))
        }
    }

    func randomDuration(_ milliseconds: ClosedRange<Int>) -> Duration {
        .microseconds(
            Int.random(in: milliseconds.lowerBound * 1_000...milliseconds.upperBound * 1_000, using: &random))
    }

    func fail(_ text: String) {
        if violation == nil { violation = "at \(now - start): \(text)" }
    }

    /// Gives a packet to the network.
    func transmit(_ packet: Packet, from sender: Address, to receiver: Address) {
        guard now < start + faults.until else {
            schedule.add(.arrive(packet, from: sender, to: receiver), at: now + .microseconds(200))
            return
        }
        for address in [sender, receiver] {
            guard case .worker(let connection) = address,
                let slot = workers.firstIndex(where: { $0?.connection == connection })
            else { continue }
            if now < cutUntil[slot] { return }
        }
        if chance(faults.lossPercent) { return }
        let copies = chance(faults.duplicationPercent) ? 2 : 1
        for _ in 0..<copies {
            let delay = chance(faults.delayPercent) ? randomDuration(1...4_000) : randomDuration(0...3)
            schedule.add(.arrive(packet, from: sender, to: receiver), at: now + delay)
        }
    }

    private func chance(_ percent: Int) -> Bool { percent > 0 && Int.random(in: 0..<100, using: &random) < percent }

    /// Runs until every call has ended and all was said, or a check fails.
    func run() {
        while violation == nil {
            guard let next = nextInstant() else { return fail("nothing will ever happen again, but calls are open") }
            if next > start + .seconds(600) || steps > 1_000_000 { return fail("the run does not end") }
            now = Swift.max(now, next)
            steps += 1
            note(UInt64(bitPattern: now.nanoseconds))
            if let scheduled = schedule.first, scheduled <= now {
                if let occurrence = schedule.pop() { happen(occurrence) }
            } else {
                if let due = broker?.machine.nextDeadline, due <= now, broker?.hasStopped == false {
                    feedBroker(.ticked)
                }
                for client in clients.indices {
                    if let due = clients[client].machine.nextDeadline, due <= now { feedClient(client, .ticked) }
                }
            }
            if isDone { return }
        }
    }

    var isDone: Bool {
        now >= start + faults.until && clients.allSatisfy { $0.calls.count == callsPerClient }
            && clients.allSatisfy { $0.machine.callCount == 0 }
    }

    private func nextInstant() -> Instant? {
        var next = schedule.first
        func consider(_ candidate: Instant?) {
            guard let candidate else { return }
            next = next.map { Swift.min($0, candidate) } ?? candidate
        }
        if broker?.hasStopped == false { consider(broker?.machine.nextDeadline) }
        for client in clients { consider(client.machine.nextDeadline) }
        return next
    }

    private func happen(_ occurrence: Occurrence) {
        switch occurrence {
        case .arrive(let packet, let sender, let receiver):
            switch receiver {
            case .broker: deliver(packet, toBrokerFrom: sender)
            case .client(let client): deliver(packet, toClient: client)
            case .worker(let connection): deliver(packet, toWorker: connection)
            }
        case .userCalls(let client): userCalls(client)
        case .userCancels(let client, let call): userCancels(client, call)
        case .workerBeats(let slot, let process): beat(slot, process: process)
        case .batchDone(let slot, let process, let batch): finishBatch(slot, process: process, batch)
        case .startWorker(let slot): startWorker(slot)
        case .crashWorker(let slot): crashWorker(slot)
        case .drainWorker(let slot): drainWorker(slot)
        case .cutLink(let slot, _): cutUntil[slot] = now + randomDuration(500...8_000)
        case .crashBroker:
            guard broker != nil else { return }
            broker = nil
            schedule.add(.startBroker, at: now + randomDuration(100...2_000))
        case .startBroker: startBroker()
        case .drainBroker(let duration):
            if broker != nil { feedBroker(.drainRequested(until: now + duration)) }
        }
    }

    /// FNV-1a.
    private func note(_ value: UInt64) { trace = (trace ^ value) &* 0x0000_0100_0000_01B3 }
}
