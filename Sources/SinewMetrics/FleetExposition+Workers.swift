internal import SinewCore
internal import SinewWire

/// What the workers have done: by model, by worker, and by both.
extension FleetExposition {
    func writeModels(into text: inout PrometheusText) {
        let labels = fleet.models.map { PrometheusText.Labels([("model", $0.name), ("version", $0.version)]) }
        let models = zip(labels, fleet.models).map { Pair(labels: $0, counts: Counts($1)) }
        func writeTimes(_ family: MetricFamily, _ times: (ModelActivity) -> TimeCounts) {
            text.begin(family)
            for (labels, model) in zip(labels, fleet.models) { text.histogram(labels, times(model)) }
        }
        Self.writeResults(of: models, MetricCatalogue.modelRequests, MetricCatalogue.modelItems, into: &text)
        Self.write(MetricCatalogue.modelBatches, models, \.batches, into: &text)
        Self.writeReleases(MetricCatalogue.modelReleases, of: models, into: &text)
        text.begin(MetricCatalogue.modelBatchItems)
        for (labels, model) in zip(labels, fleet.models) {
            text.histogram(labels, model.batchSizes, items: model.batchItems)
        }
        writeTimes(MetricCatalogue.modelQueueTime, \.queueTime)
        writeTimes(MetricCatalogue.modelComputeTime, \.computeTime)
        writeTimes(MetricCatalogue.modelTime, \.totalTime)
        Self.write(MetricCatalogue.modelQueuedItems, models, \.queuedItems, into: &text)
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
        Self.write(MetricCatalogue.workerModelQueuedItems, pairs, \.queuedItems, into: &text)
        Self.write(MetricCatalogue.workerModelBusy, pairs, microseconds: \.busyMicroseconds, into: &text)
        Self.write(MetricCatalogue.workerModelExpected, pairs, microseconds: \.expectedMicroseconds, into: &text)
        Self.write(MetricCatalogue.workerModelFlop, pairs, \.flop, into: &text)
        Self.write(MetricCatalogue.workerModelLoad, pairs, microseconds: \.loadMicroseconds, into: &text)
        Self.write(MetricCatalogue.workerModelBestBatch, pairs, \.bestBatch, into: &text)
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

    private static let ok = PrometheusText.Labels([("result", "ok")])
    private static let failed = PrometheusText.Labels([("result", "failed")])
    private static let full = PrometheusText.Labels([("reason", "full")])
    private static let idle = PrometheusText.Labels([("reason", "idle")])

    private static func writeResults(
        of pairs: [Pair], _ requests: MetricFamily, _ items: MetricFamily, into text: inout PrometheusText
    ) {
        text.begin(requests)
        for pair in pairs {
            text.sample(pair.labels, and: ok, pair.counts.requestsOk)
            text.sample(pair.labels, and: failed, pair.counts.requestsFailed)
        }
        text.begin(items)
        for pair in pairs {
            text.sample(pair.labels, and: ok, pair.counts.itemsOk)
            text.sample(pair.labels, and: failed, pair.counts.itemsFailed)
        }
    }

    private static func writeReleases(_ family: MetricFamily, of pairs: [Pair], into text: inout PrometheusText) {
        text.begin(family)
        for pair in pairs {
            text.sample(pair.labels, and: full, pair.counts.batchesFull)
            text.sample(pair.labels, and: idle, pair.counts.batchesIdle)
        }
    }

    private static func write(
        _ family: MetricFamily, _ pairs: [Pair], _ value: (Counts) -> UInt64, into text: inout PrometheusText
    ) {
        text.begin(family)
        for pair in pairs { text.sample(pair.labels, value(pair.counts)) }
    }

    private static func write(
        _ family: MetricFamily, _ pairs: [Pair], microseconds value: (Counts) -> UInt64,
        into text: inout PrometheusText
    ) {
        text.begin(family)
        for pair in pairs { text.sample(pair.labels, microseconds: value(pair.counts)) }
    }
}
