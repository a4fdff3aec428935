internal import SinewKernels
internal import SinewZeroMQ

/// A thread that solves one batch after the other.
final class ComputeThread: Sendable {
    private let jobs: Mailbox<BatchJob?>
    private let thread: DedicatedThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - processor: the only one to run on; nil leaves that to the scheduler.
    ///   - finish: called on the thread with each result.
    init(
        number: Int, processor: Int? = nil, solver: BatchSolver, finish: @escaping @Sendable (BatchResult) -> Void
    ) throws(ZeroMQError) {
        // One batch at a time, and the order to end.
        let jobs = try Mailbox<BatchJob?>(countMax: 2)
        self.jobs = jobs
        thread = try DedicatedThread(named: "sinew-solve-\(number)") {
            if let processor { ProcessorPinning.restrictCallingThread(to: [processor]) }
            while true {
                for job in jobs.waitAndTakeAll() {
                    guard let job else { return }
                    finish(solver.solve(job))
                }
            }
        }
    }

    // Without `end()`, when the worker could not start after all.
    deinit { jobs.post(nil) }

    /// Solves a batch; the thread must be free.
    func run(_ job: BatchJob) { jobs.post(job) }

    /// Ends the thread after the batch in hand and waits for it.
    func end() {
        jobs.post(nil)
        thread.join()
    }
}
