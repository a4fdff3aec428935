internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// An operating-system thread of its own, for loops that wait in `zmq_poll` or compute for long.
///
/// Such loops would starve Swift's cooperative pool, which has one thread per core.
package final class DedicatedThread: Sendable {
    private let thread: pthread_t
    private let isJoined = Mutex(false)

    /// Starts a thread and hands it what it will own, for example a ``Socket``.
    ///
    /// - Parameters:
    ///   - name: shown by `top -H` and debuggers; the kernel keeps 15 bytes.
    ///   - value: moved into the thread; the caller keeps nothing of it.
    /// - Throws: ``ZeroMQError`` when the process may start no more threads.
    package init<Value: ~Copyable>(
        named name: String, owning value: consuming sending Value,
        _ body: @escaping @Sendable (consuming sending Value) -> Void
    ) throws(ZeroMQError) {
        let box = HandOver(value)
        thread = try DedicatedThread.start(named: name) {
            guard let value = box.take() else { preconditionFailure("a thread body runs once") }
            body(value)
        }
    }

    /// Starts a thread.
    ///
    /// - Throws: ``ZeroMQError`` when the process may start no more threads.
    package init(named name: String, _ body: @escaping @Sendable () -> Void) throws(ZeroMQError) {
        thread = try DedicatedThread.start(named: name, body)
    }

    deinit {
        // A thread that nobody waits for gives its memory back by itself.
        if !isJoined.withLock({ $0 }) { pthread_detach(thread) }
    }

    /// Waits until the body has returned; the second call returns at once.
    package func join() {
        let isMine = isJoined.withLock { isJoined in
            defer { isJoined = true }
            return !isJoined
        }
        if isMine { _ = pthread_join(thread, nil) }
    }

    private static func start(
        named name: String, _ body: @escaping @Sendable () -> Void
    ) throws(ZeroMQError) -> pthread_t {
        let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                _ = unsafe pthread_setname_np(
                    pthread_self(), String(decoding: start.name.utf8.prefix(15), as: UTF8.self))
                start.body()
                return nil
            }, start.toOpaque())
        guard failure == 0 else {
            unsafe start.release()
            throw ZeroMQError(failure, operation: "start thread \(name)")
        }
        return thread
    }
}

/// What a new thread needs to begin.
private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

/// Carries one value from the thread that made it to the thread that will own it.
private final class HandOver<Value: ~Copyable>: Sendable {
    private let value: Mutex<Value?>
    init(_ value: consuming sending Value) { self.value = Mutex(value) }
    func take() -> sending Value? { value.withLock { $0.take() } }
}
