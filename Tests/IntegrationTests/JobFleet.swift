import Foundation
import Logging
import SinewBroker
import SinewClient
import SinewModels
import SinewWire
import SinewWorker
import SinewZeroMQ
import Testing

/// A folder for a store that goes with the test.
final class StoreFolder: Sendable {
    let path = NSTemporaryDirectory() + "sinew-jobs-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A broker with a store, and workers, in this process.
final class JobFleet: Sendable {
    let broker: BrokerServer
    let workers: [WorkerServer]

    init(
        _ folder: String?, workerModels: [[any PoseModel]], logger: Logger = quiet,
        edit: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        configuration.store = folder.map { JobStoreConfiguration(folder: $0) }
        edit(&configuration)
        let broker = try BrokerServer(configuration, logger: logger)
        self.broker = broker
        workers = try workerModels.enumerated().map { number, models in
            try WorkerServer(
                WorkerConfiguration(
                    brokerEndpoint: broker.workerEndpoint, name: "worker-\(number)", creditItems: 64,
                    batchItemsMax: 32),
                models: models, logger: logger)
        }
    }

    deinit {
        for worker in workers { worker.stop() }
        broker.stop()
    }

    func client() throws -> Client { try Client.patient(broker.clientEndpoint) }

    /// Stops everything, and waits until the folder is free.
    func end() async {
        for worker in workers {
            worker.stop()
            await worker.run()
        }
        broker.stop()
        await broker.run()
    }
}

/// A client made of a socket and messages, for what the client library would not send.
final class ClientPeer {
    private let peer: BrokerPeer
    private var lastCall: UInt64 = 0

    init(_ broker: BrokerServer, keys: CurveClientKeys? = nil) throws {
        peer = try BrokerPeer(broker.clientEndpoint, in: try Context(), keys: keys)
    }

    struct Unexpected: Error { let head: Head }

    /// The reply; any other answer is an error, but that the store is not open yet.
    func ask<Method: WireMethod>(_ method: Method.Type, _ request: Method.Request) throws -> Method.Reply {
        while true {
            let (head, payload) = try exchange(method, request)
            if head.status == .ok { return try Method.Reply(decoding: payload) }
            guard head.errorCode == ServiceErrorCode.storeUnavailable.rawValue else { throw Unexpected(head: head) }
        }
    }

    /// The detail of a refusal; a reply is an error.
    func refusal<Method: WireMethod>(_ method: Method.Type, _ request: Method.Request) throws -> ErrorDetail {
        let (head, payload) = try exchange(method, request)
        guard head.status != .ok else { throw Unexpected(head: head) }
        return try ErrorDetail(decoding: payload)
    }

    /// Asks until the broker serves jobs.
    func waitForJobs() throws { _ = try ask(Jobs.List.self, ListJobsRequest()) }

    private func exchange<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request
    ) throws -> (Head, [UInt8]) {
        lastCall += 1
        let call = lastCall
        try peer.send(Head(kind: .call, method: Method.name, callID: call), [request.encode()])
        let reply = try peer.receive { $0.head.callID == call }
        return (reply.head, reply.payload)
    }
}
