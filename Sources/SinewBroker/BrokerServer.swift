package import Logging
internal import SinewCore
package import SinewMetrics
internal import SinewZeroMQ

/// A broker that listens from the moment it is made: one thread owns both sockets and the state machine.
///
/// Life: serving → draining → stopped. `run()` returns when it is stopped; dropping the last reference stops it too.
package final class BrokerServer: Sendable {
    /// The client endpoint as bound, with the port that the system chose.
    package let clientEndpoint: String
    /// The worker endpoint as bound, with the port that the system chose.
    package let workerEndpoint: String
    /// What the broker counts besides its snapshots.
    package let metrics: MetricRegistry
    private let mailbox: BrokerMailbox
    private let thread: DedicatedThread
    private let authenticator: Authenticator?
    private let jobStore: JobStoreThread?

    /// Binds both endpoints and starts the thread.
    ///
    /// - Throws: ``BrokerError`` that names the endpoint which cannot be listened on, or says what is wrong with the keys.
    package init(_ configuration: BrokerConfiguration, logger: Logger) throws(BrokerError) {
        if let violated = configuration.limits.violatedRelation {
            throw BrokerError(
                reason: .invalidLimits, message: "the broker's limits contradict each other: \(violated)")
        }
        try Self.checkReach(configuration, logger)
        let admission = try configuration.security.map { (security) throws(BrokerError) in
            try Self.readKeys(security, configuration.limits)
        }
        metrics = configuration.metrics
        let mailbox = BrokerMailbox(waker: try Self.makeWaker())
        let jobStore = try configuration.store.map { (store) throws(BrokerError) in
            try JobStoreThread.start(
                store, reportingTo: mailbox.waker, metrics: configuration.metrics, logger: logger)
        }
        do {
            let context = try Context()
            // Before the sockets: libzmq lets everybody in while nobody answers its questions.
            let authenticator = try admission.map { (admission) throws(ZeroMQError) in
                try Authenticator(file: admission.file, keys: admission.keys, in: context, logger: logger) {
                    mailbox.post(.keysChanged($0))
                }
            }
            let clients = try Self.listen(.clients, configuration, in: context)
            let workers = try Self.listen(.workers, configuration, in: context)
            clientEndpoint = try clients.bind(to: configuration.clientEndpoint)
            workerEndpoint = try workers.bind(to: configuration.workerEndpoint)
            let loop = try BrokerLoop.open(
                configuration: configuration, clients: clients, workers: workers, mailbox: mailbox,
                keys: admission?.keys, authenticator: authenticator, jobs: jobStore?.mailbox, logger: logger)
            thread = try DedicatedThread(named: "broker", owning: loop) { loop in
                var loop = loop
                loop.run()
            }
            self.mailbox = mailbox
            self.authenticator = authenticator
            self.jobStore = jobStore
        } catch {
            jobStore?.stop()
            throw BrokerError(error)
        }
        logger.info(
            "broker listens",
            metadata: [
                "client-endpoint": "\(clientEndpoint)", "worker-endpoint": "\(workerEndpoint)",
                "keys": "\(admission.map { "\($0.keys.entries.count)" } ?? "none needed")",
            ])
    }

    deinit {
        mailbox.post(.stop)
        authenticator?.stop()
    }

    /// Waits until the broker is stopped: after ``stop()``, or after a drain.
    package func run() async {
        await mailbox.waitUntilStopped()
        thread.join()
        jobStore?.join()
    }

    /// Takes no new calls, tells the clients, finishes what it has, and stops; after the given time it answers the rest
    /// with UNAVAILABLE. Calling it again can only shorten the time.
    package func beginDrain(within duration: Duration) { mailbox.post(.drain(within: duration)) }

    /// Answers everything it has with UNAVAILABLE and stops.
    package func stop() { mailbox.post(.stop) }

    func post(_ question: BrokerQuestion) { mailbox.post(question) }

    /// Reads the list of keys now, even if its file looks the same; it is read anyway when it changes.
    package func reloadKeys() { authenticator?.reload() }

    /// An endpoint that leaves this machine needs keys, or somebody's word that it does not.
    private static func checkReach(_ configuration: BrokerConfiguration, _ logger: Logger) throws(BrokerError) {
        guard configuration.security == nil else { return }
        for endpoint in [configuration.clientEndpoint, configuration.workerEndpoint]
        where EndpointReach.leavesThisMachine(endpoint) {
            guard configuration.allowsInsecure else {
                throw BrokerError(
                    reason: .insecure,
                    message: "broker: \(endpoint) leaves this machine, and whoever reaches it could use this broker: "
                        + "give it a key and a list of keys (sinew keys generate), or allow it with --insecure")
            }
            logger.warning(
                "INSECURE: everybody who reaches this endpoint can use this broker and read its traffic",
                metadata: ["endpoint": "\(endpoint)"])
        }
    }

    private static func makeWaker() throws(BrokerError) -> Waker {
        do { return try Waker() } catch { throw BrokerError(error) }
    }

    private static func readKeys(
        _ security: BrokerSecurity, _ limits: Limits
    ) throws(BrokerError) -> (file: AuthorizedKeysFile, keys: AuthorizedKeys) {
        var file = AuthorizedKeysFile(path: security.authorizedKeysPath, limits: limits)
        switch file.look(always: true) {
        case .changed(let keys): return (file, keys)
        case .broken(let why): throw BrokerError(reason: .unusableKeys, message: "broker: \(why)")
        case .unchanged: preconditionFailure("a look that was told to read did not")
        }
    }

    private static func listen(
        _ port: BrokerPort, _ configuration: BrokerConfiguration, in context: Context
    ) throws(ZeroMQError) -> Socket {
        var options = Socket.Options()
        // Last answers of a drain must leave; a peer that does not read them costs a second and no more.
        options.linger = .seconds(1)
        options.messageBytesMax = configuration.limits.payloadBytesMax
        options.framesPerMessageMax = configuration.limits.framesPerMessageMax
        options.unreceivedMessagesPerPeerMax = configuration.limits.messagesUnreceivedMax
        options.handshakeDurationMax = configuration.limits.handshakeDurationMax
        options.unreadMessagesPerPeerMax =
            switch port {
            case .clients: configuration.limits.repliesUnreadMax
            case .workers: configuration.limits.tasksUnreadMax
            }
        if let security = configuration.security {
            options.security = .server(security.keys, domain: port.rawValue)
        }
        return try Socket(.router, in: context, options: options)
    }
}

extension BrokerError {
    fileprivate init(_ error: ZeroMQError) {
        let reason: Reason
        switch error.reason {
        case .resourcesExhausted, .terminated, .brokenMessage, .other: reason = .resourcesExhausted
        case .addressInUse, .addressUnavailable, .invalidEndpoint: reason = .cannotListen
        }
        self.init(reason: reason, message: "broker: \(error)")
    }
}
