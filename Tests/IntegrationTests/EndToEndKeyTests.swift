import SinewBroker
import SinewClient
import SinewCore
import SinewWorker
import SinewZeroMQ
import Testing

/// Client, broker and worker with keys, as they run.
@Suite(.timeLimit(.minutes(3))) struct EndToEndKeyTests {
    private func client(_ endpoint: String, _ keys: CurveClientKeys?, waits: Bool = false) throws -> Client {
        var configuration = ClientConfiguration(endpoint: endpoint)
        configuration.keys = keys
        configuration.waitForReady = waits
        configuration.deadline = .seconds(60)
        return try Client(configuration, logger: quiet)
    }

    private func worker(_ ring: Keyring, _ broker: BrokerServer, _ pair: CurveKeyPair, _ log: RecordedLog) throws
        -> WorkerServer
    {
        var configuration = WorkerConfiguration(
            brokerEndpoint: broker.workerEndpoint, name: "w", creditItems: 256, batchItemsMax: 32)
        configuration.keys = ring.keys(pair)
        return try WorkerServer(configuration, models: try analyticModels(), logger: log.logger)
    }

    @Test func `a fleet with keys solves what a local solver does, bit for bit`() async throws {
        let ring = try Keyring()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let worker = try worker(ring, broker, ring.worker, log)
        defer { worker.stop() }
        let people = try NoisyPeople(100, seed: 31)
        let client = try client(broker.clientEndpoint, ring.keys(ring.client), waits: true)
        expectEqual(try await client.solve(people.request, model: "hybrik"), try people.solvedLocally())
    }

    @Test func `a worker whose key is admitted later needs no restart`() async throws {
        let ring = try Keyring()
        let late = try CurveKeyPair.generate()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let worker = try worker(ring, broker, late, log)
        defer { worker.stop() }
        let said = try log.wait(for: "error the worker's keys do not open its broker's door")
        #expect(said.contains("sinew keys authorize '\(late.publicKey)' --role worker"))
        try ring.admit(ring.entries + [.init(key: late.publicKey, role: .worker)])
        let client = try client(broker.clientEndpoint, ring.keys(ring.client))
        let status = try await client.waitForFleet { !$0.workers.isEmpty }
        #expect(status.workers.map(\.name) == ["w"])
    }

    @Test func `a client whose key is refused is told so, and one without a key what it needs`() async throws {
        let ring = try Keyring()
        let broker = try ring.start(try RecordedLog())
        let stranger = try client(broker.clientEndpoint, ring.keys(ring.stranger))
        let refused = await #expect(throws: ClientError.self) { try await stranger.fleetStatus() }
        #expect(refused?.status == .unauthenticated)
        #expect(refused?.code == .keyRefused)
        #expect(refused?.message.contains(ring.stranger.publicKey.z85) == true)
        let keyless = try client(broker.clientEndpoint, nil)
        let unmatched = await #expect(throws: ClientError.self) { try await keyless.fleetStatus() }
        #expect(unmatched?.code == .keysDoNotMatch)
        #expect(unmatched?.message.contains("--key") == true)
    }

    @Test func `a client that was refused gets in after its key is admitted`() async throws {
        let ring = try Keyring()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let client = try client(broker.clientEndpoint, ring.keys(ring.stranger))
        let refused = await #expect(throws: ClientError.self) { try await client.fleetStatus() }
        #expect(refused?.code == .keyRefused)
        try ring.admit(ring.entries + [.init(key: ring.stranger.publicKey, role: .client)])
        _ = try log.wait(for: "the list of keys was read again")
        #expect(try await client.fleetStatus().workers.isEmpty)
    }

    @Test func `a worker whose key is revoked and admitted again serves again without a restart`() async throws {
        let ring = try Keyring()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let worker = try worker(ring, broker, ring.worker, log)
        defer { worker.stop() }
        let client = try client(broker.clientEndpoint, ring.keys(ring.client))
        _ = try await client.waitForFleet { $0.workers.count == 1 }
        try ring.revoke(ring.worker)
        _ = try await client.waitForFleet { $0.workers.isEmpty }
        _ = try log.wait(for: "warning ended what keys had under way", "clients=0 workers=1")
        _ = try await client.waitForFleet { $0.broker.messagesRefused > 0 }
        try ring.admit(ring.entries)
        _ = try await client.waitForFleet { $0.workers.count == 1 }
    }

    @Test func `a client whose key is revoked hears nothing, and why when it calls again`() async throws {
        let ring = try Keyring()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let client = try client(broker.clientEndpoint, ring.keys(ring.client))
        #expect(try await client.fleetStatus().workers.isEmpty)
        try ring.revoke(ring.client)
        _ = try log.wait(for: "warning ended what keys had under way", "clients=1 workers=0")
        let silence = await #expect(throws: ClientError.self) { try await client.fleetStatus() }
        #expect(silence?.code == .brokerSilent)
        let refused = await #expect(throws: ClientError.self) { try await client.fleetStatus() }
        #expect(refused?.code == .keyRefused)
    }

    @Test func `a client and a worker do not leave this machine without keys or permission`() throws {
        let client = #expect(throws: ClientError.self) {
            try Client(ClientConfiguration(endpoint: "tcp://192.0.2.1:7690"), logger: quiet)
        }
        #expect(client?.status == .unauthenticated)
        let worker = #expect(throws: WorkerError.self) {
            try WorkerServer(
                WorkerConfiguration(brokerEndpoint: "tcp://192.0.2.1:7691"), models: try analyticModels(), logger: quiet
            )
        }
        #expect(worker?.reason == .configuration)
        #expect(worker?.message.contains("--insecure") == true)
    }
}
