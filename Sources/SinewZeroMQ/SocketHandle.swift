internal import CZeroMQ
internal import Glibc

/// The C handle behind a ``Socket`` and the pollers that watch it; not `Sendable`.
///
/// A ``Poller`` keeps the handle, not the pointer, so a closed socket is noticed instead of a freed one being read.
@safe final class SocketHandle {
    /// Keeps the context alive for as long as the socket is open.
    let context: Context
    let kind: Socket.Kind
    /// Where messages are received.
    let places: FramePlaces
    /// Whether messages come with the name of their sender.
    let knowsUsers: Bool
    private(set) var isOpen = true
    /// Whether a ``HandshakeMonitor`` has begun to watch it.
    var isMonitored = false
    private let storedPointer: UnsafeMutableRawPointer
    /// The thread that sends, receives and polls; the first one to do so.
    private var owner: pthread_t?

    init(_ kind: Socket.Kind, in context: Context, options: Socket.Options) throws(ZeroMQError) {
        guard let created = unsafe zmq_socket(context.pointer, kind.libraryType) else {
            throw .last("open a \(kind) socket")
        }
        self.context = context
        self.kind = kind
        places = FramePlaces(count: options.framesPerMessageMax)
        knowsUsers =
            switch options.security {
            case .server: true
            case .none, .client: false
            }
        unsafe storedPointer = created
    }

    deinit { close() }

    /// The C handle; traps when the socket is closed.
    var pointer: UnsafeMutableRawPointer {
        precondition(isOpen, "the \(kind) socket is closed")
        return unsafe storedPointer
    }

    /// Traps when a second thread uses the socket; libzmq would corrupt memory instead.
    ///
    /// Opening, binding and connecting do not count, so a socket can be prepared by one thread and handed over once.
    func claimThread() {
        let current = pthread_self()
        if let owner {
            precondition(owner == current, "a \(kind) socket was used by two threads; it belongs to the first")
        } else {
            owner = current
        }
    }

    /// Closes once; unsent messages are kept for the linger time.
    func close() {
        guard isOpen else { return }
        isOpen = false
        // Otherwise libzmq's threads could wait for a reader of events that is gone.
        if isMonitored { _ = unsafe zmq_socket_monitor(storedPointer, nil, 0) }
        // The only documented failure is a handle that is no socket, which this type makes impossible.
        _ = unsafe zmq_close(storedPointer)
    }
}
