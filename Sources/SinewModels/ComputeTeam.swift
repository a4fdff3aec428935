package import SinewKernels

/// Threads that solve one batch together.
///
/// A model takes as long for one person with ``alone`` as one core needs to read its weights; a team shares them. For many batches
/// at the same time, threads with batches of their own do as well.
///
/// One thread uses a team at a time. Its helpers are started once, sleep between batches, and end with the last reference.
public struct ComputeTeam: Sendable {
    package let threads: ThreadTeam

    /// The calling thread without helpers.
    public static let alone = ComputeTeam(.alone)

    package init(_ threads: ThreadTeam) { self.threads = threads }

    /// Starts the helpers.
    ///
    /// - Parameters:
    ///   - count: threads, the calling one included, at least 1; nil for as many as the process has processors or its container
    ///     grants, whichever is less.
    ///   - isPinned: ties each helper to a processor of its own. The calling thread is not touched.
    /// - Throws: ``ComputeTeamError`` when the process may start no more threads.
    public init(count: Int? = nil, isPinned: Bool = false) throws(ComputeTeamError) {
        let allowance = ProcessorAllowance.current
        do throws(ThreadError) {
            threads = try ThreadTeam(
                count: count ?? allowance.threadCount, processors: isPinned ? allowance.processors : [])
        } catch {
            throw ComputeTeamError(description: error.description)
        }
    }

    /// Threads, the calling one included.
    public var count: Int { threads.count }
}

/// A team could not be started.
public struct ComputeTeamError: Error, Sendable, CustomStringConvertible {
    /// What, why and what to do.
    public let description: String
}
