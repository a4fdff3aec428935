package import Logging
internal import SinewCore
internal import SinewKernels
package import SinewModels
internal import SinewZeroMQ

/// A worker: takes tasks from a broker, solves them in batches, sends the results back.
///
/// One thread owns the socket, others compute. A worker outlives its broker: it introduces itself again to whoever listens at
/// the endpoint next.
package final class WorkerServer: Sendable {
    private let orders: WorkerOrders
    private let completion = Completion()
    private let board = WorkerBoard()

    /// Starts the worker's threads and begins to look for the broker.
    ///
    /// The models are measured first (a second at most for all of them) unless ``WorkerConfiguration/batchItemsMax`` is given or
    /// an earlier start on this machine left its tables in ``WorkerConfiguration/batchTableFolder``.
    ///
    /// - Throws: ``WorkerError`` when the configuration breaks a limit, no model is given, or the endpoint is malformed; never
    ///   because no broker is there yet.
    package init(
        _ configuration: WorkerConfiguration, models: [any PoseModel], logger: Logger
    ) throws(WorkerError) {
        if let violated = configuration.violatedRule { throw WorkerError(.configuration, violated) }
        if configuration.keys == nil, EndpointReach.leavesThisMachine(configuration.brokerEndpoint) {
            logger.warning(
                "INSECURE: whoever is on the way to this broker can read and change everything",
                metadata: ["broker": "\(configuration.brokerEndpoint)"])
        }
        let loaded = try LoadedModels(models)
        let team = try Self.team(configuration)
        do throws(ZeroMQError) {
            let line = try BrokerLine.open(configuration)
            let inbox = try Mailbox<BatchResult>(countMax: configuration.computeThreads)
            let orders = WorkerOrders(waker: inbox.waker)
            self.orders = orders
            let solver = BatchSolver(workerName: configuration.name, limits: configuration.limits)
            var threads: [ComputeThread] = []
            for number in 0..<configuration.computeThreads {
                let processor = configuration.processors.isEmpty ? nil : configuration.processors[number]
                threads.append(
                    try ComputeThread(number: number, processor: processor, solver: solver) { inbox.post($0) })
            }
            let computeThreads = threads
            let (completion, board) = (completion, board)
            _ = try DedicatedThread(named: "sinew-worker", owning: line) { line in
                WorkerLoop.run(
                    line, configuration: configuration, models: loaded, threads: computeThreads, team: team,
                    inbox: inbox, orders: orders, board: board, logger: logger)
                completion.finish()
            }
        } catch {
            throw WorkerError(.transport, error.description)
        }
    }

    deinit { orders.stop() }

    /// What the worker says about itself, as of its last beat or hello: once a second at least.
    package var report: WorkerBoard.Report { board.report }

    /// The helpers of compute thread 0, for batches that are alone; a helper shares the processor of the compute thread of its
    /// number, which then has nothing to do.
    private static func team(_ configuration: WorkerConfiguration) throws(WorkerError) -> ComputeTeam {
        guard configuration.computeThreads > 1 else { return .alone }
        do throws(ThreadError) {
            return ComputeTeam(
                try ThreadTeam(count: configuration.computeThreads, processors: configuration.processors))
        } catch {
            throw WorkerError(.transport, error.description)
        }
    }

    /// Waits until the worker has stopped; cancelling the waiting task stops it.
    package func run() async {
        await withTaskCancellationHandler {
            await completion.wait()
        } onCancel: {
            orders.stop()
        }
    }

    /// Takes nothing new, gives back what has not started, finishes what runs, then stops.
    ///
    /// - Parameter duration: after it, what still runs is given back as well.
    package func beginDrain(within duration: Duration) { orders.drain(within: duration) }

    /// Stops soon: everything in hand goes back to the broker, to be solved elsewhere.
    package func stop() { orders.stop() }
}
