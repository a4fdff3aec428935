internal import CoreMetrics
internal import Logging
internal import SinewCore
internal import SinewMetrics
internal import SinewWire
internal import SinewZeroMQ

/// The broker's thread: waits for messages, tells the state machine what happened, and carries out what it decides.
///
/// Payload frames pass through uncopied and unread; a head is read once and written once per hop.
struct BrokerLoop: ~Copyable {
    /// What a worker said about itself.
    struct WorkerDescription {
        var hello: WorkerHello
        var beat = WorkerBeat()
    }

    /// The message that the state machine is being told of; actions refer to it.
    enum MessageInHand {
        case none
        case call(Head, MessageBody)
        case result(Head, MessageBody)
        case hello(WorkerHello)
        /// What the store has read for a worker.
        case payload(JobTaskID, [UInt8])
    }

    /// Messages taken from one socket before the other one and the timers have their turn.
    static let messagesPerTurnMax = 1_024
    /// A client that was silent for this long and has no call is forgotten; it need not introduce itself again.
    static let clientSilenceMax = Duration.seconds(60)

    let configuration: BrokerConfiguration
    let logger: Logger
    /// Whether there is a line for each call.
    let logsCalls: Bool
    let clients: Socket
    let workers: Socket
    let mailbox: BrokerMailbox
    var poller: Poller
    let clientsReady: Poller.Token
    let workersReady: Poller.Token
    let mailboxReady: Poller.Token
    let clientHandshakesReady: Poller.Token
    let workerHandshakesReady: Poller.Token
    let clientHandshakes: HandshakeMonitor
    let workerHandshakes: HandshakeMonitor
    /// Who may speak; nil when everybody may.
    var keys: AuthorizedKeys?
    let authenticator: Authenticator?
    var refusals = RefusalLog()

    var machine: JobsAndCalls
    var actions: [JobsAndCalls.Action] = []
    /// Nil in a broker that keeps no jobs.
    var jobService: JobService?
    /// What the actions themselves brought about, told to the machine after them.
    var followUps: [BrokerStateMachine.Event] = []
    var inHand = MessageInHand.none
    var clientRoutes = RouteTable()
    var workerRoutes = RouteTable()
    var held = HeldCalls()
    /// The call that was just admitted, until it is forwarded.
    var admitted: TaskID?
    /// The last of their kind: the next one probably has the same names.
    var lastCall: Head?
    var lastResult: Head?
    /// Where heads are written.
    var headWriter = HeadWriter()
    var descriptions: [WorkerID: WorkerDescription] = [:]
    /// People in each worker's results: counted for every one of them, and a description is too large to be written so often.
    var itemsAnswered: [WorkerID: UInt64] = [:]
    var counters = Counters()
    var activity = RequestActivity()
    var fleetActivity = FleetActivity()
    var isStopped = false

    private let turns: Counter
    private let clock = SuspendingClock()
    private let origin: SuspendingClock.Instant
    let started: Instant
    var now: Instant
    var wall = WallClock.now
    var sweptClients: Instant
    var probedWorkers: Instant
    /// Another number each time a broker starts; clients see in it that their calls are gone.
    let incarnation: UInt64

    /// What the machine does not count.
    struct Counters {
        var resultsDelivered: UInt64 = 0
        var itemsDelivered: UInt64 = 0
        var failuresAnswered: UInt64 = 0
        var malformedMessages: UInt64 = 0
        var messagesRefused: UInt64 = 0
        var messagesTooFast: UInt64 = 0
        var repliesDropped: UInt64 = 0
        /// Peers that did not get as far as showing a key.
        var handshakesWithoutKey: UInt64 = 0
    }

    /// - Parameter keys: what the authenticator begins with; nil when there is none.
    static func open(
        configuration: BrokerConfiguration, clients: consuming sending Socket, workers: consuming sending Socket,
        mailbox: BrokerMailbox, keys: AuthorizedKeys?, authenticator: Authenticator?, jobs: JobStoreMailbox?,
        logger: Logger
    ) throws(ZeroMQError) -> sending BrokerLoop {
        let clientHandshakes = try HandshakeMonitor(of: clients)
        let workerHandshakes = try HandshakeMonitor(of: workers)
        return BrokerLoop(
            configuration: configuration, clients: clients, workers: workers, clientHandshakes: clientHandshakes,
            workerHandshakes: workerHandshakes, mailbox: mailbox, keys: keys, authenticator: authenticator,
            jobs: jobs, logger: logger)
    }

    private init(
        configuration: BrokerConfiguration, clients: consuming Socket, workers: consuming Socket,
        clientHandshakes: consuming HandshakeMonitor, workerHandshakes: consuming HandshakeMonitor,
        mailbox: BrokerMailbox, keys: AuthorizedKeys?, authenticator: Authenticator?, jobs: JobStoreMailbox?,
        logger: Logger
    ) {
        self.configuration = configuration
        turns = Counter(label: MetricCatalogue.brokerTurns.name, factory: configuration.metrics)
        self.keys = keys
        self.authenticator = authenticator
        self.logger = logger
        logsCalls = logger.logLevel <= .debug
        self.mailbox = mailbox
        var poller = Poller()
        // Workers first: their results free the credits that the clients' calls need.
        workersReady = poller.add(workers)
        clientsReady = poller.add(clients)
        mailboxReady = poller.add(mailbox.waker)
        clientHandshakesReady = poller.add(clientHandshakes)
        workerHandshakesReady = poller.add(workerHandshakes)
        self.clientHandshakes = clientHandshakes
        self.workerHandshakes = workerHandshakes
        self.poller = poller
        self.clients = clients
        self.workers = workers
        jobService = jobs.map { JobService(mailbox: $0) }
        machine =
            jobs == nil
            // No worker of an earlier broker may hold a lease that is valid here.
            ? JobsAndCalls(limits: configuration.limits, firstLease: UInt64.random(in: 1..<1 << 39))
            : JobsAndCalls(limits: configuration.limits)
        origin = clock.now
        // Not zero, so that "a minute ago" can be expressed at the start.
        started = Instant(nanoseconds: 3_600_000_000_000)
        now = started
        sweptClients = started
        probedWorkers = started
        incarnation = UInt64.random(in: 1...UInt64.max)
    }

    mutating func run() {
        do {
            while !isStopped { try turn() }
        } catch {
            // Only a context that is shut down or a socket broken by libzmq itself ends here; clients see silence.
            logger.error("broker stopped", metadata: ["reason": "\(error)"])
        }
        jobService?.mailbox.post(.stop)
        refuseQuestionsUnderWay()
        mailbox.markStopped()
    }

    private mutating func turn() throws(ZeroMQError) {
        let wait = timeUntilNextDeadline()
        let due = now + wait
        try poller.wait(atMost: wait)
        turns.increment()
        now = readClock()
        wall = WallClock.now
        let stalled = now - due
        if stalled >= configuration.limits.beatInterval { try tell(.stalled(stalled)) }
        if poller.isReady(workersReady) { try receiveFromWorkers() }
        if poller.isReady(clientsReady) { try receiveFromClients() }
        if poller.isReady(mailboxReady) {
            mailbox.waker.clear()
            try obeyCommands()
            try hearJobStore()
        }
        retryJobStore()
        try noteHandshakes()
        now = readClock()
        try probeWorkers()
        try tell(JobsAndCalls.Event.ticked)
        sweepClients()
    }

    /// At most one beat, so that a process that was suspended notices it by a turn that came too late.
    private func timeUntilNextDeadline() -> Duration {
        let limits = configuration.limits
        let longest = Swift.min(limits.beatInterval, limits.probeInterval)
        guard let next = machine.nextDeadline else { return longest }
        return Swift.max(.zero, Swift.min(longest, next - now))
    }

    func readClock() -> Instant { started + (clock.now - origin) }

    /// Does what other threads have asked for. Leaves the wake-up alone, which may also be the store's.
    mutating func obeyCommands() throws(ZeroMQError) {
        for command in mailbox.takeCommands() {
            switch command {
            case .drain(let duration):
                logger.info("broker drains", metadata: ["at-most": "\(duration)"])
                try tell(.drainRequested(until: now + duration))
            case .stop: try tell(.drainRequested(until: now))
            case .keysChanged(let keys): try take(keys)
            case .question(let question): try answer(question)
            }
        }
    }

    /// Tells the machine one thing, does what it decides, and then what that brought about.
    mutating func tell(_ event: BrokerStateMachine.Event, with message: MessageInHand = .none) throws(ZeroMQError) {
        try tell(.calls(event), with: message)
    }

    /// Tells the machine what concerns jobs.
    mutating func tell(jobs event: JobStateMachine.Event, with message: MessageInHand = .none) throws(ZeroMQError) {
        try tell(.jobs(event), with: message)
    }

    mutating func tell(_ event: JobsAndCalls.Event, with message: MessageInHand = .none) throws(ZeroMQError) {
        inHand = message
        try take(event)
        inHand = .none
        if let admitted {
            self.admitted = nil
            held.pack(admitted)
        }
        // Each follow-up forgets a peer, so this ends.
        while let event = followUps.popLast() { try take(.calls(event)) }
    }

    private mutating func take(_ event: JobsAndCalls.Event) throws(ZeroMQError) {
        machine.handle(event, at: now, wall: wall, into: &actions)
        try performActions()
        guard case .calls(.clientGone(let client)) = event, dropJobRequests(of: client) else { return }
        machine.handle(.jobs(.clientGone(client)), at: now, wall: wall, into: &actions)
        try performActions()
    }

    private mutating func performActions() throws(ZeroMQError) {
        var index = 0
        while index < actions.count {
            switch actions[index] {
            case .calls(let action): try perform(action)
            case .jobs(let action): try perform(action)
            }
            index += 1
        }
        actions.removeAll(keepingCapacity: true)
    }

    /// A ROUTER reports a connection that has ended when something is sent to it, and only then. A cancellation of
    /// lease 0, which names nothing, is that something; only workers with tasks in hand are worth it.
    private mutating func probeWorkers() throws(ZeroMQError) {
        guard now - probedWorkers >= configuration.limits.probeInterval else { return }
        probedWorkers = now
        for status in machine.calls.workerStatuses where status.inFlightTasks > 0 {
            guard try send(Head(kind: .cancelTask), to: status.id) == .unroutable else { continue }
            followUps.append(.undeliverable(status.id, LeaseToken(rawValue: 0)))
        }
    }

    /// Clients come and go by the thousand and say no goodbye.
    private mutating func sweepClients() {
        guard now - sweptClients >= Self.clientSilenceMax / 2 else { return }
        sweptClients = now
        for number in clientRoutes.silent(since: now + (.zero - Self.clientSilenceMax))
        where !machine.calls.hasCalls(of: ClientID(rawValue: number)) { clientRoutes.forget(number) }
    }
}
