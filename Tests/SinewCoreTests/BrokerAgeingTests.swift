import SinewCore
import TestSupport
import Testing

/// Priority sets the share, and nobody waits for ever.
@Suite struct BrokerAgeingTests {
    private static func limits(ageing: Duration) -> Limits {
        var limits = Limits()
        limits.ageing = ageing
        limits.stragglerMin = .seconds(1_000)
        return limits
    }

    /// The worker answers the one call it has, and 10 ms pass; which one it was.
    private func runOne(_ bench: inout BrokerBench) -> UInt64? {
        let running = bench.leases.keys.min()
        if let running {
            bench.answer(running.rawValue)
            bench.leases[running] = nil
        }
        bench.pass(10)
        bench.beat(1)
        return running?.rawValue
    }

    @Test func `a lone call of low priority runs after the ageing time however many flows of high priority are busy`() {
        // 300 tenants at the highest priority have 38400 times its share: ten seconds of ageing are much less.
        var bench = BrokerBench(Self.limits(ageing: .seconds(10)))
        bench.hello(1, credit: 1)
        var next: UInt64 = 1_000
        func keepBusy(_ bench: inout BrokerBench) {
            for tenant in 0..<300 {
                bench.call(next, deadline: bench.now + .seconds(600), priority: 7, tenant: "busy \(tenant)")
                next += 1
            }
        }
        keepBusy(&bench)
        // Its first call has the turn of a newcomer; by shares the second would come 38400 calls later.
        for call in 1...2 as ClosedRange<UInt64> {
            bench.call(call, deadline: bench.now + .seconds(600), priority: 0, tenant: "patient")
        }
        var ranAt: [UInt64: Int] = [:]
        for step in 0..<2_000 where ranAt[2] == nil {
            if step % 250 == 0 { keepBusy(&bench) }
            if let call = runOne(&bench) { ranAt[call] = step }
        }
        let waited = ranAt[2].flatMap { second in ranAt[1].map { second - $0 } }
        // Its flow waits from the start of its first call, 10 ms to a step.
        #expect(waited.map { $0 >= 999 && $0 <= 1_002 } == true, "\(waited ?? -1) steps after the first")
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `no flow with waiting calls goes unserved for much longer than the ageing time`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let ageing = Duration.milliseconds(Int.random(in: 200...2_000, using: &random))
        var bench = BrokerBench(Self.limits(ageing: ageing))
        bench.hello(1, credit: 1)
        let flows = Int.random(in: 2...40, using: &random)
        let priorities = (0..<flows).map { _ in UInt8.random(in: 0...7, using: &random) }
        var waiting = [Int](repeating: 0, count: flows)
        var since = [Instant](repeating: bench.now, count: flows)
        var flowOfCall: [UInt64: Int] = [:]
        var longest = Duration.zero
        var next: UInt64 = 1
        for _ in 0..<3_000 {
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let flow = Int.random(in: 0..<flows, using: &random)
                if waiting[flow] == 0 { since[flow] = bench.now }
                waiting[flow] += 1
                flowOfCall[next] = flow
                bench.call(
                    next, items: Int.random(in: 1...4, using: &random), deadline: bench.now + .seconds(3_000),
                    priority: priorities[flow], tenant: "\(flow)")
                next += 1
            }
            let now = bench.now
            if let call = runOne(&bench), let flow = flowOfCall[call] {
                longest = max(longest, now - since[flow])
                waiting[flow] -= 1
                since[flow] = now
            }
            #expect(bench.machine.violatedInvariant == nil, "seed \(seed)")
        }
        // When all have grown old they take turns, one call of 10 ms each.
        let bound = ageing + .milliseconds(20 * (flows + 2))
        #expect(longest <= bound, "seed \(seed): \(longest) with \(flows) flows and an ageing of \(ageing)")
    }

    @Test func `a tenant that sends too much does not get past the others by waiting`() {
        var bench = BrokerBench(Self.limits(ageing: .milliseconds(500)))
        bench.hello(1, credit: 1)
        for call in 0..<400 { bench.call(UInt64(call), deadline: bench.now + .seconds(600), tenant: "flood") }
        bench.pass(1_000)
        bench.beat(1)
        for call in 1_000..<1_010 { bench.call(UInt64(call), deadline: bench.now + .seconds(600), tenant: "modest") }
        var order: [UInt64] = []
        for _ in 0..<40 {
            if let call = runOne(&bench) { order.append(call) }
        }
        // Every second one, although each of the flood's calls is older.
        #expect(order.prefix(24).count { $0 >= 1_000 } == 10, "\(order.prefix(24))")
    }
}
