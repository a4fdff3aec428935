import Logging
import SinewBroker
import SinewCore
import SinewWire
import SinewZeroMQ
import Testing

/// The broker on real sockets, with clients and workers that speak the protocol frame by frame.
@Suite(.timeLimit(.minutes(2))) struct BrokerCallTests {
    /// Beats of 300 ms, so that silence is noticed after about a second.
    static func quickLimits() -> Limits {
        var limits = Limits()
        limits.beatInterval = .milliseconds(300)
        limits.workerSilenceMax = .milliseconds(1_000)
        limits.leaseDuration = .milliseconds(1_500)
        return limits
    }

    static func start(_ limits: Limits = Limits()) throws -> BrokerServer {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        configuration.limits = limits
        configuration.version = "test"
        return try BrokerServer(
            configuration, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    @Test func `a call travels to a worker and its result back with every byte as it was`() throws {
        let broker = try Self.start()
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        let payload = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try client.send(
            Head(
                kind: .call, method: BrokerPeer.solve, model: "niki/1", callID: 42, timeoutMicroseconds: 20_000_000,
                attempt: 3, priority: 1, tenant: "lab", items: 7), [[0x80], payload])
        let task = try worker.task()
        #expect(task.head.method == BrokerPeer.solve)
        #expect(task.head.model == "niki/1")
        #expect(task.head.tenant == "lab")
        #expect(task.head.items == 7)
        #expect(task.head.attempt == 1, "the attempt of a task counts its workers")
        #expect(task.body.map(\.bytes) == [[0x80], payload])
        let timeout = try #require(task.head.timeoutMicroseconds)
        #expect(timeout > 0 && timeout <= 20_000_000, "the remaining time is rewritten at the hop")
        try worker.answer(task, payload: payload.reversed())
        let reply = try client.reply(to: 42)
        #expect(reply.head.status == .ok)
        #expect(reply.head.attempt == 3, "a reply echoes the attempt of the call")
        #expect(reply.payload == payload.reversed())
    }

    @Test func `the error of a worker reaches the client as it is`() throws {
        let broker = try Self.start()
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1)
        try worker.answer(try worker.task(), payload: ErrorDetail(message: "no").encode(), status: .invalidArgument)
        let reply = try client.reply(to: 1)
        #expect(reply.head.status == .invalidArgument)
        #expect(try reply.detail().message == "no")
    }

    @Test func `the task of a worker that falls silent runs elsewhere and its late result changes nothing`() throws {
        let broker = try Self.start(Self.quickLimits())
        let context = try Context()
        let silent = try ScriptedWorker("silent", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(5, timeout: brokerPatience)
        let first = try silent.task()
        silent.isSilent = true
        let other = try ScriptedWorker("other", broker.workerEndpoint, in: context)
        let second = try other.task()
        #expect(second.head.attempt == 2)
        #expect(second.head.lease != first.head.lease)
        #expect(second.payload == first.payload)
        try silent.answer(first, payload: [66])
        _ = try silent.peer.receive(.helloAgain)
        try other.answer(second, payload: [77])
        #expect(try client.reply(to: 5).payload == [77])
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 6)
        #expect(status.broker.callsDone == 1)
        #expect(status.broker.callsRedispatched == 1)
        #expect(status.workers.map(\.name) == ["other"])
    }

    @Test func `the task of a worker whose connection ends runs elsewhere long before its silence`() throws {
        var limits = Limits()
        limits.workerSilenceMax = .seconds(3_600)
        limits.leaseDuration = .seconds(3_600)
        let broker = try Self.start(limits)
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        do {
            let doomed = try ScriptedWorker("doomed", broker.workerEndpoint, in: context)
            try client.call(1, timeout: brokerPatience)
            _ = try doomed.task()
        }
        let other = try ScriptedWorker("other", broker.workerEndpoint, in: context)
        try other.answer(try other.task())
        #expect(try client.reply(to: 1).head.status == .ok)
    }

    @Test func `a task that its worker does not know of is given out again`() throws {
        let broker = try Self.start(Self.quickLimits())
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1, timeout: brokerPatience)
        _ = try worker.task()
        worker.holding = []
        let again = try worker.task()
        #expect(again.head.attempt == 2)
        try worker.answer(again)
        #expect(try client.reply(to: 1).head.status == .ok)
    }

    @Test func `a deadline is answered and withdrawn from the worker`() throws {
        let broker = try Self.start()
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1, timeout: .milliseconds(300))
        let task = try worker.task()
        let reply = try client.reply(to: 1)
        #expect(reply.head.status == .deadlineExceeded)
        #expect(reply.head.errorCode == ServiceErrorCode.deadlineExceeded.rawValue)
        #expect(try worker.peer.receive(.cancelTask).head.lease == task.head.lease)
    }

    @Test func `a cancellation reaches the worker and frees its credit`() throws {
        let broker = try Self.start()
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context, credits: 1)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1)
        let task = try worker.task()
        try client.call(2)
        try client.send(Head(kind: .cancel, callID: 1))
        #expect(try worker.peer.receive(.cancelTask).head.lease == task.head.lease)
        try worker.answer(try worker.task())
        #expect(try client.reply(to: 2).head.status == .ok)
    }

    @Test func `a full queue pushes back with a time to come again`() throws {
        var limits = Limits()
        limits.queuedCallsMax = 1
        let broker = try Self.start(limits)
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context, credits: 1)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1)
        let task = try worker.task()
        try client.call(2)
        try client.call(3)
        let reply = try client.reply(to: 3)
        #expect(reply.head.status == .resourceExhausted)
        #expect(reply.head.errorCode == ServiceErrorCode.queueFull.rawValue)
        let detail = try reply.detail()
        #expect(try #require(detail.retryAfterMicroseconds) > 0)
        #expect(detail.message.contains("1 calls wait"))
        try worker.answer(task)
        try worker.answer(try worker.task())
        #expect(try client.reply(to: 2).head.status == .ok)
    }

    @Test func `the broker's clients reach their limit and one more is pushed back`() throws {
        var limits = Limits()
        limits.clientsMax = 2
        let broker = try Self.start(limits)
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let peers = try (1...3).map { _ in try BrokerPeer(broker.clientEndpoint, in: context) }
        for peer in peers[..<2] {
            try peer.call(1)
            try worker.answer(try worker.task())
            #expect(try peer.reply(to: 1).head.status == .ok)
        }
        try peers[2].call(1)
        let reply = try peers[2].reply(to: 1)
        #expect(reply.head.status == .resourceExhausted)
        #expect(try reply.detail().retryAfterMicroseconds != nil)
    }

    @Test func `an unknown model is answered with the list of the ready ones`() throws {
        let broker = try Self.start()
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1, model: "nikki")
        #expect(try client.reply(to: 1).head.status == .unavailable, "no worker at all")
        _ = try ScriptedWorker("a", broker.workerEndpoint, in: context, models: ["niki", "hybrik"])
        let worker = try ScriptedWorker("b", broker.workerEndpoint, in: context, models: ["niki"])
        try client.call(2, model: "nikki")
        let reply = try client.reply(to: 2)
        #expect(reply.head.status == .notFound)
        let message = try reply.detail().message
        #expect(message.contains("nikki") && message.contains("hybrik/1, niki/1"), "\(message)")
        withExtendedLifetime(worker) {}
    }

    @Test func `a call without payload or with too many people is refused`() throws {
        var limits = Limits()
        limits.itemsPerCallMax = 8
        let broker = try Self.start(limits)
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.send(Head(kind: .call, method: BrokerPeer.solve, model: "niki", callID: 1))
        #expect(try client.reply(to: 1).head.errorCode == ServiceErrorCode.malformedRequest.rawValue)
        try client.call(2, items: 9)
        #expect(try client.reply(to: 2).head.errorCode == ServiceErrorCode.payloadTooLarge.rawValue)
        try client.call(3, items: 8)
        try worker.answer(try worker.task())
        #expect(try client.reply(to: 3).head.status == .ok)
    }

    @Test func `an unknown method is answered with the list of the known ones`() throws {
        let broker = try Self.start()
        let client = try BrokerPeer(broker.clientEndpoint, in: try Context())
        try client.call(1, method: "sinew.v1.PoseSolver/Guess")
        let reply = try client.reply(to: 1)
        #expect(reply.head.status == .unimplemented)
        #expect(try reply.detail().message.contains(BrokerPeer.solve))
    }

    @Test func `a payload may have the most bytes and one more ends its connection alone`() throws {
        var limits = Limits()
        limits.payloadBytesMax = 65_536
        let broker = try Self.start(limits)
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        let rude = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1, payload: Array(repeating: 7, count: 65_536))
        try rude.call(1, payload: Array(repeating: 7, count: 65_537))
        let task = try worker.task()
        #expect(task.payload.count == 65_536)
        try worker.answer(task)
        #expect(try client.reply(to: 1).head.status == .ok)
        let status = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 2)
        #expect(status.broker.queuedCalls == 0 && status.broker.runningCalls == 0)
    }
}
