import SinewCore
import Testing

@Suite struct BrokerWorkerTests {
    private func worker(_ number: UInt64) -> WorkerID { WorkerID(rawValue: number) }

    @Test func `a worker that is silent for three beats is forgotten and its task runs elsewhere`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        bench.hello(2)
        let old = bench.token(1)
        for _ in 1...2 {
            bench.pass(1_000)
            bench.beat(2)
        }
        bench.pass(999)
        #expect(bench.handle(.ticked).isEmpty)
        bench.pass(1)
        #expect(bench.machine.nextDeadline == bench.now)
        let actions = bench.handle(.ticked)
        #expect(actions.contains(.forget(worker(1), .silent)))
        #expect(bench.holder(1) == 2)
        #expect(bench.leases[CallID(rawValue: 1)]?.attempt == 2)
        #expect(!bench.machine.isValid(old))
        #expect(bench.handle(.resulted(worker(1), old)) == [.askForHello(worker(1))], "a stale lease changes nothing")
        #expect(bench.answer(1).delivered == [1])
    }

    @Test func `the oldest waiting task and the time to drain follow queue and rates`() {
        var bench = BrokerBench()
        #expect(bench.machine.oldestWaiting == nil && bench.machine.drainTime == .zero)
        bench.hello(1, credit: 10)
        bench.call(1, items: 10)
        #expect(bench.machine.oldestWaiting == nil, "nothing waits: a worker has it")
        #expect(bench.machine.drainTime == nil, "nobody has shown a rate")
        bench.pass(100)
        let admitted = bench.now
        bench.call(2, items: 10)
        bench.pass(300)
        bench.call(3, items: 5)
        #expect(bench.machine.oldestWaiting == admitted)
        bench.pass(100)
        // Ten people in half a second of work; ten are leased then, five wait.
        bench.answer(1)
        #expect(bench.machine.drainTime == .milliseconds(750))
        #expect(bench.machine.oldestWaiting == bench.now + .milliseconds(-100))
    }

    @Test func `leases that end without an answer and tasks given anew are counted`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        bench.call(2)
        bench.handle(.undeliverable(worker(1), bench.token(1)))
        // The lease that never left did not expire, the other one did.
        #expect(bench.machine.counts.leasesExpired == 1)
        bench.hello(2)
        #expect(bench.machine.counts.leasesRepeated == 2 && bench.machine.counts.leasesGiven == 4)
        bench.handle(.returned(worker(2), bench.token(1)))
        #expect(bench.machine.counts.leasesExpired == 1, "given back is not expired")
        var lost = BrokerBench()
        lost.hello(1)
        lost.call(1)
        for _ in 0..<6 {
            lost.pass(1_000)
            lost.handle(.workerBeat(worker(1), holding: []))
        }
        #expect(lost.machine.counts.leasesExpired == 1 && lost.machine.counts.leasesLost == 1)
    }

    @Test func `a result with an old token from a known worker changes nothing`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        let old = bench.token(1)
        bench.handle(.undeliverable(worker(1), old))
        bench.hello(1)
        bench.hello(2)
        #expect(bench.holder(1) == 1)
        #expect(bench.handle(.resulted(worker(1), old)).isEmpty)
        #expect(bench.handle(.resulted(worker(2), bench.token(1))).isEmpty, "the valid token from the wrong worker")
        #expect(bench.machine.counts.staleLeases == 2)
        #expect(bench.answer(1).delivered == [1])
    }

    @Test func `a task that killed workers of an earlier broker is tried alone at once, and given up after one more`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        let suspect = BrokerStateMachine.Call(
            client: .jobs, id: CallID(rawValue: 77), attempt: 1, model: BrokerBench.niki, items: 1, payloadBytes: 10,
            deadline: nil, deaths: 3)
        #expect(bench.handle(.called(suspect)).dispatches == 0, "the worker is busy")
        bench.call(2)
        #expect(bench.holder(2) == nil, "the worker is emptied for it")
        bench.answer(1)
        #expect(bench.holder(77) == 1)
        let actions = bench.handle(.undeliverable(worker(1), LeaseToken(rawValue: 0)))
        #expect(actions.contains(.noteDeaths(CallID(rawValue: 77), 4)))
        let given = actions.contains {
            if case .abort(_, .jobs, CallID(rawValue: 77), _, .poisoned(deaths: 4)) = $0 { true } else { false }
        }
        #expect(given)
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `an unknown worker that beats is asked to introduce itself`() {
        var bench = BrokerBench()
        #expect(bench.handle(.workerBeat(worker(9), holding: [])) == [.askForHello(worker(9))])
    }

    @Test func `a second copy of the hello is welcomed and changes nothing`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        #expect(bench.hello(1) == [.welcome(worker(1))])
        #expect(bench.answer(1).delivered == [1])
    }

    @Test func `a restarted worker with the same address loses its old leases`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        let actions = bench.hello(1, incarnation: 2)
        #expect(actions.contains(.forget(worker(1), .restarted)))
        #expect(actions.dispatches == 1)
        #expect(bench.leases[CallID(rawValue: 1)]?.attempt == 2)
    }

    @Test func `a lease that a beating worker does not name runs again after its full time`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        bench.call(2)
        let kept = bench.token(2)
        for _ in 1...4 {
            bench.pass(1_000)
            #expect(bench.handle(.workerBeat(worker(1), holding: [kept])).isEmpty)
        }
        bench.pass(1_000)
        #expect(bench.handle(.workerBeat(worker(1), holding: [kept])).dispatches == 1)
        #expect(bench.token(2) == kept)
        #expect(bench.leases[CallID(rawValue: 1)]?.attempt == 2)
        #expect(bench.machine.counts.leasesLost == 1)
        #expect(bench.answer(1).delivered == [1])
    }

    @Test func `credits bound what a worker holds and a task larger than them goes to an idle worker`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 10)
        #expect(bench.call(1, items: 6).dispatches == 1)
        #expect(bench.call(2, items: 4).dispatches == 1)
        #expect(bench.call(3, items: 11).dispatches == 0)
        bench.answer(1)
        #expect(bench.holder(3) == nil)
        bench.answer(2)
        #expect(bench.holder(3) == 1)
    }

    @Test func `work goes to the worker that is expected to finish first`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.hello(2)
        bench.call(1)
        bench.call(2)
        #expect(Set([bench.holder(1), bench.holder(2)]) == [1, 2], "equal workers share evenly")
    }

    @Test func `a slow worker gets a proportionally smaller share`() {
        var bench = BrokerBench()
        bench.hello(1, credit: 4)
        bench.hello(2, credit: 4)
        // Worker 1 settles a task every 10 ms, worker 2 one every 40 ms.
        var settled: [UInt64: Int] = [:]
        var next: UInt64 = 0
        for step in 1...1_200 {
            while bench.machine.counts.queuedCalls < 8 {
                bench.call(next)
                next += 1
            }
            bench.pass(10)
            bench.beat(1, 2)
            for (number, period) in [(UInt64(1), 1), (2, 4)] where step.isMultiple(of: period) {
                let held = (0..<next).first { bench.holder($0) == number && bench.machine.isValid(bench.token($0)) }
                guard let held else { continue }
                settled[number, default: 0] += 1
                bench.answer(held)
            }
        }
        #expect((settled[1] ?? 0) >= 3 * (settled[2] ?? 0), "\(settled)")
        #expect((settled[2] ?? 0) > 0)
    }

    @Test func `a worker that returns a lease gets no more and the task costs no attempt`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        bench.call(2)
        bench.handle(.returned(worker(1), bench.token(1)))
        #expect(!bench.machine.isValid(bench.token(1)))
        #expect(bench.machine.counts.queuedCalls == 1, "no other worker yet")
        #expect(bench.answer(2).delivered == [2], "what runs is finished")
        bench.hello(2)
        #expect(bench.holder(1) == 2)
        #expect(bench.handle(.workerSaidGoodbye(worker(1))) == [.forget(worker(1), .saidGoodbye)])
        #expect(bench.machine.counts.workersLost == 0)
    }

    @Test func `a goodbye before the last result lets that result count`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        #expect(bench.handle(.workerSaidGoodbye(worker(1))).isEmpty)
        #expect(bench.call(2).rejections == [.noWorker(retryAfter: .milliseconds(500))])
        #expect(bench.answer(1).delivered == [1])
        bench.pass(3_000)
        #expect(bench.handle(.ticked) == [.forget(worker(1), .silent)])
        #expect(bench.machine.counts.workersLost == 0, "it had said goodbye")
    }

    @Test func `a drained worker is told and gets nothing more`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.hello(2)
        #expect(bench.handle(.workerDrainRequested(worker(1))) == [.drainWorker(worker(1))])
        for id in 1...4 as ClosedRange<UInt64> {
            bench.call(id)
            #expect(bench.holder(id) == 2)
        }
    }

    @Test func `a worker that cannot be reached is forgotten and everything it held runs elsewhere`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        bench.call(2)
        bench.hello(2)
        let actions = bench.handle(.undeliverable(worker(1), bench.token(2)))
        #expect(actions.contains(.forget(worker(1), .disconnected)))
        #expect(bench.holder(1) == 2 && bench.holder(2) == 2)
    }

    @Test func `silence while the broker itself stood still is not held against the workers`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1)
        bench.pass(60_000)
        bench.now = BrokerBench.at(20_000)
        #expect(bench.handle(.stalled(.seconds(20))).isEmpty)
        bench.pass(2_999)
        #expect(bench.handle(.ticked).isEmpty)
        bench.pass(1)
        #expect(bench.handle(.ticked).contains(.forget(worker(1), .silent)))
    }

    // MARK: A task that kills its workers.

    /// Kills the worker that holds the call by three seconds of silence, and starts another.
    private func killHolder(of call: UInt64, _ bench: inout BrokerBench, next: UInt64) -> [BrokerStateMachine.Action] {
        bench.pass(2_000)
        bench.hello(next)
        bench.pass(1_000)
        return bench.handle(.ticked)
    }

    @Test func `a task that kills its worker is tried alone after three deaths and ends at the fourth`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1, deadline: BrokerBench.at(600_000))
        for death in 1...3 as ClosedRange<UInt64> {
            #expect(killHolder(of: 1, &bench, next: death + 1).rejections.isEmpty)
            #expect(bench.holder(1) == death + 1)
        }
        bench.beat(4)
        bench.call(2, deadline: BrokerBench.at(600_000))
        #expect(bench.holder(2) == nil, "nothing runs beside a task that is tried alone")
        bench.hello(5)
        #expect(bench.holder(2) == 5)
        bench.pass(2_000)
        bench.beat(5)
        bench.pass(1_000)
        #expect(bench.handle(.ticked).rejections == [.poisoned(deaths: 4)])
        #expect(bench.answer(2).delivered == [2])
        #expect(bench.machine.violatedInvariant == nil)
    }

    @Test func `a worker is emptied for a task that must run alone and the innocent finish`() {
        var bench = BrokerBench()
        bench.hello(1)
        bench.call(1, deadline: BrokerBench.at(600_000))
        bench.call(2, deadline: BrokerBench.at(600_000))
        for death in 1...3 as ClosedRange<UInt64> { _ = killHolder(of: 1, &bench, next: death + 1) }
        // Both have seen three deaths; each is tried alone, one after the other.
        #expect(bench.machine.isValid(bench.token(1)))
        #expect(!bench.machine.isValid(bench.token(2)))
        bench.beat(4)
        #expect(bench.answer(1).delivered == [1])
        #expect(bench.machine.isValid(bench.token(2)))
        #expect(bench.answer(2).delivered == [2])
        #expect(bench.call(3).dispatches == 1, "the worker is free for all again")
    }

    // MARK: Limits.

    @Test func `workers reach their limit and one more is refused`() {
        var limits = Limits()
        limits.workersMax = 2
        var bench = BrokerBench(limits)
        bench.hello(1)
        #expect(bench.hello(2) == [.welcome(worker(2))])
        #expect(bench.hello(3) == [.refuse(worker(3), .tooManyWorkers(max: 2))])
    }

    @Test func `the models of a worker and of the fleet reach their limits and one more is refused`() {
        var limits = Limits()
        limits.modelsPerWorkerMax = 2
        limits.modelKeysMax = 3
        var bench = BrokerBench(limits)
        let keys = ["a", "b", "c", "d"].map { ModelKey($0) }
        #expect(bench.hello(1, models: Array(keys[0...1])) == [.welcome(worker(1))])
        #expect(bench.hello(2, models: Array(keys[0...2])) == [.refuse(worker(2), .tooManyModels(max: 2))])
        #expect(bench.hello(2, models: Array(keys[1...2])) == [.welcome(worker(2))])
        #expect(bench.hello(3, models: [keys[3]]) == [.refuse(worker(3), .tooManyModels(max: 3))])
        #expect(bench.hello(4, models: []) == [.refuse(worker(4), .noModels)])
    }

    @Test func `a credit above the limit is cut to it`() {
        var limits = Limits()
        limits.creditItemsMax = 5
        limits.itemsPerCallMax = 5
        var bench = BrokerBench(limits)
        bench.hello(1, credit: 6)
        bench.call(1, items: 5)
        #expect(bench.call(2).dispatches == 0)
    }
}
