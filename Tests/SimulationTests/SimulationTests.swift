import SinewCore
import Testing

/// Seeded runs of clients, broker and workers under faults. A failure names its seed, which replays it.
@Suite(.timeLimit(.minutes(5))) struct SimulationTests {
    private func run(_ seed: UInt64, _ faults: Faults, callsPerClient: Int = 120) -> Simulation {
        let simulation = Simulation(seed: seed, faults: faults, callsPerClient: callsPerClient)
        simulation.run()
        if let violation = simulation.violation {
            Issue.record("seed \(seed): \(violation)")
        } else {
            check(simulation, seed)
        }
        return simulation
    }

    /// What must hold at the end: each call ended once, at its deadline at the latest, and those made after the faults
    /// stopped got their results.
    private func check(_ simulation: Simulation, _ seed: UInt64) {
        for (number, client) in simulation.clients.enumerated() {
            for (index, call) in client.calls.enumerated() {
                let what = "seed \(seed), client \(number), call \(index)"
                guard let outcome = call.outcome else {
                    Issue.record("\(what): never ended")
                    continue
                }
                // What was made just before the end of the faults may still suffer from them.
                let calm = simulation.start + simulation.faults.until + .seconds(10)
                guard call.made >= calm, !call.isCancelled, !call.request.isDeadly else { continue }
                #expect(
                    outcome == .answered(.result(tag: Packet.solve(call.request.tag))), "\(what), made at \(call.made)")
            }
        }
        if let broker = simulation.broker, simulation.violation == nil {
            // Only calls whose answer or cancellation was lost may be left, and they end at their deadlines.
            #expect(broker.held.count == broker.machine.callsHeld, "seed \(seed)")
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>) func `without faults every call gets its result`(seed: UInt64) {
        let simulation = run(seed, .none)
        #expect(simulation.broker?.machine.counts.workersLost == 0)
        #expect(simulation.broker?.machine.counts.leasesLost == 0)
        #expect(simulation.broker?.machine.counts.tasksRequeued == 0)
    }

    @Test(arguments: 100...119 as ClosedRange<UInt64>)
    func `a network that loses, repeats and reorders answers each call once`(seed: UInt64) {
        var faults = Faults()
        faults.until = .seconds(30)
        faults.lossPercent = 5
        faults.duplicationPercent = 5
        faults.delayPercent = 5
        faults.cutLinks = 3
        _ = run(seed, faults, callsPerClient: 500)
    }

    @Test(arguments: 200...219 as ClosedRange<UInt64>)
    func `dying workers cost no call its answer`(seed: UInt64) {
        var faults = Faults()
        faults.until = .seconds(30)
        faults.workerCrashes = 8
        let simulation = run(seed, faults, callsPerClient: 500)
        #expect((simulation.broker?.machine.counts.tasksRequeued ?? 0) > 0, "seed \(seed) killed no busy worker")
    }

    @Test(arguments: 300...309 as ClosedRange<UInt64>)
    func `workers that drain cost no task an attempt`(seed: UInt64) {
        var faults = Faults()
        faults.until = .seconds(30)
        faults.workerDrains = 8
        let simulation = run(seed, faults, callsPerClient: 400)
        #expect(simulation.broker?.machine.counts.workersLost == 0, "seed \(seed): a drained worker counted as dead")
        #expect(simulation.broker?.machine.counts.callsPoisoned == 0)
    }

    @Test(arguments: 400...409 as ClosedRange<UInt64>)
    func `a call that kills every worker ends and the others finish`(seed: UInt64) {
        var faults = Faults()
        faults.deadlyCall = true
        let simulation = run(seed, faults)
        let deadly = simulation.clients[0].calls.first { $0.request.isDeadly }
        #expect(deadly?.outcome == .answered(.error(.poisoned(deaths: 4))), "seed \(seed)")
        #expect(simulation.deadlyStarts == 4, "seed \(seed)")
        #expect(simulation.broker?.machine.counts.callsPoisoned == 1, "seed \(seed)")
    }

    @Test(arguments: 500...519 as ClosedRange<UInt64>)
    func `a broker that restarts loses no living client its answer`(seed: UInt64) {
        var faults = Faults()
        faults.until = .seconds(30)
        faults.brokerCrashes = 3
        faults.workerCrashes = 3
        faults.lossPercent = 1
        let simulation = run(seed, faults, callsPerClient: 500)
        #expect(simulation.incarnations > 1, "seed \(seed)")
    }

    @Test(arguments: 600...629 as ClosedRange<UInt64>) func `everything at once`(seed: UInt64) {
        var faults = Faults()
        faults.until = .seconds(40)
        faults.lossPercent = 3
        faults.duplicationPercent = 3
        faults.delayPercent = 3
        faults.workerCrashes = 5
        faults.workerDrains = 4
        faults.brokerCrashes = 2
        faults.cutLinks = 3
        faults.deadlyCall = seed.isMultiple(of: 2)
        _ = run(seed, faults, callsPerClient: 600)
    }

    @Test(arguments: 700...704 as ClosedRange<UInt64>)
    func `a broker that drains under load answers everything and stops`(seed: UInt64) {
        let simulation = Simulation(seed: seed, faults: .none, callsPerClient: 100)
        simulation.schedule.add(.drainBroker(within: .seconds(20)), at: simulation.start + .seconds(3))
        // Calls made after the drain wait for another broker.
        simulation.schedule.add(.crashBroker, at: simulation.start + .seconds(24))
        simulation.run()
        #expect(simulation.violation == nil, "seed \(seed)")
        check(simulation, seed)
        #expect(simulation.incarnations == 2, "seed \(seed)")
    }

    @Test func `a seed repeats exactly and another one differs`() {
        var faults = Faults()
        faults.until = .seconds(20)
        faults.lossPercent = 3
        faults.workerCrashes = 3
        let first = run(42, faults)
        let second = run(42, faults)
        let other = run(43, faults)
        #expect(first.trace == second.trace)
        #expect(first.steps == second.steps)
        #expect(first.trace != other.trace)
        #expect(first.steps > 1_000)
    }
}
