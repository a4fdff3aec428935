/// What happened to a job, and when, for those who look at it.
///
/// It is kept in memory only, so of a job that is older than the broker it says what happened since the broker started.
package struct JobHistory: Equatable, Sendable {
    /// All its tasks were known.
    package var sealed: WallTime?
    /// The first of its tasks was given to the dispatcher, which takes about twice what the workers have room for.
    package var started: WallTime?
    /// The first of its tasks ended with a result, …
    package var firstDone: WallTime?
    /// … with an error that another try would only repeat, …
    package var firstFailed: WallTime?
    /// … or was given up after too many attempts.
    package var firstDead: WallTime?
    /// Tasks that had ended without a result were last put back in line.
    package var replayed: WallTime?
    /// Attempts that failed and were repeated later.
    package var retries = 0
    /// Leases of tasks after their first one, because the worker before was lost or slow.
    package var redeliveries = 0

    package init() {}

    mutating func noteStart(at wall: WallTime) { started = started ?? wall }

    mutating func noteEnd(_ outcome: JobTaskOutcome, at wall: WallTime) {
        switch outcome {
        case .done: firstDone = firstDone ?? wall
        case .failed: firstFailed = firstFailed ?? wall
        case .dead: firstDead = firstDead ?? wall
        case .cancelled: break
        }
    }

    /// - Parameter leases: how often a task was given to a worker before it was answered or taken back.
    mutating func noteLeases(_ leases: Int) { redeliveries += Swift.max(leases - 1, 0) }
}
