internal import Glibc
internal import Synchronization

/// A broker and its workers as child processes of this one, started in order, kept running, and stopped in order.
final class LocalFleet: Sendable {
    /// What to start.
    struct Plan: Sendable {
        var executable = LocalFleet.ownExecutable
        var clientEndpoint = "tcp://127.0.0.1:*"
        var workerEndpoint = "tcp://127.0.0.1:*"
        var workers = 2
        /// Compute threads of each worker.
        var threads = 1
        /// The processors that each worker's threads are pinned to; empty leaves them to the scheduler.
        var processors: [[Int]] = []
        /// Which keys the broker has; none, whatever the environment says for others.
        var brokerKeyOptions = ["--key", "", "--authorized-keys", ""]
        /// Which keys the workers have; none, whatever the environment says for others.
        var workerKeyOptions = ["--key", "", "--broker-key", ""]
        /// Further options of every worker.
        var workerOptions: [String] = []
        /// Further options of the broker.
        var brokerOptions: [String] = []
        /// Where the broker serves HTTP; nil: at its usual address, or not at all if that is in use.
        var httpAddress: String? = "none"
        /// Options of every process.
        var serviceOptions: [String] = []
        /// Told when a process has to be started again.
        var tell: @Sendable (String) -> Void = { StandardStreams.talk($0) }
    }

    /// A broker binds two ports; a worker loads its models and measures their batch sizes.
    static let startLimit = Duration.seconds(60)

    let plan: Plan
    let broker: BrokerReady
    private let brokerProcess: Mutex<ChildProcess>
    private let workerProcesses: Mutex<[Worker]>

    /// A running worker and which of the planned ones it is.
    private struct Worker: Sendable {
        let process: ChildProcess
        let index: Int
    }

    /// Starts the broker, then the workers side by side; when one fails, those that run are stopped again.
    static func start(_ plan: Plan) async throws -> LocalFleet {
        let (process, ready) = try await startBroker(plan)
        let fleet = LocalFleet(plan, broker: ready, process: process)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<plan.workers { group.addTask { try await fleet.startWorker(index) } }
                try await group.waitForAll()
            }
        } catch {
            await fleet.stop()
            throw error
        }
        return fleet
    }

    private init(_ plan: Plan, broker: BrokerReady, process: ChildProcess) {
        self.plan = plan
        self.broker = broker
        brokerProcess = Mutex(process)
        workerProcesses = Mutex([])
    }

    /// The processes that solve.
    var workers: [ChildProcess] { workerProcesses.withLock { $0.map(\.process) } }

    /// Starts again whoever dies, until the task is cancelled.
    ///
    /// - Throws: ``CommandFailure`` when a process keeps dying.
    func supervise() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.superviseBroker() }
            for worker in workerProcesses.withLock({ $0 }) {
                group.addTask { try await self.superviseWorker(worker) }
            }
            try await group.waitForAll()
        }
    }

    /// Stops the workers (they finish what they run), then the broker; nobody is left behind.
    ///
    /// Runs to its end even when the calling task was cancelled.
    func stop() async { await Task { await stopInOrder() }.value }

    /// Ends the broker as a crash would.
    func killBroker() async {
        let process = brokerProcess.withLock { $0 }
        process.send(signal: SIGKILL)
        _ = await process.wait()
    }

    private func stopInOrder() async {
        await withTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.stop(within: drainLimit + .seconds(2)) } }
        }
        await brokerProcess.withLock { $0 }.stop(within: drainLimit + .seconds(2))
    }

    private func superviseBroker() async throws {
        var restarts = RestartBudget()
        while true {
            guard let termination = await brokerProcess.withLock({ $0 }).wait() else { return }
            plan.tell(try restarts.spend(on: "the broker", termination))
            var plan = plan
            // The same ports again: clients and workers find the new broker by themselves.
            plan.clientEndpoint = broker.clientEndpoint
            plan.workerEndpoint = broker.workerEndpoint
            plan.httpAddress = broker.httpAddress ?? "none"
            let (process, _) = try await Self.startBroker(plan)
            brokerProcess.withLock { $0 = process }
        }
    }

    private func superviseWorker(_ first: Worker) async throws {
        var restarts = RestartBudget()
        var process = first.process
        while true {
            guard let termination = await process.wait() else { return }
            plan.tell(try restarts.spend(on: "worker \(process.processID)", termination))
            workerProcesses.withLock { list in list.removeAll { $0.process === process } }
            process = try await startWorker(first.index)
        }
    }

    private static func startBroker(_ plan: Plan) async throws -> (ChildProcess, BrokerReady) {
        let process = try ChildProcess(
            plan.executable,
            [
                "broker", "--clients", plan.clientEndpoint, "--workers", plan.workerEndpoint, "--json",
                "--stop-with-parent",
            ]
                + (plan.httpAddress.map { ["--http", $0] } ?? []) + plan.brokerOptions + plan.brokerKeyOptions
                + plan.serviceOptions)
        let ready: BrokerReady = try await firstWord(of: process, "the broker")
        return (process, ready)
    }

    @discardableResult
    private func startWorker(_ index: Int) async throws -> ChildProcess {
        let process = try ChildProcess(
            plan.executable,
            [
                "worker", "--broker", broker.workerEndpoint, "--threads", "\(plan.threads)", "--json",
                "--stop-with-parent",
            ]
                + pinning(index) + plan.workerKeyOptions + plan.workerOptions + plan.serviceOptions)
        workerProcesses.withLock { $0.append(Worker(process: process, index: index)) }
        let _: WorkerReady = try await Self.firstWord(of: process, "a worker")
        return process
    }

    private func pinning(_ index: Int) -> [String] {
        guard plan.processors.indices.contains(index) else { return [] }
        return ["--pin", "--processors", PinnedProcessors.text(of: plan.processors[index])]
    }

    private static func firstWord<Word: Decodable>(of process: ChildProcess, _ who: String) async throws -> Word {
        if let line = await process.output.firstLine(atMost: startLimit) { return try JSONOutput.parse(line) }
        await process.stop(within: .zero)
        throw CommandFailure(
            .unavailable, "\(who) did not start (\(describe(process.termination))); its own message is above this line")
    }

    /// The running program, to be started again in other roles.
    static var ownExecutable: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return CommandLine.arguments[0] }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// How a process ended, for people.
func describe(_ termination: ChildProcess.Termination?) -> String {
    switch termination {
    case .exited(let status): "exit status \(status)"
    case .signalled(let signal): "signal \(signal)"
    case nil: "still running"
    }
}
