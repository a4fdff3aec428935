internal import SinewCore
internal import SinewMetrics
internal import SinewWire

/// Calls and tasks by the model they asked for, counted as they end.
///
/// On the way of every call, so it looks a name up once, when the call is admitted, and allocates nothing after that.
struct RequestActivity {
    /// What must be known of a call when it ends; plain numbers, so that reading it costs no reference count.
    struct Tally {
        /// Where it is counted.
        var place = 0
        var items: UInt32 = 0
        var admitted = Instant(nanoseconds: 0)
        /// When it was last given to a worker.
        var dispatched: Instant?
    }

    /// The first is for all names that no worker ever announced; the others are as many as the machine has model keys.
    private(set) var models = [BrokerModelActivity()]
    private var indexOfModel: [String: Int] = [:]
    /// Most calls ask for what the one before asked for.
    private var lastModel = ""
    private var lastIndex = 0

    /// Where a model that the machine knows is counted.
    mutating func index(of model: String) -> Int {
        if model == lastModel { return lastIndex }
        lastModel = model
        lastIndex = indexOfModel[model] ?? add(model)
        return lastIndex
    }

    private mutating func add(_ model: String) -> Int {
        // The key that a worker announced: `name` or `name/version`.
        let parts = model.split(separator: "/", maxSplits: 1)
        models.append(
            BrokerModelActivity(
                name: parts.first.map(String.init) ?? "", version: parts.count > 1 ? String(parts[1]) : ""))
        indexOfModel[model] = models.count - 1
        return models.count - 1
    }

    /// Something ended that was never admitted.
    mutating func noteRefused(_ index: Int, _ status: StatusCode, items: UInt32) {
        note(index, status, items: items)
    }

    /// An admitted call, or an attempt of a task, ended.
    mutating func noteEnded(_ call: Tally, _ status: StatusCode, at now: Instant) {
        note(call.place, status, items: call.items)
        if let dispatched = call.dispatched {
            models[call.place].queueTime.note(Self.microseconds(from: call.admitted, to: dispatched))
        }
        models[call.place].totalTime.note(Self.microseconds(from: call.admitted, to: now))
    }

    /// Rounded up. Without `Duration`, whose 128 bits cost more to divide than all else here.
    private static func microseconds(from earlier: Instant, to later: Instant) -> UInt64 {
        UInt64(Swift.max(later.nanoseconds - earlier.nanoseconds, 0) + 999) / 1_000
    }

    private mutating func note(_ index: Int, _ status: StatusCode, items: UInt32) {
        let number = UInt32(status.rawValue)
        var place = 0
        while place < models[index].statuses.count, models[index].statuses[place].status != number { place += 1 }
        if place == models[index].statuses.count { models[index].statuses.append(StatusActivity(status: number)) }
        models[index].statuses[place].requests &+= 1
        models[index].statuses[place].items &+= UInt64(items)
    }

    /// What is told: models that were or are asked for, statuses in ascending order.
    ///
    /// - Parameter queues: what waits, by the model's key.
    func told(_ queues: [BrokerStateMachine.ModelStatus]) -> [BrokerModelActivity] {
        var told = models
        for queue in queues where queue.queuedCalls > 0 {
            // Whatever waits was admitted, and so has a place.
            guard let place = indexOfModel[queue.key.rawValue] else { continue }
            told[place].queuedRequests = UInt64(queue.queuedCalls)
        }
        return told.filter { !$0.statuses.isEmpty || $0.queuedRequests > 0 }.map { model in
            var model = model
            model.statuses.sort { $0.status < $1.status }
            return model
        }.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    }
}
