internal import Logging
internal import SinewCore
internal import SinewZeroMQ

/// What the socket thread owns and does: decides nothing, carries out what ``ClientStateMachine`` decides.
struct ClientLoop: ~Copyable {
    private let configuration: ClientConfiguration
    private let context: Context
    private let mailbox: ClientMailbox
    private let clock: MonotonicClock
    private let logger: Logger
    /// Whether there is a line for each call.
    private let logsCalls: Bool
    private var socket: Socket
    private var handshakes: HandshakeMonitor
    private var history = HandshakeHistory()
    /// Why calls are being ended that nobody has cancelled.
    private var keyError: ClientError?
    private var poller = Poller()
    private var machine: ClientStateMachine
    private var actions: [ClientStateMachine.Action] = []
    private var calls: [CallID: PendingCall] = [:]
    /// What the reply being handled says, for the `complete` that may follow.
    private var reply: Result<CallAnswer, ClientError>?
    private var hasHeardBroker = false
    private var pings: UInt64 = 0
    private var isClosing = false
    private var wantsFreshSocket = false

    /// How many messages are read before commands and time get their turn.
    private static let messagesPerRound = 256

    /// Opens the socket and begins to connect.
    static func open(
        _ configuration: ClientConfiguration, mailbox: ClientMailbox, clock: MonotonicClock, logger: Logger
    ) throws(ZeroMQError) -> sending ClientLoop {
        let context = try Context()
        let socket = try openSocket(configuration, in: context)
        let handshakes = try HandshakeMonitor(of: socket)
        try socket.connect(to: configuration.endpoint)
        return ClientLoop(configuration, context, socket, handshakes, mailbox: mailbox, clock: clock, logger: logger)
    }

    private init(
        _ configuration: ClientConfiguration, _ context: Context, _ socket: consuming Socket,
        _ handshakes: consuming HandshakeMonitor, mailbox: ClientMailbox, clock: MonotonicClock, logger: Logger
    ) {
        self.configuration = configuration
        self.mailbox = mailbox
        self.clock = clock
        self.logger = logger
        logsCalls = logger.logLevel <= .debug
        self.context = context
        _ = poller.add(socket)
        _ = poller.add(mailbox.waker)
        _ = poller.add(handshakes)
        self.socket = socket
        self.handshakes = handshakes
        var limits = Limits()
        limits.callsInFlightMax = configuration.callsInFlightMax
        machine = ClientStateMachine(
            limits: limits, waitForReady: configuration.waitForReady, seed: UInt64.random(in: .min ... .max))
    }

    private static func openSocket(
        _ configuration: ClientConfiguration, in context: Context
    ) throws(ZeroMQError) -> Socket {
        var options = Socket.Options()
        // Long enough for the cancels of a closing client to leave; a dead broker must not hold up the exit.
        options.linger = .milliseconds(100)
        options.messageBytesMax = Limits().payloadBytesMax
        if let keys = configuration.keys { options.security = .client(keys) }
        return try Socket(.dealer, in: context, options: options)
    }

    /// Runs until the client is closed or libzmq fails.
    mutating func run() {
        do throws(ZeroMQError) {
            while !isClosing {
                try takeCommands()
                try takeMessages()
                try noteHandshakes()
                handle(.ticked)
                try performActions()
                guard !isClosing else { break }
                try poller.wait(atMost: machine.nextDeadline.map { $0 - clock.now })
            }
            mailbox.end(ClientError(.clientClosed, "the client was closed"))
        } catch {
            logger.error("the client's socket failed", metadata: ["error": "\(error)"])
            let failure = ClientError(error)
            for call in calls.values { call.complete(.failure(failure)) }
            calls = [:]
            mailbox.end(failure)
        }
    }

    /// When the keys do not open the door, nothing will come, and libzmq does not knock again: the calls end now, and the next one begins
    /// with a connection of its own.
    private mutating func noteHandshakes() throws(ZeroMQError) {
        while let outcome = try handshakes.next() { history.note(outcome) }
        guard let trouble = history.trouble, !configuration.waitForReady, !calls.isEmpty else { return }
        keyError = ClientError(
            trouble, endpoint: configuration.endpoint, publicKey: configuration.keys?.own.publicKey)
        for id in calls.keys.sorted() { handle(.cancelled(id)) }
        try performActions()
        keyError = nil
    }

    private mutating func handle(_ event: ClientStateMachine.Event) {
        machine.handle(event, at: clock.now, into: &actions)
    }

    // MARK: In

    private mutating func takeCommands() throws(ZeroMQError) {
        mailbox.waker.clear()
        for command in mailbox.take() {
            switch command {
            case .call(let call):
                // libzmq does not try again by itself when it was refused; meanwhile the key may have been admitted.
                if history.trouble != nil, calls.isEmpty { try openFreshSocket() }
                calls[call.id] = call
                handle(.called(call.id, deadline: call.deadline))
            case .cancel(let id): handle(.cancelled(id))
            case .close:
                handle(.closed)
                isClosing = true
            }
            try performActions()
        }
    }

    private mutating func takeMessages() throws(ZeroMQError) {
        for _ in 0..<Self.messagesPerRound {
            guard let message = try socket.receive() else { return }
            do throws(WireError) { try take(message) } catch {
                logger.info("dropped a message of the broker", metadata: ["error": "\(error)"])
            }
            try performActions()
        }
    }

    private mutating func take(_ message: Message) throws(WireError) {
        let payloadIndex = try Frames.payloadIndex(frameCount: message.frames.count + message.droppedFrames)
        let head = try message.frames[0].withBytes { (bytes) throws(WireError) in try Head(decoding: bytes) }
        hasHeardBroker = true
        switch head.kind {
        case .reply:
            takeReply(
                head, payload: payloadIndex.map { message.frames[$0] },
                metadata: payloadIndex == 2 ? message.frames[1] : nil)
        case .pong: handle(.pong(incarnation: head.lease))
        case .goingAway: handle(.goingAway)
        case .call, .cancel, .ping, .hello, .beat, .result, .returned, .goodbye, .welcome, .task, .cancelTask,
            .helloAgain,
            .drain:
            throw WireError(.unknownKind, "a \(head.kind) is not for clients")
        }
    }

    private mutating func takeReply(_ head: Head, payload: Frame?, metadata: Frame?) {
        let outcome: ClientStateMachine.Outcome
        if head.status == .ok {
            reply =
                payload.map { .success(CallAnswer(payload: $0, metadata: metadata)) }
                ?? .failure(ClientError(.malformedReply, "a reply with status OK and no payload"))
            outcome = .final
        } else {
            let detail = payload.flatMap { frame in frame.withBytes { try? ErrorDetail(decoding: $0) } }
            let error = ClientError(replyStatus: head.status, errorCode: head.errorCode, detail: detail)
            reply = .failure(error)
            outcome = Self.outcome(of: error)
        }
        handle(.replied(CallID(rawValue: head.callID), attempt: Int(head.attempt), outcome))
    }

    private static func outcome(of error: ClientError) -> ClientStateMachine.Outcome {
        switch error.status {
        case .unavailable: .unavailable(retryAfter: error.retryAfter)
        case .resourceExhausted: .overloaded(retryAfter: error.retryAfter)
        case .ok, .cancelled, .unknown, .invalidArgument, .deadlineExceeded, .notFound, .alreadyExists,
            .permissionDenied, .failedPrecondition, .aborted, .outOfRange, .unimplemented, .internal, .dataLoss,
            .unauthenticated:
            .final
        }
    }

    // MARK: Out

    private mutating func performActions() throws(ZeroMQError) {
        for action in actions {
            switch action {
            case .send(let id, let attempt, let deadline): try send(id, attempt: attempt, deadline: deadline)
            case .sendCancel(let id): try send(Head(kind: .cancel, callID: id.rawValue))
            case .ping:
                pings += 1
                try send(Head(kind: .ping, callID: pings))
            case .complete(let id):
                guard let call = calls.removeValue(forKey: id), let reply else {
                    preconditionFailure("call \(id.rawValue) completed without a call or a reply")
                }
                if logsCalls { log(call, reply) }
                call.complete(call.metadata == nil ? reply : reply.map { timed($0, call) })
            case .fail(let id, let failure): fail(id, failure)
            }
        }
        actions.removeAll(keepingCapacity: true)
        reply = nil
        if wantsFreshSocket, machine.callCount == 0 { try openFreshSocket() }
    }

    private mutating func send(_ id: CallID, attempt: Int, deadline: Instant) throws(ZeroMQError) {
        guard let call = calls[id] else { preconditionFailure("call \(id.rawValue) is not known") }
        let head = Head(
            kind: .call, method: call.method, model: call.model, callID: id.rawValue,
            timeoutMicroseconds: (deadline - clock.now).remainingMicroseconds, attempt: UInt8(clamping: attempt),
            priority: call.priority, tenant: configuration.tenant, items: UInt32(clamping: call.items))
        if call.metadata != nil { calls[id]?.sent = clock.now }
        try send(head, metadata: call.metadata, call.payload)
    }

    private func send(_ head: Head, metadata: Frame? = nil, _ payload: Frame? = nil) throws(ZeroMQError) {
        let frames = [Frame(head.encode())] + (metadata.map { [$0] } ?? []) + (payload.map { [$0] } ?? [])
        // A message that libzmq does not take is lost like one on the network; the state machine notices the silence.
        let outcome = try socket.send(Message(frames: frames))
        if outcome != .sent { logger.debug("a message did not leave", metadata: ["outcome": "\(outcome)"]) }
    }

    private mutating func fail(_ id: CallID, _ failure: ClientStateMachine.Failure) {
        guard let call = calls.removeValue(forKey: id) else {
            preconditionFailure("call \(id.rawValue) failed and is not known")
        }
        switch failure {
        case .brokerSilent: wantsFreshSocket = true
        case .deadlineExceeded, .brokerRestarted, .tooManyCalls, .cancelled, .closed: break
        }
        let error =
            keyError
            ?? ClientError(
                failure, endpoint: configuration.endpoint, deadline: call.allowed, hasHeardBroker: hasHeardBroker,
                keyTrouble: history.trouble, publicKey: configuration.keys?.own.publicKey)
        if logsCalls { log(call, .failure(error)) }
        call.complete(.failure(error))
    }

    /// The answer with the durations that only this thread knows.
    private func timed(_ answer: CallAnswer, _ call: PendingCall) -> CallAnswer {
        var answer = answer
        let now = clock.now
        let sent = call.sent ?? now
        answer.times = CallTimes(queue: sent - call.made, underWay: now - sent)
        answer.arrived = now
        return answer
    }

    private func log(_ call: PendingCall, _ outcome: Result<CallAnswer, ClientError>) {
        var metadata: Logger.Metadata = ["request-id": "\(call.id.rawValue)", "model": "\(call.model)"]
        let told = call.metadata.flatMap { frame in frame.withBytes { CallMetadata(reading: $0) } }
        if let parent = told?.parent { metadata["trace-id"] = "\(parent.traceID)" }
        switch outcome {
        case .success: metadata["status"] = "\(StatusCode.ok)"
        case .failure(let error): metadata["status"] = "\(error.status)"
        }
        logger.debug("call ended", metadata: metadata)
    }

    /// What libzmq still holds for a broker that is gone would reach the next one as calls that nobody waits for.
    private mutating func openFreshSocket() throws(ZeroMQError) {
        wantsFreshSocket = false
        hasHeardBroker = false
        history = HandshakeHistory()
        let fresh = try Self.openSocket(configuration, in: context)
        // The old monitor goes while its socket is still there.
        handshakes = try HandshakeMonitor(of: fresh)
        try fresh.connect(to: configuration.endpoint)
        socket = fresh
        poller = Poller()
        _ = poller.add(socket)
        _ = poller.add(mailbox.waker)
        _ = poller.add(handshakes)
    }
}

/// Instants counted from when the clock was made.
struct MonotonicClock: Sendable {
    private let origin = ContinuousClock.now
    var now: Instant { Instant(nanoseconds: origin.duration(to: ContinuousClock.now).wholeNanoseconds) }
}
