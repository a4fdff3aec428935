package import SinewCore
package import SinewWire

/// A snapshot of the fleet as Prometheus reads it: one scrape of the broker covers all workers.
///
/// Histograms are told by model over all workers, and by worker over all models, not by both: 200 workers with 20 models would make a
/// quarter of a million lines of them. Counters over all workers keep what those have done that left, so they never fall while the
/// broker lives.
package struct FleetExposition {
    let fleet: FleetStatusReply
    /// One for each worker, unique.
    let workerLabels: [PrometheusText.Labels]
    /// Workers and the places of their models that are told, as far as the limit allows.
    let pairs: [Pair]
    let leftOutPairs: Int

    /// What was done with a model, by one worker or by all, under its labels.
    struct Pair {
        let labels: PrometheusText.Labels
        let counts: Counts
    }

    /// The numbers of a ``ModelActivity`` alone: reading them from a list of thousands costs no reference count.
    struct Counts {
        let requestsOk, requestsFailed, itemsOk, itemsFailed, batches, batchesFull, batchesIdle: UInt64
        let queuedItems, busyMicroseconds, expectedMicroseconds, flop, loadMicroseconds, bestBatch: UInt64

        init(_ activity: ModelActivity) {
            requestsOk = activity.requestsOk
            requestsFailed = activity.requestsFailed
            itemsOk = activity.itemsOk
            itemsFailed = activity.itemsFailed
            batches = activity.batches
            batchesFull = activity.batchesFull
            batchesIdle = activity.batchesIdle
            queuedItems = UInt64(activity.queuedItems)
            busyMicroseconds = activity.busyMicroseconds
            expectedMicroseconds = activity.expectedMicroseconds
            flop = activity.flop
            loadMicroseconds = activity.loadMicroseconds
            bestBatch = UInt64(activity.bestBatch)
        }
    }

    package init(_ fleet: FleetStatusReply, limits: Limits = Limits()) {
        self.fleet = fleet
        let names = Self.uniqueNames(fleet.workers.map(\.name))
        workerLabels = names.map { PrometheusText.Labels([("worker", $0)]) }
        var pairs: [Pair] = []
        var leftOut = 0
        for (place, worker) in fleet.workers.enumerated() {
            for model in worker.beat.models {
                guard pairs.count < limits.workerModelsToldMax else {
                    leftOut += 1
                    continue
                }
                let labels = workerLabels[place].with("model", model.name).with("version", model.version)
                pairs.append(Pair(labels: labels, counts: Counts(model)))
            }
        }
        self.pairs = pairs
        leftOutPairs = leftOut
    }

    /// Nothing keeps two workers from having one name, and two samples with the same labels would make a scrape unreadable.
    static func uniqueNames(_ names: [String]) -> [String] {
        var taken: Set<String> = []
        return names.map { name in
            var unique = name
            var number = 2
            while !taken.insert(unique).inserted {
                unique = "\(name)#\(number)"
                number += 1
            }
            return unique
        }
    }

    /// Writes everything. Cost: O(workers × models).
    package func write(into text: inout PrometheusText) {
        writeBroker(into: &text)
        writeRequests(into: &text)
        writeLeases(into: &text)
        writeJobs(into: &text)
        writeModels(into: &text)
        writeWorkers(into: &text)
        writePairs(into: &text)
    }

    /// The same with what this process counts through swift-metrics.
    package static func text(
        _ fleet: FleetStatusReply, _ registry: MetricRegistry, limits: Limits = Limits()
    ) -> [UInt8] {
        let exposition = FleetExposition(fleet, limits: limits)
        // About what a worker and a pair take, so that megabytes are not copied from one place to a larger one.
        var text = PrometheusText(
            capacity: 65_536 + exposition.pairs.count * 1_400 + exposition.workerLabels.count * 3_500)
        exposition.write(into: &text)
        registry.write(into: &text)
        return text.bytes
    }

    /// What one worker tells of itself, without a broker, at a wall-clock time in microseconds since 1970.
    package static func text(of worker: WorkerStatus, at time: UInt64, _ registry: MetricRegistry) -> [UInt8] {
        var text = PrometheusText()
        let beat = worker.beat
        let exposition = FleetExposition(
            FleetStatusReply(
                broker: BrokerStatus(
                    version: worker.version, uptimeMicroseconds: beat.uptimeMicroseconds,
                    cpuMicroseconds: beat.cpuMicroseconds, residentBytes: beat.residentBytes),
                workers: [worker], timeUnixMicroseconds: time, models: beat.models))
        exposition.writeProcess(into: &text)
        exposition.writeModels(into: &text)
        exposition.writeWorkers(into: &text)
        exposition.writePairs(into: &text)
        registry.write(into: &text)
        return text.bytes
    }

    // MARK: The broker.

    private func writeProcess(into text: inout PrometheusText) {
        let broker = fleet.broker
        text.begin(MetricCatalogue.build)
        text.sample(PrometheusText.Labels([("version", broker.version)]), 1 as UInt64)
        text.begin(MetricCatalogue.processorTime)
        text.sample(microseconds: broker.cpuMicroseconds)
        text.begin(MetricCatalogue.residentMemory)
        text.sample(.none, broker.residentBytes)
        text.begin(MetricCatalogue.startTime)
        text.sample(microseconds: fleet.timeUnixMicroseconds.growth(since: broker.uptimeMicroseconds))
    }

    private func writeBroker(into text: inout PrometheusText) {
        let broker = fleet.broker
        writeProcess(into: &text)
        text.begin(MetricCatalogue.draining)
        text.sample(.none, broker.draining ? 1 : 0 as UInt64)
        text.begin(MetricCatalogue.clients)
        text.sample(.none, broker.clients)
        text.begin(MetricCatalogue.malformedMessages)
        text.sample(.none, broker.malformedMessages)
        text.begin(MetricCatalogue.refusals)
        let refusals = [
            ("handshake", broker.handshakesRefused), ("key", broker.messagesRefused), ("rate", broker.messagesTooFast),
        ]
        for (reason, count) in refusals { text.sample(PrometheusText.Labels([("reason", reason)]), count) }
        text.begin(MetricCatalogue.repliesDropped)
        text.sample(.none, broker.repliesDropped)
        text.begin(MetricCatalogue.leftOut)
        text.sample(.none, UInt64(leftOutPairs))
    }

    private func writeRequests(into text: inout PrometheusText) {
        let broker = fleet.broker
        let labels = broker.models.map { PrometheusText.Labels([("model", $0.name), ("version", $0.version)]) }
        let ended = zip(broker.models, labels).flatMap { model, labels in
            model.statuses.map { ($0, labels.with("status", Self.name(ofStatus: $0.status))) }
        }
        text.begin(MetricCatalogue.requests)
        for (status, labels) in ended { text.sample(labels, status.requests) }
        text.begin(MetricCatalogue.requestItems)
        for (status, labels) in ended { text.sample(labels, status.items) }
        text.begin(MetricCatalogue.requestQueueTime)
        for (model, labels) in zip(broker.models, labels) { text.histogram(labels, model.queueTime) }
        text.begin(MetricCatalogue.requestTime)
        for (model, labels) in zip(broker.models, labels) { text.histogram(labels, model.totalTime) }
        text.begin(MetricCatalogue.answeredRequests)
        text.sample(.none, broker.callsDone)
        text.begin(MetricCatalogue.answeredItems)
        text.sample(.none, broker.itemsDone)
        text.begin(MetricCatalogue.failedRequests)
        text.sample(.none, broker.callsFailed)
        text.begin(MetricCatalogue.cancelledRequests)
        text.sample(.none, broker.callsCancelled)
        text.begin(MetricCatalogue.queuedRequests)
        text.sample(.none, broker.queuedCalls)
        text.begin(MetricCatalogue.queuedItems)
        text.sample(.none, broker.queuedItems)
        text.begin(MetricCatalogue.runningRequests)
        text.sample(.none, broker.runningCalls)
        text.begin(MetricCatalogue.runningItems)
        text.sample(.none, broker.runningItems)
        text.begin(MetricCatalogue.oldestWaiting)
        text.sample(microseconds: broker.oldestWaitingMicroseconds)
        if let drain = broker.drainMicrosecondsEstimated {
            text.begin(MetricCatalogue.drainEstimated)
            text.sample(microseconds: drain)
        }
    }

    /// gRPC's name.
    private static func name(ofStatus number: UInt32) -> String {
        UInt8(exactly: number).flatMap(StatusCode.init(rawValue:))?.description ?? "STATUS_\(number)"
    }

    private func writeLeases(into text: inout PrometheusText) {
        let broker = fleet.broker
        let counts = [
            (MetricCatalogue.leases, broker.leasesGiven), (MetricCatalogue.leaseExpiries, broker.leaseExpiries),
            (MetricCatalogue.redeliveries, broker.redeliveries), (MetricCatalogue.requeues, broker.callsRedispatched),
            (MetricCatalogue.duplicatesDropped, broker.duplicatesDropped),
            (MetricCatalogue.workersLost, broker.workersLost), (MetricCatalogue.credits, broker.creditsTotal),
            (MetricCatalogue.creditsInUse, broker.creditsInUse),
        ]
        for (family, count) in counts {
            text.begin(family)
            text.sample(.none, count)
        }
        text.begin(MetricCatalogue.workers)
        for (word, state) in [("serving", WorkerState.serving), ("draining", .draining)] {
            let count = fleet.workers.count { $0.state == state }
            text.sample(PrometheusText.Labels([("state", word)]), UInt64(count))
        }
    }

    private func writeJobs(into text: inout PrometheusText) {
        let broker = fleet.broker
        func write(_ family: MetricFamily, by label: String, _ counts: [(String, UInt64)]) {
            text.begin(family)
            for (word, count) in counts { text.sample(PrometheusText.Labels([(label, word)]), count) }
        }
        write(
            MetricCatalogue.jobs, by: "state",
            [
                ("open", broker.jobsOpen), ("sealed", broker.jobsSealed), ("finished", broker.jobsFinished),
                ("cancelled", broker.jobsCancelled), ("expired", broker.jobsExpired),
            ])
        write(
            MetricCatalogue.tasks, by: "state",
            [
                ("queued", broker.tasksQueued), ("leased", broker.tasksLeased), ("done", broker.tasksDone),
                ("failed", broker.tasksFailed), ("dead", broker.tasksDead),
            ])
        write(
            MetricCatalogue.taskEnds, by: "reason",
            [("done", broker.taskEndsDone), ("failed", broker.taskEndsFailed), ("dead", broker.taskEndsDead)])
        let counts = [
            (MetricCatalogue.jobItems, broker.jobItems), (MetricCatalogue.jobItemsDone, broker.jobItemsDone),
            (MetricCatalogue.taskRetries, broker.taskRetries), (MetricCatalogue.storeBytes, broker.storeBytes),
            (MetricCatalogue.storeBreakdowns, broker.storeBreakdowns),
        ]
        for (family, count) in counts {
            text.begin(family)
            text.sample(.none, count)
        }
        text.begin(MetricCatalogue.oldestJob)
        text.sample(microseconds: broker.oldestJobMicroseconds)
    }
}
