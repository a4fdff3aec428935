import SinewCore

/// Drives one job machine by hand, with a store that answers when the test says so.
final class JobBench {
    typealias Machine = JobStateMachine

    static let tenant = TenantID("lab")
    static let client = ClientID(rawValue: 5)
    static let niki = ModelKey("niki")
    static let start = Instant(nanoseconds: 1_000_000_000)
    static let wallStart = WallTime(microseconds: 1_700_000_000_000_000)

    struct Group {
        let ticket: CommitTicket
        let operations: [JobStoreOperation]
        let bytes: [JobBytes]
    }

    var machine: Machine
    var now = JobBench.start
    var wall = JobBench.wallStart
    /// Groups that the store has not answered.
    var groups: [Group] = []
    /// What was committed, in order.
    var committed: [JobStoreOperation] = []
    var replies: [JobRequestID: [JobReply]] = [:]
    var reads: [JobRequestID: JobResultsRead] = [:]
    var loads: [JobTaskID] = []
    /// Tasks in the dispatcher.
    var offers: [JobTaskID: BrokerStateMachine.Call] = [:]
    var withdrawn: [CallID] = []
    var dropped: [CommitTicket] = []
    var reopenings = 0
    private var writing: (operations: [JobStoreOperation], bytes: [JobBytes]) = ([], [])
    private var requests: UInt64 = 0

    init(_ limits: Limits = Limits(), credit: Int = 1_000, isOpen: Bool = true) {
        machine = Machine(limits: limits)
        if isOpen { handle(.opened(firstFreeLease: 1)) }
        if credit > 0 { handle(.fleetChanged([.init(model: Self.niki, items: credit)])) }
    }

    @discardableResult
    func handle(_ event: Machine.Event) -> [Machine.Action] {
        var actions: [Machine.Action] = []
        machine.handle(event, at: now, wall: wall, into: &actions)
        for action in actions { perform(action) }
        return actions
    }

    private func perform(_ action: Machine.Action) {
        switch action {
        case .write(let operation, let bytes):
            writing.operations.append(operation)
            writing.bytes.append(bytes)
        case .commit(let ticket):
            groups.append(.init(ticket: ticket, operations: writing.operations, bytes: writing.bytes))
            writing = ([], [])
        case .drop(let ticket): dropped.append(ticket)
        case .reply(let request, let reply): replies[request, default: []].append(reply)
        case .readResults(let request, let read): reads[request] = read
        case .load(let task): loads.append(task)
        case .offer(let task, let call): offers[task] = call
        case .withdraw(let call): withdrawn.append(call)
        case .leasesReserved: break
        case .reopen:
            reopenings += 1
            groups = []
        }
    }

    // MARK: The store

    /// Commits everything that waits, and what that brings about.
    func commitAll() {
        while !groups.isEmpty { commitFirst() }
    }

    func commitFirst() {
        let group = groups.removeFirst()
        committed += group.operations
        handle(.committed(group.ticket))
    }

    func failFirst(_ failure: JobStoreFailure) {
        let group = groups.removeFirst()
        handle(.commitFailed(group.ticket, failure))
    }

    // MARK: Requests

    func request(_ make: (JobRequestID) -> Machine.Event) -> JobRequestID {
        requests += 1
        let request = JobRequestID(rawValue: requests)
        handle(make(request))
        return request
    }

    /// The one answer to a request; nil when there is none yet.
    func reply(_ request: JobRequestID) -> JobReply? { replies[request]?.count == 1 ? replies[request]?[0] : nil }

    func refusal(_ request: JobRequestID) -> JobRefusal? {
        if case .refused(let refusal)? = reply(request) { refusal } else { nil }
    }

    static func id(_ number: UInt64) -> JobID { JobID(high: 7, low: number) }
    static func hash(_ number: UInt64) -> ContentHash { ContentHash(words: [number, 1, 2, 3]) }

    static func submission(_ number: UInt64, priority: UInt8 = 0) -> JobSubmission {
        JobSubmission(id: id(number), method: "solve", model: niki, priority: priority)
    }

    func submit(_ submission: JobSubmission, of tenant: TenantID = tenant) -> JobRequestID {
        request { .submitted($0, tenant, submission) }
    }

    static func block(_ index: Int, items: Int = 1, bytes: Int = 100, label: Int = 0, hash: UInt64? = nil) -> JobBlock {
        JobBlock(
            index: index, items: items, payloadBytes: bytes, labelBytes: label,
            hash: Self.hash(hash ?? UInt64(index) + 1_000))
    }

    func append(
        _ job: UInt64, _ indexes: [Int], items: Int = 1, of tenant: TenantID = tenant
    ) -> JobRequestID {
        request { .appended($0, tenant, Self.id(job), indexes.map { Self.block($0, items: items) }) }
    }

    func seal(_ job: UInt64, tasks: Int) -> JobRequestID {
        request { .sealed($0, Self.tenant, Self.id(job), tasks: tasks) }
    }

    func cancel(_ job: UInt64) -> JobRequestID { request { .cancelled($0, Self.tenant, Self.id(job)) } }

    func replay(_ job: UInt64, _ indexes: [Int] = []) -> JobRequestID {
        request { .replayed($0, Self.tenant, Self.id(job), indexes: indexes) }
    }

    func status(_ job: UInt64, wait: Duration = .zero, of tenant: TenantID = tenant) -> JobRequestID {
        request { .statusAsked($0, by: Self.client, tenant, Self.id(job), wait: wait) }
    }

    func results(
        _ job: UInt64, cursor: UInt64 = 0, count: Int = 0, wait: Duration = .zero, failuresOnly: Bool = false
    ) -> JobRequestID {
        let query = JobResultsQuery(
            job: Self.id(job), cursor: cursor, countMax: count, wait: wait, failuresOnly: failuresOnly)
        return request { .resultsAsked($0, by: Self.client, Self.tenant, query) }
    }

    /// A job with its tasks on disk, sealed if wanted.
    func job(_ number: UInt64, tasks: Int, items: Int = 1, priority: UInt8 = 0, sealed: Bool = true) {
        _ = submit(Self.submission(number, priority: priority))
        commitAll()
        if tasks > 0 { _ = append(number, Array(0..<tasks), items: items) }
        commitAll()
        if sealed { _ = seal(number, tasks: tasks) }
        commitAll()
    }

    // MARK: Work

    /// Every payload asked for is read.
    func loadAll() {
        while !loads.isEmpty { handle(.loaded(loads.removeFirst())) }
    }

    /// - Parameter leases: how often a worker was given the task.
    func answer(_ job: UInt64, _ index: Int, status: UInt8 = 0, bytes: Int = 50, leases: Int = 1) {
        loadAll()
        guard let call = offers.removeValue(forKey: .init(job: Self.id(job), index: index)) else { return }
        handle(.answered(call.id, status: status, attempts: leases, resultBytes: bytes))
    }

    func abort(_ job: UInt64, _ index: Int, _ reason: RejectionReason) {
        loadAll()
        guard let call = offers.removeValue(forKey: .init(job: Self.id(job), index: index)) else { return }
        handle(.aborted(call.id, reason))
    }

    func pass(_ duration: Duration) {
        now = now + duration
        wall = wall + duration
        handle(.ticked)
    }

    func record(_ job: UInt64) -> JobStatusRecord? { machine.status(of: Self.id(job)) }
}
