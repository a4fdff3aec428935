/// How many items a worker settles in a second of having work, seen from the broker.
///
/// Items and busy time are summed and halved together each two busy seconds, so the estimate follows a worker that
/// becomes slow within a few seconds and does not jump with single batches.
struct WorkerRate: Sendable {
    private var items = 0.0
    private var busySeconds = 0.0
    private var changed: Instant
    private static let halvingSeconds = 2.0

    init(at now: Instant) { changed = now }

    /// Items per second; nil as long as nothing was settled.
    var itemsPerSecond: Double? {
        guard items > 0, busySeconds > 0 else { return nil }
        return items / busySeconds
    }

    /// Call before the number of items in flight changes.
    mutating func advance(to now: Instant, wasBusy: Bool) {
        if wasBusy { busySeconds += Swift.max(0, (now - changed).inSeconds) }
        changed = now
        if busySeconds > Self.halvingSeconds {
            busySeconds /= 2
            items /= 2
        }
    }

    mutating func noteSettled(items count: Int) { items += Double(count) }
}
