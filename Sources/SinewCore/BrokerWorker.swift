/// A worker as the broker knows it.
struct BrokerWorker: Sendable {
    enum Lifecycle: Equatable, Sendable {
        case ready
        /// Takes no more work; forgotten when its last lease is settled.
        case leaving
    }

    /// Whether the worker is kept for one task that may kill it.
    enum Reservation: Equatable, Sendable {
        case none
        /// Gets no new tasks until it is idle and the first solo task of this queue can start.
        case emptying(queue: Int)
        /// Runs one task alone; `queue` is the queue it came from.
        case alone(queue: Int)
    }

    let id: WorkerID
    var incarnation: UInt64
    /// The queues it serves.
    var queues: [Int]
    var creditItems: Int
    var lifecycle = Lifecycle.ready
    var reservation = Reservation.none
    /// The slots of the tasks it holds a valid lease of, in no order.
    var leased: [Int] = []
    var inFlightItems = 0
    var rate: WorkerRate
    var heard: Instant

    init(id: WorkerID, incarnation: UInt64, queues: [Int], creditItems: Int, at now: Instant) {
        self.id = id
        self.incarnation = incarnation
        self.queues = queues
        self.creditItems = creditItems
        rate = WorkerRate(at: now)
        heard = now
    }

    /// Notes that it has one more task; who it is, and where the task stands in its list.
    mutating func add(_ slot: Int, items: Int, at now: Instant) -> (id: WorkerID, position: Int) {
        rate.advance(to: now, wasBusy: !leased.isEmpty)
        leased.append(slot)
        inFlightItems += items
        return (id, leased.count - 1)
    }

    /// Notes that it has not the task at this place any more; the task that now stands there, or the removed one if it was the last.
    mutating func remove(at position: Int, items: Int, at now: Instant) -> Int {
        rate.advance(to: now, wasBusy: true)
        inFlightItems -= items
        let last = leased.removeLast()
        if position < leased.count { leased[position] = last }
        return last
    }

    /// Whether a task may be added. A task larger than the whole credit may go to an idle worker.
    func hasRoom(forItems items: Int) -> Bool { leased.isEmpty || inFlightItems + items <= creditItems }
}
