internal import Foundation
internal import Glibc
internal import SinewArrayFiles
internal import SinewWire

/// A broker that is killed with many durable tasks queued, and how long it takes to be back with all of them.
struct RestartBench {
    struct Report: Encodable {
        let queuedTasks, payloadBytesPerTask: Int
        /// From the start of the new process until it answers for the job, all tasks still queued.
        let restartSeconds: Double
        /// What its resident set has for each task, beyond that of a broker without any. Payloads are on disk.
        let residentBytesPerTask: Double
    }

    var tasks: Int
    /// Where the store is made, and removed afterwards; the figure is that of this disk.
    var folder: String
    private let payloadBytes = 412
    private let tasksPerAppend = 1_024

    func run() async throws -> Report {
        let store = "\(folder)/sinew-restart-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: store) }
        var plan = LocalFleet.Plan()
        plan.workers = 0
        plan.brokerOptions = ["--store", store]
        let first = try await LocalFleet.start(plan)
        var submitter = try BlockSubmitter(first.broker.clientEndpoint)
        let empty: UInt64
        do {
            empty = try submitter.residentBytes()
            try submitter.submit()
            try submitter.appendTasks(tasks, perRequest: tasksPerAppend, payloadBytes: payloadBytes)
        } catch {
            await first.stop()
            throw error
        }
        await first.killBroker()
        let clock = ContinuousClock()
        let start = clock.now
        let second = try await LocalFleet.start(plan)
        do {
            let queued = try submitter.queuedTasks(at: second.broker.clientEndpoint)
            let restart = (clock.now - start) / .seconds(1)
            guard queued == tasks else { throw BenchRefusal("\(queued) of \(tasks) tasks are there after the restart") }
            let grown = Double(try submitter.residentBytes()) - Double(empty)
            await second.stop()
            return Report(
                queuedTasks: queued, payloadBytesPerTask: payloadBytes, restartSeconds: restart,
                residentBytesPerTask: grown / Double(queued))
        } catch {
            await second.stop()
            throw error
        }
    }
}
