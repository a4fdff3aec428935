internal import CZeroMQ

extension Socket {
    /// What is fixed when a socket is opened.
    public struct Options: Sendable {
        /// How long closing keeps unsent messages; zero drops them. Bounds how long ending the process can take.
        public var linger: Duration = .zero
        /// The largest frame a peer may send; a larger one closes its connection.
        public var messageBytesMax: Int = 64 << 20
        /// Frames of a message that are kept; the rest are counted in ``Message/droppedFrames`` and thrown away.
        public var framesPerMessageMax: Int = 8
        /// First wait before connecting again.
        public var reconnectInterval: Duration = .milliseconds(50)
        /// The wait doubles up to this.
        public var reconnectIntervalMax: Duration = .seconds(1)

        /// Whether messages wait only for peers that are connected now. Otherwise they also wait while a connection is
        /// made again, and a peer that was restarted meanwhile gets what was meant for its predecessor.
        public var onlyToConnected = false
        /// Whether peers must prove who they are, and the traffic is encrypted.
        public var security = Security.none
        /// A connection whose handshake takes longer is closed.
        public var handshakeDurationMax: Duration = .seconds(10)
        /// Messages that wait for one peer that does not read; nil is no bound. At the bound a ROUTER answers
        /// ``Socket/SendOutcome/wouldBlock`` for that peer alone.
        public var unreadMessagesPerPeerMax: Int?

        /// Messages of one peer that wait to be received; nil is no bound. At the bound its connection is not read until some are
        /// received, so that a flood waits at its sender.
        public var unreceivedMessagesPerPeerMax: Int?

        /// Creates the defaults.
        public init() {}
    }
}

extension SocketHandle {
    func apply(_ options: Socket.Options) throws(ZeroMQError) {
        try set(ZMQ_LINGER, options.linger.wholeMilliseconds)
        let overhead = options.security == .none ? 0 : SocketHandle.curveBytesPerFrame
        try set(ZMQ_MAXMSGSIZE, Int64(options.messageBytesMax + overhead))
        try set(ZMQ_HANDSHAKE_IVL, options.handshakeDurationMax.wholeMilliseconds)
        // Credits bound memory where nothing is set. A finite mark would make a ROUTER answer EAGAIN for a dead peer, and that is no liveness.
        try set(ZMQ_SNDHWM, Int32(clamping: options.unreadMessagesPerPeerMax ?? 0))
        try set(ZMQ_RCVHWM, Int32(clamping: options.unreceivedMessagesPerPeerMax ?? 0))
        try set(ZMQ_RECONNECT_IVL, options.reconnectInterval.wholeMilliseconds)
        try set(ZMQ_RECONNECT_IVL_MAX, options.reconnectIntervalMax.wholeMilliseconds)
        try set(ZMQ_IMMEDIATE, Int32(options.onlyToConnected ? 1 : 0))
        // A peer whose machine vanished sends no FIN; without keepalive its routing entry would stay for ever.
        try set(ZMQ_TCP_KEEPALIVE, Int32(1))
        try set(ZMQ_TCP_KEEPALIVE_IDLE, Int32(30))
        try set(ZMQ_TCP_KEEPALIVE_INTVL, Int32(10))
        try set(ZMQ_TCP_KEEPALIVE_CNT, Int32(3))
        switch kind {
        case .router: try set(ZMQ_ROUTER_MANDATORY, Int32(1))
        case .dealer, .pair: break
        }
        try apply(options.security)
    }

    func set<Value: BitwiseCopyable>(_ option: Int32, _ value: Value) throws(ZeroMQError) {
        var value = value
        let result = unsafe zmq_setsockopt(pointer, option, &value, MemoryLayout<Value>.size)
        guard result == 0 else { throw .last("set option \(option) of a \(kind) socket") }
    }
}

extension Duration {
    /// Milliseconds rounded up, so that a wait never ends before its time; clamped to what libzmq accepts.
    var wholeMilliseconds: Int32 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        let perMillisecond: Int64 = 1_000_000_000_000_000
        return Int32(seconds * 1000 + (attoseconds + perMillisecond - 1) / perMillisecond)
    }
}
