import SinewCore
import SinewMetrics
import SinewStatus
import SinewWire
import Testing

/// Each rule, just below what it is about and just at it.
@Suite struct FleetAlertTests {
    private func codes(_ facts: AlertFacts) -> [String] { FleetAlertRules.alerts(facts, Limits()).map(\.code) }

    private func one(_ facts: AlertFacts, _ code: String) throws -> FleetAlert {
        let alerts = FleetAlertRules.alerts(facts, Limits())
        #expect(alerts.map(\.code) == [code])
        let alert = try #require(alerts.first)
        #expect(!alert.do.isEmpty)
        return alert
    }

    @Test func `a fleet that works has no alerts`() {
        #expect(codes(AlertFacts(snapshot: .example("a", "b"))) == [])
    }

    @Test func `a worker that says nothing for two beats is silent`() throws {
        var fleet = FleetStatusReply.example("a", "b")
        fleet.workers[1].heardMicrosecondsAgo = 2_000_000
        #expect(codes(AlertFacts(snapshot: fleet)) == [])
        fleet.workers[1].heardMicrosecondsAgo = 2_000_001
        let alert = try one(AlertFacts(snapshot: fleet), "worker_silent")
        #expect(alert.severity == .warning)
        #expect(alert.what.contains("worker b"))
        #expect(alert.do.contains("process 101 on here"))
    }

    @Test func `a worker that vanished is told, one that was sent away is not`() throws {
        let fleet = FleetStatusReply.example("a", "b")
        var gone = FleetView.Gone(status: fleet.workers[1], microseconds: 12_000_000)
        let alert = try one(AlertFacts(snapshot: .example("a"), gone: [gone]), "worker_gone")
        #expect(alert.what.contains("worker b") && alert.what.contains("12 s"))
        var status = fleet.workers[1]
        status.state = .draining
        gone = FleetView.Gone(status: status, microseconds: 12_000_000)
        #expect(codes(AlertFacts(snapshot: .example("a"), gone: [gone])) == [])
    }

    @Test func `work without any worker is critical`() throws {
        var fleet = FleetStatusReply.example()
        fleet.broker.queuedCalls = 0
        #expect(codes(AlertFacts(snapshot: fleet)) == [])
        fleet.broker.tasksQueued = 4
        let alert = try one(AlertFacts(snapshot: fleet), "no_worker")
        #expect(alert.severity == .critical)
        #expect(alert.do.contains("sinew worker"))
        var leaving = FleetStatusReply.example("a")
        leaving.workers[0].state = .draining
        _ = try one(AlertFacts(snapshot: leaving), "no_worker")
    }

    @Test func `waiting tasks of a model that no worker has are critical`() throws {
        var job = JobStatus(state: .sealed, model: "hybrik")
        job.queued = 5
        let alert = try one(AlertFacts(snapshot: .example("a"), jobs: [job, job]), "no_worker_for_model")
        #expect(alert.what.contains("10 calls and tasks") && alert.what.contains("hybrik"))
        #expect(alert.do.contains("--model hybrik"))
        for model in ["niki", "niki/1"] {
            job.model = model
            #expect(codes(AlertFacts(snapshot: .example("a"), jobs: [job])) == [])
        }
        job.model = "niki/2"
        _ = try one(AlertFacts(snapshot: .example("a"), jobs: [job]), "no_worker_for_model")
        job.queued = 0
        #expect(codes(AlertFacts(snapshot: .example("a"), jobs: [job])) == [])
    }

    /// Calls for one model and how they ended.
    private func activity(_ name: String, _ status: StatusCode, _ count: UInt64) -> BrokerModelActivity {
        BrokerModelActivity(
            name: name, statuses: [StatusActivity(status: UInt32(status.rawValue), requests: count, items: count)])
    }

    @Test func `calls that wait for a model, or were refused because no worker has it, are critical`() throws {
        var facts = AlertFacts(snapshot: .example("a"), minuteAgo: BrokerStatus())
        facts.snapshot.broker.models = [BrokerModelActivity(name: "hybrik", version: "2", queuedRequests: 3)]
        var job = JobStatus(state: .sealed, model: "hybrik/2")
        job.queued = 4
        facts.jobs = [job]
        #expect(try one(facts, "no_worker_for_model").what.hasPrefix("7 calls and tasks wait for the model hybrik/2"))
        facts.jobs = []
        facts.snapshot.broker.models = [activity("hybrik", .unavailable, 9), activity("niki", .unavailable, 5)]
        facts.minuteAgo?.models = [activity("hybrik", .unavailable, 3)]
        let refused = try one(facts, "no_worker_for_model")
        #expect(refused.severity == .critical && refused.do.contains("--model hybrik"))
        #expect(refused.what == "6 calls of the last minute asked for the model hybrik, which no worker has ready")
        facts.minuteAgo?.models = facts.snapshot.broker.models
        #expect(codes(facts) == [], "what happened before the last minute is over")
        facts.minuteAgo = nil
        #expect(codes(facts) == [], "nothing is known of the last minute")
    }

    @Test func `calls refused without any worker, and names that nobody knows, are told`() throws {
        var facts = AlertFacts(snapshot: .example(), minuteAgo: BrokerStatus())
        facts.snapshot.broker.queuedCalls = 0
        facts.snapshot.broker.models = [activity("", .unavailable, 2), activity("hybrik", .unavailable, 3)]
        #expect(
            try one(facts, "no_worker").what == "5 calls were refused in the last minute, and no worker serves")
        facts.snapshot = .example("a")
        facts.snapshot.broker.models = [activity("", .notFound, 8), activity("niki", .notFound, 1)]
        let alert = try one(facts, "unknown_model")
        #expect(alert.severity == .warning && alert.what.hasPrefix("8 calls of the last minute"))
    }

    @Test(arguments: [(30_000_000, nil), (30_000_001, "warning"), (300_000_000, "warning"), (300_000_001, "critical")])
    func `what waits long is told, and what waits too long is critical`(microseconds: Int, severity: String?) {
        var fleet = FleetStatusReply.example("a")
        fleet.broker.oldestWaitingMicroseconds = UInt64(microseconds)
        let alerts = FleetAlertRules.alerts(AlertFacts(snapshot: fleet), Limits())
        #expect(alerts.map(\.severity.rawValue) == (severity.map { [$0] } ?? []))
        #expect(alerts.allSatisfy { $0.code == "waiting_long" })
    }

    @Test func `dead tasks and a drain are told`() throws {
        var fleet = FleetStatusReply.example("a")
        fleet.broker.tasksDead = 2
        let alert = try one(AlertFacts(snapshot: fleet), "dead_tasks")
        #expect(alert.what.contains("2 tasks") && alert.do.contains("sinew dead"))
        fleet.broker.tasksDead = 0
        fleet.broker.draining = true
        _ = try one(AlertFacts(snapshot: fleet), "broker_draining")
    }

    @Test func `a store that fills up is told before it refuses`() throws {
        var fleet = FleetStatusReply.example("a")
        fleet.broker.storeBytes = 899
        var facts = AlertFacts(snapshot: fleet, room: StoreRoom(bytesMax: 1_000, bytesFree: 1 << 40))
        #expect(codes(facts) == [])
        facts.snapshot.broker.storeBytes = 900
        #expect(try one(facts, "store_nearly_full").severity == .warning)
        facts.snapshot.broker.storeBytes = 1_000
        #expect(try one(facts, "store_full").severity == .critical)
        facts.snapshot.broker.storeBytes = 0
        let least = Limits().storeFreeBytesMin
        facts.room?.bytesFree = 4 * least
        #expect(codes(facts) == [])
        facts.room?.bytesFree = 4 * least - 1
        _ = try one(facts, "store_nearly_full")
        facts.room?.bytesFree = least - 1
        _ = try one(facts, "store_full")
        facts.room?.bytesFree = nil
        #expect(codes(facts) == [])
    }

    @Test func `what strangers and slow readers did in the last minute is told`() throws {
        let before = FleetStatusReply.example("a").broker
        let counters: [(String, WritableKeyPath<BrokerStatus, UInt64>)] = [
            ("handshakes_refused", \.handshakesRefused), ("messages_refused", \.messagesRefused),
            ("messages_too_fast", \.messagesTooFast), ("replies_dropped", \.repliesDropped),
            ("store_broken", \.storeBreakdowns),
        ]
        for (code, counter) in counters {
            var fleet = FleetStatusReply.example("a")
            fleet.broker[keyPath: counter] = 3
            let alert = try one(AlertFacts(snapshot: fleet, minuteAgo: before), code)
            #expect(alert.what.contains("3 "))
            var later = before
            later[keyPath: counter] = 3
            #expect(codes(AlertFacts(snapshot: fleet, minuteAgo: later)) == [])
            #expect(codes(AlertFacts(snapshot: fleet)) == [])
        }
    }

    @Test(arguments: [(2_000_000, nil), (500_000, "2.0"), (499_999, "2.0"), (250_000, "4.0")])
    func `a worker far slower than its own table is told`(expected: Int, times: String?) throws {
        var before = FleetStatusReply.example("a")
        before.workers[0].beat.uptimeMicroseconds = 1_000_000
        before.workers[0].beat.models = [ModelActivity(name: "niki", version: "1")]
        var after = before
        after.broker.uptimeMicroseconds += 2_000_000
        after.workers[0].beat.uptimeMicroseconds = 3_000_000
        after.workers[0].beat.batchesDone += 10
        after.workers[0].beat.busyMicroseconds += 1_000_000
        after.workers[0].beat.models[0].batches = 10
        after.workers[0].beat.models[0].busyMicroseconds = 1_000_000
        after.workers[0].beat.models[0].expectedMicroseconds = UInt64(expected)
        let rates = try #require(FleetRates(from: before, to: after))
        let alerts = FleetAlertRules.alerts(AlertFacts(snapshot: after, rates: rates), Limits())
        // At half of it there is no alert yet.
        guard let times, expected < 500_000 else { return #expect(alerts.isEmpty) }
        #expect(alerts.map(\.code) == ["worker_slow"])
        #expect(alerts.first?.what.contains("needs \(times) times") == true)
        // A worker that hardly worked is not judged.
        after.workers[0].beat.busyMicroseconds = before.workers[0].beat.busyMicroseconds + 1_000
        let idle = try #require(FleetRates(from: before, to: after))
        #expect(FleetAlertRules.alerts(AlertFacts(snapshot: after, rates: idle), Limits()).isEmpty)
    }

    @Test func `the critical come first, and many of one kind are few lines`() {
        let names = (0..<100).map { "w\($0)" }
        var fleet = FleetStatusReply.example()
        let worker = FleetStatusReply.example("x").workers[0]
        fleet.workers = names.map { name in
            var copy = worker
            copy.name = name
            copy.heardMicrosecondsAgo = 2_500_000
            return copy
        }
        var job = JobStatus(state: .sealed, model: "hybrik")
        job.queued = 1
        let alerts = FleetAlertRules.alerts(AlertFacts(snapshot: fleet, jobs: [job]), Limits())
        #expect(alerts.first?.code == "no_worker_for_model")
        #expect(alerts.count == 21)
        #expect(alerts.last?.what == "81 more like this")
    }
}
