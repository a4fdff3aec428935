import SinewClient
import SinewWire
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct TraceTests {
    private static let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private static func reply(wait: UInt64, away: UInt64, queue: UInt64, compute: UInt64) -> ReplyMetadata {
        ReplyMetadata(
            worker: WorkerTimings(
                worker: "w", queueMicroseconds: queue, computeMicroseconds: compute, finishMicroseconds: 3, batchID: 9,
                batchSize: 4),
            broker: BrokerTimings(waitMicroseconds: wait, retryMicroseconds: 7, awayMicroseconds: away, dispatches: 2))
    }

    @Test func `each stage is what its hop told, and the rest is the network's`() {
        let told = Self.reply(wait: 100, away: 1_000, queue: 200, compute: 500)
        let trace = CallTrace(
            TraceParent(Self.text),
            CallTimes(queue: .microseconds(10), underWay: .microseconds(1_500), finish: .microseconds(20)), told)
        let expected: [CallTrace.Stage: Int64] = [
            .clientQueue: 10, .brokerQueue: 100, .earlierWorkers: 7, .workerQueue: 200, .compute: 500,
            .workerFinish: 3, .workerNetwork: 297, .clientNetwork: 393, .clientFinish: 20,
        ]
        for stage in CallTrace.Stage.allCases { #expect(trace[stage] == .microseconds(expected[stage] ?? -1)) }
        #expect(trace.total == .microseconds(1_530))
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" && trace.worker == "w")
        #expect(trace.batchID == 9 && trace.batchSize == 4 && trace.dispatches == 2)
    }

    @Test func `a broker that tells nothing is a part of the network, and so is a worker`() {
        let times = CallTimes(queue: .microseconds(1), underWay: .microseconds(1_000), finish: .microseconds(2))
        var told = Self.reply(wait: 0, away: 0, queue: 100, compute: 200)
        told.broker = nil
        let onlyWorker = CallTrace(nil, times, told)
        #expect(onlyWorker[.compute] == .microseconds(200) && onlyWorker[.workerNetwork] == .zero)
        #expect(onlyWorker[.clientNetwork] == .microseconds(697) && onlyWorker.total == .microseconds(1_003))
        told = Self.reply(wait: 10, away: 800, queue: 0, compute: 0)
        told.worker = nil
        let onlyBroker = CallTrace(nil, times, told)
        #expect(onlyBroker[.workerNetwork] == .microseconds(800) && onlyBroker.worker.isEmpty)
        let neither = CallTrace(nil, times, nil)
        #expect(neither[.clientNetwork] == .microseconds(1_000) && neither.total == .microseconds(1_003))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `whatever is told, no stage is negative and all add up to what the client measured`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func number() -> UInt64 { seed % 4 == 0 ? random.next() : UInt64.random(in: 0...2_000, using: &random) }
        let told = Self.reply(wait: number(), away: number(), queue: number(), compute: number())
        func duration() -> Duration { .nanoseconds(Int64.random(in: -10...2_000_000, using: &random)) }
        let (queue, underWay, finish) = (duration(), duration(), duration())
        let trace = CallTrace(nil, CallTimes(queue: queue, underWay: underWay, finish: finish), told)
        #expect(trace.stages.count == CallTrace.Stage.allCases.count && trace.stages.allSatisfy { $0 >= .zero })
        #expect(trace.total == max(.zero, queue) + max(.zero, underWay) + max(.zero, finish))
    }

    @Test func `a call without tracing has no metadata, and one with it says what it was told to`() async throws {
        let broker = try FakeBroker(answer: FakeBroker.solving)
        let client = try Client(configuration(broker.endpoint))
        let plain = try await client.solve(people(2), model: "niki")
        #expect(plain.parts.first?.trace == nil)
        _ = try await client.solve(people(2), model: "niki", tracing: CallTracing(traceparent: Self.text))
        let timed = try await client.solve(people(2), model: "niki", tracing: CallTracing(wantsTimings: true))
        let replaced = CallTracing(traceparent: "no trace", wantsTimings: true)
        let other = try await client.solve(people(2), model: "niki", tracing: replaced)
        let metadata = broker.metadata
        #expect(metadata.count == 4 && metadata[0] == nil)
        let sent = try metadata.dropFirst().map { try CallMetadata(decoding: try #require($0)) }
        #expect(sent[0] == CallMetadata(traceparent: Self.text))
        #expect(sent[1].wantsTimings && sent[2].wantsTimings)
        #expect(sent[1].parent != nil && sent[1].parent?.traceID == timed.parts.first?.trace?.traceID)
        #expect(sent[2].parent == replaced.parent && sent[2].parent?.traceID != sent[1].parent?.traceID)
        #expect(other.parts.first?.trace?.traceID == replaced.parent?.traceID)
    }

    @Test func `every call of a request has a trace of its own with the same id, also after a refusal`() async throws {
        let refusals = Counter()
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            if head.attempt == 1, refusals.increment() == 1 {
                return [FakeBroker.refusal(head, .noWorker, retryAfterMicroseconds: 30_000)]
            }
            let timings = ReplyMetadata(worker: WorkerTimings(worker: "w", computeMicroseconds: UInt64.max))
            let solution = FakeBroker.solution(head, payload).frames
            return [.init(frames: [solution[0], timings.encode(), solution[1]])]
        }
        let client = try Client(configuration(broker.endpoint) { $0.itemsPerCall = 2 })
        let clock = ContinuousClock()
        let start = clock.now
        let reply = try await client.solve(
            people(6), model: "niki", tracing: CallTracing(traceparent: Self.text, wantsTimings: true))
        let taken = clock.now - start
        let traces = reply.parts.compactMap(\.trace)
        #expect(traces.count == 3 && traces.allSatisfy { $0.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" })
        #expect(traces.allSatisfy { $0.total <= taken && $0[.compute] > .zero && $0[.clientNetwork] == .zero })
        // The one that was refused waited for its second attempt in the client.
        #expect(traces.contains { $0[.clientQueue] >= .milliseconds(20) })
        #expect(broker.metadata.count == 4 && broker.metadata.allSatisfy { $0 != nil })
    }

    @Test func `metadata of a reply that nobody can read costs the timings and not the answer`() async throws {
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call else { return [] }
            let solution = FakeBroker.solution(head, payload).frames
            return [.init(frames: [solution[0], [0xC1, 1, 2], solution[1]])]
        }
        let client = try Client(configuration(broker.endpoint))
        let reply = try await client.solve(people(1), model: "niki", tracing: CallTracing(wantsTimings: true))
        let trace = try #require(reply.parts.first?.trace)
        #expect(trace.worker.isEmpty && trace[.compute] == .zero && trace[.clientNetwork] > .zero)
    }
}
