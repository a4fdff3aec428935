internal import Glibc
internal import Synchronization

/// Threads that work through one task together: the caller and `count - 1` helpers that are made once and wait.
///
/// A helper that has nothing to do spins for some tens of microseconds, because the next layer or the next batch often comes at
/// once, and then sleeps. Between the start and the end of ``run(_:lead:)`` there is no lock, no allocation and, while all
/// threads have a processor, no system call.
package final class ThreadTeam: Sendable {
    /// Members, the calling thread included.
    package let count: Int
    private let post: TeamPost
    private let threads: [PThread]

    /// A team without helpers: work is done by the calling thread.
    package static let alone = ThreadTeam()

    private init() {
        count = 1
        post = TeamPost(count: 1)
        threads = []
    }

    /// Starts the helpers.
    ///
    /// - Parameters:
    ///   - count: members, the calling thread included; at least 1.
    ///   - processors: where to pin the helpers: member `i` to `processors[i % processors.count]`; empty leaves them to the
    ///     scheduler. The calling thread is not touched, see ``ProcessorPinning``.
    /// - Throws: ``ThreadError`` when the process may start no more threads.
    package init(count: Int, processors: [Int] = []) throws(ThreadError) {
        precondition(count >= 1, "a team of \(count) threads can do nothing")
        self.count = count
        let post = TeamPost(count: count)
        self.post = post
        var threads: [PThread] = []
        do throws(ThreadError) {
            for index in 1..<max(count, 1) {
                let processor = processors.isEmpty ? nil : processors[index % processors.count]
                threads.append(
                    try PThread(named: "sinew-team-\(index)") {
                        if let processor { ProcessorPinning.restrictCallingThread(to: [processor]) }
                        post.serve(index)
                    })
            }
        } catch {
            post.end()
            for thread in threads { thread.join() }
            throw error
        }
        self.threads = threads
    }

    deinit {
        post.end()
        for thread in threads { thread.join() }
    }

    /// Works with all members and returns when the last one is done.
    ///
    /// - Parameters:
    ///   - work: what the helpers do.
    ///   - lead: the caller's own part, as member 0; it must pass as many meetings as the helpers.
    /// - Precondition: the team is not at work: one thread uses a team at a time, and not from within its own work.
    package func run<Result, Failure: Error>(
        _ work: any TeamWork, lead: (TeamMember) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard count > 1 else { return try lead(.alone) }
        post.begin(work)
        defer { post.finish() }
        return try lead(post.member(0))
    }

    /// Waits until every helper sleeps, which they do soon after the last work: what runs next finds them as a lone task would.
    package func settle() { post.settle() }
}

/// A thread could not be started.
package struct ThreadError: Error, Sendable, CustomStringConvertible {
    /// What, why and what to do.
    package let description: String
}
