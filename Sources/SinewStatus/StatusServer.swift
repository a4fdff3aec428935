internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import SinewCore

/// Tells people, programs and Prometheus over HTTP how the fleet does. It listens from the moment it is made until it is stopped.
package final class StatusServer: Sendable {
    /// Where it listens, with the port that the system chose.
    package let address: HTTPAddress
    private let hub: EventHub
    private let services: ServiceGroup
    private let running: Task<Void, any Error>
    private let threads: MultiThreadedEventLoopGroup

    /// The HTTP side of a broker: binds the address and begins to look at the fleet once a second.
    ///
    /// - Throws: ``StatusError`` that names the address.
    package static func start(
        _ configuration: StatusConfiguration, _ source: some StatusSource, logger: Logger
    ) async throws(StatusError) -> StatusServer {
        let hub = EventHub(configuration.limits)
        let fleet = FleetWatch(source, configuration.limits)
        let jobs = JobWatch(source)
        let history = try openHistory(configuration.store, logger)
        let responder = StatusResponder(
            configuration: configuration, source: source, fleet: fleet, jobs: jobs, history: history, hub: hub,
            assets: .shipped())
        let reporter = StatusReporter(
            fleet: fleet, jobs: jobs, history: history, hub: hub, store: configuration.store,
            limits: configuration.limits, logger: logger)
        return try await start(configuration, responder, [reporter], hub, logger)
    }

    /// The HTTP side of a worker.
    ///
    /// - Parameter worker: what it says about itself; asked with each request.
    /// - Throws: ``StatusError`` that names the address.
    package static func start(
        _ configuration: StatusConfiguration, worker: @escaping @Sendable () -> WorkerFacts, logger: Logger
    ) async throws(StatusError) -> StatusServer {
        let responder = WorkerResponder(configuration: configuration, facts: worker)
        return try await start(configuration, responder, [], EventHub(configuration.limits), logger)
    }

    private static func start<Responder: HTTPResponder>(
        _ configuration: StatusConfiguration, _ responder: Responder, _ others: [any Service], _ hub: EventHub,
        _ logger: Logger
    ) async throws(StatusError) -> StatusServer where Responder.Context == BasicRequestContext {
        try configuration.checkReach()
        if !configuration.address.isLoopback && configuration.operatorToken == nil {
            logger.warning(
                "INSECURE: everybody who reaches this address can read how the fleet does",
                metadata: ["address": "\(configuration.address)"])
        }
        // One thread is plenty for what people look at, and leaves the others to those who work.
        let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        // The library's own lines are of the level at which we say nothing.
        var quiet = logger
        quiet.logLevel = Swift.max(logger.logLevel, .warning)
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder { [limits = configuration.limits] in GuardedChannel(limits, responder: $0) },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.address.host, port: configuration.address.port),
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.limits.httpConnectionsMax)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(threads), logger: quiet)
        var groupConfiguration = ServiceGroupConfiguration(services: others + [application], logger: quiet)
        groupConfiguration.maximumGracefulShutdownDuration = .seconds(2)
        let services = ServiceGroup(configuration: groupConfiguration)
        let running = Task {
            defer { listening.finish() }
            try await services.run()
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else {
            let result = await running.result
            try? await threads.shutdownGracefully()
            throw StatusError(result, configuration.address)
        }
        let address = HTTPAddress(host: configuration.address.host, port: port)
        logger.info("HTTP listens", metadata: ["address": "\(address)"])
        return StatusServer(address: address, hub: hub, services: services, running: running, threads: threads)
    }

    private init(
        address: HTTPAddress, hub: EventHub, services: ServiceGroup, running: Task<Void, any Error>,
        threads: MultiThreadedEventLoopGroup
    ) {
        self.address = address
        self.hub = hub
        self.services = services
        self.running = running
        self.threads = threads
    }

    deinit { running.cancel() }

    /// Ends the event streams, answers what was asked, and closes; after two seconds it closes anyway.
    package func stop() async {
        hub.close()
        await services.triggerGracefulShutdown()
        _ = await running.result
        try? await threads.shutdownGracefully()
    }

    /// Beside the jobs, or in memory when there are none, or when the disk does not let us.
    private static func openHistory(_ store: StatusStore?, _ logger: Logger) throws(StatusError) -> HistoryStore {
        if let store {
            do { return try HistoryStore(path: store.historyPath) } catch {
                logger.warning(
                    "the history is kept in memory only: its file cannot be used",
                    metadata: ["path": "\(store.historyPath)", "reason": "\(error)"])
            }
        }
        do { return try HistoryStore() } catch {
            throw StatusError(.resourcesExhausted, "no memory for the history: \(error)")
        }
    }
}

extension StatusError {
    fileprivate init(_ result: Result<Void, any Error>, _ address: HTTPAddress) {
        switch result {
        case .success: self.init(.cannotListen, "--http \(address): it was stopped before it listened")
        case .failure(let error as IOError) where error.errnoCode == EADDRINUSE:
            self.init(
                .addressInUse,
                "--http \(address) is in use by another program; give another address (port * lets the system choose), or switch it "
                    + "off with --http none")
        case .failure(let error):
            self.init(.cannotListen, "--http \(address) cannot be listened on: \(error)")
        }
    }
}
