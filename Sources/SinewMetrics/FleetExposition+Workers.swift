internal import SinewCore
internal import SinewWire

/// What the workers have done: by model, by worker, and by both.
extension FleetExposition {
    func writeModels(into text: inout PrometheusText) {
        let models = fleet.models.map { model in
            Pair(labels: PrometheusText.Labels([("model", model.name), ("version", model.version)]), activity: model)
        }
        Self.writeResults(of: models, MetricCatalogue.modelRequests, MetricCatalogue.modelItems, into: &text)
        Self.write(MetricCatalogue.modelBatches, models, \.batches, into: &text)
        Self.writeReleases(MetricCatalogue.modelReleases, of: models, into: &text)
        text.begin(MetricCatalogue.modelBatchItems)
        for model in models {
            text.histogram(model.labels, model.activity.batchSizes, items: model.activity.batchItems)
        }
        Self.write(MetricCatalogue.modelQueueTime, models, \.queueTime, into: &text)
        Self.write(MetricCatalogue.modelComputeTime, models, \.computeTime, into: &text)
        Self.write(MetricCatalogue.modelTime, models, \.totalTime, into: &text)
        text.begin(MetricCatalogue.modelQueuedItems)
        for model in models { text.sample(model.labels, UInt64(model.activity.queuedItems)) }
        Self.write(MetricCatalogue.modelBusy, models, microseconds: \.busyMicroseconds, into: &text)
        Self.write(MetricCatalogue.modelExpected, models, microseconds: \.expectedMicroseconds, into: &text)
        Self.write(MetricCatalogue.modelFlop, models, \.flop, into: &text)
        Self.write(MetricCatalogue.modelLoad, models, microseconds: \.loadMicroseconds, into: &text)
    }

    func writePairs(into text: inout PrometheusText) {
        Self.writeResults(
            of: pairs, MetricCatalogue.workerModelRequests, MetricCatalogue.workerModelItems, into: &text)
        Self.write(MetricCatalogue.workerModelBatches, pairs, \.batches, into: &text)
        Self.writeReleases(MetricCatalogue.workerModelReleases, of: pairs, into: &text)
        text.begin(MetricCatalogue.workerModelQueuedItems)
        for pair in pairs { text.sample(pair.labels, UInt64(pair.activity.queuedItems)) }
        Self.write(MetricCatalogue.workerModelBusy, pairs, microseconds: \.busyMicroseconds, into: &text)
        Self.write(MetricCatalogue.workerModelExpected, pairs, microseconds: \.expectedMicroseconds, into: &text)
        Self.write(MetricCatalogue.workerModelFlop, pairs, \.flop, into: &text)
        Self.write(MetricCatalogue.workerModelLoad, pairs, microseconds: \.loadMicroseconds, into: &text)
        text.begin(MetricCatalogue.workerModelBestBatch)
        for pair in pairs { text.sample(pair.labels, UInt64(pair.activity.bestBatch)) }
    }

    func writeWorkers(into text: inout PrometheusText) {
        let workers = Array(zip(fleet.workers, workerLabels))
        text.begin(MetricCatalogue.workerInfo)
        for (worker, labels) in workers {
            let labels = labels.with("host", worker.host).with("isa", worker.isa).with("version", worker.version)
            text.sample(labels, 1 as UInt64)
        }
        let numbers: [(MetricFamily, (WorkerStatus) -> UInt64)] = [
            (MetricCatalogue.workerDraining, { $0.state == .draining ? 1 : 0 }),
            (MetricCatalogue.workerThreads, { UInt64($0.computeThreads) }),
            (MetricCatalogue.workerCredits, { UInt64($0.credits) }),
            (MetricCatalogue.workerCreditsInUse, { UInt64($0.inFlightItems) }),
            (MetricCatalogue.workerQueuedItems, { UInt64($0.beat.queuedItems) }),
            (MetricCatalogue.workerRunningItems, { UInt64($0.beat.runningItems) }),
            (MetricCatalogue.workerItems, { $0.beat.itemsDone }),
            (MetricCatalogue.workerBatches, { $0.beat.batchesDone }),
            (MetricCatalogue.workerMemory, { $0.beat.residentBytes }),
            (MetricCatalogue.workerMalformed, { $0.beat.malformedMessages }),
        ]
        for (family, value) in numbers {
            text.begin(family)
            for (worker, labels) in workers { text.sample(labels, value(worker)) }
        }
        let times: [(MetricFamily, (WorkerStatus) -> UInt64)] = [
            (MetricCatalogue.workerSilence, { $0.heardMicrosecondsAgo }),
            (MetricCatalogue.workerUptime, { $0.beat.uptimeMicroseconds }),
            (MetricCatalogue.workerBusy, { $0.beat.busyMicroseconds }),
            (MetricCatalogue.workerProcessorTime, { $0.beat.cpuMicroseconds }),
        ]
        for (family, value) in times {
            text.begin(family)
            for (worker, labels) in workers { text.sample(labels, microseconds: value(worker)) }
        }
        text.begin(MetricCatalogue.workerTime)
        for (worker, labels) in workers {
            var times = TimeCounts()
            for model in worker.beat.models { times.add(model.totalTime) }
            text.histogram(labels, times)
        }
    }

    // MARK: One family each.

    private static func writeResults(
        of pairs: [Pair], _ requests: MetricFamily, _ items: MetricFamily, into text: inout PrometheusText
    ) {
        let ok = pairs.map { $0.labels.with("result", "ok") }
        let failed = pairs.map { $0.labels.with("result", "failed") }
        text.begin(requests)
        for (place, pair) in pairs.enumerated() {
            text.sample(ok[place], pair.activity.requestsOk)
            text.sample(failed[place], pair.activity.requestsFailed)
        }
        text.begin(items)
        for (place, pair) in pairs.enumerated() {
            text.sample(ok[place], pair.activity.itemsOk)
            text.sample(failed[place], pair.activity.itemsFailed)
        }
    }

    private static func writeReleases(_ family: MetricFamily, of pairs: [Pair], into text: inout PrometheusText) {
        text.begin(family)
        for pair in pairs {
            text.sample(pair.labels.with("reason", "full"), pair.activity.batchesFull)
            text.sample(pair.labels.with("reason", "idle"), pair.activity.batchesIdle)
        }
    }

    private static func write(
        _ family: MetricFamily, _ pairs: [Pair], _ value: KeyPath<ModelActivity, UInt64>,
        into text: inout PrometheusText
    ) {
        text.begin(family)
        for pair in pairs { text.sample(pair.labels, pair.activity[keyPath: value]) }
    }

    private static func write(
        _ family: MetricFamily, _ pairs: [Pair], microseconds value: KeyPath<ModelActivity, UInt64>,
        into text: inout PrometheusText
    ) {
        text.begin(family)
        for pair in pairs { text.sample(pair.labels, microseconds: pair.activity[keyPath: value]) }
    }

    private static func write(
        _ family: MetricFamily, _ pairs: [Pair], _ value: KeyPath<ModelActivity, TimeCounts>,
        into text: inout PrometheusText
    ) {
        text.begin(family)
        for pair in pairs { text.histogram(pair.labels, pair.activity[keyPath: value]) }
    }
}
