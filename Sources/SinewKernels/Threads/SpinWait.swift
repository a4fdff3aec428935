internal import CSinewKernels
internal import Glibc

/// A wait for a store that another running thread is about to make.
///
/// Spinning costs no system call and ends within a fraction of a microsecond. When the other thread has lost its processor it
/// would last a whole time slice, so after a while each look gives the processor away.
internal struct SpinWait {
    /// About 50 µs on current x86 processors: longer than any wait between threads that all run.
    static let spinsMax = 2000
    private var spins = 0

    /// Passes a moment; to be called between two looks.
    mutating func pause() {
        if spins < Self.spinsMax {
            spins += 1
            sinew_spin_hint()
        } else {
            sched_yield()
        }
    }

    /// Whether the next ``pause()`` gives the processor away.
    var isLong: Bool { spins >= Self.spinsMax }
}
