internal import SinewWire

/// What a call costs a broker while it waits: more calls than any worker takes, in a broker of its own process with its usual limits.
struct MemoryBench {
    struct Report: Encodable {
        let payloadBytes, queuedCalls: Int
        /// What the broker's resident set grew by for each queued call, without its payload.
        let overheadBytesPerCall: Double
    }

    var payloadBytes = 1_024
    /// By four clients, because one may not have so many.
    var calls: Int
    /// Queued before the first look: tables and threads are there by then.
    private let warmingCalls = 4_000

    func run() async throws -> Report {
        var plan = LocalFleet.Plan()
        plan.workers = 0
        let fleet = try await LocalFleet.start(plan)
        do {
            let report = try measure(fleet.broker)
            await fleet.stop()
            return report
        } catch {
            await fleet.stop()
            throw error
        }
    }

    private func measure(_ broker: BrokerReady) throws -> Report {
        // One call fills its credit, and it never answers.
        let worker = try EchoWorker(broker.workerEndpoint, credits: 1, answers: false)
        defer { worker.stop() }
        var first = try caller(broker)
        try first.wait { !$0.workers.isEmpty }
        let before = try fill(&first, warmingCalls)
        var after = before
        var queued = 0
        var quarters = 0
        while quarters < 4 {
            var other = try caller(broker)
            let share = (calls - queued) / (4 - quarters)
            after = try fill(&other, share)
            queued += share
            quarters += 1
        }
        let grown = Double(after.residentBytes) - Double(before.residentBytes)
        return Report(
            payloadBytes: payloadBytes, queuedCalls: Int(after.queuedCalls),
            overheadBytesPerCall: grown / Double(after.queuedCalls - before.queuedCalls) - Double(payloadBytes))
    }

    private func caller(_ broker: BrokerReady) throws -> EchoCaller {
        var caller = try EchoCaller(broker.clientEndpoint, payloadBytes: payloadBytes)
        caller.deadline = .seconds(3_000)
        return caller
    }

    /// Little by little, so that nothing waits in the caller.
    private func fill(_ caller: inout EchoCaller, _ count: Int) throws -> BrokerStatus {
        var status = BrokerStatus()
        var left = count
        while left > 0 {
            for _ in 0..<min(left, 500) { try caller.send() }
            left -= min(left, 500)
            status = try caller.status().broker
            guard caller.failures == 0 else { throw BenchRefusal("the broker did not queue \(caller.failures) calls") }
        }
        return status
    }
}
