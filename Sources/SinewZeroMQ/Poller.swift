internal import CZeroMQ
internal import Glibc

/// Waits for several sockets, wakers and file descriptors at once.
///
/// Belongs to the thread of its sockets. Closing a watched socket is noticed and traps at the next wait.
@safe public struct Poller: ~Copyable {
    /// Names a watched thing; answered by ``isReady(_:)``.
    public struct Token: Hashable, Sendable { fileprivate let index: Int }

    private var items: [zmq_pollitem_t] = unsafe []
    private var handles: [SocketHandle?] = []
    private var wakers: [Waker] = []

    /// Creates a poller that watches nothing.
    public init() {}

    /// Watches for messages to receive.
    public mutating func add(_ socket: borrowing Socket) -> Token {
        let item = unsafe zmq_pollitem_t(
            socket: socket.handle.pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        return unsafe add(item, handle: socket.handle)
    }

    /// Watches for handshakes that end.
    public mutating func add(_ monitor: borrowing HandshakeMonitor) -> Token { add(monitor.events) }

    /// Watches for wake-ups and keeps the waker alive.
    public mutating func add(_ waker: Waker) -> Token {
        wakers.append(waker)
        return add(fileDescriptor: waker.descriptor)
    }

    /// Watches for bytes to read; the descriptor must stay open.
    public mutating func add(fileDescriptor: Int32) -> Token {
        let item = unsafe zmq_pollitem_t(socket: nil, fd: fileDescriptor, events: Int16(ZMQ_POLLIN), revents: 0)
        return unsafe add(item, handle: nil)
    }

    private mutating func add(_ item: zmq_pollitem_t, handle: SocketHandle?) -> Token {
        unsafe items.append(item)
        handles.append(handle)
        return Token(index: handles.count - 1)
    }

    /// Waits until something is ready, a signal arrives or the time is up; nil waits for ever, zero only looks.
    ///
    /// - Returns: whether anything is ready.
    /// - Throws: ``ZeroMQError`` with reason `terminated` after ``Context/shutdown()``.
    @discardableResult
    public mutating func wait(atMost timeout: Duration? = nil) throws(ZeroMQError) -> Bool {
        for case let handle? in handles {
            precondition(handle.isOpen, "a watched \(handle.kind) socket was closed")
            handle.claimThread()
        }
        let milliseconds = timeout.map { Int($0.wholeMilliseconds) } ?? -1
        let ready = unsafe zmq_poll(&items, Int32(items.count), milliseconds)
        if ready >= 0 { return ready > 0 }
        let failure = zmq_errno()
        guard failure == EINTR else { throw ZeroMQError(failure, operation: "poll") }
        for index in unsafe items.indices { unsafe items[index].revents = 0 }
        return false
    }

    /// Whether the last ``wait(atMost:)`` found something to receive.
    public func isReady(_ token: Token) -> Bool { unsafe items[token.index].revents != 0 }
}
