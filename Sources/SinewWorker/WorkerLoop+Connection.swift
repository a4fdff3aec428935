internal import Glibc
internal import Logging
internal import SinewCore
internal import SinewKernels
internal import SinewWire
internal import SinewZeroMQ

extension WorkerLoop {
    /// Says hello until the broker knows the worker, and beats from then on.
    mutating func speakIfDue() throws(ZeroMQError) {
        guard connection.nextSpeak <= clock.now else { return }
        switch connection.state {
        case .absent, .introducing: try sayHello()
        case .welcomed: try beat()
        }
        postReport()
    }

    /// Tells the rest of the process how the worker does.
    private func postReport() {
        let isServing =
            switch lifecycle {
            case .serving: true
            case .draining, .farewell, .stopped: false
            }
        let status = WorkerStatus(
            name: configuration.name, state: isServing ? .serving : .draining, models: models.ready,
            credits: UInt32(configuration.creditItems),
            inFlightItems: UInt32(clamping: machine.queuedItems + machine.runningItems), beat: countersNow(leases: nil),
            computeThreads: UInt32(configuration.computeThreads), isa: ISA.selected.rawValue,
            host: WorkerConfiguration.hostName, processID: UInt32(bitPattern: getpid()),
            version: configuration.version)
        board.post(WorkerBoard.Report(status: status, isReady: isServing && connection.state == .welcomed))
    }

    private mutating func sayHello() throws(ZeroMQError) {
        // A worker that leaves does not introduce itself again.
        switch lifecycle {
        case .serving: break
        case .draining, .farewell, .stopped:
            connection.wasLost(at: clock.now, tryAgainIn: connection.beatInterval)
            return
        }
        let hello = WorkerHello(
            name: configuration.name, models: models.ready, credits: UInt32(configuration.creditItems),
            computeThreads: UInt32(configuration.computeThreads), isa: ISA.selected.rawValue,
            host: WorkerConfiguration.hostName, processID: UInt32(bitPattern: getpid()),
            version: configuration.version, beat: countersNow(leases: nil))
        if try send(Head(kind: .hello), payload: hello.encode()) { connection.helloLeft(at: clock.now) }
    }

    mutating func beat() throws(ZeroMQError) {
        let beat = countersNow(leases: machine.heldLeases.compactMap { tasks[$0]?.brokerLease }.sorted())
        if try send(Head(kind: .beat), payload: beat.encode()) { connection.beatLeft(at: clock.now) }
    }

    /// - Parameter leases: those in hand; nil leaves them out.
    private func countersNow(leases: [UInt64]?) -> WorkerBeat {
        var beat = counters.beat(
            queuedItems: machine.queuedItems, runningItems: machine.runningItems, modelCounts: machine.modelCounts,
            leases: leases)
        beat.uptimeMicroseconds = UInt64(clock.now.nanoseconds / 1_000)
        beat.malformedMessages = UInt64(malformedMessages)
        return beat
    }

    /// Sends to the broker; false when nothing is connected, which is remembered.
    ///
    /// What cannot be sent is not kept: the broker has lost sight of the worker too and gives its tasks to others.
    @discardableResult
    mutating func send(_ head: Head, metadata: [UInt8]? = nil, payload: [UInt8]? = nil) throws(ZeroMQError) -> Bool {
        var frames = [Frame(head.encode())]
        if let metadata { frames.append(Frame(metadata)) }
        if let payload { frames.append(Frame(payload)) }
        switch try line.socket.send(Message(frames: frames)) {
        case .sent: return true
        case .wouldBlock, .unroutable:
            if connection.state != .absent {
                logger.warning(
                    "lost the connection to the broker; trying again",
                    metadata: ["broker": "\(configuration.brokerEndpoint)"])
            }
            connection.wasLost(at: clock.now, tryAgainIn: BrokerConnection.knockInterval)
            return false
        }
    }

    /// Says why the keys do not open the door, and knocks again: the operator may be about to admit this key.
    mutating func noteHandshakes() throws(ZeroMQError) {
        while let outcome = try line.handshakes.next() {
            handshakes.note(outcome)
            guard let trouble = handshakes.trouble else {
                nextKnock = nil
                continue
            }
            let isFirst = nextKnock == nil
            nextKnock = clock.now + BrokerConnection.knockAgainInterval
            guard isFirst else { continue }
            logger.error("the worker's keys do not open its broker's door; trying on", metadata: keyMetadata(trouble))
        }
        guard let due = nextKnock, due <= clock.now else { return }
        nextKnock = due + BrokerConnection.knockAgainInterval
        // libzmq gives up for good when it is refused. It may have forgotten the endpoint with that.
        do throws(ZeroMQError) { try line.socket.disconnect(from: configuration.brokerEndpoint) } catch {
            guard error.errorNumber == ENOENT else { throw error }
        }
        try line.socket.connect(to: configuration.brokerEndpoint)
    }

    private func keyMetadata(_ trouble: HandshakeHistory.Trouble) -> Logger.Metadata {
        let key = configuration.keys?.own.publicKey.z85
        let advice =
            switch trouble {
            case .refused: "type beside the broker: sinew keys authorize '\(key ?? "")' --role worker"
            case .incompatible where key == nil: "the broker asks for a key: give the worker --key and --broker-key"
            case .incompatible: "whoever listens there does not hold the key of --broker-key, or has no key at all"
            }
        return [
            "broker": "\(configuration.brokerEndpoint)", "key": "\(key ?? "none")", "advice": "\(advice)",
        ]
    }

    mutating func welcome(_ payload: Frame?) {
        let welcome = decode(WorkerWelcome.self, payload)
        guard let welcome else { return }
        let asked = Duration.microseconds(Int64(clamping: welcome.beatIntervalMicroseconds))
        // A beat costs a few microseconds; what asks for more than a hundred a second is a mistake.
        let interval = min(max(asked, .milliseconds(10)), configuration.limits.beatInterval)
        if connection.state != .welcomed {
            logger.info(
                "the broker took the worker in",
                metadata: ["broker": "\(configuration.brokerEndpoint)", "broker-version": "\(welcome.version)"])
        }
        connection.wasWelcomed(at: clock.now, beatInterval: interval)
    }

    /// The broker does not take this worker in, and a drain that carries a status says why.
    ///
    /// A broker that is about to end may be followed by another; any other reason is for the operator.
    mutating func leaveRefused(_ head: Head, _ payload: Frame?) throws(ZeroMQError) {
        let reason = decode(ErrorDetail.self, payload)?.message ?? head.status.description
        logger.error(
            "the broker refused this worker",
            metadata: ["broker": "\(configuration.brokerEndpoint)", "reason": "\(reason)"])
        switch head.status {
        case .unavailable: connection.wasLost(at: clock.now, tryAgainIn: connection.beatInterval)
        case .ok, .cancelled, .unknown, .invalidArgument, .deadlineExceeded, .notFound, .alreadyExists,
            .permissionDenied, .resourceExhausted, .failedPrecondition, .aborted, .outOfRange, .unimplemented,
            .internal, .dataLoss, .unauthenticated:
            try drain(within: .seconds(30), reason: "the broker refused this worker")
        }
    }

    /// The broker is a new one, or took this worker for dead: whatever is in hand belongs to nobody now.
    mutating func introduceAgain() throws(ZeroMQError) {
        switch lifecycle {
        case .farewell:
            // Sent after everything the broker ever sent to the worker it has now forgotten: nothing can follow.
            lifecycle = .stopped
            return
        case .serving, .draining, .stopped: break
        }
        logger.info("the broker asks for an introduction", metadata: ["tasks-dropped": "\(tasks.count)"])
        leaseOfBroker = [:]
        for lease in machine.heldLeases { try step(.cancelled(lease)) }
        connection.wasLost(at: clock.now, tryAgainIn: .zero)
    }
}
