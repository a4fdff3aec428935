import DequeModule

/// The waiting tasks of one model key.
struct ModelQueue: Sendable {
    let key: ModelKey
    var fair = FairQueue()
    /// Tasks to be tried alone, in order of arrival.
    var solo: Deque<Int> = []
    /// The slot of the worker that is kept free for, or runs, the first of `solo`.
    var soloWorker: Int?
    /// Ready workers that answer to the key.
    var readyWorkers = 0
    var items = 0

    init(key: ModelKey) { self.key = key }

    var waitingCount: Int { fair.count + solo.count }
}
