internal import Glibc

/// A child's side of the pipe that ``ChildProcess`` holds: when the parent ends, even by SIGKILL, the pipe ends too.
///
/// Works without a C shim and without `PR_SET_PDEATHSIG`, which follows the parent's *thread*, not its process.
enum Lifeline {
    /// Calls `body` once when standard input ends; whatever is written to it is skipped.
    static func whenParentEnds(_ body: @escaping @Sendable () -> Void) {
        startThread(named: "lifeline") {
            var byte: UInt8 = 0
            while true {
                let count = unsafe read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            body()
        }
    }
}
