internal import CZeroMQ
internal import Glibc

/// The C handle behind a ``Socket`` and the pollers that watch it; not `Sendable`.
///
/// A ``Poller`` keeps the handle, not the pointer, so a closed socket is noticed instead of a freed one being read.
@safe final class SocketHandle {
    /// Keeps the context alive for as long as the socket is open.
    let context: Context
    let kind: Socket.Kind
    let framesMax: Int
    private(set) var isOpen = true
    private let storedPointer: UnsafeMutableRawPointer
    /// The thread that sends, receives and polls; the first one to do so.
    private var owner: pthread_t?

    init(_ kind: Socket.Kind, in context: Context, framesMax: Int) throws(ZeroMQError) {
        guard let created = unsafe zmq_socket(context.pointer, kind.libraryType) else {
            throw .last("open a \(kind) socket")
        }
        self.context = context
        self.kind = kind
        self.framesMax = framesMax
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
        // The only documented failure is a handle that is no socket, which this type makes impossible.
        _ = unsafe zmq_close(storedPointer)
    }
}
