internal import ArgumentParser
internal import SinewClient

/// `sinew status`: what the broker holds and how its workers do.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the broker's queue and its workers.")

    @OptionGroup var client: ClientOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let status = FleetReport(try await client.withClient { try await $0.fleetStatus(deadline: .seconds(5)) })
        if output.json { return try JSONOutput.print(status) }
        for line in status.lines(style: .data) { StandardStreams.data(line) }
    }
}

/// The fleet's state as it is printed.
struct FleetReport: Encodable {
    struct Broker: Encodable {
        let version: String
        let uptimeSeconds: Double
        let queuedCalls, queuedItems, runningCalls, runningItems: UInt64
        let callsDone, itemsDone, callsFailed, callsCancelled, callsRedispatched, malformedMessages, clients: UInt64
        let handshakesRefused, messagesRefused, messagesTooFast, repliesDropped: UInt64
        let isDraining: Bool
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
            repliesDropped: broker.repliesDropped, isDraining: broker.draining)
        workers = reply.workers.map { worker in
            Worker(
                name: worker.name, state: worker.state.word, models: worker.models.map { "\($0.name)/\($0.version)" },
                credits: worker.credits, inFlightItems: worker.inFlightItems, computeThreads: worker.computeThreads,
                itemsDone: worker.beat.itemsDone, batchesDone: worker.beat.batchesDone,
                largestBatch: worker.beat.largestBatch,
                batchSizes: Dictionary(
                    worker.beat.batchSizes.map { ("\($0.size)", $0.count) }, uniquingKeysWith: { $0 + $1 }),
                busySeconds: Double(worker.beat.busyMicroseconds) / 1e6,
                heardSecondsAgo: Double(worker.heardMicrosecondsAgo) / 1e6, isa: worker.isa, host: worker.host,
                version: worker.version, processId: worker.processID)
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
        lines.append("")
        guard !workers.isEmpty else { return lines + ["no workers; start one: sinew worker"] }
        var table = TextTable([
            "worker", "state", "models", "in flight", "items done", "batches", "mean batch", "largest", "busy s", "isa",
            "heard s ago",
        ])
        for worker in workers {
            let mean = worker.batchesDone > 0 ? Double(worker.itemsDone) / Double(worker.batchesDone) : 0
            table.add([
                worker.name, worker.state, worker.models.joined(separator: " "),
                "\(worker.inFlightItems)/\(worker.credits)", "\(worker.itemsDone)", "\(worker.batchesDone)",
                fixed(mean, 1), "\(worker.largestBatch)", fixed(worker.busySeconds, 1), worker.isa,
                fixed(worker.heardSecondsAgo, 1),
            ])
        }
        lines += table.lines(style: style)
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
