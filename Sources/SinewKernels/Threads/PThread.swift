internal import CSinewKernels
internal import Glibc

/// A thread of the operating system; its owner must ``join()`` it.
internal struct PThread: Sendable {
    private let thread: pthread_t

    /// Starts a thread; the kernel keeps 15 bytes of its name.
    init(named name: String, _ body: @escaping @Sendable () -> Void) throws(ThreadError) {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe sinew_name_calling_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard failure == 0 else {
            unsafe start.release()
            throw ThreadError(
                description: "cannot start thread \(name): \(unsafe String(cString: strerror(failure))); "
                    + "use fewer threads or raise the limit (ulimit -u)")
        }
        self.thread = thread
    }

    /// Waits until the body has returned.
    func join() { _ = pthread_join(thread, nil) }
}

/// What a new thread needs to begin.
private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
