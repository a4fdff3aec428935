internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// Wakes a poll loop from any thread.
///
/// Post the work first, then call ``wake()``; the loop calls ``clear()`` first, then takes the work. Wakes are merged: a
/// thousand posts between two rounds of the loop cost one system call.
public final class Waker: Sendable {
    let descriptor: Int32
    private let isPending = Atomic<Bool>(false)

    /// Creates a waker.
    ///
    /// - Throws: ``ZeroMQError`` when the process has no file descriptor left.
    public init() throws(ZeroMQError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw ZeroMQError(errno, operation: "create a wake-up descriptor") }
    }

    deinit { _ = close(descriptor) }

    /// Makes the poller that watches this waker return, now or at its next wait.
    public func wake() {
        guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // The counter cannot overflow (one write per pending flag), so the write cannot fail.
        _ = eventfd_write(descriptor, 1)
    }

    /// Blocks the calling thread until somebody wakes it, for loops that wait for nothing else.
    ///
    /// Returns at once when a wake-up is pending; ``clear()`` takes it back.
    public func wait() {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&item, 1, -1) < 1 {
            // Only a signal ends the wait without a wake-up.
            precondition(errno == EINTR, "the wake-up descriptor was closed by somebody else")
        }
    }

    /// Takes back the wake-up; to be called before looking at the work.
    public func clear() {
        // Emptied before the flag falls: the other order would lose a wake-up between the two.
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(descriptor, &count)
        _ = isPending.exchange(false, ordering: .acquiringAndReleasing)
    }
}
