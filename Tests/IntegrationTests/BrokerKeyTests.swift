import Logging
import SinewArrayFiles
import SinewBroker
import SinewCore
import SinewWire
import SinewZeroMQ
import Testing

/// Whom a broker with keys admits, on real sockets, and what becomes of everybody else: nothing but a line in its log.
@Suite(.timeLimit(.minutes(3))) struct BrokerKeyTests {
    @Test func `good keys work end to end and the tenant is the key's whatever the message says`() throws {
        let ring = try Keyring()
        let broker = try ring.start(try RecordedLog())
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context, keys: ring.keys(ring.worker))
        for (pair, tenant) in [(ring.client, "lab"), (ring.other, "studio"), (ring.boss, "")] {
            let client = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(pair))
            try client.call(1, tenant: "somebody else's")
            let task = try worker.task()
            #expect(task.head.tenant == tenant)
            try worker.answer(task, payload: Array(repeating: 5, count: 100_000))
            let reply = try client.reply(to: 1)
            #expect(reply.head.status == .ok)
            #expect(reply.payload == Array(repeating: 5, count: 100_000))
        }
    }

    /// Somebody who must not get in.
    enum Intruder: String, CaseIterable, Sendable {
        case withoutKey, withUnknownKey, withOtherBrokersKey, withWorkersKeyAsClient, withClientsKeyAsWorker,
            withOperatorsKeyAsWorker

        var isWorker: Bool { self == .withClientsKeyAsWorker || self == .withOperatorsKeyAsWorker }

        func keys(_ ring: Keyring) -> CurveClientKeys? {
            switch self {
            case .withoutKey: nil
            case .withUnknownKey: ring.keys(ring.stranger)
            case .withOtherBrokersKey: CurveClientKeys(own: ring.client, server: ring.stranger.publicKey)
            case .withWorkersKeyAsClient: ring.keys(ring.worker)
            case .withClientsKeyAsWorker: ring.keys(ring.client)
            case .withOperatorsKeyAsWorker: ring.keys(ring.boss)
            }
        }

        var refusal: String {
            switch self {
            // It may see the other's mechanism first and go without a word.
            case .withoutKey: " key"
            case .withOtherBrokersKey: "has no key, or expects another broker's"
            case .withUnknownKey: "not authorized"
            case .withWorkersKeyAsClient: "a worker's key, and this is the port for clients"
            case .withClientsKeyAsWorker: "a client's key, and this is the port for workers"
            case .withOperatorsKeyAsWorker: "an operator's key, and this is the port for workers"
            }
        }
    }

    @Test(arguments: Intruder.allCases) func `an intruder gets nothing but a logged refusal`(intruder: Intruder) throws
    {
        let ring = try Keyring()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let context = try Context()
        let endpoint = intruder.isWorker ? broker.workerEndpoint : broker.clientEndpoint
        let peer = try BrokerPeer(endpoint, in: context, keys: intruder.keys(ring))
        if intruder.isWorker {
            let hello = WorkerHello(name: "evil", models: [ModelReady(name: "niki", version: "1")], credits: 9)
            try peer.send(Head(kind: .hello), [hello.encode()])
        } else {
            try peer.call(1, model: "", method: Fleet.Status.name, payload: FleetStatusRequest().encode())
        }
        let line = try log.wait(for: "warning refused a connection", intruder.refusal)
        if intruder == .withUnknownKey { #expect(line.contains(ring.stranger.publicKey.z85)) }
        // A round trip of somebody else, after which an answer would have been there.
        let client = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.client))
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 1)
        #expect(status.broker.handshakesRefused >= 1)
        #expect(status.workers.isEmpty)
        #expect(try peer.hasHeardNothing())
    }

    @Test func `a tenant's job is nobody else's to see, change or end`() throws {
        let ring = try Keyring()
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: []) {
            $0.security = BrokerSecurity(keys: ring.broker, authorizedKeysPath: ring.path)
        }
        let lab = try ClientPeer(fleet.broker, keys: ring.keys(ring.client))
        let id = [UInt8](repeating: 7, count: 16)
        let submission = SubmitJobRequest(id: id, method: PoseSolver.SolvePoses.name, model: "hybrik", label: "secret")
        let first = TaskBlock(index: 0, items: 1, sha256: SHA256.digest(of: [1]), payload: [1])
        try lab.waitForJobs()
        _ = try lab.ask(Jobs.Submit.self, submission)
        _ = try lab.ask(Jobs.Append.self, AppendTasksRequest(id: id, tasks: [first]))
        let unknown = UInt32(ServiceErrorCode.unknownJob.rawValue)
        let second = TaskBlock(index: 1, items: 1, sha256: SHA256.digest(of: [2]), payload: [2])
        // Another tenant, and the operator, whose tenant is none.
        for pair in [ring.other, ring.boss] {
            let other = try ClientPeer(fleet.broker, keys: ring.keys(pair))
            #expect(try other.refusal(Jobs.Status.self, JobStatusRequest(id: id)).code == unknown)
            #expect(try other.refusal(Jobs.Results.self, JobResultsRequest(id: id)).code == unknown)
            #expect(try other.refusal(Jobs.Append.self, AppendTasksRequest(id: id, tasks: [second])).code == unknown)
            #expect(try other.refusal(Jobs.Seal.self, SealJobRequest(id: id, tasks: 1)).code == unknown)
            #expect(try other.refusal(Jobs.Replay.self, ReplayJobRequest(id: id)).code == unknown)
            #expect(try other.refusal(Jobs.Cancel.self, CancelJobRequest(id: id)).code == unknown)
            #expect(try other.ask(Jobs.List.self, ListJobsRequest()).jobs.isEmpty)
            let taken = try other.refusal(Jobs.Submit.self, submission)
            #expect(taken.code == UInt32(ServiceErrorCode.jobConflict.rawValue) && !taken.message.contains("secret"))
        }
        let job = try lab.ask(Jobs.Status.self, JobStatusRequest(id: id))
        #expect(job.state == .open && job.tasks == 1 && job.tenant == "lab")
        #expect(try lab.ask(Jobs.List.self, ListJobsRequest()).jobs.map(\.id) == [id])
        #expect(try lab.ask(Jobs.Cancel.self, CancelJobRequest(id: id)).state == .cancelled)
    }

    @Test func `a key that is revoked while it is connected gets nothing more and cannot come again`() throws {
        let ring = try Keyring()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context, keys: ring.keys(ring.worker))
        let revoked = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.client))
        try revoked.call(1)
        let task = try worker.task()
        try ring.revoke(ring.client)
        broker.reloadKeys()
        // Its call is given up, which the worker hears.
        let withdrawn = try worker.peer.receive(.cancelTask).head.lease
        #expect(withdrawn == task.head.lease)
        try revoked.send(Head(kind: .ping, callID: 7))
        _ = try log.wait(for: "warning refused a message", "not authorized any more", ring.client.publicKey.z85)
        let again = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.client))
        try again.send(Head(kind: .ping, callID: 8))
        _ = try log.wait(for: "warning refused a connection", "not authorized", ring.client.publicKey.z85)
        let client = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.other))
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 1)
        #expect(status.broker.messagesRefused == 1)
        #expect(status.broker.queuedCalls == 0 && status.broker.runningCalls == 0)
        #expect(try revoked.hasHeardNothing())
        #expect(try again.hasHeardNothing())
    }

    @Test func `a revoked worker's task runs elsewhere, and its result changes nothing`() throws {
        let ring = try Keyring()
        let second = try CurveKeyPair.generate()
        let log = try RecordedLog()
        try ring.admit(ring.entries + [.init(key: second.publicKey, role: .worker)])
        let broker = try ring.start(log)
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.client))
        let revoked = try ScriptedWorker("revoked", broker.workerEndpoint, in: context, keys: ring.keys(second))
        try client.call(1, timeout: brokerPatience)
        let task = try revoked.task()
        try ring.admit(ring.entries)
        broker.reloadKeys()
        _ = try log.wait(for: "worker lost")
        try revoked.answer(task, payload: [66])
        _ = try log.wait(for: "warning refused a message", second.publicKey.z85)
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context, keys: ring.keys(ring.worker))
        try worker.answer(try worker.task(), payload: [77])
        #expect(try client.reply(to: 1).payload == [77])
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 2)
        #expect(status.workers.map(\.name) == ["a"])
    }

    @Test func `a list that has changed is read without a word and a broken one is not taken`() throws {
        let ring = try Keyring()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let context = try Context()
        try write("this is no list\n", to: ring.path)
        _ = try log.wait(for: "error the list of keys was not read again", "authorized:1")
        let client = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.client))
        _ = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 1)
        try ring.admit(ring.entries + [.init(key: ring.stranger.publicKey, role: .client)])
        _ = try log.wait(for: "notice the list of keys was read again", "keys=5")
        let stranger = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.stranger))
        _ = try stranger.ask(Fleet.Status.self, FleetStatusRequest(), id: 1)
        _ = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 2)
    }

    @Test func `a key that is let in while the broker reads its messages is heard`() throws {
        let ring = try Keyring()
        let log = try RecordedLog()
        let broker = try ring.start(log)
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.client))
        let malformed = "malformed message of a client"
        log.hold(at: malformed)
        defer { log.release() }
        try client.send(frames: [[0xC1]])
        _ = try log.wait(for: malformed)
        // The broker's thread stands between two messages of one turn; libzmq's and the authenticator's go on.
        try ring.admit(ring.entries + [.init(key: ring.stranger.publicKey, role: .client)])
        broker.reloadKeys()
        _ = try log.wait(for: "notice the list of keys was read again")
        let admitted = try BrokerPeer(
            broker.clientEndpoint, in: context, keys: ring.keys(ring.stranger), onlyToConnected: true)
        try admitted.call(1, model: "", method: Fleet.Status.name, payload: FleetStatusRequest().encode())
        // A handshake from its start to its end: by then the call lies in the broker's socket.
        let other = try BrokerPeer(
            broker.clientEndpoint, in: context, keys: ring.keys(ring.other), onlyToConnected: true)
        try other.send(Head(kind: .ping, callID: 1))
        log.release()
        #expect(try admitted.reply(to: 1).head.status == .ok)
    }

    @Test func `a broker does not start with a list that is broken, missing or open to everybody`() throws {
        let ring = try Keyring()
        let log = try RecordedLog()
        try write("\(ring.client.publicKey) chief -\n", to: ring.path)
        let broken = #expect(throws: BrokerError.self) { try ring.start(log) }
        #expect(broken?.reason == .unusableKeys)
        #expect(broken?.message.contains("authorized:1: the role “chief”") == true, "\(broken?.message ?? "")")
        try ring.admit(ring.entries)
        try changeMode(0o666, of: ring.path)
        let open = #expect(throws: BrokerError.self) { try ring.start(log) }
        #expect(open?.message.contains("chmod o-w") == true)
        removeAll(ring.path)
        let missing = #expect(throws: BrokerError.self) { try ring.start(log) }
        #expect(missing?.reason == .unusableKeys)
    }

    @Test func `only an operator's key may send workers away`() throws {
        let ring = try Keyring()
        let broker = try ring.start(try RecordedLog())
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context, keys: ring.keys(ring.worker))
        let client = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.client))
        let request = DrainWorkerRequest(name: "a")
        try client.call(1, model: "", method: Fleet.DrainWorker.name, payload: request.encode())
        let refused = try client.reply(to: 1)
        #expect(refused.head.status == .permissionDenied)
        #expect(refused.head.errorCode == ServiceErrorCode.operatorsOnly.rawValue)
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 2)
        #expect(status.workers.map(\.state) == [.serving])
        let boss = try BrokerPeer(broker.clientEndpoint, in: context, keys: ring.keys(ring.boss))
        #expect(try boss.ask(Fleet.DrainWorker.self, request, id: 1).workers == 1)
        _ = try worker.peer.receive(.drain)
    }

    @Test func `a list may have the most bytes and one more is not taken`() throws {
        let ring = try Keyring()
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        configuration.security = BrokerSecurity(keys: ring.broker, authorizedKeysPath: ring.path)
        configuration.limits.authorizedKeysBytesMax = 1_000
        let line = AuthorizedKeys.line(ring.entries[0]) + "\n"
        let filled = line + "# " + String(repeating: "x", count: 998 - line.utf8.count)
        #expect(filled.utf8.count == 1_000)
        try write(filled, to: ring.path)
        _ = try BrokerServer(configuration, logger: quiet)
        try write(filled + "x", to: ring.path)
        let error = #expect(throws: BrokerError.self) { try BrokerServer(configuration, logger: quiet) }
        #expect(error?.reason == .unusableKeys)
        #expect(error?.message.contains("1001 bytes") == true, "\(error?.message ?? "")")
    }

    @Test func `a broker that leaves this machine needs keys or an explicit permission that it talks about`() throws {
        let log = try RecordedLog()
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://0.0.0.0:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        let refused = #expect(throws: BrokerError.self) { try BrokerServer(configuration, logger: log.logger) }
        #expect(refused?.reason == .insecure)
        configuration.allowsInsecure = true
        _ = try BrokerServer(configuration, logger: log.logger)
        _ = try log.wait(for: "warning INSECURE", "tcp://0.0.0.0")
    }
}
