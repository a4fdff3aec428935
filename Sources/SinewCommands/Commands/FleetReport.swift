internal import SinewClient
internal import SinewMetrics

/// The fleet's state as it is printed.
struct FleetReport: Encodable {
    struct Broker: Encodable {
        let version: String
        let uptimeSeconds: Double
        let queuedCalls, queuedItems, runningCalls, runningItems: UInt64
        let callsDone, itemsDone, callsFailed, callsCancelled, callsRedispatched, malformedMessages, clients: UInt64
        let handshakesRefused, messagesRefused, messagesTooFast, repliesDropped: UInt64
        let isDraining: Bool
        let oldestWaitingSeconds: Double
        /// Nil as long as no worker has shown its rate.
        let drainSecondsEstimated: Double?
        let leaseExpiries, redeliveries, duplicatesDropped, workersLost, creditsTotal, creditsInUse: UInt64
        let jobs: Jobs
    }
    struct Jobs: Encodable {
        let open, sealed, finished, cancelled, expired: UInt64
        let tasksQueued, tasksLeased, tasksDone, tasksFailed, tasksDead: UInt64
        let items, itemsDone, storeBytes: UInt64
        let oldestSeconds: Double

        init(_ broker: BrokerStatus) {
            (open, sealed, finished) = (broker.jobsOpen, broker.jobsSealed, broker.jobsFinished)
            (cancelled, expired) = (broker.jobsCancelled, broker.jobsExpired)
            (tasksQueued, tasksLeased, tasksDone) = (broker.tasksQueued, broker.tasksLeased, broker.tasksDone)
            (tasksFailed, tasksDead) = (broker.tasksFailed, broker.tasksDead)
            (items, itemsDone, storeBytes) = (broker.jobItems, broker.jobItemsDone, broker.storeBytes)
            oldestSeconds = Double(broker.oldestJobMicroseconds) / 1e6
        }

        var count: UInt64 { open + sealed + finished + cancelled + expired }
    }
    struct Worker: Encodable {
        let name: String
        let state: String
        let models: [String]
        let credits, inFlightItems, computeThreads: UInt32
        let itemsDone, batchesDone: UInt64
        let largestBatch: UInt32
        /// Batches by the upper bound of their size class.
        let batchSizes: [String: UInt64]
        let busySeconds, heardSecondsAgo: Double
        /// From a request's arrival in the worker to its answer, since it started; nil before the first one.
        let latencyP50Ms, latencyP99Ms: Double?
        /// Of the networks, while a compute thread was at work, for each such thread; nil for workers without a network.
        let gflopPerBusySecond: Double?
        /// What the measured batch tables promise over what was taken; nil without a table.
        let batchEfficiency: Double?
        let cpuSeconds: Double
        let residentBytes: UInt64
        let isa, host, version: String
        let processId: UInt32
    }
    let broker: Broker
    let workers: [Worker]

    init(_ reply: FleetStatusReply) {
        let broker = reply.broker
        self.broker = Broker(
            version: broker.version, uptimeSeconds: Double(broker.uptimeMicroseconds) / 1e6,
            queuedCalls: broker.queuedCalls, queuedItems: broker.queuedItems, runningCalls: broker.runningCalls,
            runningItems: broker.runningItems, callsDone: broker.callsDone, itemsDone: broker.itemsDone,
            callsFailed: broker.callsFailed, callsCancelled: broker.callsCancelled,
            callsRedispatched: broker.callsRedispatched, malformedMessages: broker.malformedMessages,
            clients: broker.clients, handshakesRefused: broker.handshakesRefused,
            messagesRefused: broker.messagesRefused, messagesTooFast: broker.messagesTooFast,
            repliesDropped: broker.repliesDropped, isDraining: broker.draining,
            oldestWaitingSeconds: Double(broker.oldestWaitingMicroseconds) / 1e6,
            drainSecondsEstimated: broker.drainMicrosecondsEstimated.map { Double($0) / 1e6 },
            leaseExpiries: broker.leaseExpiries, redeliveries: broker.redeliveries,
            duplicatesDropped: broker.duplicatesDropped, workersLost: broker.workersLost,
            creditsTotal: broker.creditsTotal, creditsInUse: broker.creditsInUse, jobs: Jobs(broker))
        workers = reply.workers.map { worker in
            var sum = ModelActivity()
            var inTables: UInt64 = 0
            for model in worker.beat.models {
                sum.add(model)
                if model.expectedMicroseconds > 0 { inTables += model.busyMicroseconds }
            }
            let busy = Double(sum.busyMicroseconds) / 1e6
            return Worker(
                name: worker.name, state: worker.state.word, models: worker.models.map { "\($0.name)/\($0.version)" },
                credits: worker.credits, inFlightItems: worker.inFlightItems, computeThreads: worker.computeThreads,
                itemsDone: worker.beat.itemsDone, batchesDone: worker.beat.batchesDone,
                largestBatch: worker.beat.largestBatch,
                batchSizes: Dictionary(
                    worker.beat.batchSizes.map { ("\($0.size)", $0.count) }, uniquingKeysWith: { $0 + $1 }),
                busySeconds: Double(worker.beat.busyMicroseconds) / 1e6,
                heardSecondsAgo: Double(worker.heardMicrosecondsAgo) / 1e6,
                latencyP50Ms: sum.totalTime.quantile(0.5).map { $0 / 1e3 },
                latencyP99Ms: sum.totalTime.quantile(0.99).map { $0 / 1e3 },
                gflopPerBusySecond: sum.flop > 0 && busy > 0 ? Double(sum.flop) / 1e9 / busy : nil,
                batchEfficiency: inTables > 0 ? Double(sum.expectedMicroseconds) / Double(inTables) : nil,
                cpuSeconds: Double(worker.beat.cpuMicroseconds) / 1e6, residentBytes: worker.beat.residentBytes,
                isa: worker.isa, host: worker.host, version: worker.version, processId: worker.processID)
        }
    }

    func lines(style: TextStyle) -> [String] {
        var lines = [
            style.bold("broker") + " \(broker.version), up \(clockText(broker.uptimeSeconds))"
                + (broker.isDraining ? ", draining" : ""),
            "  waiting \(broker.queuedCalls) calls (\(broker.queuedItems) items), running \(broker.runningCalls) "
                + "(\(broker.runningItems)), done \(broker.callsDone) (\(broker.itemsDone))",
            "  failed \(broker.callsFailed), cancelled \(broker.callsCancelled), given to another worker "
                + "\(broker.callsRedispatched), unreadable messages \(broker.malformedMessages), clients \(broker.clients)",
        ]
        let refusals = [
            ("connections refused for their keys", broker.handshakesRefused),
            ("messages refused for their keys", broker.messagesRefused),
            ("messages that came too fast", broker.messagesTooFast),
            ("replies dropped because nobody read them", broker.repliesDropped),
        ].filter { $0.1 > 0 }
        if !refusals.isEmpty {
            lines.append("  " + style.yellow(refusals.map { "\($0.0) \($0.1)" }.joined(separator: ", ")))
        }
        lines += workLines(style: style)
        lines.append("")
        guard !workers.isEmpty else { return lines + ["no workers; start one: sinew worker"] }
        var table = TextTable([
            "worker", "state", "models", "in flight", "items done", "batches", "mean batch", "largest", "busy s",
            "p99 ms", "GFLOP/s", "isa", "heard s ago",
        ])
        for worker in workers {
            let mean = worker.batchesDone > 0 ? Double(worker.itemsDone) / Double(worker.batchesDone) : 0
            table.add([
                worker.name, worker.state, worker.models.joined(separator: " "),
                "\(worker.inFlightItems)/\(worker.credits)", "\(worker.itemsDone)", "\(worker.batchesDone)",
                fixed(mean, 1), "\(worker.largestBatch)", fixed(worker.busySeconds, 1),
                worker.latencyP99Ms.map { fixed($0, 1) } ?? "-", worker.gflopPerBusySecond.map { fixed($0, 1) } ?? "-",
                worker.isa, fixed(worker.heardSecondsAgo, 1),
            ])
        }
        lines += table.lines(style: style)
        return lines
    }

    /// What waits, the jobs, and what went wrong; nothing of what is not there.
    private func workLines(style: TextStyle) -> [String] {
        var lines: [String] = []
        if broker.oldestWaitingSeconds > 0 {
            let drain = broker.drainSecondsEstimated.map { ", all done in about \(fixed($0, 1)) s" } ?? ""
            lines.append("  the oldest waits \(fixed(broker.oldestWaitingSeconds, 1)) s\(drain)")
        }
        let jobs = broker.jobs
        if jobs.count > 0 {
            lines.append(
                "  jobs open \(jobs.open), sealed \(jobs.sealed), finished \(jobs.finished), cancelled \(jobs.cancelled), "
                    + "expired \(jobs.expired); tasks waiting \(jobs.tasksQueued), leased \(jobs.tasksLeased), "
                    + "done \(jobs.tasksDone)")
        }
        if jobs.tasksFailed + jobs.tasksDead > 0 {
            lines.append("  " + style.yellow("tasks failed \(jobs.tasksFailed), dead \(jobs.tasksDead)"))
        }
        let losses = [
            ("workers lost", broker.workersLost), ("leases expired", broker.leaseExpiries),
            ("given again", broker.redeliveries), ("late answers dropped", broker.duplicatesDropped),
        ].filter { $0.1 > 0 }
        if !losses.isEmpty {
            lines.append("  " + style.yellow(losses.map { "\($0.0) \($0.1)" }.joined(separator: ", ")))
        }
        return lines
    }
}

extension WorkerState {
    /// The state in one word.
    var word: String {
        switch self {
        case .unspecified: "unknown"
        case .serving: "serving"
        case .draining: "draining"
        case .unrecognized(let number): "state \(number)"
        }
    }
}
