internal import SinewClient
internal import SinewWire

/// Asks the broker again and again, and compares with what it said before: what the broker counts over a second, so that a change shows
/// at once, and what only workers know over two, for they speak every second.
struct TopWatch {
    private struct Sample {
        let instant: ContinuousClock.Instant
        let reply: FleetStatusReply
        let jobs: [JobStatus]?
    }

    private static let window = Duration.milliseconds(900)
    static let beatWindow = Duration.seconds(2)
    private static let jobsMax = 50

    private let client: Client
    private var samples: [Sample] = []

    init(_ client: Client) { self.client = client }

    /// The fleet now, with rates over the last second or two; the first one has none.
    ///
    /// - Throws: ``ClientError``.
    mutating func next() async throws(ClientError) -> TopFleet {
        let reply = try await client.fleetStatus(deadline: .seconds(3))
        // A broker without a store has no jobs, and says so by an error; the fleet is shown all the same.
        let jobs =
            reply.broker.keepsJobs ? try? await client.listJobs(countMax: Self.jobsMax, deadline: .seconds(2)) : nil
        let now = ContinuousClock.now
        let latest = Sample(instant: now, reply: reply, jobs: jobs)
        // The youngest of those that are old enough, or the oldest there is.
        while samples.count > 1, now - samples[1].instant >= Self.beatWindow { samples.removeFirst() }
        let earlier = samples.first
        let base = samples.last { now - $0.instant >= Self.window } ?? earlier
        samples.append(latest)
        return TopFleet(
            reply, since: base?.reply, beatsSince: earlier?.reply, jobs: jobs,
            earlierJobs: earlier.flatMap { earlier in earlier.jobs.map { ($0, seconds(now - earlier.instant)) } })
    }
}

extension BrokerStatus {
    /// Whether there is a job to ask for.
    fileprivate var keepsJobs: Bool {
        jobsOpen + jobsSealed + jobsFinished + jobsCancelled + jobsExpired > 0
    }
}
