package import SinewWire
internal import Synchronization

/// What a worker says about itself to others in its process, as of its last beat or hello.
package final class WorkerBoard: Sendable {
    /// The worker's own words, and whether a broker has taken it in.
    package struct Report: Sendable, Equatable {
        package var status = WorkerStatus()
        /// It may be sent tasks: a broker has welcomed it, and it does not drain.
        package var isReady = false
    }

    private let state = Mutex(Report())

    package init() {}

    package var report: Report { state.withLock { $0 } }

    func post(_ report: Report) { state.withLock { $0 = report } }
}
