internal import CoreMetrics
internal import Logging
internal import SinewCore
internal import SinewMetrics
internal import SinewModels
internal import SinewWire
internal import SinewZeroMQ

/// What the socket thread does: carries messages between the broker, the batching machine and the compute threads.
///
/// It decides nothing about batches (the machine does) and computes nothing, so it always answers soon.
struct WorkerLoop: ~Copyable {
    /// A task in hand.
    struct Task {
        let brokerLease: UInt64
        let callID: UInt64
        let attempt: UInt8
        let model: Int
        let method: PoseSolver.Method
        let items: UInt32
        /// What the call says beside its request.
        let metadata: CallMetadata?
        let payload: Frame?
        let arrived: Instant
        /// When its batch was given to a compute thread; nil while it waits.
        var started: Instant?
        /// How long that thread was at work; nil before it was done.
        var computed: Duration?
        /// The batch, and the people who were solved in it.
        var batch: BatchID?
        var batchItems = 0
    }

    struct RunningBatch {
        let thread: Int
        let model: Int
        /// How many solve it.
        let threads: Int
        let cancellation: Cancellation
    }

    enum Lifecycle {
        case serving
        case draining(until: Instant)
        /// Nothing is in hand; waits until the broker has forgotten the worker, so that no task is still on its way.
        case farewell(until: Instant)
        case stopped
    }

    let configuration: WorkerConfiguration
    let models: LoadedModels
    let threads: [ComputeThread]
    /// For batches that are alone.
    let team: ComputeTeam
    let inbox: Mailbox<BatchResult>
    let orders: WorkerOrders
    let logger: Logger
    /// Whether there is a line for each task.
    let logsTasks: Bool
    let line: BrokerLine
    /// When to knock again after the keys did not open the door.
    var nextKnock: Instant?
    var handshakes = HandshakeHistory()
    var poller = Poller()
    let clock = LoopClock()

    var lifecycle = Lifecycle.serving
    var connection = BrokerConnection()
    var machine: BatchingStateMachine
    var actions: [BatchingStateMachine.Action] = []
    /// The worker's own numbers for leases: a restarted broker begins to count anew, and a result of its predecessor's
    /// lease must not answer another task.
    var nextLease: UInt64 = 1
    var tasks: [LeaseToken: Task] = [:]
    var leaseOfBroker: [UInt64: LeaseToken] = [:]
    var answers: [LeaseToken: Answer] = [:]
    var freeThreads: [Int]
    var running: [BatchID: RunningBatch] = [:]
    /// By model.
    let measured: [MeasuredModel]
    var counters: WorkerCounters
    let turns: Counter
    /// For other threads.
    let board: WorkerBoard
    var malformedMessages = 0

    /// How long a worker waits for the broker to forget it before it goes anyway.
    static let farewellMax = Duration.seconds(1)
    /// Messages read before looking at anything else, so that a flood cannot keep a beat from leaving.
    static let messagesPerRoundMax = 256

    /// Runs until the worker is stopped, on the thread that owns the socket.
    static func run(
        _ line: consuming BrokerLine, configuration: WorkerConfiguration, models: LoadedModels,
        threads: [ComputeThread], team: ComputeTeam, inbox: Mailbox<BatchResult>, orders: WorkerOrders,
        board: WorkerBoard, logger: Logger
    ) {
        let sized = BatchSizing(configuration: configuration, team: team, logger: logger).models(
            models, isCancelled: { orders.stopping.isCancelled })
        var loop = WorkerLoop(
            configuration: configuration, models: models, threads: threads, team: team, inbox: inbox, orders: orders,
            logger: logger, logsTasks: logger.logLevel <= .debug, line: line,
            machine: BatchingStateMachine(
                models: sized.map(\.model), computeThreads: configuration.computeThreads, limits: configuration.limits),
            freeThreads: Array(threads.indices), measured: sized.map(\.measured),
            counters: WorkerCounters(
                models: sized.enumerated().map { index, sized in
                    models.activity(of: index, configuration, bestBatch: sized.model.batchItemsMax)
                }),
            turns: Counter(label: MetricCatalogue.workerTurns.name, factory: configuration.metrics), board: board)
        loop.runUntilStopped()
    }

    private mutating func runUntilStopped() {
        _ = poller.add(line.socket)
        _ = poller.add(line.handshakes)
        _ = poller.add(inbox.waker)
        logger.info(
            "worker started",
            metadata: [
                "worker": "\(configuration.name)", "broker": "\(configuration.brokerEndpoint)",
                "models": "\(models.all.map(\.identity.description).joined(separator: ", "))",
            ])
        do throws(ZeroMQError) {
            while !isStopped {
                try speakIfDue()
                try poller.wait(atMost: nextDue - clock.now)
                turns.increment()
                try noteHandshakes()
                for result in inbox.takeAll() { try finish(result) }
                try followOrders()
                try receiveMessages()
            }
        } catch {
            logger.error("the worker's socket failed; the worker stops", metadata: ["error": "\(error)"])
        }
        for batch in running.values { batch.cancellation.cancel() }
        for thread in threads { thread.end() }
        logger.info(
            "worker stopped",
            metadata: ["worker": "\(configuration.name)", "items-done": "\(counters.itemsDone)"])
    }

    private var isStopped: Bool {
        switch lifecycle {
        case .stopped: true
        case .serving, .draining, .farewell: false
        }
    }

    /// When there is something to do even if nothing happens.
    private var nextDue: Instant {
        let next = nextKnock.map { min($0, connection.nextSpeak) } ?? connection.nextSpeak
        switch lifecycle {
        case .serving, .stopped: return next
        case .draining(let until), .farewell(let until): return min(next, until)
        }
    }

    private mutating func receiveMessages() throws(ZeroMQError) {
        for _ in 0..<WorkerLoop.messagesPerRoundMax {
            guard let message = try line.socket.receive() else { return }
            try handle(message)
        }
    }

    /// Asks the machine what follows from an event and does it.
    mutating func step(_ event: BatchingStateMachine.Event) throws(ZeroMQError) {
        var decided = actions
        actions = []
        machine.handle(event, at: clock.now, into: &decided)
        for action in decided { try perform(action) }
        decided.removeAll(keepingCapacity: true)
        actions = decided
    }
}

/// Monotonic time since the loop began, as the state machines count it.
struct LoopClock {
    private let origin = ContinuousClock.now
    var now: Instant { Instant(nanoseconds: (ContinuousClock.now - origin).wholeNanoseconds) }
}
