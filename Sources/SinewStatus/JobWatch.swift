internal import SinewCore
package import SinewWire

/// Looks at the newest jobs every two seconds and remembers what rates and timelines need.
package actor JobWatch {
    private struct Seen {
        var status: JobStatus
        /// When people in done tasks were counted, the oldest first.
        var counts: [(at: ContinuousClock.Instant, itemsDone: UInt64)]
    }

    /// A job as it is shown.
    package struct View: Sendable {
        package let status: JobStatus
        /// Nil while it was seen once only.
        package let personsPerSecond: Double?
        /// Until all tasks that are known have ended, at that rate; nil when that cannot be said.
        package let etaSeconds: Double?
    }

    static let shownByDefault = 50
    static let shownMax = 500
    static let failuresShownMax = 1_000
    /// Rates are taken over this time: tasks end in lumps.
    static let window = Duration.seconds(10)

    private let source: any StatusSource
    private let clock = ContinuousClock()
    private var seen: [[UInt8]: Seen] = [:]

    package init(_ source: any StatusSource) { self.source = source }

    /// The newest jobs, newest first.
    package func newest(_ countMax: Int) async throws(StatusRefusal) -> [View] {
        try await source.jobs(countMax: countMax).map { view(of: $0) }
    }

    /// A job, and its tasks that failed or are dead.
    package func job(_ id: [UInt8]) async throws(StatusRefusal) -> (job: View, failures: [TaskResult]) {
        let status = try await source.job(id)
        guard status.failed + status.dead > 0 else { return (view(of: status), []) }
        return (view(of: status), try await source.failures(of: id, countMax: Self.failuresShownMax))
    }

    /// The look every two seconds.
    func look() async throws(StatusRefusal) -> (shown: [View], all: [JobStatus]) {
        let now = clock.now
        let statuses = try await source.jobs(countMax: Self.shownMax)
        var still: [[UInt8]: Seen] = [:]
        for status in statuses {
            var job = seen[status.id] ?? Seen(status: status, counts: [])
            job.status = status
            job.counts.append((now, status.itemsDone))
            while job.counts.count > 1, now - job.counts[1].at >= Self.window { job.counts.removeFirst() }
            still[status.id] = job
        }
        seen = still
        return (statuses.prefix(Self.shownByDefault).map { view(of: $0) }, statuses)
    }

    private func view(of status: JobStatus) -> View {
        guard status.endedUnixMicroseconds == 0 else {
            return View(status: status, personsPerSecond: 0, etaSeconds: nil)
        }
        guard let first = seen[status.id]?.counts.first, clock.now - first.at >= .seconds(1),
            status.itemsDone >= first.itemsDone
        else { return View(status: status, personsPerSecond: nil, etaSeconds: nil) }
        let seconds = Double((clock.now - first.at).remainingMicroseconds) / 1e6
        let rate = Double(status.itemsDone - first.itemsDone) / seconds
        guard rate > 0, status.tasks > 0 else { return View(status: status, personsPerSecond: rate, etaSeconds: nil) }
        // How many people are in the tasks that are left is not known task by task.
        let left = Double(status.items) * Double(status.queued + status.leased) / Double(status.tasks)
        return View(status: status, personsPerSecond: rate, etaSeconds: left / rate)
    }
}
