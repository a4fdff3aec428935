internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import SinewArrayFiles
internal import SinewCore
internal import Synchronization

/// Tells people, programs and Prometheus over HTTP how the fleet does. It listens from the moment it is made until it is stopped.
package final class StatusServer: Sendable {
    /// Where it listens, with the port that the system chose.
    package let address: HTTPAddress
    private let hub: EventHub
    private let services: ServiceGroup
    private let running: Task<Void, any Error>
    private let threads: MultiThreadedEventLoopGroup

    /// Binds the address and begins to look at the fleet once a second.
    ///
    /// - Throws: ``StatusError`` that names the address.
    package static func start(
        _ configuration: StatusConfiguration, _ source: some StatusSource, logger: Logger
    ) async throws(StatusError) -> StatusServer {
        try checkReach(configuration, logger)
        // One thread is plenty for what people look at, and leaves the others to those who work.
        let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let hub = EventHub(configuration.limits)
        let fleet = FleetWatch(source, configuration.limits)
        let jobs = JobWatch(source)
        let responder = StatusResponder(
            configuration: configuration, source: source, fleet: fleet, jobs: jobs, hub: hub, assets: .shipped())
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
        let reporter = StatusReporter(fleet: fleet, jobs: jobs, hub: hub, limits: configuration.limits)
        var groupConfiguration = ServiceGroupConfiguration(services: [reporter, application], logger: quiet)
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

    /// An address that leaves this machine needs a token, or somebody's word that it does not.
    private static func checkReach(_ configuration: StatusConfiguration, _ logger: Logger) throws(StatusError) {
        guard !configuration.address.isLoopback, configuration.operatorToken == nil else { return }
        guard configuration.allowsInsecure else {
            throw StatusError(
                .insecure,
                "--http \(configuration.address) leaves this machine, and whoever reaches it can read how the fleet does: give it an "
                    + "operator's token (--http-token-file), use 127.0.0.1, or add --insecure on a network you trust")
        }
        logger.warning(
            "INSECURE: everybody who reaches this address can read how the fleet does",
            metadata: ["address": "\(configuration.address)"])
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

/// Looks at the fleet once a second and tells everybody who reads the events.
private struct StatusReporter: Service {
    let fleet: FleetWatch
    let jobs: JobWatch
    let hub: EventHub
    let limits: Limits

    func run() async throws {
        await cancelWhenGracefulShutdown { await report() }
    }

    private func report() async {
        let clock = ContinuousClock()
        var due = clock.now
        var turn = 0
        while !Task.isCancelled {
            await look(turn)
            turn += 1
            // A turn that comes late is left out, not made up for.
            due = Swift.max(due + .seconds(1), clock.now)
            // A sleep that is cancelled ends the loop.
            try? await clock.sleep(until: due)
        }
    }

    private func look(_ turn: Int) async {
        // A broker that has stopped tells nothing; this process ends with it.
        if let view = try? await fleet.look() { hub.publish("fleet", view.json(limits).encoded()) }
        if turn % 2 == 0, let views = try? await jobs.look() {
            hub.publish("jobs", JobWatch.View.json(views).encoded())
        }
        if turn % 15 == 14 { hub.publishComment() }
    }
}
