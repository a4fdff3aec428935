internal import CZeroMQ
internal import Glibc

/// A libzmq context: the I/O threads and everything that sockets of one process share.
///
/// Thread-safe. Every ``Socket`` keeps its context alive, so the context ends after its last socket; ending waits no
/// longer than the longest ``Socket/Options-swift.struct/linger`` among them.
@safe public final class Context: Sendable {
    // libzmq documents contexts as thread-safe; the pointer is constant and freed only in deinit.
    nonisolated(unsafe) let pointer: UnsafeMutableRawPointer

    /// Starts a context.
    ///
    /// - Parameters:
    ///   - ioThreads: threads that move bytes; one is enough up to about a gigabyte a second.
    ///   - socketsMax: how many sockets may be open at once.
    /// - Throws: ``ZeroMQError`` when the process is out of memory or file descriptors.
    public init(ioThreads: Int = 1, socketsMax: Int = 1023) throws(ZeroMQError) {
        guard let created = unsafe zmq_ctx_new() else { throw .last("create a context") }
        unsafe pointer = created
        _ = unsafe zmq_ctx_set(created, ZMQ_IO_THREADS, Int32(clamping: ioThreads))
        _ = unsafe zmq_ctx_set(created, ZMQ_MAX_SOCKETS, Int32(clamping: socketsMax))
    }

    deinit {
        // A signal may interrupt the wait for lingering messages; the call is then to be repeated.
        while unsafe zmq_ctx_term(pointer) != 0, zmq_errno() == EINTR {}
    }

    /// Makes every socket of the context fail with ``ZeroMQError/Reason-swift.enum/terminated``, from any thread.
    public func shutdown() { _ = unsafe zmq_ctx_shutdown(pointer) }

    /// The version of the libzmq that is loaded, for example `4.3.4`.
    public static var libraryVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        unsafe zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }
}
