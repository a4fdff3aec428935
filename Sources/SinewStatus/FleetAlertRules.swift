package import SinewCore
package import SinewMetrics
package import SinewWire

/// What the rules look at.
package struct AlertFacts: Sendable {
    package var snapshot: FleetStatusReply
    package var rates: FleetRates?
    package var gone: [FleetView.Gone]
    /// The broker's counters a minute ago, or when this began to look.
    package var minuteAgo: BrokerStatus?
    /// Jobs that have waiting tasks, as far as they were looked at.
    package var jobs: [JobStatus]
    /// How much the store may hold and what its disk has left; nil without a store.
    package var room: StoreRoom?

    package init(
        snapshot: FleetStatusReply, rates: FleetRates? = nil, gone: [FleetView.Gone] = [],
        minuteAgo: BrokerStatus? = nil, jobs: [JobStatus] = [], room: StoreRoom? = nil
    ) {
        self.snapshot = snapshot
        self.rates = rates
        self.gone = gone
        self.minuteAgo = minuteAgo
        self.jobs = jobs
        self.room = room
    }
}

/// How much a job store may hold.
package struct StoreRoom: Sendable, Equatable {
    package var bytesMax: Int
    /// Nil when the system does not say.
    package var bytesFree: Int?

    package init(bytesMax: Int, bytesFree: Int?) {
        self.bytesMax = bytesMax
        self.bytesFree = bytesFree
    }
}

/// The rules, each of which looks at one thing. Critical: work stands still or is refused.
package enum FleetAlertRules {
    /// Something that waits for so long is worth a look, and for so long more than that.
    static let waitWorthALook = Duration.seconds(30)
    static let waitTooLong = Duration.seconds(300)
    /// A worker that gets less than this share of what its own table promises is not itself.
    static let efficiencyMin = 0.5
    /// A worker is judged by it only if its threads were at work for this share of the window.
    static let busyMin = 0.1
    static let storeWorthALook = 0.9
    /// Alerts of one kind about different workers or jobs; the rest is counted in the last one.
    static let perKindMax = 20

    /// All that is wrong, the critical first.
    package static func alerts(_ facts: AlertFacts, _ limits: Limits) -> [FleetAlert] {
        let all =
            workers(facts, limits) + work(facts) + store(facts, limits) + security(facts) + efficiency(facts)
        return all.filter { $0.severity == .critical } + all.filter { $0.severity == .warning }
    }

    // MARK: Workers

    private static func workers(_ facts: AlertFacts, _ limits: Limits) -> [FleetAlert] {
        var silent: [FleetAlert] = []
        for worker in facts.snapshot.workers
        where WorkerCondition(worker, silence: limits.beatInterval * 2) == .silent {
            silent.append(
                FleetAlert(
                    .warning, "worker_silent",
                    what:
                        "worker \(worker.name) has said nothing for \(text(microseconds: worker.heardMicrosecondsAgo))",
                    do:
                        "look at process \(worker.processID) on \(worker.host); after \(text(limits.workerSilenceMax)) it is taken "
                        + "for lost and its tasks run elsewhere"))
        }
        var gone: [FleetAlert] = []
        for worker in facts.gone where worker.status.state != .draining {
            gone.append(
                FleetAlert(
                    .warning, "worker_gone",
                    what: "worker \(worker.status.name) has vanished \(text(microseconds: worker.microseconds)) ago",
                    do:
                        "look at the log of process \(worker.status.processID) on \(worker.status.host), and start it again with "
                        + "sinew worker --broker ENDPOINT"))
        }
        return cut(silent) + cut(gone)
    }

    // MARK: Work that waits

    private static func work(_ facts: AlertFacts) -> [FleetAlert] {
        var alerts: [FleetAlert] = []
        let broker = facts.snapshot.broker
        let waiting = broker.queuedCalls + broker.tasksQueued
        let serving = facts.snapshot.workers.filter { $0.state == .serving }
        let refused = broker.models.reduce(0) { $0 + refusals(.unavailable, of: $1, facts) }
        if serving.isEmpty, waiting > 0 || (refused > 0 && !broker.draining) {
            alerts.append(
                FleetAlert(
                    .critical, "no_worker",
                    what: waiting > 0
                        ? "\(waiting) calls and tasks wait, and no worker serves"
                        : "\(refused) calls were refused in the last minute, and no worker serves",
                    do: "start one: sinew worker --broker ENDPOINT"))
        } else {
            alerts += missingModels(facts, serving)
        }
        let wait = Duration.microseconds(Int64(clamping: broker.oldestWaitingMicroseconds))
        if wait > waitWorthALook {
            alerts.append(
                FleetAlert(
                    wait > waitTooLong ? .critical : .warning, "waiting_long",
                    what: "the oldest call or task has been waiting for \(text(wait))",
                    do: "start more workers with sinew worker, or see in sinew jobs whose work it is"))
        }
        let dead = broker.tasksDead
        if dead > 0 {
            alerts.append(
                FleetAlert(
                    .warning, "dead_tasks", what: "\(dead) tasks of jobs were given up",
                    do:
                        "sinew dead list JOB tells why, sinew dead replay JOB tries them again; sinew jobs shows which jobs have them"
                ))
        }
        if broker.draining {
            alerts.append(
                FleetAlert(
                    .warning, "broker_draining", what: "the broker is about to stop and takes no new calls",
                    do: "nothing, if you have stopped it; jobs go on when it is started again with the same --store"))
        }
        return alerts
    }

    private static func missingModels(_ facts: AlertFacts, _ serving: [WorkerStatus]) -> [FleetAlert] {
        var ready: Set<String> = []
        for worker in serving {
            for model in worker.models { ready.formUnion([model.name, "\(model.name)/\(model.version)"]) }
        }
        var waiting: [String: UInt64] = [:]
        var refused: [String: UInt64] = [:]
        for job in facts.jobs where !ready.contains(job.model) { waiting[job.model, default: 0] += job.queued }
        for model in facts.snapshot.broker.models where !model.name.isEmpty {
            let key = model.version.isEmpty ? model.name : "\(model.name)/\(model.version)"
            guard !ready.contains(key) else { continue }
            // What the dispatcher holds of a job is none of the job's queued tasks.
            waiting[key, default: 0] += model.queuedRequests
            refused[key] = refusals(.unavailable, of: model, facts)
        }
        var alerts: [FleetAlert] = []
        for model in Set(waiting.keys).union(refused.keys).sorted() {
            let (tasks, calls) = (waiting[model] ?? 0, refused[model] ?? 0)
            guard tasks > 0 || calls > 0 else { continue }
            alerts.append(
                FleetAlert(
                    .critical, "no_worker_for_model",
                    what: tasks > 0
                        ? "\(tasks) calls and tasks wait for the model \(model), which no worker has ready"
                        : "\(calls) calls of the last minute asked for the model \(model), which no worker has ready",
                    do: "start a worker with it: sinew worker --broker ENDPOINT --model \(model)"))
        }
        return cut(alerts) + unknownModels(facts)
    }

    /// Names that no worker ever announced are not kept, for clients choose them as they like.
    private static func unknownModels(_ facts: AlertFacts) -> [FleetAlert] {
        let unknown = facts.snapshot.broker.models.first { $0.name.isEmpty }
        let count = unknown.map { refusals(.notFound, of: $0, facts) } ?? 0
        guard count > 0 else { return [] }
        return [
            FleetAlert(
                .warning, "unknown_model",
                what: "\(count) calls of the last minute asked for a model that no worker has ever had",
                do:
                    "the client has its name wrong, or a worker is missing: sinew status lists the models that are ready, and "
                    + "sinew worker --broker ENDPOINT --model NAME brings another one")
        ]
    }

    /// How many calls for a model ended with a status within the last minute.
    private static func refusals(_ status: StatusCode, of model: BrokerModelActivity, _ facts: AlertFacts) -> UInt64 {
        func count(_ model: BrokerModelActivity?) -> UInt64 {
            model?.statuses.first { $0.status == UInt32(status.rawValue) }?.requests ?? 0
        }
        guard let before = facts.minuteAgo else { return 0 }
        let earlier = before.models.first { $0.name == model.name && $0.version == model.version }
        return count(model).growth(since: count(earlier))
    }

    // MARK: The store

    private static func store(_ facts: AlertFacts, _ limits: Limits) -> [FleetAlert] {
        var alerts: [FleetAlert] = []
        let broker = facts.snapshot.broker
        if let room = facts.room {
            let share = Double(broker.storeBytes) / Double(Swift.max(room.bytesMax, 1))
            let isOutOfDisk = (room.bytesFree ?? .max) < limits.storeFreeBytesMin
            if share >= 1 || isOutOfDisk {
                let why =
                    isOutOfDisk ? "its disk has \(text(bytes: room.bytesFree ?? 0)) left" : "it holds as much as it may"
                alerts.append(
                    FleetAlert(
                        .critical, "store_full", what: "the job store takes no new jobs and tasks: \(why)",
                        do:
                            "make room on the disk, cancel jobs, or allow more with --store-bytes-max; results of tasks that were taken "
                            + "are still written"))
            } else if share >= storeWorthALook || (room.bytesFree ?? .max) < 4 * limits.storeFreeBytesMin {
                alerts.append(
                    FleetAlert(
                        .warning, "store_nearly_full",
                        what: "the job store holds \(text(bytes: Int(clamping: broker.storeBytes))) of "
                            + "\(text(bytes: room.bytesMax)), and its disk has \(room.bytesFree.map { text(bytes: $0) } ?? "?") left",
                        do: "make room on the disk, cancel jobs that nobody needs, or allow more with --store-bytes-max"
                    ))
            }
        }
        if let before = facts.minuteAgo, broker.storeBreakdowns > before.storeBreakdowns {
            alerts.append(
                FleetAlert(
                    .critical, "store_broken",
                    what:
                        "the job store failed \(broker.storeBreakdowns - before.storeBreakdowns) times in the last minute",
                    do: "look at the broker's log and at the disk; what was acknowledged is on it"))
        }
        return alerts
    }

    // MARK: Strangers and slow readers

    private static func security(_ facts: AlertFacts) -> [FleetAlert] {
        guard let before = facts.minuteAgo else { return [] }
        let broker = facts.snapshot.broker
        var alerts: [FleetAlert] = []
        func check(_ counter: KeyPath<BrokerStatus, UInt64>, _ code: String, _ what: String, _ remedy: String) {
            let (now, then) = (broker[keyPath: counter], before[keyPath: counter])
            guard now > then else { return }
            alerts.append(
                FleetAlert(.warning, code, what: "\(now - then) \(what) in the last minute", do: remedy))
        }
        check(
            \.handshakesRefused, "handshakes_refused", "connections were refused because of their key",
            "the broker's log names keys and addresses; admit a key with sinew keys authorize, or find out who tries")
        check(
            \.messagesRefused, "messages_refused",
            "messages were dropped because their sender's key is revoked or for the other port",
            "the broker's log names the key; give its owner a new one, or another role with sinew keys authorize")
        check(
            \.messagesTooFast, "messages_too_fast",
            "messages were refused because their client sends faster than one may",
            "send larger requests, for example with sinew submit; the broker's log names the client")
        check(
            \.repliesDropped, "replies_dropped", "replies were dropped because their client does not read",
            "look at the client: it has stopped, or computes in the thread that reads")
        return alerts
    }

    // MARK: Slow workers

    private static func efficiency(_ facts: AlertFacts) -> [FleetAlert] {
        guard let rates = facts.rates else { return [] }
        var alerts: [FleetAlert] = []
        for (worker, rate) in zip(facts.snapshot.workers, rates.workers) {
            guard let rate, let efficiency = rate.batchEfficiency, efficiency < efficiencyMin,
                rate.busyThreads >= busyMin * Double(Swift.max(worker.computeThreads, 1))
            else { continue }
            let times = efficiency > 0 ? (10 / efficiency).rounded() / 10 : .infinity
            alerts.append(
                FleetAlert(
                    .warning, "worker_slow",
                    what:
                        "worker \(worker.name) needs \(times) times as long for its batches as it measured at its start",
                    do:
                        "look for other programs, a hot processor or a limit on \(worker.host) (process \(worker.processID)); if that is to "
                        + "stay, start the worker anew, so that it measures again"))
        }
        return cut(alerts)
    }

    // MARK: Words

    private static func cut(_ alerts: [FleetAlert]) -> [FleetAlert] {
        guard alerts.count > perKindMax, let last = alerts.last else { return alerts }
        let rest = alerts.count - perKindMax + 1
        return alerts.prefix(perKindMax - 1) + [
            FleetAlert(last.severity, last.code, what: "\(rest) more like this", do: last.do)
        ]
    }

    private static func text(microseconds: UInt64) -> String { text(.microseconds(Int64(clamping: microseconds))) }

    private static func text(_ duration: Duration) -> String {
        let seconds = Double(duration.remainingMicroseconds) / 1e6
        if seconds < 10 { return "\((seconds * 10).rounded() / 10) s" }
        if seconds < 120 { return "\(Int(seconds)) s" }
        if seconds < 7_200 { return "\(Int(seconds / 60)) min" }
        return "\(Int(seconds / 3_600)) h"
    }

    private static func text(bytes: Int) -> String {
        bytes < 10 << 30 ? "\(bytes >> 20) MiB" : "\(bytes >> 30) GiB"
    }
}
