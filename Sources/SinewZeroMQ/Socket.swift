internal import CZeroMQ

/// A libzmq socket: one owner, one thread.
///
/// Prepare it anywhere, hand it over once; the first thread that sends, receives or polls is the one it belongs to, and
/// use from another thread traps. Nothing here ever blocks: sending and receiving return at once, waiting is
/// ``Poller``'s. High-water marks are off: memory is bounded by what the protocol lets a peer have in flight.
@safe public struct Socket: ~Copyable {
    /// The patterns in use here.
    public enum Kind: Sendable, Equatable {
        /// Talks to many peers; the first frame names the peer. A message to an unknown peer is refused, never dropped.
        case router
        /// Talks to whom it is connected.
        case dealer
        /// One peer, for threads of a process.
        case pair

        var libraryType: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .pair: ZMQ_PAIR
            }
        }
    }

    let handle: SocketHandle

    /// Opens a socket; every option is set before it is connected to anything.
    ///
    /// - Throws: ``ZeroMQError`` when the context is full or shut down, or an option is out of range.
    public init(_ kind: Kind, in context: Context, options: Options = Options()) throws(ZeroMQError) {
        // A type without copies cannot throw half-made, so the options are set through the handle.
        let opened = try SocketHandle(kind, in: context, options: options)
        try opened.apply(options)
        handle = opened
    }

    deinit { handle.close() }

    /// Closes now; unsent messages are kept for the linger time. Leaving the scope does the same.
    public consuming func close() { handle.close() }

    /// What kind of socket this is.
    public var kind: Kind { handle.kind }

    /// Listens on an endpoint such as `tcp://127.0.0.1:7690`, `tcp://127.0.0.1:*` or `inproc://name`.
    ///
    /// - Returns: the endpoint as bound, with the port that the system chose.
    /// - Throws: ``ZeroMQError``, for example with reason `addressInUse`.
    @discardableResult
    public borrowing func bind(to endpoint: String) throws(ZeroMQError) -> String {
        guard unsafe zmq_bind(handle.pointer, endpoint) == 0 else { throw .last("bind", endpoint: endpoint) }
        return try lastEndpoint()
    }

    /// Connects in the background, again and again until it succeeds; a peer need not exist yet.
    ///
    /// - Throws: ``ZeroMQError`` when the endpoint is malformed; never because nobody listens.
    public borrowing func connect(to endpoint: String) throws(ZeroMQError) {
        guard unsafe zmq_connect(handle.pointer, endpoint) == 0 else { throw .last("connect to", endpoint: endpoint) }
    }

    /// Ends a connection made by ``connect(to:)``; what was not sent yet is dropped.
    public borrowing func disconnect(from endpoint: String) throws(ZeroMQError) {
        guard unsafe zmq_disconnect(handle.pointer, endpoint) == 0 else {
            throw .last("disconnect from", endpoint: endpoint)
        }
    }

    /// The endpoint of the last bind or connect, as libzmq resolved it.
    public borrowing func lastEndpoint() throws(ZeroMQError) -> String {
        var text = [UInt8](repeating: 0, count: 512)
        var byteCount = text.count
        let result = unsafe text.withUnsafeMutableBytes { buffer in
            unsafe zmq_getsockopt(handle.pointer, ZMQ_LAST_ENDPOINT, buffer.baseAddress, &byteCount)
        }
        guard result == 0 else { throw .last("read the endpoint of a socket") }
        return String(decoding: text.prefix(max(byteCount - 1, 0)), as: UTF8.self)
    }
}
