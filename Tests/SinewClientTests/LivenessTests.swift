import SinewClient
import SinewWire
import SinewZeroMQ
import Synchronization
import TestSupport
import Testing

/// These wait for silence to be noticed, a few seconds each, and run side by side.
@Suite(.timeLimit(.minutes(2))) struct LivenessTests {
    /// An endpoint at which nobody listens any more.
    private func deserted() throws -> String {
        let broker = try FakeBroker { _, _ in [] }
        broker.stop()
        return broker.endpoint
    }

    @Test func `without a broker a call is UNAVAILABLE, long before its deadline`() async throws {
        let client = try Client(configuration(try deserted()))
        let error = await failure { () throws(ClientError) in try await client.solve(people(1), model: "fake") }
        #expect(error?.status == .unavailable)
        #expect(error?.code == .brokerUnreachable)
        #expect(error?.message.contains("sinew up") == true)
    }

    @Test func `without a broker a call with a short deadline is UNAVAILABLE too`() async throws {
        let client = try Client(configuration(try deserted()))
        let error = await failure { () throws(ClientError) in
            try await client.solve(people(1), model: "fake", deadline: .milliseconds(50))
        }
        #expect(error?.status == .unavailable)
    }

    @Test func `a living broker that does not answer in time is DEADLINE_EXCEEDED`() async throws {
        let broker = try FakeBroker { _, _ in [] }
        let client = try Client(configuration(broker.endpoint))
        // The pong of the first ping must be back before the deadline; four seconds are four pings.
        let error = await failure { () throws(ClientError) in
            try await client.solve(people(1), model: "fake", deadline: .milliseconds(4500))
        }
        #expect(error?.status == .deadlineExceeded)
        let cancel = await broker.next(.cancel)
        #expect(cancel != nil)
    }

    @Test func `a long call stays alive as long as the broker answers pings`() async throws {
        let held = Mutex<FakeBroker.Answer?>(nil)
        let pings = Counter()
        let broker = try FakeBroker { head, payload in
            if head.kind == .call { held.withLock { $0 = FakeBroker.solution(head, payload) } }
            // Five pings take longer than the silence that is tolerated.
            guard head.kind == .ping, pings.increment() == 5 else { return [] }
            return held.withLock { $0.map { [$0] } ?? [] }
        }
        let client = try Client(configuration(broker.endpoint))
        let reply = try await client.solve(people(1), model: "fake")
        #expect(reply.count == 1)
    }

    @Test func `a broker that dies during a call makes it UNAVAILABLE, and a new one is found`() async throws {
        let first = try FakeBroker(incarnation: 1, answer: FakeBroker.solving)
        let client = try Client(configuration(first.endpoint))
        let before = try await client.solve(people(1), model: "fake")
        #expect(before.count == 1)
        first.stop()
        let error = await failure { () throws(ClientError) in try await client.solve(people(1), model: "fake") }
        #expect(error?.status == .unavailable)
        #expect(error?.code == .brokerSilent)
        let second = try FakeBroker(endpoint: first.endpoint, incarnation: 2, answer: FakeBroker.solving)
        let after = try await client.solve(people(1), model: "fake")
        #expect(after.count == 1)
        // What was sent to the dead broker does not reach its successor.
        second.stop()
        var calls: [UInt64] = []
        for await head in second.heads where head.kind == .call { calls.append(head.callID) }
        #expect(calls.count == 1)
    }

    @Test func `a call that a restarted broker lost is sent to it again`() async throws {
        let first = try FakeBroker(incarnation: 1) { _, _ in [] }
        let client = try Client(configuration(first.endpoint) { $0.waitForReady = true })
        let task = Task { try await client.solve(people(1), model: "fake") }
        var kinds: Set<Head.Kind.RawValue> = []
        for await head in first.heads {
            kinds.insert(head.kind.rawValue)
            if kinds.count == 2 { break }
        }
        // The pong must have come before the end, or the client could not tell that the next broker is another one.
        _ = await first.next(.ping)
        first.stop()
        let second = try FakeBroker(endpoint: first.endpoint, incarnation: 2, answer: FakeBroker.solving)
        let reply = try await task.value
        #expect(reply.count == 1)
        let call = await second.next(.call)
        #expect(call?.attempt == 2)
    }
}
