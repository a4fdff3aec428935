internal import CZeroMQ

/// Tells how the handshakes of a socket end, which the socket itself keeps to itself.
///
/// Belongs to the thread of its socket and must be read as long as it lives: libzmq's own threads wait when too much is unread.
@safe public struct HandshakeMonitor: ~Copyable {
    /// The end of one handshake.
    public enum Outcome: Sendable, Equatable {
        /// The peers are connected.
        case succeeded
        /// The other side does not admit this key.
        case refused
        /// The two sides do not speak the same security: one has no key, or expects another one of its peer.
        case incompatible
        /// The connection ended first: the other side found one of the above, is no ZeroMQ socket, or went away.
        case brokenOff
    }

    private let watched: SocketHandle
    let events: Socket

    /// Begins to watch a socket; to be made before the socket is bound or connected.
    ///
    /// - Throws: ``ZeroMQError`` when the context is full or shut down.
    public init(of socket: borrowing Socket) throws(ZeroMQError) {
        let handle = socket.handle
        watched = handle
        // Unique: no other socket that is open has this address in memory.
        let endpoint = unsafe "inproc://sinew.handshakes.\(UInt(bitPattern: handle.pointer))"
        let wanted =
            ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
            | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
        let opened = try Socket(.pair, in: handle.context)
        guard unsafe zmq_socket_monitor(handle.pointer, endpoint, wanted) == 0 else {
            throw .last("watch the handshakes of a \(handle.kind) socket")
        }
        handle.isMonitored = true
        try opened.connect(to: endpoint)
        events = opened
    }

    deinit {
        // In this order: libzmq would wait for a reader that is gone.
        if watched.isOpen { _ = unsafe zmq_socket_monitor(watched.pointer, nil, 0) }
    }

    /// The next handshake that has ended; nil when none has.
    public borrowing func next() throws(ZeroMQError) -> Outcome? {
        while let message = try events.receive() {
            guard let bytes = message.frames.first?.bytes, bytes.count >= 2 else { continue }
            switch Int32(bytes[0]) | Int32(bytes[1]) << 8 {
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .succeeded
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .refused
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: return .incompatible
            case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: return .brokenOff
            default: continue
            }
        }
        return nil
    }
}
