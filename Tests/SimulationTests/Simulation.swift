import Glibc
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

    /// `make sim SEEDS=1 FROM=seed TRACE=1` prints what the broker is told and what it does.
    static let isTracing = unsafe getenv("SINEW_SIMULATION_TRACE") != nil

    var random: SplitMix64
    var now: Instant
    var schedule = Schedule()
    var broker: SimulatedBroker?
    var clients: [SimulatedClient]
    var workers: [SimulatedWorker?]
    var lastConnection: [UInt64]
    var nextProcess: UInt64 = 0
    var incarnations: UInt64 = 0
    /// Of brokers that are gone.
    var hedgesBefore = 0
    /// Until when nothing passes from and to a worker.
    var cutFrom: [Instant]
    var cutTo: [Instant]
    var requestInHand: SimulatedBroker.Held?
    var resultInHand: (lease: LeaseToken, tag: UInt64)?
    var submitters: [SimulatedSubmitter] = []
    var disk = SimulatedDisk()
    var diskFullUntil: Instant
    var diskBreaks = false
    var flippedBits = 0
    /// What clients were told is on disk: jobs and their tasks.
    var acknowledged: [JobID: Set<Int>] = [:]
    /// Of all brokers.
    var tokensGiven: Set<LeaseToken> = []
    var brokerPausedUntil: Instant
    var workerPausedUntil: [Instant]
    var wallOffset = Duration.zero
    /// The broker dies before it does so many more things.
    var crashAfterActions: Int?
    /// A planted bug: the broker looks at a token's slot alone and takes any result as that of the lease which is valid there.
    let trustsEveryToken: Bool
    var replyInHand: Packet.Answer?
    var deadlyStarts = 0
    private(set) var violation: String?
    private(set) var steps = 0
    /// A digest of everything that happened, to see that a seed repeats.
    private(set) var trace: UInt64 = 0xCBF2_9CE4_8422_2325

    init(
        seed: UInt64, faults: Faults, clients: Int = 3, workers: Int = 4, callsPerClient: Int = 120,
        submitters: Int = 0, jobsPerSubmitter: Int = 0, trustsEveryToken: Bool = false
    ) {
        var random = SplitMix64(seed: seed)
        var limits = Limits()
        limits.queuedCallsMax = 60
        limits.callsPerClientMax = 50
        // Small ones, so that they are met.
        limits.jobTasksOfferedMax = 20
        limits.leaseSequencesPerBlock = 64
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
        cutFrom = Array(repeating: start, count: workers)
        cutTo = cutFrom
        workerPausedUntil = cutFrom
        brokerPausedUntil = start
        diskFullUntil = start
        self.trustsEveryToken = trustsEveryToken
        self.random = random
        self.submitters = (0..<submitters).map { planJobs($0, count: jobsPerSubmitter) }
        startBroker()
        for slot in 0..<workers { schedule.add(.startWorker(slot: slot), at: now + randomDuration(0...500)) }
        for client in 0..<clients { schedule.add(.userCalls(client: client), at: now + randomDuration(0...1_000)) }
        plan(faults.workerCrashes) { .crashWorker(slot: $0) }
        plan(faults.workerDrains) { .drainWorker(slot: $0) }
        plan(faults.cutLinks) { [self] in .cutLink(slot: $0, until: now + faults.until) }
        plan(faults.brokerCrashes) { _ in .crashBroker }
        for submitter in 0..<submitters {
            schedule.add(.submitterActs(submitter, number: 0), at: now + randomDuration(0...2_000))
        }
        plan(submitters > 0 ? faults.submitterCrashes : 0) { .crashSubmitter($0 % submitters) }
        plan(faults.fullDisks) { _ in .fillDisk }
        plan(faults.brokenDisks) { _ in .breakDisk }
        plan(faults.flippedBits) { _ in .flipBit }
        plan(faults.brokerPauses) { _ in .pauseBroker }
        plan(faults.workerPauses) { .pauseWorker(slot: $0) }
        plan(faults.clockJumps) { _ in .jumpWallClock }
    }

    var wall: WallTime {
        // It runs half a percent faster than the monotonic clock.
        WallTime(microseconds: 1_700_000_000_000_000) + (now - start) * 1.005 + wallOffset
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
            if now < (sender == address ? cutFrom : cutTo)[slot] { return }
        }
        if chance(faults.lossPercent) { return }
        let copies = chance(faults.duplicationPercent) ? 2 : 1
        for _ in 0..<copies {
            let delay = chance(faults.delayPercent) ? randomDuration(1...4_000) : randomDuration(0...3)
            schedule.add(.arrive(packet, from: sender, to: receiver), at: now + delay)
        }
    }

    func chance(_ percent: Int) -> Bool { percent > 0 && Int.random(in: 0..<100, using: &random) < percent }

    /// Runs until every call has ended and all was said, or a check fails.
    func run() {
        while violation == nil {
            guard let next = nextInstant() else { return fail("nothing will ever happen again, but calls are open") }
            if next > start + .seconds(600) || steps > 1_000_000 {
                return fail("the run does not end; submitters: \(submitters.map { "\($0.position) \($0.phase)" })")
            }
            now = Swift.max(now, next)
            steps += 1
            note(UInt64(bitPattern: now.nanoseconds))
            if let scheduled = schedule.first, scheduled <= now {
                if let occurrence = schedule.pop() { happen(occurrence) }
            } else {
                if let due = broker?.core.nextDeadline, due <= now, brokerRuns { feedBroker(.ticked) }
                for client in clients.indices {
                    if let due = clients[client].machine.nextDeadline, due <= now { feedClient(client, .ticked) }
                }
            }
            if isDone { break }
        }
        if violation == nil, let lost = lostAcknowledged { fail(lost) }
    }

    private var brokerRuns: Bool { broker?.hasStopped == false && now >= brokerPausedUntil }

    var isDone: Bool {
        now >= start + faults.until && clients.allSatisfy { $0.calls.count == callsPerClient }
            && clients.allSatisfy { $0.machine.callCount == 0 } && submitters.allSatisfy { $0.plan == nil }
    }

    private func nextInstant() -> Instant? {
        var next = schedule.first
        func consider(_ candidate: Instant?) {
            guard let candidate else { return }
            next = next.map { Swift.min($0, candidate) } ?? candidate
        }
        if brokerRuns { consider(broker?.core.nextDeadline) }
        for client in clients.indices { consider(clients[client].machine.nextDeadline) }
        return next
    }

    /// When a suspended process will see what happens to it now; nil when it runs.
    private func paused(_ occurrence: Occurrence) -> Instant? {
        let until: Instant
        switch occurrence {
        case .arrive(_, _, to: .broker), .diskDone, .drainBroker: until = brokerPausedUntil
        case .arrive(_, _, to: .worker(let connection)):
            guard let slot = workers.firstIndex(where: { $0?.connection == connection }) else { return nil }
            until = workerPausedUntil[slot]
        case .workerBeats(let slot, _), .batchDone(let slot, _, _), .drainWorker(let slot):
            until = workerPausedUntil[slot]
        case .arrive, .userCalls, .userCancels, .startWorker, .crashWorker, .crashBroker, .startBroker, .cutLink,
            .fillDisk, .breakDisk, .flipBit, .pauseBroker, .pauseWorker, .jumpWallClock, .submitterActs,
            .crashSubmitter, .resumeBroker:
            return nil
        }
        return now < until ? until : nil
    }

    private func happen(_ occurrence: Occurrence) {
        if let until = paused(occurrence) { return schedule.add(occurrence, at: until) }
        switch occurrence {
        case .arrive(let packet, let sender, let receiver):
            switch receiver {
            case .broker: deliver(packet, toBrokerFrom: sender)
            case .client(let client): deliver(packet, toClient: client)
            case .submitter(let submitter): deliver(packet, toSubmitter: submitter)
            case .worker(let connection): deliver(packet, toWorker: connection)
            }
        case .userCalls(let client): userCalls(client)
        case .userCancels(let client, let call): userCancels(client, call)
        case .workerBeats(let slot, let process): beat(slot, process: process)
        case .batchDone(let slot, let process, let batch): finishBatch(slot, process: process, batch)
        case .startWorker(let slot): startWorker(slot)
        case .crashWorker(let slot): crashWorker(slot)
        case .drainWorker(let slot): drainWorker(slot)
        case .cutLink(let slot, _):
            let until = now + randomDuration(500...8_000)
            let ways = Int.random(in: 0..<3, using: &random)
            if ways != 1 { cutFrom[slot] = until }
            if ways != 0 { cutTo[slot] = until }
        // Between any two things that the broker does, or now.
        case .crashBroker:
            if let broker, broker.hasStopped { return crashBroker() }
            if broker != nil { chance(70) ? crashAfterActions = Int.random(in: 0..<40, using: &random) : crashBroker() }
        case .startBroker: startBroker()
        case .drainBroker(let duration):
            if broker != nil { feedBroker(.calls(.drainRequested(until: now + duration))) }
        case .diskDone, .fillDisk, .breakDisk, .flipBit, .pauseBroker, .resumeBroker, .pauseWorker, .jumpWallClock,
            .submitterActs, .crashSubmitter:
            happenToJobs(occurrence)
        }
    }

    private func happenToJobs(_ occurrence: Occurrence) {
        switch occurrence {
        case .diskDone(let opening): finishDiskWork(opening: opening)
        case .fillDisk: diskFullUntil = now + randomDuration(200...4_000)
        case .breakDisk: diskBreaks = true
        case .flipBit: if disk.flipBit(using: &random) { flippedBits += 1 }
        case .pauseBroker:
            let time = randomDuration(50...6_000)
            brokerPausedUntil = now + time
            schedule.add(.resumeBroker(after: time), at: brokerPausedUntil)
        case .resumeBroker(let time): if brokerRuns { feedBroker(.calls(.stalled(time))) }
        case .pauseWorker(let slot): workerPausedUntil[slot] = now + randomDuration(50...6_000)
        case .jumpWallClock: wallOffset += randomDuration(0...3_000) - .milliseconds(1_500)
        case .submitterActs(let submitter, let number): submitterActs(submitter, number: number)
        case .crashSubmitter(let submitter): crashSubmitter(submitter)
        case .arrive, .userCalls, .userCancels, .workerBeats, .batchDone, .startWorker, .crashWorker, .drainWorker,
            .crashBroker, .startBroker, .cutLink, .drainBroker:
            fail("\(occurrence) has nothing to do with jobs")
        }
    }

    /// FNV-1a.
    private func note(_ value: UInt64) { trace = (trace ^ value) &* 0x0000_0100_0000_01B3 }
}
