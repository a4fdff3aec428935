internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

/// A client's request to the service Jobs, until it is answered.
struct PendingJobRequest {
    let client: ClientID
    let head: Head
    /// Of an append: the bytes that go to the store.
    var blocks: [TaskBlock] = []
    /// Nil: the client is answered.
    var asker: JobAsker?
    /// Whether the store reads for it; the state machine has done its part then.
    var isReading = false

    /// Changes nothing, and waits for something to happen: it may be dropped.
    var isWait: Bool { !isReading && (head.method == Jobs.Status.name || head.method == Jobs.Results.name) }
}

/// What the loop keeps for jobs; nil in a broker without a store.
struct JobService {
    let mailbox: JobStoreMailbox
    /// By the number that the state machine knows.
    var requests: [JobRequestID: PendingJobRequest] = [:]
    /// To find the request that a client cancels.
    var requestOfCall: [CallKey: JobRequestID] = [:]
    /// Writes since the last `commit`.
    var group: [JobStoreWrite] = []
    /// Of groups that the store had no room for.
    var refusedGroups: [CommitTicket: [JobStoreWrite]] = [:]
    /// What groups under way change in the lives of jobs, for the log.
    var lives: [CommitTicket: JobLife] = [:]
    /// When a store that could not be opened is tried again.
    var reopenAt: Instant?
    private var nextRequest: UInt64 = 1

    struct CallKey: Hashable {
        let client: ClientID
        let call: UInt64
    }

    init(mailbox: JobStoreMailbox) { self.mailbox = mailbox }

    mutating func add(_ request: PendingJobRequest) -> JobRequestID {
        let id = JobRequestID(rawValue: nextRequest)
        nextRequest += 1
        requests[id] = request
        requestOfCall[CallKey(client: request.client, call: request.head.callID)] = id
        return id
    }

    mutating func remove(_ id: JobRequestID) -> PendingJobRequest? {
        guard let request = requests.removeValue(forKey: id) else { return nil }
        let key = CallKey(client: request.client, call: request.head.callID)
        // A client may have sent the call again; the later copy stands under its number then.
        if requestOfCall[key] == id { requestOfCall[key] = nil }
        return request
    }
}

extension BrokerLoop {
    mutating func perform(_ action: JobStateMachine.Action) throws(ZeroMQError) {
        switch action {
        case .write(let operation, let bytes):
            let write = jobStoreWrite(operation, bytes)
            jobService?.group.append(write)
        case .commit(let ticket):
            guard let service = jobService else { preconditionFailure("a commit without a store") }
            jobService?.group = []
            noteLife(service.group, ticket)
            service.mailbox.post(.commit(ticket, service.group))
        case .drop(let ticket): jobService?.refusedGroups[ticket] = nil
        case .reply(let request, let reply):
            guard let pending = jobService?.remove(request) else { return }
            try answer(pending, with: reply)
        case .readResults(let request, let read):
            jobService?.requests[request]?.isReading = true
            jobService?.mailbox.post(.read(request, read))
        case .load(let task): jobService?.mailbox.post(.load(task))
        case .reopen(let why): try reopenJobStore(why)
        case .offer, .withdraw, .leasesReserved: preconditionFailure("meant for the dispatcher")
        }
    }

    private mutating func jobStoreWrite(_ operation: JobStoreOperation, _ bytes: JobBytes) -> JobStoreWrite {
        var write = JobStoreWrite(operation)
        switch bytes {
        case .none: break
        case .block(let request, let place):
            guard let block = jobService?.requests[request]?.blocks[place] else {
                preconditionFailure("a block of a request that was answered")
            }
            write.bytes = block.payload
            write.label = block.label
        case .result:
            guard case .result(let head, let body) = inHand else { preconditionFailure("stored no result in hand") }
            countResult(head)
            write.bytes = body.payload?.bytes ?? []
        case .failure(let failure): write.bytes = WireRejection(failure).detail.encode()
        case .kept(let ticket):
            guard let kept = jobService?.refusedGroups.removeValue(forKey: ticket)?.first else {
                preconditionFailure("the bytes of a refused group were not kept")
            }
            write.bytes = kept.bytes
        }
        // The state machine does not know how long the sentence about a failure is.
        if case .endTask(let task, var end) = operation {
            end.resultBytes = write.bytes.count
            write.operation = .endTask(task, end)
        }
        return write
    }

    /// A task of a job as a worker is sent it.
    func head(of task: JobTaskID) -> Head {
        guard let call = machine.jobs.call(of: task) else { preconditionFailure("offered a task of an unknown job") }
        return Head(
            kind: .call, method: call.record.method, model: call.record.model.rawValue,
            priority: call.record.priority, tenant: call.record.tenant.rawValue, items: UInt32(clamping: call.items))
    }

    /// What workers are told beside a task's request; nil for nothing.
    func metadata(of task: JobTaskID) -> Frame? {
        machine.jobs.call(of: task)?.record.traceparent.map { Frame(CallMetadata(traceparent: $0).encode()) }
    }

    /// Everything under way with the store is void; clients whose reads it was ask again.
    private mutating func reopenJobStore(_ why: String) throws(ZeroMQError) {
        guard let service = jobService else { return }
        jobService?.group = []
        jobService?.refusedGroups = [:]
        jobService?.lives = [:]
        service.mailbox.post(.reopen)
        for id in service.requests.keys.sorted() where service.requests[id]?.isReading == true {
            guard let pending = jobService?.remove(id) else { continue }
            try answer(
                pending,
                with: .refused(.storeUnavailable(why, retryAfter: configuration.limits.storeRetryAfter)))
        }
    }
}
