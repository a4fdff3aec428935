/// Counts restarts of one process within a window.
package struct RestartBudget {
    /// A process may die this often within ``window``; then something is wrong that a restart does not cure.
    package static let restartsMax = 5
    package static let window = Duration.seconds(10)

    private var recent: [ContinuousClock.Instant] = []
    package private(set) var total = 0

    package init() {}

    /// Allows one more start.
    ///
    /// - Returns: what happened, for people.
    /// - Throws: ``CommandFailure`` when there were too many of late.
    package mutating func spend(
        on who: String, _ termination: ChildProcess.Termination, at now: ContinuousClock.Instant = .now
    ) throws(CommandFailure) -> String {
        recent.removeAll { now - $0 > Self.window }
        guard recent.count < Self.restartsMax else {
            throw CommandFailure(
                .unavailable,
                "\(who) ended \(recent.count + 1) times within \(Self.window) (at last: "
                    + "\(describe(termination))); its own messages are above this line. Run it alone to see why: sinew worker"
            )
        }
        recent.append(now)
        total += 1
        return "\(who) ended (\(describe(termination))); starting it again"
    }
}
