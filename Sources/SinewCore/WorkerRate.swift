/// How many items a worker settles in a second of having work, seen from the broker.
///
/// Items and busy time are summed and halved together each two busy seconds, so the estimate follows a worker that
/// becomes slow within a few seconds and does not jump with single batches.
///
/// Work alone shows a rate, so a worker that was slow once, in its first batch or while its machine was busy, would get nothing as long
/// as the others have room, and never show that it has recovered. So what was seen before a long rest counts only until the first
/// result after it.
struct WorkerRate: Sendable {
    private var items = 0.0
    private var busySeconds = 0.0
    private var changed: Instant
    /// The estimate from before a long rest.
    private var remembered: Double?
    private static let halvingSeconds = 2.0
    private static let restNanosecondsMax: Int64 = 10_000_000_000

    init(at now: Instant) { changed = now }

    /// Items per second; nil as long as nothing was settled.
    var itemsPerSecond: Double? {
        guard items > 0, busySeconds > 0 else { return remembered }
        return items / busySeconds
    }

    /// Whether it has had no work for so long that it should show its rate again.
    func isOutdated(at now: Instant, isBusy: Bool) -> Bool {
        !isBusy && now.nanoseconds &- changed.nanoseconds >= Self.restNanosecondsMax
    }

    /// Call before the number of items in flight changes.
    mutating func advance(to now: Instant, wasBusy: Bool) {
        if isOutdated(at: now, isBusy: wasBusy) {
            remembered = itemsPerSecond
            (items, busySeconds) = (0, 0)
        }
        if wasBusy { busySeconds += Swift.max(0, (now - changed).inSeconds) }
        changed = now
        if busySeconds > Self.halvingSeconds {
            busySeconds /= 2
            items /= 2
        }
    }

    mutating func noteSettled(items count: Int) { items += Double(count) }
}
