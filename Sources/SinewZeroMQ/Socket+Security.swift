internal import CZeroMQ

extension Socket {
    /// Whether a socket's peers must prove who they are.
    public enum Security: Sendable, Equatable {
        /// Anybody may connect, and the traffic can be read on its way.
        case none
        /// Encrypts with CURVE and asks who connects, at ``ZAPRequest/endpoint`` in the same context, which must listen before this
        /// socket is bound. `domain` tells the sockets of one process apart.
        /// - Important: while nobody answers there, libzmq 4.3.4 admits every key. Take no message whose ``Message/userID`` is nil.
        case server(CurveKeyPair, domain: String)
        /// Encrypts with CURVE, shows its own key, and talks to nobody but the holder of the server's.
        case client(CurveClientKeys)
    }
}

extension SocketHandle {
    /// What CURVE adds to a frame on the wire, which `ZMQ_MAXMSGSIZE` counts: command name, nonce, code and flags.
    static let curveBytesPerFrame = 33

    func apply(_ security: Socket.Security) throws(ZeroMQError) {
        switch security {
        case .none: break
        case .server(let pair, let domain):
            try set(ZMQ_CURVE_SERVER, Int32(1))
            try set(ZMQ_CURVE_SECRETKEY, text: pair.secretZ85)
            try set(ZMQ_ZAP_DOMAIN, text: domain)
        case .client(let keys):
            try set(ZMQ_CURVE_SERVERKEY, text: keys.server.z85)
            try set(ZMQ_CURVE_PUBLICKEY, text: keys.own.publicKey.z85)
            try set(ZMQ_CURVE_SECRETKEY, text: keys.own.secretZ85)
        }
    }

    private func set(_ option: Int32, text: String) throws(ZeroMQError) {
        let result = unsafe zmq_setsockopt(pointer, option, text, text.utf8.count)
        guard result == 0 else { throw .last("set option \(option) of a \(kind) socket") }
    }
}
