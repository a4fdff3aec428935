internal import Glibc
internal import Synchronization

/// A child process that is always reaped and that can be told to go when its parent goes.
///
/// The child gets a process group of its own (Ctrl-C reaches the parent alone, which then stops its children in
/// order), default signal handling, and a pipe on standard input that the parent holds open: it ends when the parent
/// ends, however it ends. See ``Lifeline`` for the child's side.
package final class ChildProcess: Sendable {
    /// How a process ended.
    package enum Termination: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }
    /// Why a process could not be started.
    package struct SpawnFailure: Error, Equatable, Sendable {
        package let message: String
    }
    private struct State {
        var isReaped = false
        var lifeline: Int32?
    }

    package let processID: Int32
    /// What the child writes to standard output.
    package let output: OutputCollector
    /// What the child writes to standard error; `nil` when it shares the parent's.
    package let talk: OutputCollector?
    private let ended = Latch<Termination>()
    private let state: Mutex<State>

    /// Starts `executable` (a path) with `arguments` and the parent's environment.
    ///
    /// - Parameter capturesTalk: collects standard error instead of sharing the parent's.
    package init(_ executable: String, _ arguments: [String], capturesTalk: Bool = false) throws(SpawnFailure) {
        let input = try PipeEnds()
        let output = try PipeEnds()
        let talk = capturesTalk ? try PipeEnds() : nil
        var streams = [(input.read, STDIN_FILENO), (output.write, STDOUT_FILENO)]
        if let talk { streams.append((talk.write, STDERR_FILENO)) }
        let (processID, code) = spawnProcess(executable, arguments, streams: streams)
        for (descriptor, _) in streams { close(descriptor) }
        guard code == 0 else {
            for descriptor in [input.write, output.read] + (talk.map { [$0.read] } ?? []) { close(descriptor) }
            throw SpawnFailure(message: "cannot start \(executable): \(systemMessage(code))")
        }
        self.processID = processID
        self.output = OutputCollector(descriptor: output.read, name: "stdout")
        self.talk = talk.map { OutputCollector(descriptor: $0.read, name: "stderr") }
        state = Mutex(State(lifeline: input.write))
        startThread(named: "reap") { [self] in reap() }
    }

    /// How it ended; `nil` while it runs.
    package var termination: Termination? { ended.value }

    /// Waits until the process has ended and has been reaped; `nil` when the waiting task is cancelled first.
    package func wait() async -> Termination? { await ended.wait() }

    /// Waits at most `limit`; `nil` when the process still runs then.
    package func wait(atMost limit: Duration) async -> Termination? { await ended.wait(atMost: limit) }

    /// Sends a signal; nothing happens when the process has ended (its number may belong to somebody else by then).
    package func send(signal: Int32) {
        state.withLock { state in
            if !state.isReaped { _ = kill(processID, signal) }
        }
    }

    /// Lets go of the pipe on the child's standard input, as the parent's death would.
    package func dropLifeline() {
        state.withLock { state in
            if let lifeline = state.lifeline.take() { close(lifeline) }
        }
    }

    /// Asks the process to finish (SIGTERM), and ends it (SIGKILL) when it has not done so in time.
    package func stop(within limit: Duration) async {
        send(signal: SIGTERM)
        if await wait(atMost: limit) == nil {
            send(signal: SIGKILL)
            _ = await wait(atMost: .seconds(10))
        }
    }

    /// Waits without reaping first: the number stays ours until the lock is held, so a signal never hits a stranger.
    private func reap() {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        let termination = state.withLock { state -> Termination in
            var status: Int32 = 0
            while unsafe waitpid(processID, &status, 0) < 0 && errno == EINTR {}
            state.isReaped = true
            let signal = status & 0x7F
            return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
        }
        dropLifeline()
        ended.set(termination)
    }
}

/// Held while a pipe is made and while a process is started, so that no child starts before a new pipe is marked
/// close-on-exec (`pipe2` would do both at once, but Swift's Glibc does not show it).
private let spawning = Mutex(())

/// The two ends of a pipe, closed on exec so that no other child inherits them.
private struct PipeEnds {
    let read: Int32
    let write: Int32

    init() throws(ChildProcess.SpawnFailure) {
        var ends: [Int32] = [0, 0]
        let code = spawning.withLock { _ -> Int32 in
            guard unsafe pipe(&ends) == 0 else { return errno }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return 0
        }
        guard code == 0 else {
            throw ChildProcess.SpawnFailure(message: "cannot make a pipe: \(systemMessage(code))")
        }
        (read, write) = (ends[0], ends[1])
    }
}

/// Starts a process in a group of its own with default signal handling; returns its number and an error code.
private func spawnProcess(
    _ executable: String, _ arguments: [String], streams: [(from: Int32, to: Int32)]
) -> (processID: Int32, code: Int32) {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for stream in streams { unsafe posix_spawn_file_actions_adddup2(&actions, stream.from, stream.to) }

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    var defaulted = none
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { unsafe sigaddset(&defaulted, signal) }
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &defaulted)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    var strings = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe strings.forEach { unsafe free($0) } }
    var processID: pid_t = 0
    let code = spawning.withLock { _ in
        unsafe posix_spawn(&processID, executable, &actions, &attributes, &strings, environ)
    }
    return (processID, code)
}

/// The system's sentence for an error number.
func systemMessage(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
