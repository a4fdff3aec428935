import SinewCore
import SinewMetrics
import SinewWire
import TestSupport
import Testing

@Suite struct FleetExpositionTests {
    private func told(_ fleet: FleetStatusReply, limits: Limits = Limits()) throws -> PrometheusSamples {
        let bytes = FleetExposition.text(fleet, MetricRegistry(), limits: limits)
        return try PrometheusSamples(String(decoding: bytes, as: UTF8.self))
    }

    @Test func `every family of the catalogue is told, with its labels, under its kind`() throws {
        let found = try told(MadeUpFleet(workers: 2, models: 3, seed: 7).reply)
        #expect(Set(found.families) == Set(MetricCatalogue.ofFleet.map(\.name) + [MetricCatalogue.droppedSeries.name]))
        for family in MetricCatalogue.ofFleet {
            #expect(found.kinds[family.name] == family.kind.rawValue, "\(family.name)")
            let name = family.kind == .histogram ? family.name + "_sum" : family.name
            let samples = found.samples.filter { $0.name == name }
            #expect(!samples.isEmpty, "\(family.name)")
            #expect(samples.allSatisfy { Set($0.labels.keys) == Set(family.labels) }, "\(family.name)")
        }
    }

    @Test func `names end in their unit, and only counters in total`() {
        #expect(Set(MetricCatalogue.ofFleet.map(\.name)).count == MetricCatalogue.ofFleet.count)
        for family in MetricCatalogue.ofFleet + MetricCatalogue.counted {
            #expect(family.name.hasSuffix("_total") == (family.kind == .counter), "\(family.name)")
            #expect(family.help.hasSuffix("."), "\(family.name)")
            if family.kind == .histogram {
                #expect(family.name.hasSuffix("_seconds") || family.name.hasSuffix("_items"), "\(family.name)")
            }
        }
    }

    @Test func `what is told by worker and model adds up to what is told by worker, and both to the snapshot`() throws {
        let seed: UInt64 = 11
        let fleet = MadeUpFleet(workers: 5, models: 4, seed: seed).reply
        let found = try told(fleet)
        for worker in fleet.workers {
            let own = ["worker": worker.name]
            var (ok, failed, times) = (0.0, 0.0, 0.0)
            for model in worker.beat.models {
                ok += Double(model.requestsOk)
                failed += Double(model.itemsFailed)
                times += Double(model.totalTime.counts.reduce(0, +))
            }
            let requests = found.sum("sinew_worker_model_requests_total", where: own.merging(["result": "ok"]) { $1 })
            let items = found.sum("sinew_worker_model_items_total", where: own.merging(["result": "failed"]) { $1 })
            #expect(requests == ok && items == failed, "seed \(seed)")
            #expect(found.value("sinew_worker_request_seconds_count", own) == times)
            #expect(found.value("sinew_worker_cpu_seconds_total", own) == Double(worker.beat.cpuMicroseconds) / 1e6)
            #expect(found.value("sinew_worker_resident_memory_bytes", own) == Double(worker.beat.residentBytes))
        }
        let flop = fleet.workers.flatMap(\.beat.models).reduce(0.0) { $0 + Double($1.flop) }
        #expect(found.sum("sinew_worker_model_flop_total") == flop)
        #expect(found.sum("sinew_model_flop_total") == fleet.models.reduce(0.0) { $0 + Double($1.flop) })
        #expect(found.value("sinew_workers", ["state": "serving"]) == 5)
        #expect(found.value("sinew_tasks", ["state": "dead"]) == Double(fleet.broker.tasksDead))
        #expect(found.value("process_start_time_seconds") == 1_699_996_400.0)
        for status in fleet.broker.models[0].statuses {
            let name = StatusCode(rawValue: UInt8(status.status))?.description ?? ""
            let labels = ["model": "m0", "version": "", "status": name]
            #expect(found.value("sinew_requests_total", labels) == Double(status.requests))
            #expect(found.value("sinew_request_items_total", labels) == Double(status.items))
        }
    }

    @Test func `workers of one name are kept apart`() throws {
        var fleet = MadeUpFleet(workers: 3, models: 1, seed: 3).reply
        for place in 0..<3 { fleet.workers[place].name = "twin" }
        let found = try told(fleet)
        let names = found.samples.filter {
            $0.name == "sinew_worker_threads" || $0.name == "sinew_worker_compute_threads"
        }
        .compactMap { $0.labels["worker"] }
        #expect(names == ["twin", "twin#2", "twin#3"])
    }

    @Test func `pairs beyond the limit are left out and counted`() throws {
        var limits = Limits()
        limits.workerModelsToldMax = 12
        let whole = try told(MadeUpFleet(workers: 4, models: 3, seed: 1).reply, limits: limits)
        #expect(whole.value("sinew_exposition_left_out_pairs") == 0)
        #expect(whole.samples.count { $0.name == "sinew_worker_model_batches_total" } == 12)
        var fleet = MadeUpFleet(workers: 4, models: 3, seed: 1).reply
        fleet.workers[3].beat.models.append(ModelActivity(name: "one more", version: "1"))
        let cut = try told(fleet, limits: limits)
        #expect(cut.value("sinew_exposition_left_out_pairs") == 1)
        #expect(cut.samples.count { $0.name == "sinew_worker_model_batches_total" } == 12)
        #expect(cut.samples.count { $0.name == "sinew_worker_model_requests_total" } == 24)
    }

    @Test func `a drain time that is not known is left out`() throws {
        var fleet = MadeUpFleet(workers: 1, models: 1, seed: 1).reply
        fleet.broker.drainMicrosecondsEstimated = nil
        #expect(try told(fleet).value("sinew_drain_estimated_seconds") == nil)
    }

    @Test func `a worker alone tells itself`() throws {
        let worker = MadeUpFleet(workers: 1, models: 2, seed: 9).reply.workers[0]
        let text = FleetExposition.text(of: worker, at: 1_700_000_000_000_000, MetricRegistry())
        let found = try PrometheusSamples(String(decoding: text, as: UTF8.self))
        let models = worker.beat.models
        #expect(
            found.sum("sinew_model_requests_total", where: ["result": "ok"])
                == models.reduce(0.0) { $0 + Double($1.requestsOk) })
        #expect(found.value("sinew_worker_credits", ["worker": worker.name]) == Double(worker.credits))
        #expect(found.value("process_cpu_seconds_total") == Double(worker.beat.cpuMicroseconds) / 1e6)
        #expect(!found.families.contains("sinew_jobs"))
    }
}
