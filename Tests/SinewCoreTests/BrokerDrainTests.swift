import SinewCore
import Testing

@Suite struct BrokerDrainTests {
    @Test func `a draining broker takes no new calls and finishes the ones it has`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 1)
        bench.call(1)
        bench.call(2)
        #expect(bench.handle(.drainRequested(until: BrokerBench.at(5_000))) == [.announceDrain])
        #expect(bench.call(3).rejections == [.draining])
        #expect(bench.answer(1).delivered == [1])
        let last = bench.answer(2)
        #expect(last.delivered == [2])
        #expect(last.last == .stop)
        #expect(bench.machine.isDraining)
    }

    @Test func `an idle broker stops at once and only once`() {
        var bench = BrokerBench()
        #expect(bench.handle(.drainRequested(until: BrokerBench.at(5_000))) == [.announceDrain, .stop])
        #expect(bench.handle(.drainRequested(until: BrokerBench.at(5_000))).isEmpty)
    }

    @Test func `what is not done at the end of the drain is answered`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 1)
        bench.call(1)
        bench.call(2)
        bench.handle(.drainRequested(until: BrokerBench.at(2_000)))
        #expect(bench.machine.nextDeadline == BrokerBench.at(2_000))
        bench.pass(2_000)
        let actions = bench.handle(.ticked)
        #expect(actions.rejections == [.drainTimedOut, .drainTimedOut])
        #expect(actions.last == .stop)
        #expect(bench.machine.callsHeld == 0)
    }

    @Test func `a second request shortens the drain and never lengthens it`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        bench.handle(.drainRequested(until: BrokerBench.at(2_000)))
        bench.handle(.drainRequested(until: BrokerBench.at(9_000)))
        #expect(bench.machine.nextDeadline == BrokerBench.at(2_000))
        bench.handle(.drainRequested(until: BrokerBench.at(500)))
        #expect(bench.machine.nextDeadline == BrokerBench.at(500))
    }

    @Test func `a worker that joins during the drain helps`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        bench.handle(.drainRequested(until: BrokerBench.at(9_000)))
        bench.hello(2)
        bench.pass(2_500)
        bench.beat(2)
        bench.pass(500)
        bench.handle(.ticked)
        #expect(bench.holder(1) == 2)
        #expect(bench.answer(1).last == .stop)
    }
}
