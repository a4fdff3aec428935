internal import SinewCore
internal import SinewZeroMQ

/// The worker's socket, and what it tells of its attempts to connect.
struct BrokerLine: ~Copyable {
    let socket: Socket
    let handshakes: HandshakeMonitor

    /// Opens the socket and begins to look for the broker.
    static func open(_ configuration: WorkerConfiguration) throws(ZeroMQError) -> sending BrokerLine {
        var options = Socket.Options()
        options.onlyToConnected = true
        // Long enough for the last results to leave a loaded machine, short enough for an operator.
        options.linger = .seconds(1)
        options.messageBytesMax = configuration.limits.payloadBytesMax
        options.framesPerMessageMax = configuration.limits.framesPerMessageMax
        if let keys = configuration.keys { options.security = .client(keys) }
        let socket = try Socket(.dealer, in: try Context(), options: options)
        let handshakes = try HandshakeMonitor(of: socket)
        try socket.connect(to: configuration.brokerEndpoint)
        return BrokerLine(socket: socket, handshakes: handshakes)
    }
}
