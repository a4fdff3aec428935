internal import SinewArrayFiles
internal import SinewCore
internal import SinewMetrics
internal import SinewWire

extension FleetView {
    /// The reply to `/api/v1/fleet`.
    ///
    /// - Parameter limits: how long a worker may say nothing.
    func json(_ limits: Limits) -> JSONValue {
        var rows: [(name: String, row: JSONValue)] = []
        for (index, worker) in snapshot.workers.enumerated() {
            let condition = WorkerCondition(worker, silence: limits.beatInterval * 2)
            rows.append((worker.name, Self.row(worker, condition, rates?.workers[index])))
        }
        for worker in gone {
            var status = worker.status
            status.heardMicrosecondsAgo = worker.microseconds
            status.inFlightItems = 0
            rows.append((status.name, Self.row(status, .gone, nil)))
        }
        // Names are no keys; the order of equal ones is that of the snapshot.
        let ordered = rows.enumerated().sorted { ($0.element.name, $0.offset) < ($1.element.name, $1.offset) }
        return .object([
            .init("time_unix_us", .count(snapshot.timeUnixMicroseconds)),
            .init("window_seconds", .number(rates?.seconds)),
            .init("broker", brokerObject),
            .init("workers", .array(ordered.map(\.element.row))),
            .init("alerts", .array(alerts.map(\.json))),
        ])
    }

    private var brokerObject: JSONValue {
        JSONValue(snapshot.broker)
            .setting("persons_per_second", .number(rates?.personsPerSecond))
            .setting("calls_per_second", .number(rates?.callsPerSecond))
            .setting("failed_per_second", .number(rates?.failedPerSecond))
            .setting("cpu_cores", .number(rates?.processorCores))
    }

    private static func row(
        _ worker: WorkerStatus, _ condition: WorkerCondition, _ rates: FleetRates.Worker?
    ) -> JSONValue {
        let beat = worker.beat
        let isGone = condition == .gone
        return .object([
            .init("name", .string(worker.name)),
            .init("state", .string(condition.rawValue)),
            .init("host", .string(worker.host)),
            .init("process_id", .count(worker.processID)),
            .init("version", .string(worker.version)),
            .init("isa", .string(worker.isa)),
            .init("compute_threads", .count(worker.computeThreads)),
            .init("credits", .count(worker.credits)),
            .init("in_flight_items", .count(worker.inFlightItems)),
            .init("heard_us_ago", .count(worker.heardMicrosecondsAgo)),
            .init("queued_items", .count(isGone ? 0 : beat.queuedItems)),
            .init("running_items", .count(isGone ? 0 : beat.runningItems)),
            .init("items_done", .count(beat.itemsDone)),
            .init("persons_per_second", isGone ? .number(0) : .number(rates?.personsPerSecond)),
            .init("failed_per_second", .number(rates?.failedPerSecond)),
            .init("batch_fill", .number(rates?.batchFill)),
            .init("mean_batch", .number(rates?.meanBatch)),
            .init("batch_efficiency", .number(rates?.batchEfficiency)),
            .init("latency_p50_us", .number(rates?.latencyP50Microseconds)),
            .init("latency_p99_us", .number(rates?.latencyP99Microseconds)),
            .init("cpu_cores", .number(rates?.processorCores)),
            .init("busy_threads", .number(rates?.busyThreads)),
            .init("resident_bytes", .count(beat.residentBytes)),
            .init("gflop_per_second", .number(rates?.gflopPerSecond)),
            .init("models", .array(worker.models.map { model($0, beat, rates) })),
        ])
    }

    private static func model(_ ready: ModelReady, _ beat: WorkerBeat, _ rates: FleetRates.Worker?) -> JSONValue {
        let activity = beat.models.first { $0.name == ready.name && $0.version == ready.version } ?? ModelActivity()
        let rate = rates?.models.first { $0.name == ready.name && $0.version == ready.version }
        return .object([
            .init("name", .string(ready.name)),
            .init("version", .string(ready.version)),
            .init("architecture", .string(ready.architecture)),
            .init("persons_per_second", .number(rate?.personsPerSecond)),
            .init("items_ok", .count(activity.itemsOk)),
            .init("items_failed", .count(activity.itemsFailed)),
        ])
    }

    /// The reply to `/api/v1/models`: what serving workers have ready, by name, then version.
    var modelsJSON: JSONValue {
        var available: [ModelAvailability] = []
        for worker in snapshot.workers where worker.state == .serving {
            for model in worker.models {
                let known = available.firstIndex { $0.model.name == model.name && $0.model.version == model.version }
                if let known {
                    available[known].workers += 1
                } else {
                    available.append(ModelAvailability(model: model, workers: 1))
                }
            }
        }
        available.sort { ($0.model.name, $0.model.version) < ($1.model.name, $1.model.version) }
        let objects = available.map { JSONValue($0.model).setting("workers", .count($0.workers)) }
        return .object([.init("models", .array(objects))])
    }

    /// Whether a worker would take a call for a model, `name` or `name/version`; nil: for any.
    func isReady(for model: String?) -> Bool {
        guard !snapshot.broker.draining else { return false }
        return snapshot.workers.contains { worker in
            guard worker.state == .serving else { return false }
            guard let model else { return true }
            return worker.models.contains { $0.name == model || "\($0.name)/\($0.version)" == model }
        }
    }
}
