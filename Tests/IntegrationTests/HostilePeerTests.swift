import Logging
import SinewBroker
import SinewClient
import SinewCore
import SinewWire
import SinewZeroMQ
import TestSupport
import Testing

/// Peers that mean harm, or are broken enough to look like it: what they cost themselves, and that others do not notice.
@Suite(.timeLimit(.minutes(3))) struct HostilePeerTests {
    private func start(_ limits: Limits = Limits(), _ log: RecordedLog) throws -> BrokerServer {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        configuration.limits = limits
        return try BrokerServer(configuration, logger: log.logger)
    }

    /// Somebody else is served, and this is what the broker says then.
    @discardableResult
    private func status(_ broker: BrokerServer, _ context: Context) throws -> FleetStatusReply {
        try BrokerPeer(broker.clientEndpoint, in: context).ask(Fleet.Status.self, FleetStatusRequest(), id: 1)
    }

    @Test func `a client that floods is pushed back, then dropped and counted, and others are served`() throws {
        var limits = Limits()
        limits.peerMessagesPerSecond = 1
        limits.peerMessagesAtOnceMax = 20
        limits.peerPushbacksPerSecond = 5
        let log = try RecordedLog()
        let broker = try start(limits, log)
        let context = try Context()
        let flood = try BrokerPeer(broker.clientEndpoint, in: context)
        let sent = 500
        for id in 1...UInt64(sent) {
            try flood.call(id, model: "", method: Fleet.Status.name, payload: FleetStatusRequest().encode())
        }
        let first = try flood.reply(to: 1)
        #expect(first.head.status == .ok)
        let pushed = try flood.receive { $0.head.status == .resourceExhausted }
        #expect(pushed.head.errorCode == ServiceErrorCode.tooFast.rawValue)
        let retryAfter = try #require(try pushed.detail().retryAfterMicroseconds)
        #expect(retryAfter > 0 && retryAfter <= limits.retryAfterMax.remainingMicroseconds)
        #expect(try pushed.detail().message.contains("1 messages"))
        var refused: UInt64 = 0
        // On a slow machine a few more than the twenty are taken, one for each second.
        for _ in 0..<10_000 where refused < UInt64(sent - 20 - 30) {
            refused = try status(broker, context).broker.messagesTooFast
        }
        #expect(refused >= UInt64(sent - 20 - 30) && refused <= UInt64(sent - 20))
        _ = try log.wait(for: "warning a client sends faster than one may")
    }

    @Test func `a client may send the most bytes at once and one message more is pushed back`() throws {
        var limits = Limits()
        limits.payloadBytesMax = 65_536
        limits.peerBytesPerSecond = 1
        limits.peerBytesAtOnceMax = 65_536
        let broker = try start(limits, try RecordedLog())
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        // The head and the routing id count too.
        try client.call(1, payload: Array(repeating: 1, count: 65_536 - 200))
        try worker.answer(try worker.task())
        #expect(try client.reply(to: 1).head.status == .ok)
        try client.call(2, payload: Array(repeating: 1, count: 300))
        #expect(try client.reply(to: 2).head.errorCode == ServiceErrorCode.tooFast.rawValue)
    }

    /// What of its unread replies a slow client has too many of.
    enum UnreadBound: CaseIterable, Sendable { case count, bytes }

    @Test(arguments: UnreadBound.allCases)
    func `a slow client's replies are bounded and others get theirs`(bound: UnreadBound) throws {
        var limits = Limits()
        switch bound {
        case .count: limits.repliesUnreadMax = 10
        case .bytes:
            limits.payloadBytesMax = 1_000_000
            limits.repliesUnreadBytesMax = 1_000_000
        }
        let log = try RecordedLog()
        let broker = try start(limits, log)
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context, credits: 10_000)
        let slow = try RawConnection(endpoint: broker.clientEndpoint)
        try slow.introduceAsDealer()
        var bytes: [UInt8] = []
        for id in 1...400 as ClosedRange<UInt64> {
            let head = Head(kind: .call, method: BrokerPeer.solve, model: "niki", callID: id, items: 1)
            bytes += ZMTP.message([head.encode(), [1]])
        }
        try slow.write(bytes)
        // Forty megabytes: more than the system keeps for a connection. Once the broker has given up the client, it wants no more answers.
        let large = [UInt8](repeating: 9, count: 100_000)
        var dropped: UInt64 = 0
        while dropped == 0 {
            try worker.answer(try worker.task(), payload: large)
            dropped = try status(broker, context).broker.repliesDropped
        }
        _ = try log.wait(for: "warning a client does not read its replies")
        withExtendedLifetime(slow) {}
    }

    @Test func `a worker that talks and does not read is lost once its queue is full`() throws {
        var limits = Limits()
        limits.creditItemsMax = 50
        limits.tasksUnreadMax = 50
        // What is seen must not be its silence.
        limits.workerSilenceMax = .seconds(600)
        limits.leaseDuration = .seconds(600)
        let log = try RecordedLog()
        let broker = try start(limits, log)
        let context = try Context()
        let deaf = try RawConnection(endpoint: broker.workerEndpoint)
        try deaf.introduceAsDealer()
        let hello = WorkerHello(
            name: "deaf", models: [ModelReady(name: "niki", version: "1")], credits: 50, incarnation: 1)
        let message = ZMTP.message([Head(kind: .hello).encode(), hello.encode()])
        // Each is answered; the answers fill the system's buffers and then the fifty places.
        let many = (0..<1_000).flatMap { _ in message }
        for _ in 0..<300 { try deaf.write(many) }
        // What cannot be read is counted, and shows that all before it was read.
        try deaf.write(ZMTP.message([[0xC1]]))
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        var status = FleetStatusReply()
        for id in 1...100_000 as ClosedRange<UInt64> where status.broker.malformedMessages == 0 {
            status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: id)
        }
        #expect(status.workers.map(\.name) == ["deaf"])
        try client.call(200_000, timeout: brokerPatience)
        let line = try log.wait(for: "warning worker lost", "worker=deaf")
        #expect(line.contains("how=disconnected"))
        let good = try ScriptedWorker("good", broker.workerEndpoint, in: context)
        try good.answer(try good.task(), payload: [8])
        #expect(try client.reply(to: 200_000).payload == [8])
        withExtendedLifetime(deaf) {}
    }

    @Test func `a hello whose texts would lead people astray is not taken`() throws {
        let log = try RecordedLog()
        let broker = try start(Limits(), log)
        let context = try Context()
        let longest = String(repeating: "n", count: 128)
        var peers: [BrokerPeer] = []
        for name in ["a\nwarning all is well", "\u{1B}[2Jx", "\u{9B}31m", longest + "n"] {
            let peer = try BrokerPeer(broker.workerEndpoint, in: context)
            let hello = WorkerHello(name: name, models: [ModelReady(name: "niki", version: "1")], credits: 1)
            try peer.send(Head(kind: .hello), [hello.encode()])
            peers.append(peer)
        }
        var counted: UInt64 = 0
        for _ in 0..<10_000 where counted < 4 { counted = try status(broker, context).broker.malformedMessages }
        #expect(counted == 4)
        #expect(!log.said.contains { $0.contains("all is well") })
        let worker = try ScriptedWorker(longest, broker.workerEndpoint, in: context)
        #expect(try status(broker, context).workers.map(\.name) == [longest])
        withExtendedLifetime((worker, peers)) {}
    }

    @Test func `half-open connections end after their time and nobody waits for them`() throws {
        var limits = Limits()
        limits.handshakeDurationMax = .milliseconds(300)
        let broker = try start(limits, try RecordedLog())
        let context = try Context()
        let silent = try (0..<40).map { _ in try RawConnection(endpoint: broker.clientEndpoint) }
        let stuck = try (0..<40).map { index in
            let connection = try RawConnection(endpoint: broker.workerEndpoint)
            try connection.write(Array(ZMTP.greeting.prefix(index + 1)))
            return connection
        }
        try status(broker, context)
        for connection in silent + stuck { _ = try connection.readToEnd() }
        try status(broker, context)
    }

    @Test func `what is no ZMTP at all costs its sender the connection`() throws {
        let broker = try start(Limits(), try RecordedLog())
        let connection = try RawConnection(endpoint: broker.clientEndpoint)
        try connection.write(
            Array("GET / HTTP/1.1\r\nHost: sinew\r\nAccept: everything, please, and a lot of it\r\n\r\n".utf8))
        let noise = try RawConnection(endpoint: broker.workerEndpoint)
        var random = SplitMix64(seed: 5)
        try noise.write((0..<4_096).map { _ in UInt8.random(in: 0...255, using: &random) })
        _ = try noise.readToEnd()
        try status(broker, try Context())
    }

    /// `[[[…]]]`, so deep that a reader which descends would run out of stack.
    private static let nested = [UInt8](repeating: 0x91, count: 500_000) + [0xC0]

    @Test func `deeply nested msgpack is refused wherever it stands`() throws {
        let broker = try start(Limits(), try RecordedLog())
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        let worker = try BrokerPeer(broker.workerEndpoint, in: context)
        try client.send(frames: [Array(Self.nested.suffix(1_000))])
        try client.send(frames: [Self.nested])
        try client.call(1, model: "", method: Health.Check.name, payload: Self.nested)
        #expect(try client.reply(to: 1).head.errorCode == ServiceErrorCode.malformedRequest.rawValue)
        let inField = [0x81, 0xA7] + Array("service".utf8) + Self.nested
        try client.call(2, model: "", method: Health.Check.name, payload: inField)
        #expect(try client.reply(to: 2).head.errorCode == ServiceErrorCode.malformedRequest.rawValue)
        let unknownField = [0x81, 0xA1, 0x78] + Self.nested
        try client.call(3, model: "", method: Health.Check.name, payload: unknownField)
        #expect(try client.reply(to: 3).head.errorCode == ServiceErrorCode.malformedRequest.rawValue)
        try worker.send(Head(kind: .hello), [Self.nested])
        var counted: UInt64 = 0
        for _ in 0..<10_000 where counted < 3 { counted = try status(broker, context).broker.malformedMessages }
        #expect(counted == 3)
    }

    @Test func `a call that is deeply nested is refused by the worker, which lives on`() throws {
        let people = try NoisyPeople(2, seed: 9)
        let fleet = try InProcessFleet(workerModels: [try analyticModels()])
        let context = try Context()
        let client = try BrokerPeer(fleet.broker.clientEndpoint, in: context)
        var models: [ModelAvailability] = []
        for id in 1...100_000 as ClosedRange<UInt64> where models.isEmpty {
            models = try client.ask(Fleet.ListModels.self, ListModelsRequest(), id: id).models
        }
        try client.call(200_000, model: "hybrik", payload: Self.nested)
        let reply = try client.reply(to: 200_000)
        #expect(reply.head.status == .invalidArgument)
        #expect(reply.head.errorCode == ServiceErrorCode.malformedRequest.rawValue)
        let good = SolvePosesRequest(
            joints: Tensor(people.request.joints, shape: [2, 29, 3]), skeleton: "smpl-29")
        try client.call(200_001, model: "hybrik", items: 2, payload: good.encode())
        #expect(try client.reply(to: 200_001).head.status == .ok)
    }
}
