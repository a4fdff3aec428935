package import SinewWire

/// Whom the HTTP side asks: the broker of this process.
///
/// Every method may be called at any time and from any number of tasks.
package protocol StatusSource: Sendable {
    /// The broker's counters and every worker it knows.
    func fleet() async throws(StatusRefusal) -> FleetStatusReply
    /// The newest jobs of all tenants, newest first; none where no jobs are kept.
    func jobs(countMax: Int) async throws(StatusRefusal) -> [JobStatus]
    /// A job, by the 16 bytes of its id.
    func job(_ id: [UInt8]) async throws(StatusRefusal) -> JobStatus
    /// Its tasks that failed or are dead.
    func failures(of id: [UInt8], countMax: Int) async throws(StatusRefusal) -> [TaskResult]
    /// Sends all workers of a name away; returns how many there are.
    func drainWorker(_ name: String) async throws(StatusRefusal) -> Int
    /// Gives up what is not finished of a job.
    func cancelJob(_ id: [UInt8]) async throws(StatusRefusal) -> JobStatus
}

/// Why something is not done or not told: a status of gRPC, and a sentence for people.
package struct StatusRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    package let status: StatusCode
    package let message: String
    package var description: String { message }

    package init(_ status: StatusCode, _ message: String) {
        self.status = status
        self.message = message
    }
}
