internal import Glibc
internal import Synchronization

/// Where a team's lead leaves work and its helpers find it.
@safe
internal final class TeamPost {
    private let count: Int
    private let barrier: TeamBarrier
    /// Counts the pieces of work that were begun.
    private let begun = PaddedAtomic()
    /// Helpers that are done with the piece in hand.
    private let done = PaddedAtomic()
    private let isBusy = Atomic(false)
    private let beds: [Bed]
    /// What `begun` announces; nil tells the helpers to end.
    private let work: UnsafeMutablePointer<(any TeamWork)?>

    init(count: Int) {
        self.count = count
        barrier = TeamBarrier(count: count)
        beds = (1..<max(count, 1)).map { _ in Bed() }
        unsafe work = .allocate(capacity: 1)
        unsafe work.initialize(to: nil)
    }

    deinit {
        unsafe work.deinitialize(count: 1)
        unsafe work.deallocate()
    }

    func member(_ index: Int) -> TeamMember { TeamMember(index: index, count: count, barrier: barrier) }

    /// The lead's side: announces the work.
    func begin(_ next: any TeamWork) {
        precondition(!isBusy.exchange(true, ordering: .acquiring), "a team does one thing at a time")
        announce(next)
    }

    /// The lead's side: waits until every helper is done.
    func finish() {
        var wait = SpinWait()
        while done.value.load(ordering: .acquiring) < count - 1 { wait.pause() }
        unsafe work.pointee = nil
        isBusy.store(false, ordering: .releasing)
    }

    /// Tells the helpers to end.
    func end() { announce(nil) }

    private func announce(_ next: (any TeamWork)?) {
        unsafe work.pointee = next
        done.value.store(0, ordering: .relaxed)
        // Sequentially consistent with the helper's `lieDown` and look: either it sees the work or we see it asleep.
        begun.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
        for bed in beds { bed.wake() }
    }

    /// A helper's life.
    func serve(_ index: Int) {
        var seen = 0
        while true {
            waitForWork(after: seen, bed: beds[index - 1])
            seen &+= 1
            guard let work = unsafe work.pointee else { return }
            work.help(member(index))
            done.value.wrappingAdd(1, ordering: .releasing)
        }
    }

    private func waitForWork(after seen: Int, bed: Bed) {
        var wait = SpinWait()
        while !wait.isLong {
            if begun.value.load(ordering: .acquiring) != seen { return }
            wait.pause()
        }
        // A lead that lost its processor in the midst of `wake` may wake a helper long after it did that work: look again.
        while begun.value.load(ordering: .acquiring) == seen {
            bed.lieDown()
            if begun.value.load(ordering: .sequentiallyConsistent) != seen { return bed.getUp() }
            bed.rest()
        }
    }

    /// Waits until every helper sleeps.
    func settle() {
        for bed in beds {
            var wait = SpinWait()
            while !bed.isTaken { wait.pause() }
        }
    }
}

/// `work` is written by the lead alone, before it counts `begun` up and after all helpers counted `done` up; helpers read it
/// between the two. Everything else is atomic or constant.
extension TeamPost: @unchecked Sendable {}

/// Where one helper sleeps. A wake-up may come without need, never the other way round.
@safe
private final class Bed {
    private let isOccupied = Atomic(false)
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe semaphore.initialize(to: sem_t())
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    var isTaken: Bool { isOccupied.load(ordering: .acquiring) }

    func lieDown() { isOccupied.store(true, ordering: .sequentiallyConsistent) }

    /// Work came before sleep. A lead that took the bed already posts in vain; the next sleep is short.
    func getUp() { isOccupied.store(false, ordering: .relaxed) }

    func rest() {
        // Signals interrupt the wait.
        while unsafe sem_wait(semaphore) != 0 {}
    }

    func wake() {
        // A look first: an exchange would take the cache line away from a helper that spins.
        guard isOccupied.load(ordering: .sequentiallyConsistent) else { return }
        if isOccupied.exchange(false, ordering: .sequentiallyConsistent) { unsafe sem_post(semaphore) }
    }
}

/// A semaphore is made for use by several threads; the flag is atomic.
extension Bed: @unchecked Sendable {}
