package import SinewBroker
internal import SinewCore
package import SinewStatus
package import SinewWire

/// The broker of this process, as the HTTP side asks it.
package struct BrokerStatusSource: StatusSource {
    private let broker: BrokerServer

    package init(_ broker: BrokerServer) { self.broker = broker }

    package func fleet() async throws(StatusRefusal) -> FleetStatusReply {
        try await answer { () throws(BrokerRefusal) in try await broker.fleetStatus() }
    }

    package func jobs(countMax: Int) async throws(StatusRefusal) -> [JobStatus] {
        try await answer { () throws(BrokerRefusal) in try await broker.jobs(countMax: countMax) }
    }

    package func job(_ id: [UInt8]) async throws(StatusRefusal) -> JobStatus {
        let id = try Self.jobID(id)
        return try await answer { () throws(BrokerRefusal) in try await broker.job(id) }
    }

    package func failures(of id: [UInt8], countMax: Int) async throws(StatusRefusal) -> [TaskResult] {
        let id = try Self.jobID(id)
        return try await answer { () throws(BrokerRefusal) in try await broker.failures(of: id, countMax: countMax) }
    }

    package func drainWorker(_ name: String) async throws(StatusRefusal) -> Int {
        try await answer { () throws(BrokerRefusal) in try await broker.drainWorker(name) }
    }

    package func cancelJob(_ id: [UInt8]) async throws(StatusRefusal) -> JobStatus {
        let id = try Self.jobID(id)
        return try await answer { () throws(BrokerRefusal) in try await broker.cancelJob(id) }
    }

    private func answer<Value>(
        _ body: () async throws(BrokerRefusal) -> Value
    ) async throws(StatusRefusal) -> Value {
        do throws(BrokerRefusal) { return try await body() } catch {
            throw StatusRefusal(error.status, error.message)
        }
    }

    private static func jobID(_ bytes: [UInt8]) throws(StatusRefusal) -> JobID {
        guard let id = JobID(bytes: bytes) else { throw StatusRefusal(.notFound, "a job's id has 16 bytes") }
        return id
    }
}
