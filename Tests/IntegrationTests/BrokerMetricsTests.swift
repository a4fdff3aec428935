import SinewBroker
import SinewClient
import SinewCore
import SinewMetrics
import SinewModels
import SinewWire
import SinewWorker
import SinewZeroMQ
import TestSupport
import Testing

/// The counters of a running fleet against what the test itself has counted.
@Suite(.timeLimit(.minutes(3))) struct BrokerMetricsTests {
    private func samples(_ fleet: FleetStatusReply, _ registry: MetricRegistry = .init()) throws -> PrometheusSamples {
        try PrometheusSamples(String(decoding: FleetExposition.text(fleet, registry), as: UTF8.self))
    }

    /// Sums of one model's activity over all workers of now.
    private func sum(_ fleet: FleetStatusReply, _ value: (ModelActivity) -> UInt64) -> UInt64 {
        fleet.workers.flatMap(\.beat.models).reduce(0) { $0 + value($1) }
    }

    @Test func `requests, people and batches are those that the clients saw`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()])
        let client = try fleet.client(itemsPerCall: 16)
        _ = try await client.waitForFleet { $0.workers.count == 2 }
        var parts: [PoseReply.Part] = []
        for seed in 1...4 as ClosedRange<UInt64> {
            let people = try NoisyPeople(100, seed: seed)
            let model = seed % 2 == 0 ? "hybrik" : "hybrik/1"
            parts += try await client.solveScene(people.request, model: model).collect().parts
        }
        var spoiled = try NoisyPeople(3, seed: 9).request
        spoiled.joints[87] = .nan
        _ = try await client.solve(spoiled, model: "hybrik")
        let five = try NoisyPeople(5, seed: 9).request
        let unknown = await #expect(throws: ClientError.self) {
            try await client.solve(five, model: "no-such-model")
        }
        #expect(unknown?.status == .notFound)
        let calls = UInt64(parts.count + 1)
        let status = try await client.waitForFleet { fleet in sum(fleet) { $0.requestsOk } == calls }
        let found = try samples(status)

        let asked = parts.count { $0.modelVersion == "1" }
        #expect(asked == parts.count && parts.count == 4 * 7)
        func ended(_ labels: [String: String]) -> Double { found.sum("sinew_requests_total", where: labels) }
        #expect(ended(["model": "hybrik", "version": "1", "status": "OK"]) == 14)
        #expect(ended(["model": "hybrik", "version": "", "status": "OK"]) == 15)
        #expect(ended(["model": "", "status": "NOT_FOUND"]) == 1)
        #expect(found.sum("sinew_request_items_total", where: ["status": "OK"]) == 403)
        #expect(found.sum("sinew_request_items_total", where: ["status": "NOT_FOUND"]) == 5)
        #expect(found.sum("sinew_request_seconds_count") == Double(calls))
        #expect(found.sum("sinew_request_queue_seconds_count") == Double(calls))
        #expect(found.value("sinew_answered_requests_total") == Double(calls))
        #expect(found.value("sinew_answered_items_total") == 403)
        #expect(found.value("sinew_leases_total") == Double(calls))

        let hybrik = ["model": "hybrik", "version": "1"]
        func model(_ name: String, _ more: [String: String] = [:]) -> Double? {
            found.value(name, hybrik.merging(more) { $1 })
        }
        #expect(model("sinew_model_requests_total", ["result": "ok"]) == Double(calls))
        #expect(model("sinew_model_items_total", ["result": "ok"]) == 402)
        #expect(model("sinew_model_items_total", ["result": "failed"]) == 1)
        #expect(model("sinew_model_batch_items_sum") == 402)
        #expect(model("sinew_model_batch_items_count") == model("sinew_model_batches_total"))
        for time in ["queue", "compute"] { #expect(model("sinew_model_\(time)_seconds_count") == Double(calls)) }
        #expect(model("sinew_model_seconds_count") == Double(calls))
        let releases = found.sum("sinew_model_batch_releases_total", where: hybrik)
        #expect(releases == model("sinew_model_batches_total"))
        // Each reply says how long its batch took; every request of a batch counts that time.
        let computed = parts.reduce(0.0) { $0 + $1.computeDuration / .seconds(1) }
        let counted = try #require(model("sinew_model_compute_seconds_sum"))
        #expect(counted >= computed * 0.9, "counted \(counted) s, the replies say \(computed) s")
        for worker in status.workers {
            let own = parts.filter { $0.worker == worker.name }
            let items = own.reduce(0) { $0 + $1.rows.count }
            let told = found.sum("sinew_worker_items_total", where: ["worker": worker.name])
            // The call with a spoiled person went to one of them.
            #expect(told == Double(items) || told == Double(items + 2))
            // The broker counts the people of a request, the spoiled one too.
            #expect(Double(worker.itemsAnswered) == (told == Double(items) ? told : told + 1))
            #expect(worker.beat.cpuMicroseconds > 0 && worker.beat.residentBytes > 1 << 20)
            #expect(worker.beat.uptimeMicroseconds > 0)
        }
    }

    @Test func `what a worker did stays counted when it leaves, and is not counted twice when it comes back`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        var id: UInt64 = 0
        func status(until condition: (FleetStatusReply) -> Bool) throws -> FleetStatusReply {
            while true {
                id += 1
                let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: id)
                if condition(status) { return status }
                try #require(id < 100_000, "it never came")
            }
        }
        func beat(items: UInt64, micros: UInt64) -> WorkerBeat {
            var times = TimeCounts()
            times.note(micros)
            return WorkerBeat(models: [
                ModelActivity(name: "niki", version: "1", itemsOk: items, queuedItems: 4, totalTime: times),
                ModelActivity(name: "never announced", version: "1", itemsOk: 99),
                ModelActivity(name: "niki", version: "1", itemsOk: 1_000_000),
            ])
        }
        do {
            // It has worked for another broker before.
            let worker = try ScriptedWorker(
                "alpha", broker.workerEndpoint, in: context, counters: beat(items: 100, micros: 150))
            worker.counters = beat(items: 130, micros: 150)
            worker.counters.models[0].totalTime.note(150)
            try worker.beat()
            let told = try status { $0.models.first?.itemsOk == 30 }
            #expect(told.models.map(\.name) == ["niki"])
            #expect(told.models[0].totalTime.total == 1 && told.models[0].queuedItems == 4)
            #expect(told.workers[0].beat.models.map(\.itemsOk) == [130])
            try worker.peer.send(Head(kind: .goodbye))
        }
        let alone = try status { $0.workers.isEmpty }
        #expect(alone.models.map(\.itemsOk) == [30] && alone.models[0].queuedItems == 0)
        let back = try ScriptedWorker(
            "alpha", broker.workerEndpoint, in: context, counters: beat(items: 130, micros: 150))
        back.counters = beat(items: 131, micros: 150)
        // A histogram with other classes is left aside.
        back.counters.models[0].computeTime = TimeCounts(sumMicroseconds: 5, counts: [1, 2, 3])
        try back.beat()
        let again = try status { $0.models.first?.itemsOk == 31 }
        #expect(again.workers[0].beat.models[0].computeTime == TimeCounts())
        // Counters that fall add nothing.
        back.counters = beat(items: 7, micros: 150)
        try back.beat()
        #expect(try status { $0.workers.first?.beat.models.first?.itemsOk == 7 }.models[0].itemsOk == 31)
    }

    @Test func `leases that expire, redeliveries and stale answers are those that the test brought about`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        var worker: ScriptedWorker? = try ScriptedWorker("alpha", broker.workerEndpoint, in: context, credits: 64)
        for id in 1...3 as ClosedRange<UInt64> { try client.call(id, items: 2) }
        for _ in 0..<3 { _ = try worker?.task() }
        let busy = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 100).broker
        #expect(busy.creditsTotal == 64 && busy.creditsInUse == 6 && busy.leasesGiven == 3)
        #expect(busy.drainMicrosecondsEstimated == nil, "nobody has shown a rate")
        // Gone without a word.
        worker = nil
        let second = try ScriptedWorker("beta", broker.workerEndpoint, in: context, credits: 4)
        var tasks: [BrokerPeer.Received] = []
        for _ in 0..<2 { tasks.append(try second.task()) }
        let waiting = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 101).broker
        #expect(waiting.leaseExpiries == 3 && waiting.redeliveries == 2 && waiting.workersLost == 1)
        #expect(waiting.queuedCalls == 1 && waiting.oldestWaitingMicroseconds > 0)
        #expect(waiting.callsRedispatched == 3)
        for task in tasks { try second.answer(task) }
        // The same answer once more.
        try second.answer(tasks[0])
        try second.answer(try second.task())
        for id in 1...3 as ClosedRange<UInt64> { #expect(try client.reply(to: id).head.status == .ok) }
        let told = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 102)
        let done = told.broker
        #expect(told.workers.map(\.itemsAnswered) == [6], "the stale answer is not counted")
        #expect(done.duplicatesDropped == 1 && done.redeliveries == 3 && done.oldestWaitingMicroseconds == 0)
        #expect(done.drainMicrosecondsEstimated == 0 && done.creditsInUse == 0)
        let niki = try #require(done.models.first { $0.name == "niki" })
        #expect(niki.statuses == [StatusActivity(status: 0, requests: 3, items: 6)])
        #expect(niki.totalTime.total == 3 && niki.queueTime.total == 3)
    }

    @Test func `jobs, tasks and the store are counted as the client knows them`() async throws {
        let folder = StoreFolder()
        let registry = MetricRegistry()
        let fleet = try JobFleet(folder.path, workerModels: []) { $0.metrics = registry }
        let client = try fleet.client()
        let job = try await client.submitJob(SinewClient.JobSubmission(.solvePoses, model: "hybrik")).handle
        let tasks = try (0..<5).map { try JobTask(index: $0, try NoisyPeople(2 + $0, seed: UInt64($0)).request) }
        _ = try await job.append(tasks)
        let waiting = try await client.fleetStatus().broker
        #expect(waiting.jobsOpen == 1 && waiting.tasksQueued == 5 && waiting.jobItems == 20 && waiting.storeBytes > 0)
        #expect(waiting.oldestJobMicroseconds > 0 && waiting.oldestWaitingMicroseconds > 0)
        try await job.seal(tasks: 5)
        let worker = try WorkerServer(
            WorkerConfiguration(brokerEndpoint: fleet.broker.workerEndpoint, name: "late"),
            models: try analyticModels(), logger: quiet)
        let ended = try await job.wait(deadline: .seconds(60))
        let status = try await client.waitForFleet { fleet in
            fleet.broker.tasksDone == 5 && fleet.broker.jobsFinished == 1 && sum(fleet) { $0.requestsOk } == 5
        }
        let history = ended.history
        let times = [
            ended.createdUnixMicroseconds, history.sealedUnixMicroseconds, history.startedUnixMicroseconds,
            history.firstDoneUnixMicroseconds, ended.endedUnixMicroseconds,
        ]
        #expect(times == times.sorted() && times[0] > 0, "the worker came after the seal: \(times)")
        #expect(history.firstFailedUnixMicroseconds == 0 && history.retries == 0 && history.redeliveries == 0)
        #expect(status.broker.jobItemsDone == ended.itemsDone && status.broker.taskEndsDone == 5)
        #expect(status.broker.oldestJobMicroseconds == 0 && status.broker.jobsOpen == 0)
        let found = try samples(status, registry)
        #expect(found.value("sinew_requests_total", ["model": "hybrik", "version": "", "status": "OK"]) == 5)
        #expect(found.value("sinew_tasks", ["state": "done"]) == 5)
        // This worker has measured its batches.
        let busy = found.sum("sinew_model_busy_seconds_total", where: ["model": "hybrik"])
        let expected = found.sum("sinew_model_expected_seconds_total", where: ["model": "hybrik"])
        #expect(busy > 0 && expected > 0)
        #expect(found.value("sinew_task_ends_total", ["reason": "done"]) == 5)
        // A submission, an append, a seal, an end for each task, and the end of the job; reads of payloads.
        let groups = try #require(found.value("sinew_store_groups_total"))
        #expect(groups >= 9)
        let commits = try #require(found.value("sinew_store_commit_seconds_count"))
        #expect(commits >= 4 && commits <= groups && found.sum("sinew_store_commit_seconds_sum") > 0)
        #expect(try #require(found.value("sinew_store_reads_total")) >= 5)
        #expect(try #require(found.value("sinew_broker_wakeups_total")) > 5)
        worker.stop()
        await worker.run()
    }

    @Test func `a worker tells its own process how it does`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels()])
        let client = try fleet.client()
        _ = try await client.solve(try NoisyPeople(3, seed: 1).request, model: "hybrik")
        _ = try await client.waitForFleet { $0.workers.first?.beat.itemsDone == 3 }
        let report = fleet.workers[0].report
        #expect(report.isReady && report.status.name == "worker-0" && report.status.state == .serving)
        #expect(report.status.beat.models.map(\.itemsOk).reduce(0, +) == 3)
        #expect(report.status.models.contains { $0.name == "hybrik" })
    }

    @Test func `promtool finds nothing to say about a scrape`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels()])
        let client = try fleet.client()
        _ = try await client.solve(try NoisyPeople(3, seed: 1).request, model: "hybrik")
        let registry = MetricRegistry()
        let status = try await client.waitForFleet { $0.models.first?.itemsOk == 3 }
        let text = FleetExposition.text(status, registry)
        let said = try await Promtool.checkMetrics(text)
        #expect(said == "", "promtool: \(said)")
        // It does find what is wrong.
        #expect(try await Promtool.checkMetrics(Array("# TYPE x counter\nx 1\n".utf8)) != "")
    }
}
