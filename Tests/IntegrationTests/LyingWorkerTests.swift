import SinewBroker
import SinewClient
import SinewCore
import SinewWire
import SinewZeroMQ
import Testing

/// Workers that answer what they were not asked, or what is no answer.
///
/// The broker looks at leases and forwards payloads unread; shapes and numbers are looked at by the client library, which names the worker.
@Suite(.timeLimit(.minutes(2))) struct LyingWorkerTests {
    @Test func `a result under a lease that never was changes nothing`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let liar = try ScriptedWorker("liar", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1)
        let task = try liar.task()
        for wrong in [0, 1, task.head.lease &+ (1 << 24), task.head.lease &- 1, UInt64.max] {
            try liar.peer.send(Head(kind: .result, callID: 1, lease: wrong), [[66]])
        }
        try liar.answer(task, payload: [77])
        #expect(try client.reply(to: 1).payload == [77])
        #expect(try client.ask(Fleet.Status.self, FleetStatusRequest(), id: 2).broker.callsDone == 1)
    }

    @Test func `a result for another worker's task changes nothing`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let honest = try ScriptedWorker("honest", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        try client.call(1)
        let task = try honest.task()
        let liar = try ScriptedWorker("liar", broker.workerEndpoint, in: context)
        try liar.answer(task, payload: [66])
        try liar.peer.send(Head(kind: .returned, lease: task.head.lease))
        // The liar's messages are read before its next hello is answered.
        try liar.sayHello()
        try liar.peer.send(Head(kind: .goodbye))
        var workers = 2
        for id in 2...10_000 as ClosedRange<UInt64> where workers > 1 {
            workers = try client.ask(Fleet.Status.self, FleetStatusRequest(), id: id).workers.count
        }
        #expect(workers == 1)
        try honest.answer(task, payload: [77])
        #expect(try client.reply(to: 1).payload == [77])
    }

    /// What a worker says instead of a solution of one person.
    enum Lie: String, CaseIterable, Sendable {
        case wrongShape, tooManyPeople, notANumber, infinity, noMessage, nothing, anotherPerson

        var payload: [[UInt8]] {
            var reply = SolvePosesReply(
                theta: Tensor([Float](repeating: 0, count: 72), shape: [1, 24, 3]),
                translation: Tensor([0, 0, 0], shape: [1, 3]),
                joints: Tensor([Float](repeating: 0, count: 87), shape: [1, 29, 3]),
                quality: SolveQuality(
                    latentNorm: [0], jointResidualMillimetres: [0], boneLengthChange: [0], unobservedJoints: [0]),
                model: "niki", modelVersion: "1", worker: "liar")
            switch self {
            case .wrongShape: reply.theta = Tensor([Float](repeating: 0, count: 72), shape: [1, 72])
            case .tooManyPeople: reply.translation = Tensor([0, 0, 0, 0, 0, 0], shape: [2, 3])
            case .notANumber: reply.theta = Tensor([Float](repeating: .nan, count: 72), shape: [1, 24, 3])
            case .infinity: reply.joints = Tensor([Float](repeating: -.infinity, count: 87), shape: [1, 29, 3])
            case .noMessage: return [[0xC1]]
            case .nothing: return []
            case .anotherPerson:
                reply.itemErrors = [ItemError(item: 1, status: 3, code: 120, field: "joints", message: "")]
            }
            return [reply.encode()]
        }
    }

    @Test(arguments: Lie.allCases) func `a client finds a worker out and names it`(lie: Lie) async throws {
        let broker = try BrokerCallTests.start()
        let endpoint = broker.workerEndpoint
        let isDone = try Waker()
        defer { isDone.wake() }
        // A thread of its own: a scripted worker waits, and must not keep the client's tasks from running.
        let liar = try DedicatedThread(named: "liar") {
            do {
                let worker = try ScriptedWorker("liar", endpoint, in: try Context())
                let task = try worker.task()
                var head = task.head
                head.kind = .result
                head.timeoutMicroseconds = nil
                try worker.peer.send(frames: [head.encode()] + lie.payload)
                // Its socket stays until the lie has arrived.
                isDone.wait()
            } catch {
                Issue.record("the liar could not lie: \(error)")
            }
        }
        let client = try Client.patient(broker.clientEndpoint)
        let person = PoseRequest(count: 1, joints: [Float](repeating: 0, count: 87))
        let error = await #expect(throws: ClientError.self) { try await client.solve(person, model: "niki") }
        #expect(error?.status == .internal)
        #expect(error?.code == .malformedReply)
        switch lie {
        case .noMessage, .nothing: break
        case .wrongShape, .tooManyPeople, .notANumber, .infinity, .anotherPerson:
            #expect(error?.message.contains("worker liar") == true, "\(error?.message ?? "")")
        }
        withExtendedLifetime((liar, broker)) {}
    }
}
