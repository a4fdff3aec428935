internal import Synchronization

/// A meeting point: nobody passes before everybody has arrived.
///
/// What a member wrote before it arrived is seen by all members after they passed. No lock, no system call while all members run.
internal final class TeamBarrier: Sendable {
    private let count: Int
    private let arrived = PaddedAtomic()
    /// How often all members have met.
    private let meetings = PaddedAtomic()

    init(count: Int) { self.count = count }

    /// Waits for the others.
    func wait() {
        // Read before arriving: afterwards the last member may already have counted the meeting.
        let meeting = meetings.value.load(ordering: .relaxed)
        if arrived.value.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == count {
            arrived.value.store(0, ordering: .relaxed)
            meetings.value.store(meeting &+ 1, ordering: .releasing)
            return
        }
        var wait = SpinWait()
        while meetings.value.load(ordering: .acquiring) == meeting { wait.pause() }
    }
}

/// A counter with two cache lines to itself, so that who spins on it is not disturbed by what lies beside it (processors fetch
/// lines in pairs).
internal final class PaddedAtomic: Sendable {
    private let before: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    private let before2: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    let value = Atomic<Int>(0)
    private let after: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    private let after2: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)
}
