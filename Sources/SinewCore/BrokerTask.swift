/// An admitted call: 104 bytes, because a broker holds many.
struct BrokerTask: Sendable {
    enum State: Sendable {
        case queued
        case leased(Lease)
    }

    /// The lease of a task that is in the hands of a worker; its token is made of the task's slot and the sequence.
    struct Lease: Sendable {
        let sequence: UInt64
        /// When the lease was given, or the worker last named it in a beat.
        var confirmed: Instant
        private let workerNumber: UInt32
        private var positionNumber: UInt32

        init(sequence: UInt64, worker: Int, confirmed: Instant, position: Int) {
            self.sequence = sequence
            self.confirmed = confirmed
            workerNumber = UInt32(worker)
            positionNumber = UInt32(position)
        }

        /// The worker's slot.
        var worker: Int { Int(workerNumber) }
        /// Where the task stands in the worker's list, so that it leaves the list in O(1).
        var position: Int {
            get { Int(positionNumber) }
            set { positionNumber = UInt32(newValue) }
        }
    }

    private final class SecondLease: Sendable {
        let lease: Lease
        init(_ lease: Lease) { self.lease = lease }
    }

    /// No task, or no flow.
    static let noLink = UInt32.max
    /// In place of a flow: it came back from a worker.
    static let restoredLink = UInt32.max - 1

    let client: ClientID
    let call: CallID
    let deadline: Instant
    let admitted: Instant
    /// The order of admission over all models.
    let sequence: UInt64
    var state = State.queued
    /// The client's attempt, echoed in the answer.
    private let attemptNumber: UInt8
    private var deathCount: UInt16
    private var leaseCount: UInt16 = 0
    private let queueNumber: UInt16
    private let slotNumber: UInt32
    private let itemCount: UInt32
    private let payloadByteCount: UInt32
    /// Its flow in the ``FairQueue``, and its neighbours there.
    var flow = BrokerTask.noLink
    var previous = BrokerTask.noLink
    var next = BrokerTask.noLink
    private var second: SecondLease?

    init(
        slot: Int, sequence: UInt64, of call: BrokerStateMachine.Call, queue: Int, deadline: Instant,
        admitted: Instant
    ) {
        client = call.client
        self.call = call.id
        self.deadline = deadline
        self.admitted = admitted
        self.sequence = sequence
        attemptNumber = UInt8(clamping: call.attempt)
        deathCount = UInt16(clamping: call.deaths)
        slotNumber = UInt32(slot)
        queueNumber = UInt16(queue)
        itemCount = UInt32(clamping: Swift.max(call.items, 1))
        payloadByteCount = UInt32(clamping: call.payloadBytes)
    }

    var id: TaskID { TaskID(slot: Int(slotNumber), sequence: sequence) }
    var attempt: Int { Int(attemptNumber) }
    var queue: Int { Int(queueNumber) }
    var items: Int { Int(itemCount) }
    var payloadBytes: Int { Int(payloadByteCount) }

    /// The second lease of a straggler, on another worker; only while the task is leased. The first result counts.
    var hedge: Lease? {
        get { second?.lease }
        set { second = newValue.map { SecondLease($0) } }
    }
    /// Workers that died with the task in hand.
    var deaths: Int {
        get { Int(deathCount) }
        set { deathCount = UInt16(clamping: newValue) }
    }
    /// Leases given so far; no more than 65 535 are counted.
    var leasesGiven: Int {
        get { Int(leaseCount) }
        set { leaseCount = UInt16(clamping: newValue) }
    }

    func token(of lease: Lease) -> LeaseToken { LeaseToken(slot: Int(slotNumber), sequence: lease.sequence) }

    /// Of its at most two valid leases, the one that a worker has.
    func lease(on worker: Int) -> Lease? {
        guard case .leased(let lease) = state else { return nil }
        if lease.worker == worker { return lease }
        guard let hedge, hedge.worker == worker else { return nil }
        return hedge
    }

    /// Changes the lease that a worker has.
    mutating func update(on worker: Int, _ change: (inout Lease) -> Void) {
        guard case .leased(var lease) = state else { preconditionFailure("a queued task on a worker") }
        if lease.worker == worker {
            change(&lease)
            state = .leased(lease)
        } else {
            guard var second = hedge, second.worker == worker else { preconditionFailure("no lease on this worker") }
            change(&second)
            hedge = second
        }
    }

    /// Tried too often beside others: the next worker gets it alone.
    func isSolo(_ limits: Limits) -> Bool { deaths >= limits.deathsBeforeSolo }
}
