internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

/// What follows the head of a message.
struct MessageBody {
    var metadata: Frame?
    var payload: Frame?

    var byteCount: Int { (metadata?.count ?? 0) + (payload?.count ?? 0) }

    /// The same bytes in memory of their own, for a call that waits.
    var packed: MessageBody { MessageBody(metadata: metadata?.packed(), payload: payload?.packed()) }
}

/// A call whose payload is kept until it is answered, because a task may have to run again: 56 bytes, names and payload apart.
struct HeldCall {
    /// What many calls have in common.
    final class Names {
        let method: String
        let model: String
        let tenant: String
        let priority: UInt8
        /// Where the calls are counted.
        let activity: Int

        init(_ head: Head, activity: Int) {
            method = head.method
            model = head.model
            tenant = head.tenant
            priority = head.priority
            self.activity = activity
        }

        func fit(_ head: Head) -> Bool {
            priority == head.priority && model == head.model && method == head.method && tenant == head.tenant
        }
    }

    private let names: Names
    let callID: UInt64
    let admitted: Instant
    /// In place of a time.
    private static let never = Instant(nanoseconds: .min)
    private var lastDispatch = HeldCall.never
    let items: UInt32
    /// Whether it is a task of a job.
    var isTask = false
    fileprivate(set) var body: MessageBody

    init(_ head: Head, _ names: Names, _ body: MessageBody, admitted: Instant) {
        self.names = names
        callID = head.callID
        items = head.items
        self.admitted = admitted
        self.body = body
    }

    /// The head as it came from the client, apart from what differs between attempts.
    var head: Head {
        Head(
            kind: .call, method: names.method, model: names.model, callID: callID, priority: names.priority,
            tenant: names.tenant, items: items)
    }

    /// What must be known of it when it ends.
    var tally: RequestActivity.Tally {
        .init(place: names.activity, items: items, admitted: admitted, dispatched: dispatched)
    }

    /// When it was last given to a worker.
    fileprivate(set) var dispatched: Instant? {
        get { lastDispatch == HeldCall.never ? nil : lastDispatch }
        set { lastDispatch = newValue ?? HeldCall.never }
    }
}

/// The calls in the broker, by the slots of their tasks.
struct HeldCalls {
    private var calls: [HeldCall?] = []
    /// Of the calls that ask for timings, by the slots of their tasks.
    var itineraries: [Int: CallItinerary] = [:]
    /// The last few names, so that calls that wait share them.
    private var names: [HeldCall.Names] = []
    private var nextName = 0
    private static let namesMax = 16

    subscript(task: TaskID) -> HeldCall? { task.slot < calls.count ? calls[task.slot] : nil }

    mutating func keep(_ call: HeldCall, for task: TaskID) {
        while calls.count <= task.slot { calls.append(nil) }
        calls[task.slot] = call
    }

    mutating func noteDispatched(_ task: TaskID, at now: Instant) { calls[task.slot]?.dispatched = now }

    /// The call is not forwarded at once.
    mutating func pack(_ task: TaskID) {
        guard let packed = self[task]?.body.packed else { return }
        calls[task.slot]?.body = packed
    }

    mutating func release(_ task: TaskID) {
        calls[task.slot] = nil
        if !itineraries.isEmpty { itineraries[task.slot] = nil }
    }

    mutating func names(of head: Head, activity: Int) -> HeldCall.Names {
        for known in names where known.fit(head) { return known }
        let new = HeldCall.Names(head, activity: activity)
        if names.count < Self.namesMax {
            names.append(new)
        } else {
            names[nextName] = new
            nextName = (nextName + 1) % Self.namesMax
        }
        return new
    }
}
