internal import Glibc
internal import SinewWire

/// How long tasks wait after their worker died: real processes are killed, and others stopped, with tasks in hand.
struct RecoveryBench {
    struct Report: Encodable {
        struct Times: Encodable {
            let count: Int
            /// Milliseconds from the signal until the last of its tasks was answered by another worker.
            let p50Ms, p99Ms, maxMs: Double
        }
        let tasksInHand: Int
        let killed: Times
        /// Of processes that stand still (SIGSTOP): their connection stays, only their beats do not come.
        let stopped: Times
    }

    var kills = 100
    var stops = 5
    private let tasksInHand = 8

    func run() async throws -> Report {
        var plan = LocalFleet.Plan()
        plan.workers = 0
        let fleet = try await LocalFleet.start(plan)
        do {
            var killed: [Double] = []
            for _ in 0..<kills { killed.append(try await recover(fleet, SIGKILL)) }
            var stopped: [Double] = []
            for _ in 0..<stops { stopped.append(try await recover(fleet, SIGSTOP)) }
            await fleet.stop()
            return Report(tasksInHand: tasksInHand, killed: times(killed), stopped: times(stopped))
        } catch {
            await fleet.stop()
            throw error
        }
    }

    /// One worker takes the tasks; a second one joins; the first one gets the signal.
    private func recover(_ fleet: LocalFleet, _ signal: Int32) async throws -> Double {
        let broker = fleet.broker
        let victim = try ChildProcess(
            fleet.plan.executable, ["bench", "hold-tasks", broker.workerEndpoint, "--credits", "\(tasksInHand)"])
        do {
            let time = try measure(broker) { victim.send(signal: signal) }
            await victim.stop(within: .zero)
            return time
        } catch {
            await victim.stop(within: .zero)
            throw error
        }
    }

    private func measure(_ broker: BrokerReady, _ strike: () -> Void) throws -> Double {
        var caller = try EchoCaller(broker.clientEndpoint, payloadBytes: 1_024)
        try caller.wait { $0.workers.count == 1 }
        for _ in 0..<tasksInHand { try caller.send() }
        try caller.wait { $0.workers.first?.inFlightItems == UInt32(tasksInHand) }
        let survivor = try EchoWorker(broker.workerEndpoint, credits: UInt32(tasksInHand))
        try caller.wait { $0.workers.count == 2 }
        let clock = ContinuousClock()
        let start = clock.now
        strike()
        var answered = 0
        while answered < tasksInHand { answered += try caller.take() }
        let time = (clock.now - start) / .milliseconds(1)
        survivor.stop()
        guard caller.failures == 0 else { throw BenchRefusal("\(caller.failures) tasks of a killed worker failed") }
        // The next round begins with nobody.
        try caller.wait { $0.workers.isEmpty }
        return time
    }

    private func times(_ unordered: [Double]) -> Report.Times {
        let sorted = unordered.sorted()
        guard let last = sorted.last else { return .init(count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0) }
        return .init(
            count: sorted.count, p50Ms: sorted[sorted.count / 2], p99Ms: sorted[(sorted.count * 99 - 1) / 100],
            maxMs: last)
    }
}
