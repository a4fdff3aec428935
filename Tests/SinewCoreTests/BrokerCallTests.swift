import SinewCore
import Testing

@Suite struct BrokerCallTests {
    @Test func `a call goes to a ready worker and its result to the client`() {
        var bench = BrokerBench()
        #expect(bench.hello(7) == [.welcome(WorkerID(rawValue: 7))])
        let actions = bench.call(1, from: 3)
        #expect(actions.count == 2 && actions.dispatches == 1)
        #expect(bench.holder(1) == 7)
        let lease = bench.leases[CallID(rawValue: 1)]
        #expect(lease?.attempt == 1)
        if let lease {
            #expect(
                bench.answer(1) == [
                    .deliver(lease.task, to: ClientID(rawValue: 3), CallID(rawValue: 1), attempt: 1)
                ])
        }
        #expect(bench.machine.callsHeld == 0)
        #expect(bench.machine.payloadBytesHeld == 0)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a call for a model nobody ever had is not found`() {
        var bench = BrokerBench()
        bench.hello(1)
        #expect(bench.call(1, model: ModelKey("nikki")).rejections == [.unknownModel])
    }

    @Test func `without any worker a call is told to come back`() {
        var bench = BrokerBench()
        #expect(bench.call(1).rejections == [.noWorker(retryAfter: .milliseconds(500))])
        bench.hello(1)
        bench.pass(4_000)
        #expect(bench.call(2).rejections == [.noWorker(retryAfter: .milliseconds(500))], "its only worker is dead")
    }

    @Test func `a call delivered twice is worked on once`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        #expect(bench.call(1).isEmpty)
        #expect(bench.answer(1).delivered == [1])
    }

    @Test func `the same number from two clients is two calls`() {
        var bench = BrokerBench()
        bench.hello(1)
        #expect(bench.call(1, from: 1).dispatches == 1)
        #expect(bench.call(1, from: 2).dispatches == 1)
    }

    @Test func `an expired call is refused and a queued one is answered at its deadline`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 1)
        #expect(bench.call(1, deadline: BrokerBench.start).rejections == [.deadlineExceeded])
        bench.call(2)
        bench.call(3, deadline: BrokerBench.at(200))
        #expect(bench.machine.nextDeadline == BrokerBench.at(200))
        bench.pass(199)
        #expect(bench.handle(.ticked).isEmpty)
        bench.pass(1)
        #expect(bench.handle(.ticked).rejections == [.deadlineExceeded])
        #expect(bench.answer(2).dispatches == 0, "nothing expired is dispatched")
    }

    @Test func `a leased call that expires is withdrawn from its worker and a late result is stale`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1, deadline: BrokerBench.at(200))
        bench.pass(200)
        let actions = bench.handle(.ticked)
        #expect(actions.rejections == [.deadlineExceeded])
        #expect(
            actions.first
                == .withdraw(
                    bench.leases[CallID(rawValue: 1)]?.task ?? TaskID(rawValue: 0), bench.token(1),
                    from: WorkerID(rawValue: 1)))
        #expect(bench.answer(1).isEmpty)
        #expect(bench.machine.counts.staleLeases == 1)
    }

    @Test func `a deadline far in the future is cut and a missing one is set`() {
        var limits = Limits()
        limits.deadlineMax = .seconds(50)
        var bench = BrokerBench(limits)
        bench.hello(1, credit: 1)
        bench.call(1, deadline: BrokerBench.at(3_600_000))
        bench.call(2)
        for second in 1...30 {
            bench.now = BrokerBench.at(second * 1_000 - 1)
            bench.beat(1)
        }
        bench.now = BrokerBench.at(30_000)
        #expect(bench.handle(.ticked).rejections == [.deadlineExceeded], "the second call had the default deadline")
        #expect(bench.machine.callsHeld == 1)
    }

    @Test func `a cancelled call leaves the queue or its worker and is not answered`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 1)
        bench.call(1)
        bench.call(2)
        let queued = bench.handle(.cancelled(ClientID(rawValue: 1), CallID(rawValue: 2)))
        #expect(queued.count == 1 && queued.rejections.isEmpty)
        let leased = bench.handle(.cancelled(ClientID(rawValue: 1), CallID(rawValue: 1)))
        #expect(leased.count == 2)
        #expect(bench.handle(.cancelled(ClientID(rawValue: 1), CallID(rawValue: 1))).isEmpty)
        #expect(bench.machine.callsHeld == 0)
    }

    @Test func `the calls of a client that went away are dropped and no others`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 1)
        bench.call(1, from: 1)
        bench.call(2, from: 2)
        bench.call(3, from: 1)
        #expect(bench.handle(.clientGone(ClientID(rawValue: 1))).dispatches == 1, "the place goes to the other client")
        #expect(bench.holder(2) == 1)
        #expect(bench.machine.callsHeld == 1)
    }

    @Test func `tenants share by items however many calls one of them sends`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 1)
        bench.call(0)
        for id in 1...20 as ClosedRange<UInt64> { bench.call(id, tenant: "many") }
        for id in 21...24 as ClosedRange<UInt64> { bench.call(id, tenant: "few") }
        var order: [UInt64] = []
        bench.answer(0)
        for _ in 0..<8 {
            guard let running = (1...24 as ClosedRange<UInt64>).first(where: { bench.machine.isValid(bench.token($0)) })
            else { break }
            order.append(running)
            bench.answer(running)
        }
        #expect(order.filter { $0 > 20 }.count == 4, "four of the first eight are the small tenant's: \(order)")
    }

    @Test func `a higher priority gets the larger share and the lower one still runs`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 1)
        bench.call(0)
        for id in 1...60 as ClosedRange<UInt64> { bench.call(id) }
        for id in 61...120 as ClosedRange<UInt64> { bench.call(id, priority: 2) }
        bench.answer(0)
        var urgent = 0
        for _ in 0..<50 {
            guard
                let running = (1...120 as ClosedRange<UInt64>).first(where: { bench.machine.isValid(bench.token($0)) })
            else { break }
            if running > 60 { urgent += 1 }
            bench.answer(running)
        }
        #expect(urgent == 40, "weights 4 : 1")
    }

    // MARK: Limits, each at its maximum and one above.

    @Test func `queued calls reach their limit and one more is pushed back`() {
        var limits = Limits()
        limits.queuedCallsMax = 3
        var bench = BrokerBench(limits)
        bench.hello(1, credit: 1)
        bench.call(0)
        for id in 1...3 as ClosedRange<UInt64> { #expect(bench.call(id).rejections.isEmpty) }
        #expect(bench.call(4).rejections == [.overloaded(.queuedCalls, retryAfter: .seconds(1))])
        bench.answer(0)
        #expect(bench.call(5).rejections.isEmpty)
    }

    @Test func `queued items reach their limit and one more is pushed back`() {
        var limits = Limits()
        limits.queuedItemsMax = 10
        limits.itemsPerCallMax = 10
        var bench = BrokerBench(limits)
        bench.hello(1, credit: 1)
        bench.call(0)
        #expect(bench.call(1, items: 10).rejections.isEmpty)
        #expect(bench.call(2, items: 1).rejections == [.overloaded(.queuedItems, retryAfter: .seconds(1))])
    }

    @Test func `the calls of one client reach their limit and others are not touched`() {
        var limits = Limits()
        limits.callsPerClientMax = 2
        var bench = BrokerBench(limits)
        bench.hello(1)
        #expect(bench.call(1).rejections.isEmpty)
        #expect(bench.call(2).rejections.isEmpty)
        #expect(bench.call(3).rejections == [.overloaded(.callsOfClient, retryAfter: .seconds(1))])
        #expect(bench.call(4, from: 2).rejections.isEmpty)
    }

    @Test func `held payload bytes reach their limit and one more byte is pushed back`() {
        var limits = Limits()
        limits.payloadBytesMax = 1_000
        limits.payloadBytesHeldMax = 1_000
        var bench = BrokerBench(limits)
        bench.hello(1)
        #expect(bench.call(1, bytes: 999).rejections.isEmpty)
        #expect(bench.call(2, bytes: 1).rejections.isEmpty)
        #expect(bench.call(3, bytes: 1).rejections == [.overloaded(.payloadBytesHeld, retryAfter: .seconds(1))])
        bench.answer(2)
        #expect(bench.call(4, bytes: 1).rejections.isEmpty)
    }

    @Test func `a call may have the most items and not one more`() {
        var limits = Limits()
        limits.itemsPerCallMax = 64
        var bench = BrokerBench(limits)
        bench.hello(1)
        #expect(bench.call(1, items: 64).rejections.isEmpty)
        #expect(bench.call(2, items: 65).rejections == [.tooManyItems(max: 64)])
    }

    @Test func `the pushback follows the measured rate of the fleet`() {
        var limits = Limits()
        limits.queuedCallsMax = 100
        var bench = BrokerBench(limits)
        bench.hello(1, credit: 10)
        bench.call(0, items: 10)
        bench.pass(1_000)
        bench.answer(0)
        bench.call(1, items: 10)
        for id in 2...101 as ClosedRange<UInt64> { bench.call(id) }
        #expect(
            bench.call(102).rejections == [.overloaded(.queuedCalls, retryAfter: .seconds(1))],
            "100 items wait, 10 items a second, a tenth of that")
    }
}
