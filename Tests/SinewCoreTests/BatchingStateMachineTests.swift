import SinewCore
import TestSupport
import Testing

@Suite struct BatchingStateMachineTests {
    typealias Machine = BatchingStateMachine

    private static let niki = ModelKey("niki/1")
    private static let hybrik = ModelKey("hybrik/1")
    private let start = Instant(nanoseconds: 0)

    private func machine(batchItemsMax: Int = 8, threads: Int = 1, limits: Limits = Limits()) -> Machine {
        Machine(
            models: [
                .init(key: Self.niki, batchItemsMax: batchItemsMax),
                .init(key: Self.hybrik, batchItemsMax: batchItemsMax),
            ],
            computeThreads: threads, limits: limits)
    }

    private func lease(_ number: UInt64) -> LeaseToken { LeaseToken(rawValue: number) }
    private func batch(_ number: UInt64) -> BatchID { BatchID(rawValue: number) }

    private func arrival(
        _ number: UInt64, _ model: ModelKey = BatchingStateMachineTests.niki, items: Int = 1, deadline: Instant? = nil
    ) -> Machine.Event {
        .taskArrived(lease(number), model: model, items: items, deadline: deadline)
    }

    @discardableResult
    private func run(_ machine: inout Machine, _ events: Machine.Event..., at now: Instant? = nil) -> [Machine.Action] {
        var actions: [Machine.Action] = []
        for event in events { machine.handle(event, at: now ?? start, into: &actions) }
        return actions
    }

    @Test func `a lone task starts at once`() {
        var machine = machine()
        #expect(run(&machine, arrival(1)) == [.run(batch(1), model: Self.niki, [lease(1)])])
    }

    @Test func `each batch is counted by why it was started, and what waits by its model`() {
        var machine = machine()
        // A thread is free; then four waiting items of eight; then a full batch, and one to which the next would not fit.
        run(&machine, arrival(1), arrival(2, items: 4), arrival(3, Self.hybrik, items: 3))
        #expect(machine.modelCounts == [.init(queuedItems: 4, batchesIdle: 1), .init(queuedItems: 3)])
        run(&machine, .batchFinished(batch(1)), arrival(4, items: 5), arrival(5, items: 3), arrival(6, items: 6))
        #expect(machine.modelCounts == [.init(queuedItems: 14, batchesIdle: 2), .init(queuedItems: 3)])
        run(&machine, .batchFinished(batch(2)))
        #expect(machine.modelCounts == [.init(queuedItems: 14, batchesIdle: 2), .init(batchesIdle: 1)])
        run(&machine, .batchFinished(batch(3)), arrival(7, items: 4))
        #expect(machine.modelCounts[0] == .init(queuedItems: 10, batchesFull: 1, batchesIdle: 2))
        run(&machine, .batchFinished(batch(4)), .cancelled(lease(7)))
        #expect(machine.modelCounts[0] == .init(batchesFull: 2, batchesIdle: 2))
        // All that waited had expired: nothing was started.
        run(&machine, arrival(8, deadline: start + .seconds(1)))
        run(&machine, .batchFinished(batch(5)), at: start + .seconds(2))
        #expect(machine.modelCounts[0] == .init(batchesFull: 2, batchesIdle: 2))
    }

    /// A machine of three threads; NIKI is faster on all of them from two items on, HybrIK never.
    private func splittingMachine() -> Machine {
        Machine(
            models: [
                .init(key: Self.niki, batchItemsMax: 8, splitItemsMin: 2), .init(key: Self.hybrik, batchItemsMax: 8),
            ],
            computeThreads: 3, limits: Limits())
    }

    @Test func `a batch that is alone gets all threads where that is faster`() {
        var machine = splittingMachine()
        #expect(
            run(&machine, arrival(1, items: 2)) == [.run(batch(1), model: Self.niki, [lease(1)], threads: 3)])
        // Its threads are all taken: who comes now waits, and then shares a batch.
        #expect(run(&machine, arrival(2), arrival(3)).isEmpty)
        #expect(
            run(&machine, .batchFinished(batch(1))) == [
                .reply(lease(1)), .run(batch(2), model: Self.niki, [lease(2), lease(3)], threads: 3),
            ])
    }

    @Test func `a batch below the measured size, or of another model, keeps to one thread`() {
        var machine = splittingMachine()
        #expect(
            run(&machine, arrival(1), arrival(2, Self.hybrik, items: 8), arrival(3)) == [
                .run(batch(1), model: Self.niki, [lease(1)]), .run(batch(2), model: Self.hybrik, [lease(2)]),
                .run(batch(3), model: Self.niki, [lease(3)]),
            ])
    }

    @Test func `a batch beside which another one runs or waits keeps to one thread`() {
        var machine = splittingMachine()
        run(&machine, arrival(1))
        #expect(run(&machine, arrival(2, items: 4)) == [.run(batch(2), model: Self.niki, [lease(2)])])
        var full = splittingMachine()
        run(&full, arrival(1, items: 8), arrival(2, items: 8), arrival(3, items: 8), arrival(4, items: 8))
        #expect(
            run(&full, .batchFinished(batch(1))) == [
                .reply(lease(1)), .run(batch(2), model: Self.niki, [lease(2)]),
                .run(batch(3), model: Self.niki, [lease(3)]), .run(batch(4), model: Self.niki, [lease(4)]),
            ])
    }

    @Test func `while every thread is busy tasks gather and the next free thread takes them together`() {
        var machine = machine()
        run(&machine, arrival(1))
        #expect(run(&machine, arrival(2), arrival(3), arrival(4)).isEmpty)
        #expect(machine.queuedItems == 3)
        #expect(
            run(&machine, .batchFinished(batch(1))) == [
                .reply(lease(1)), .run(batch(2), model: Self.niki, [lease(2), lease(3), lease(4)]),
            ])
    }

    @Test func `a batch holds tasks up to the best size of its model and one more item waits`() {
        var machine = machine(batchItemsMax: 8)
        run(&machine, arrival(1), arrival(2, items: 5), arrival(3, items: 3), arrival(4, items: 1))
        #expect(
            run(&machine, .batchFinished(batch(1))) == [
                .reply(lease(1)), .run(batch(2), model: Self.niki, [lease(2), lease(3)]),
            ])
        #expect(machine.queuedItems == 1)
        #expect(machine.runningItems == 8)
    }

    @Test func `a task larger than the best size runs alone`() {
        var machine = machine(batchItemsMax: 8)
        run(&machine, arrival(1), arrival(2, items: 9), arrival(3))
        #expect(
            run(&machine, .batchFinished(batch(1))) == [
                .reply(lease(1)), .run(batch(2), model: Self.niki, [lease(2)]),
            ])
    }

    @Test func `two models never share a batch and the older task goes first`() {
        var machine = machine()
        run(&machine, arrival(1), arrival(2, Self.hybrik), arrival(3), arrival(4, Self.hybrik))
        #expect(
            run(&machine, .batchFinished(batch(1)), .batchFinished(batch(2))) == [
                .reply(lease(1)), .run(batch(2), model: Self.hybrik, [lease(2), lease(4)]),
                .reply(lease(2)), .reply(lease(4)), .run(batch(3), model: Self.niki, [lease(3)]),
            ])
    }

    @Test func `each free thread gets a batch`() {
        var machine = machine(threads: 2)
        #expect(
            run(&machine, arrival(1), arrival(2), arrival(3)) == [
                .run(batch(1), model: Self.niki, [lease(1)]), .run(batch(2), model: Self.niki, [lease(2)]),
            ])
    }

    @Test func `a task whose deadline passed while it waited is never computed`() {
        var machine = machine()
        let soon = start + .milliseconds(10)
        run(&machine, arrival(1), arrival(2, deadline: soon), arrival(3))
        #expect(
            run(&machine, .batchFinished(batch(1)), at: soon) == [
                .reply(lease(1)), .expire(lease(2)), .run(batch(2), model: Self.niki, [lease(3)]),
            ])
    }

    @Test func `cancelling a waiting task drops it`() {
        var machine = machine()
        run(&machine, arrival(1), arrival(2))
        #expect(run(&machine, .cancelled(lease(2))) == [.drop(lease(2))])
        #expect(run(&machine, .batchFinished(batch(1))) == [.reply(lease(1))])
        #expect(machine.queuedItems == 0)
    }

    @Test func `cancelling one running task keeps its neighbours and drops its own result`() {
        var machine = machine()
        run(&machine, arrival(1), arrival(2), arrival(3), .batchFinished(batch(1)))
        #expect(run(&machine, .cancelled(lease(2))).isEmpty)
        #expect(run(&machine, .batchFinished(batch(2))) == [.drop(lease(2)), .reply(lease(3))])
    }

    @Test func `a batch that nobody wants any more is abandoned once`() {
        var machine = machine()
        run(&machine, arrival(1), arrival(2), arrival(3), .batchFinished(batch(1)))
        #expect(run(&machine, .cancelled(lease(2)), .cancelled(lease(3))) == [.abandon(batch(2))])
        #expect(run(&machine, .cancelled(lease(3))).isEmpty)
        #expect(run(&machine, .batchFinished(batch(2))) == [.drop(lease(2)), .drop(lease(3))])
    }

    @Test func `a task delivered twice runs once`() {
        var machine = machine()
        run(&machine, arrival(1), arrival(2), arrival(2))
        #expect(
            run(&machine, .batchFinished(batch(1))) == [.reply(lease(1)), .run(batch(2), model: Self.niki, [lease(2)])])
    }

    @Test func `a task that was cancelled and is delivered once more runs once`() {
        var machine = machine()
        run(&machine, arrival(1), arrival(2), .cancelled(lease(2)), arrival(2))
        #expect(
            run(&machine, .batchFinished(batch(1))) == [.reply(lease(1)), .run(batch(2), model: Self.niki, [lease(2)])])
        #expect(run(&machine, .batchFinished(batch(2))) == [.reply(lease(2))])
    }

    @Test func `drain sends home what waits and finishes what runs`() {
        var machine = machine()
        run(&machine, arrival(1), arrival(2), arrival(3, Self.hybrik))
        #expect(run(&machine, .drainRequested) == [.sendHome(lease(2)), .sendHome(lease(3))])
        #expect(run(&machine, arrival(4)) == [.sendHome(lease(4))])
        #expect(!machine.isDrained)
        #expect(run(&machine, .batchFinished(batch(1))) == [.reply(lease(1)), .drained])
        #expect(machine.isDrained)
        #expect(run(&machine, .drainRequested, arrival(5)) == [.sendHome(lease(5))])
    }

    @Test func `an idle worker drains at once`() {
        var machine = machine()
        #expect(run(&machine, .drainRequested) == [.drained])
    }

    @Test func `a task for a model that is not loaded goes home`() {
        var machine = machine()
        #expect(run(&machine, arrival(1, ModelKey("smpl-ik/1"))) == [.sendHome(lease(1))])
    }

    @Test func `the waiting items reach their limit and one more goes home`() {
        var limits = Limits()
        limits.itemsPerCallMax = 10
        limits.creditItemsMax = 10
        limits.batchItemsMax = 4
        limits.workerQueuedItemsMax = 10
        var machine = machine(batchItemsMax: 4, limits: limits)
        run(&machine, arrival(1))
        #expect(run(&machine, arrival(2, items: 4), arrival(3, items: 6)).isEmpty)
        #expect(machine.queuedItems == 10)
        #expect(run(&machine, arrival(4)) == [.sendHome(lease(4))])
    }

    @Test func `a beat names what waits and what runs but not what was cancelled`() {
        var machine = machine()
        run(&machine, arrival(9), arrival(3), arrival(5))
        #expect(machine.heldLeases == [lease(3), lease(5), lease(9)])
        run(&machine, .cancelled(lease(9)), .cancelled(lease(3)))
        #expect(machine.heldLeases == [lease(5)])
    }

    /// Random traffic: whatever happens, each task that arrives leaves exactly once, batches keep their bounds, and
    /// no expired task runs.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8]) func `every task leaves exactly once under random traffic`(
        seed: UInt64
    ) {
        var random = SplitMix64(seed: seed)
        let threads = Int.random(in: 1...3, using: &random)
        let batchItemsMax = Int.random(in: 1...12, using: &random)
        var machine = machine(batchItemsMax: batchItemsMax, threads: threads)
        var now = start
        var deadlines: [UInt64: Instant] = [:]
        var items: [UInt64: Int] = [:]
        var running: [(BatchID, [LeaseToken])] = []
        var left: [UInt64: Int] = [:]
        var drained = 0
        var next: UInt64 = 1
        for step in 0..<2_000 {
            now = now + .milliseconds(Int.random(in: 0...3, using: &random))
            var actions: [Machine.Action] = []
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                items[next] = Int.random(in: 1...6, using: &random)
                deadlines[next] = now + .milliseconds(Int.random(in: -1...60, using: &random))
                machine.handle(
                    arrival(
                        next, Bool.random(using: &random) ? Self.niki : Self.hybrik, items: items[next] ?? 0,
                        deadline: deadlines[next]), at: now, into: &actions)
                next += 1
            case 5..<7:
                machine.handle(.cancelled(lease(UInt64.random(in: 1...next, using: &random))), at: now, into: &actions)
            default:
                guard let index = running.indices.randomElement(using: &random) else { continue }
                machine.handle(.batchFinished(running.remove(at: index).0), at: now, into: &actions)
            }
            if step == 1_800 { machine.handle(.drainRequested, at: now, into: &actions) }
            for action in actions {
                switch action {
                case .run(let id, _, let leases, _):
                    running.append((id, leases))
                    let sum = leases.reduce(0) { $0 + (items[$1.rawValue] ?? 0) }
                    #expect(leases.count == 1 || sum <= batchItemsMax, "seed \(seed) step \(step)")
                    for lease in leases {
                        #expect((deadlines[lease.rawValue] ?? now) > now, "seed \(seed) step \(step)")
                    }
                case .reply(let lease), .expire(let lease), .sendHome(let lease), .drop(let lease):
                    left[lease.rawValue, default: 0] += 1
                case .abandon: break
                case .drained: drained += 1
                }
            }
            #expect(running.count <= threads, "seed \(seed) step \(step)")
        }
        while let (id, _) = running.popLast() {
            for action in run(&machine, .batchFinished(id), at: now) {
                switch action {
                case .reply(let lease), .drop(let lease): left[lease.rawValue, default: 0] += 1
                case .drained: drained += 1
                case .run, .expire, .sendHome, .abandon: Issue.record("a drained machine acts: \(action)")
                }
            }
        }
        #expect(drained == 1, "seed \(seed)")
        for number in 1..<next {
            #expect(left[number] == 1, "seed \(seed): task \(number) left \(left[number] ?? 0) times")
        }
    }
}
