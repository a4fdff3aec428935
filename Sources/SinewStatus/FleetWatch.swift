package import SinewCore
internal import SinewMetrics
internal import SinewWire

/// Looks at the fleet once a second and remembers what it saw for as long as rates need it.
///
/// The broker's thread is asked once for everybody who asks at the same time, and at most ten times a second.
package actor FleetWatch {
    private struct Sample {
        let snapshot: FleetStatusReply
        let taken: ContinuousClock.Instant
    }

    private struct Missing {
        let status: WorkerStatus
        let since: ContinuousClock.Instant
    }

    /// What the broker counts is compared over at least this long: with the look before, even if that one came late.
    static let window = Duration.milliseconds(900)
    /// What only the workers know is compared over at least this long, so that each has beaten once.
    static let beatWindow = Duration.seconds(2)
    static let goneFor = Duration.seconds(60)
    /// A snapshot serves everybody for so long.
    private static let freshness = Duration.milliseconds(100)

    private let source: any StatusSource
    private let limits: Limits
    private let clock = ContinuousClock()
    /// One a second, the oldest first; the first one is at least as old as the beats' window once that has passed.
    private var samples: [Sample] = []
    private var latest: Sample?
    private var missing: [Missing] = []
    /// The broker's counters once a second for a minute, the oldest first.
    private var minute: [(taken: ContinuousClock.Instant, broker: BrokerStatus)] = []
    private var jobs: [JobStatus] = []
    private var room: StoreRoom?
    private var asking: Task<Result<Sample, StatusRefusal>, Never>?

    package init(_ source: any StatusSource, _ limits: Limits) {
        self.source = source
        self.limits = limits
    }

    /// The fleet now. Cost: one question to the broker's thread, or none.
    package func current() async throws(StatusRefusal) -> FleetView {
        if let latest, clock.now - latest.taken < Self.freshness { return view(of: latest) }
        return view(of: try await ask())
    }

    /// The counters alone, without what is made of them. Cost: one question to the broker's thread, or none.
    func snapshot() async throws(StatusRefusal) -> FleetStatusReply {
        if let latest, clock.now - latest.taken < Self.freshness { return latest.snapshot }
        return try await ask().snapshot
    }

    /// The once-a-second look.
    func look() async throws(StatusRefusal) -> FleetView {
        let sample = try await ask()
        samples.append(sample)
        // The last one that is old enough is kept.
        while samples.count > 1, sample.taken - samples[1].taken >= Self.beatWindow { samples.removeFirst() }
        minute.append((sample.taken, sample.snapshot.broker))
        while minute.count > 1, sample.taken - minute[1].taken >= .seconds(60) { minute.removeFirst() }
        return view(of: sample)
    }

    /// What else the alerts are about.
    func note(jobs: [JobStatus]) { self.jobs = jobs }
    func note(room: StoreRoom?) { self.room = room }

    private func ask() async throws(StatusRefusal) -> Sample {
        let task =
            asking
            ?? Task { [source, clock] () -> Result<Sample, StatusRefusal> in
                do throws(StatusRefusal) {
                    return .success(Sample(snapshot: try await source.fleet(), taken: clock.now))
                } catch { return .failure(error) }
            }
        asking = task
        let result = await task.value
        if asking == task { asking = nil }
        let sample = try result.get()
        note(sample)
        return sample
    }

    /// Sees who has left and who has come back.
    private func note(_ sample: Sample) {
        if let latest, latest.taken >= sample.taken { return }
        let here = Set(sample.snapshot.workers.map(\.name))
        for worker in latest?.snapshot.workers ?? [] where !here.contains(worker.name) {
            missing.removeAll { $0.status.name == worker.name }
            missing.append(Missing(status: worker, since: sample.taken))
        }
        missing.removeAll { here.contains($0.status.name) || sample.taken - $0.since > Self.goneFor }
        latest = sample
    }

    private func view(of sample: Sample) -> FleetView {
        let base = samples.last { sample.taken - $0.taken >= Self.window } ?? samples.first
        let rates = base.flatMap {
            FleetRates(from: $0.snapshot, beatsFrom: samples.first?.snapshot, to: sample.snapshot)
        }
        let gone = missing.map { missing in
            FleetView.Gone(
                status: missing.status,
                microseconds: missing.status.heardMicrosecondsAgo + (sample.taken - missing.since).remainingMicroseconds
            )
        }
        let facts = AlertFacts(
            snapshot: sample.snapshot, rates: rates, gone: gone, minuteAgo: minute.first?.broker, jobs: jobs, room: room
        )
        return FleetView(
            snapshot: sample.snapshot, rates: rates, gone: gone, alerts: FleetAlertRules.alerts(facts, limits))
    }
}
