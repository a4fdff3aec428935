/// What a thread knows of the team it computes with: its number, how many there are, and where they meet.
package struct TeamMember: Sendable {
    /// 0 for the thread that started the work.
    package let index: Int
    /// Members of the team, this one included.
    package let count: Int
    private let barrier: TeamBarrier?

    internal init(index: Int, count: Int, barrier: TeamBarrier?) {
        self.index = index
        self.count = count
        self.barrier = barrier
    }

    /// A thread without helpers.
    package static var alone: TeamMember { TeamMember(index: 0, count: 1, barrier: nil) }

    /// Whether this is the thread that started the work.
    package var isLead: Bool { index == 0 }

    /// Waits until all members are here; what they wrote before is seen by all after.
    ///
    /// - Cost: nothing for a thread alone; else about one transfer of a cache line between cores.
    package func meet() { barrier?.wait() }

    /// This member's share of `total` things: all shares together are `0..<total`, in order, and differ by one at most.
    package func share(of total: Int) -> Range<Int> {
        (total * index / count)..<(total * (index + 1) / count)
    }
}

/// Work that every member of a team does a part of.
///
/// An object and not a closure, so that handing it to the helpers allocates nothing.
package protocol TeamWork: AnyObject, Sendable {
    /// A helper's part; ``TeamMember/index`` is 1 or more.
    func help(_ member: TeamMember)
}
