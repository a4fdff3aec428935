internal import Logging
internal import SinewCore
internal import SinewJobStore
internal import SinewMetrics
internal import SinewZeroMQ

/// The thread of the store, from the opening of the folder to the last sync.
struct JobStoreThread: Sendable {
    let mailbox: JobStoreMailbox
    private let thread: DedicatedThread

    /// Opens the store, so that a folder which cannot be used ends the start of the broker, and starts the thread, which reports
    /// all that the store has.
    static func start(
        _ configuration: JobStoreConfiguration, reportingTo waker: Waker, metrics: MetricRegistry, logger: Logger
    ) throws(BrokerError) -> JobStoreThread {
        do {
            let store = try SQLiteJobStore(folder: configuration.folder, bytesMax: configuration.bytesMax)
            let mailbox = try JobStoreMailbox(reportingTo: waker)
            let loop = JobStoreLoop(
                store: store, folder: configuration.folder, bytesMax: configuration.bytesMax, mailbox: mailbox,
                metrics: metrics, logger: logger)
            let thread = try DedicatedThread(named: "job-store", owning: loop) { loop in
                var loop = loop
                loop.run()
            }
            return JobStoreThread(mailbox: mailbox, thread: thread)
        } catch let error as JobStoreOpenError {
            throw BrokerError(reason: .cannotOpenStore, message: "broker: \(error.message)")
        } catch {
            throw BrokerError(reason: .resourcesExhausted, message: "broker: \(error)")
        }
    }

    /// Ends it, for a broker that could not start.
    func stop() {
        mailbox.post(.stop)
        join()
    }

    /// Waits until everything that was asked for is on disk and the folder is free.
    func join() { thread.join() }
}
