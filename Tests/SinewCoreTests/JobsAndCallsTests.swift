import SinewCore
import Testing

/// Both machines together, with a store that answers at once.
@Suite struct JobsAndCallsTests {
    private final class Bench {
        var core: JobsAndCalls
        var now = JobBench.start
        var wall = JobBench.wallStart
        var actions: [JobsAndCalls.Action] = []
        var isStoreAnswering = true
        private(set) var waiting: [CommitTicket] = []
        var reservations: [UInt64] = []

        init(_ limits: Limits = Limits()) { core = JobsAndCalls(limits: limits) }

        @discardableResult
        func handle(_ event: JobsAndCalls.Event) -> [JobsAndCalls.Action] {
            var decided: [JobsAndCalls.Action] = []
            core.handle(event, at: now, wall: wall, into: &decided)
            actions += decided
            for action in decided {
                switch action {
                case .jobs(.commit(let ticket)): waiting.append(ticket)
                case .jobs(.load(let task)): handle(.jobs(.loaded(task)))
                case .jobs(.write(.reserveLeaseSequence(let limit), _)): reservations.append(limit)
                case .jobs, .calls: break
                }
            }
            if isStoreAnswering { answerStore() }
            return decided
        }

        func answerStore() {
            while !waiting.isEmpty { handle(.jobs(.committed(waiting.removeFirst()))) }
        }

        var leases: [LeaseToken] {
            actions.compactMap { if case .calls(.dispatch(_, let lease, _, _, _)) = $0 { lease } else { nil } }
        }

        var hasStopped: Bool { actions.contains(.calls(.stop)) }

        func open(firstFreeLease: UInt64 = 1) {
            handle(.jobs(.opened(firstFreeLease: firstFreeLease)))
            handle(
                .calls(
                    .workerIntroduced(
                        WorkerID(rawValue: 1), .init(incarnation: 1, models: [JobBench.niki], creditItems: 4))))
        }

        func job(tasks: Int) {
            handle(.jobs(.submitted(JobRequestID(rawValue: 1), JobBench.tenant, JobBench.submission(1))))
            let blocks = (0..<tasks).map { JobBench.block($0) }
            handle(.jobs(.appended(JobRequestID(rawValue: 2), JobBench.tenant, JobBench.id(1), blocks)))
        }

        func call(_ number: UInt64) {
            handle(
                .calls(
                    .called(
                        .init(
                            client: ClientID(rawValue: 1), id: CallID(rawValue: number), attempt: 1,
                            model: JobBench.niki, items: 1, payloadBytes: 10, deadline: nil))))
        }
    }

    @Test func `a task of a job goes through the dispatcher and no socket hears of it`() {
        let bench = Bench()
        bench.open()
        bench.job(tasks: 1)
        #expect(bench.leases.count == 1)
        bench.handle(.resulted(WorkerID(rawValue: 1), bench.leases[0], status: 0, bytes: 20))
        let status = bench.core.jobs.status(of: JobBench.id(1))
        #expect(status?.done == 1 && status?.resultBytes == 20)
        #expect(bench.core.calls.callsHeld == 0 && bench.core.calls.clientCount == 0)
        for action in bench.actions {
            switch action {
            case .calls(.deliver), .calls(.abort), .calls(.reject): Issue.record("\(action)")
            case .calls, .jobs: break
            }
        }
    }

    @Test func `tasks of jobs take no room from calls`() {
        var limits = Limits()
        limits.queuedCallsMax = 2
        let bench = Bench(limits)
        bench.open()
        bench.job(tasks: 50)
        #expect(bench.core.jobs.tasksInDispatcher == 8, "twice the credit")
        bench.call(1)
        bench.call(2)
        #expect(bench.core.calls.counts.callsRejected == 0)
        bench.call(3)
        #expect(bench.core.calls.counts.callsRejected == 1)
    }

    @Test func `no lease is given before its number is reserved, and a later broker repeats none`() {
        var limits = Limits()
        limits.leaseSequencesPerBlock = 16
        let bench = Bench(limits)
        bench.isStoreAnswering = false
        bench.open(firstFreeLease: 100)
        bench.call(1)
        #expect(bench.leases.isEmpty)
        #expect(bench.reservations == [116])
        bench.answerStore()
        #expect(bench.leases.map { $0.rawValue >> 24 } == [100])
        bench.isStoreAnswering = true
        for number in 2...40 as ClosedRange<UInt64> {
            bench.call(number)
            if let lease = bench.leases.last {
                bench.handle(.resulted(WorkerID(rawValue: 1), lease, status: 0, bytes: 1))
            }
        }
        #expect(bench.leases.count == 40)
        #expect(bench.reservations.last ?? 0 >= 140)
    }

    @Test func `a broker that drains stops when the last end is on disk`() {
        let bench = Bench()
        bench.open()
        bench.job(tasks: 1)
        bench.isStoreAnswering = false
        bench.handle(.calls(.drainRequested(until: bench.now + .seconds(100))))
        bench.handle(.resulted(WorkerID(rawValue: 1), bench.leases[0], status: 0, bytes: 20))
        #expect(!bench.hasStopped)
        bench.answerStore()
        #expect(bench.hasStopped)
        #expect(bench.core.jobs.status(of: JobBench.id(1))?.done == 1)
    }

    @Test func `a store that breaks takes its tasks out of the dispatcher and leaves calls there`() {
        let bench = Bench()
        bench.open()
        bench.call(1)
        bench.job(tasks: 3)
        #expect(bench.core.calls.callsHeld == 4)
        bench.handle(.jobs(.storeBroke("EIO")))
        #expect(bench.core.calls.callsHeld == 1)
        #expect(bench.actions.contains(.jobs(.reopen("EIO"))))
        #expect(bench.core.calls.violatedInvariant == nil && bench.core.jobs.violatedInvariant == nil)
    }
}
