import SinewCore
import Testing

/// Walks the table of `proto/STATES.md` on the tasks of jobs, cell by cell.
@Suite struct JobStateTableTests {
    enum State: String, CaseIterable {
        case absent, inserting, queued
        case backingOff = "backing off"
        case loading, offered, ending, done, failed, dead
    }

    enum Event: String, CaseIterable {
        case appended = "the same append again"
        case committed = "its group is on disk"
        case refused = "the disk is full"
        case broken = "the disk fails"
        case workers = "workers join"
        case loaded = "its payload is read"
        case damaged = "its payload is damaged"
        case done = "answer OK"
        case wrong = "answer INVALID_ARGUMENT"
        case mayPass = "answer INTERNAL"
        case fifth = "answer INTERNAL, the fifth"
        case died = "a worker dies with it"
        case killed = "kills workers"
        case drained = "drain time over"
        case backoffOver = "time passes"
        case cancelled = "its job is cancelled"
        case replayed = "replay"
        case resultDamaged = "its result is damaged"
    }

    private static let task = JobTaskID(job: JobBench.id(1), index: 0)

    @Test func `a task of a job does in every state what the document says`() throws {
        try StateTable("Broker: a task of a job").walk(states: State.self, events: Event.self) { state, event in
            let bench = Self.bench(in: state, event)
            let call = bench.offers[Self.task]?.id ?? CallID(rawValue: 99)
            let actions = Self.happen(event, bench, call)
            #expect(bench.machine.violatedInvariant == nil)
            return .cell(actions.map(\.name), next: Self.name(bench.machine.state(of: Self.task)))
        }
    }

    private static func name(_ state: JobTask.State) -> String {
        switch state {
        case .absent: "absent"
        case .inserting: "inserting"
        case .queued: "queued"
        case .backingOff: "backing off"
        case .loading: "loading"
        case .offered: "offered"
        case .ending: "ending"
        case .done: "done"
        case .failed: "failed"
        case .dead: "dead"
        }
    }

    /// A job of one task, not sealed.
    private static func bench(in state: State, _ event: Event) -> JobBench {
        let bench = JobBench(credit: 0)
        bench.job(1, tasks: 0, sealed: false)
        if state == .absent { return bench }
        _ = bench.append(1, [0])
        if state == .inserting { return bench }
        bench.commitAll()
        if state == .queued { return bench }
        bench.handle(.fleetChanged([.init(model: JobBench.niki, items: 10)]))
        if event == .fifth {
            for _ in 0..<4 {
                bench.answer(1, 0, status: 13)
                bench.pass(.seconds(10))
            }
        }
        switch state {
        case .absent, .inserting, .queued, .loading: break
        case .backingOff: bench.answer(1, 0, status: 13)
        case .offered: bench.loadAll()
        case .ending: bench.answer(1, 0)
        case .done: bench.answer(1, 0)
        case .failed: bench.answer(1, 0, status: 3)
        case .dead: bench.abort(1, 0, .poisoned(deaths: 4))
        }
        switch state {
        case .done, .failed, .dead: bench.commitAll()
        case .absent, .inserting, .queued, .backingOff, .loading, .offered, .ending: break
        }
        return bench
    }

    private static func happen(_ event: Event, _ bench: JobBench, _ call: CallID) -> [JobStateMachine.Action] {
        let request = JobRequestID(rawValue: 1_000)
        let ticket = bench.groups.first?.ticket ?? CommitTicket(rawValue: 99)
        switch event {
        case .appended: return bench.handle(.appended(request, JobBench.tenant, task.job, [JobBench.block(0)]))
        case .committed: return bench.handle(.committed(ticket))
        case .refused: return bench.handle(.commitFailed(ticket, .full("no room")))
        case .broken: return bench.handle(.storeBroke("EIO"))
        case .workers: return bench.handle(.fleetChanged([.init(model: JobBench.niki, items: 10)]))
        case .loaded: return bench.handle(.loaded(task))
        case .damaged: return bench.handle(.loadFailed(task, .damaged(task, "checksum")))
        case .done: return bench.handle(.answered(call, status: 0, attempts: 1, resultBytes: 5))
        case .wrong: return bench.handle(.answered(call, status: 3, attempts: 1, resultBytes: 5))
        case .mayPass, .fifth: return bench.handle(.answered(call, status: 13, attempts: 1, resultBytes: 5))
        case .died: return bench.handle(.workerDied(call, deaths: 1))
        case .killed: return bench.handle(.aborted(call, .poisoned(deaths: 4)))
        case .drained: return bench.handle(.aborted(call, .drainTimedOut))
        case .backoffOver:
            bench.now = bench.now + .seconds(40)
            return bench.handle(.ticked)
        case .cancelled: return bench.handle(.cancelled(request, JobBench.tenant, task.job))
        case .replayed: return bench.handle(.replayed(request, JobBench.tenant, task.job, indexes: [0]))
        case .resultDamaged: return bench.handle(.resultDamaged(task))
        }
    }
}

extension JobStateMachine.Action {
    /// As `proto/STATES.md` writes it.
    var name: String {
        switch self {
        case .write: "write"
        case .commit: "commit"
        case .drop: "drop"
        case .reply: "reply"
        case .readResults: "readResults"
        case .load: "load"
        case .offer: "offer"
        case .withdraw: "withdraw"
        case .leasesReserved: "leasesReserved"
        case .reopen: "reopen"
        }
    }
}
