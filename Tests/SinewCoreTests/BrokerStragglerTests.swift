import SinewCore
import Testing

@Suite struct BrokerStragglerTests {
    private func worker(_ number: UInt64) -> WorkerID { WorkerID(rawValue: number) }

    /// Both beat, second after second; what this brought about.
    private func pass(_ seconds: Int, _ bench: inout BrokerBench) -> [BrokerStateMachine.Action] {
        var actions: [BrokerStateMachine.Action] = []
        for _ in 0..<seconds {
            bench.pass(1_000)
            for number in [1, 2] as [UInt64] { actions += bench.handle(.workerBeat(worker(number), holding: nil)) }
        }
        return actions
    }

    private func straggling() -> (bench: BrokerBench, first: LeaseToken, second: LeaseToken) {
        var bench = BrokerBench()
        bench.hello(1)
        bench.hello(2)
        bench.call(1)
        let first = bench.token(1)
        _ = pass(5, &bench)
        return (bench, first, bench.token(1))
    }

    @Test func `a task that takes much too long gets a second lease on an idle worker`() {
        let (bench, first, second) = straggling()
        #expect(first != second && bench.holder(1) == 2)
        #expect(bench.machine.isValid(first) && bench.machine.isValid(second))
        #expect(bench.machine.counts.leasesHedged == 1 && bench.machine.counts.tasksRequeued == 0)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test(arguments: [1, 2] as [UInt64]) func `the first result counts and the other lease is withdrawn`(fast: UInt64) {
        var (bench, first, second) = straggling()
        let (won, lost) = fast == 1 ? (first, second) : (second, first)
        let actions = bench.handle(.resulted(worker(fast), won))
        #expect(actions.delivered == [1])
        let withdrawn = actions.compactMap { action in
            if case .withdraw(_, let lease, from: let holder) = action { (lease, holder.rawValue) } else { nil }
        }
        #expect(withdrawn.count == 1 && withdrawn.first?.0 == lost && withdrawn.first?.1 == 3 - fast)
        #expect(bench.handle(.resulted(worker(3 - fast), lost)).isEmpty)
        #expect(bench.machine.counts.staleLeases == 1 && bench.machine.callsHeld == 0)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a token counts only from the worker that has it`() {
        var (bench, first, _) = straggling()
        #expect(bench.handle(.resulted(worker(2), first)).isEmpty)
        #expect(bench.machine.counts.staleLeases == 1 && bench.machine.callsHeld == 1)
    }

    @Test(arguments: [1, 2] as [UInt64]) func `one of two workers may die or give back and the other goes on`(
        gone: UInt64
    ) {
        for isReturned in [true, false] {
            var (bench, first, second) = straggling()
            let (lost, kept) = gone == 1 ? (first, second) : (second, first)
            bench.handle(
                isReturned
                    ? .returned(worker(gone), lost) : .undeliverable(worker(gone), LeaseToken(rawValue: 0)))
            #expect(!bench.machine.isValid(lost) && bench.machine.isValid(kept))
            #expect(bench.machine.counts.tasksRequeued == 0)
            #expect(bench.machine.violatedInvariant == nil)
            #expect(bench.handle(.resulted(worker(3 - gone), kept)).delivered == [1])
        }
    }

    @Test func `nothing is tried twice while something waits, or after a worker died of it`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 1)
        bench.hello(2, models: [ModelKey("hybrik")])
        bench.call(1)
        bench.call(2)
        _ = pass(20, &bench)
        #expect(bench.machine.counts.leasesHedged == 0, "the second call waits, and worker 2 has another model")
        var other = BrokerBench()
        other.hello(3)
        other.call(1)
        other.hello(1)
        other.hello(2)
        other.handle(.undeliverable(worker(3), LeaseToken(rawValue: 0)))
        _ = pass(20, &other)
        #expect(other.machine.counts.leasesHedged == 0 && other.machine.counts.workersLost == 1)
    }

    @Test func `a measured worker is given a multiple of the time it should take`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1, items: 10)
        bench.pass(1_000)
        bench.answer(1)  // ten items a second
        bench.hello(2)
        bench.call(2, items: 10)
        let holder = bench.holder(2)
        _ = pass(3, &bench)
        #expect(bench.holder(2) == holder, "four times one second is not over")
        _ = pass(2, &bench)
        #expect(bench.holder(2) != holder)
    }

    @Test func `a call that is cancelled or expires is taken back from both`() {
        var (bench, _, _) = straggling()
        let actions = bench.handle(.cancelled(ClientID(rawValue: 1), CallID(rawValue: 1)))
        let withdrawn = actions.count { if case .withdraw = $0 { true } else { false } }
        #expect(withdrawn == 2 && bench.machine.callsHeld == 0)
        #expect(bench.machine.violatedInvariant == nil)
    }
}
