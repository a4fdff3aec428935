package import Logging
internal import SinewCore
internal import SinewZeroMQ

/// A broker that listens from the moment it is made: one thread owns both sockets and the state machine.
///
/// Life: serving → draining → stopped. `run()` returns when it is stopped; dropping the last reference stops it too.
package final class BrokerServer: Sendable {
    /// The client endpoint as bound, with the port that the system chose.
    package let clientEndpoint: String
    /// The worker endpoint as bound, with the port that the system chose.
    package let workerEndpoint: String
    private let mailbox: BrokerMailbox
    private let thread: DedicatedThread

    /// Binds both endpoints and starts the thread.
    ///
    /// - Throws: ``BrokerError`` that names the endpoint which cannot be listened on.
    package init(_ configuration: BrokerConfiguration, logger: Logger) throws(BrokerError) {
        if let violated = configuration.limits.violatedRelation {
            throw BrokerError(
                reason: .invalidLimits, message: "the broker's limits contradict each other: \(violated)")
        }
        do {
            let context = try Context()
            let clients = try Self.listen(configuration, in: context)
            let workers = try Self.listen(configuration, in: context)
            clientEndpoint = try clients.bind(to: configuration.clientEndpoint)
            workerEndpoint = try workers.bind(to: configuration.workerEndpoint)
            let mailbox = BrokerMailbox(waker: try Waker())
            let loop = BrokerLoop(
                configuration: configuration, clients: clients, workers: workers, mailbox: mailbox, logger: logger)
            thread = try DedicatedThread(named: "broker", owning: loop) { loop in
                var loop = loop
                loop.run()
            }
            self.mailbox = mailbox
        } catch {
            let reason: BrokerError.Reason
            switch error.reason {
            case .resourcesExhausted, .terminated, .brokenMessage, .other: reason = .resourcesExhausted
            case .addressInUse, .addressUnavailable, .invalidEndpoint: reason = .cannotListen
            }
            throw BrokerError(reason: reason, message: "broker: \(error)")
        }
        logger.info(
            "broker listens",
            metadata: ["client-endpoint": "\(clientEndpoint)", "worker-endpoint": "\(workerEndpoint)"])
    }

    deinit { mailbox.post(.stop) }

    /// Waits until the broker is stopped: after ``stop()``, or after a drain.
    package func run() async {
        await mailbox.waitUntilStopped()
        thread.join()
    }

    /// Takes no new calls, tells the clients, finishes what it has, and stops; after the given time it answers the rest
    /// with UNAVAILABLE. Calling it again can only shorten the time.
    package func beginDrain(within duration: Duration) { mailbox.post(.drain(within: duration)) }

    /// Answers everything it has with UNAVAILABLE and stops.
    package func stop() { mailbox.post(.stop) }

    private static func listen(
        _ configuration: BrokerConfiguration, in context: Context
    ) throws(ZeroMQError) -> Socket {
        var options = Socket.Options()
        // Last answers of a drain must leave; a peer that does not read them costs a second and no more.
        options.linger = .seconds(1)
        options.messageBytesMax = configuration.limits.payloadBytesMax
        options.framesPerMessageMax = configuration.limits.framesPerMessageMax
        return try Socket(.router, in: context, options: options)
    }
}
