import FoundationEssentials
import Glibc
import SinewArrayFiles
import SinewBroker
import SinewClient
import SinewCommands
import SinewModels
import SinewWire
import SinewZeroMQ
import Testing

/// A trace through client, broker and worker, and what is told of its stages, against what a test measures around the call.
@Suite(.timeLimit(.minutes(3)), .serialized) struct TraceTests {
    private static let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private static let traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
    private let clock = ContinuousClock()

    @Test func `the stages of a call add up to no more than a test measures around it`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels(), try analyticModels()])
        let client = try fleet.client(itemsPerCall: 8)
        _ = try await client.waitForFleet { $0.workers.count == 2 }
        let people = try NoisyPeople(100, seed: 5)
        for _ in 0..<5 {
            let start = clock.now
            let reply = try await client.solve(
                people.request, model: "hybrik", tracing: CallTracing(traceparent: Self.text, wantsTimings: true))
            let taken = clock.now - start
            expectEqual(reply, try people.solvedLocally())
            let traces = reply.parts.compactMap(\.trace)
            #expect(traces.count == 13)
            for (part, trace) in zip(reply.parts, traces) {
                #expect(trace.total <= taken && trace.total > .zero)
                #expect(trace.stages.reduce(.zero, +) == trace.total)
                #expect(trace.traceID == Self.traceID && trace.dispatches >= 1)
                #expect(trace.worker == part.worker && trace.batchSize == part.batchSize && trace.batchID > 0)
                // The reply itself has told the same of the worker since before there were traces.
                #expect(trace[.workerQueue] == part.queueDuration)
                #expect(trace[.compute] >= part.computeDuration)
            }
        }
    }

    @Test func `a call that is held up says where`() async throws {
        let gated = try GatedModel()
        let fleet = try InProcessFleet(workerModels: [[gated]])
        let client = try fleet.client()
        let start = clock.now
        async let answer = client.solve(
            try NoisyPeople(2, seed: 1).request, model: "gated", tracing: CallTracing(wantsTimings: true))
        _ = try await client.waitForFleet { $0.workers.first?.beat.runningItems == 2 }
        let held = clock.now
        // A second call waits behind the first.
        async let second = client.solve(
            try NoisyPeople(1, seed: 2).request, model: "gated", tracing: CallTracing(wantsTimings: true))
        _ = try await client.waitForFleet { $0.workers.first?.beat.queuedItems == 1 }
        let bothHeld = clock.now
        _ = try await client.waitForFleet { _ in clock.now - bothHeld >= .milliseconds(100) }
        let opening = clock.now
        gated.open()
        let (first, later) = (try await answer, try await second)
        let end = clock.now
        let trace = try #require(first.parts.first?.trace)
        #expect(trace[.compute] >= opening - held && trace.total <= end - start)
        let queued = try #require(later.parts.first?.trace)
        #expect(queued[.workerQueue] >= opening - bothHeld && queued.total <= end - held)
    }

    @Test func `the broker tells its own stages, with those of a worker that was lost`() throws {
        let broker = try BrokerCallTests.start(BrokerCallTests.quickLimits())
        let context = try Context()
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        let silent = try ScriptedWorker("silent", broker.workerEndpoint, in: context)
        let metadata = CallMetadata(traceparent: Self.text, sinewTrace: 1).encode()
        let start = clock.now
        try client.send(
            Head(
                kind: .call, method: BrokerPeer.solve, model: "niki", callID: 1, timeoutMicroseconds: 60_000_000,
                items: 1), [metadata, [1, 2, 3]])
        #expect(try silent.task().body.map(\.bytes) == [metadata, [1, 2, 3]], "forwarded as it came")
        silent.isSilent = true
        let lost = clock.now
        let patience = clock.now + brokerPatience
        var question: UInt64 = 100
        while try !client.ask(Fleet.Status.self, FleetStatusRequest(), id: question).workers.isEmpty {
            try #require(clock.now < patience, "the silent worker is not missed")
            question += 1
        }
        let missed = clock.now
        let other = try ScriptedWorker("other", broker.workerEndpoint, in: context)
        let task = try other.task()
        let received = clock.now
        #expect(task.body.map(\.bytes) == [metadata, [1, 2, 3]], "also the second time")
        var result = task.head
        result.kind = .result
        result.timeoutMicroseconds = nil
        let told = WorkerTimings(
            worker: "other", queueMicroseconds: 1, computeMicroseconds: 2, batchID: 3, batchSize: 4)
        let answering = clock.now
        try other.peer.send(result, [ReplyMetadata(worker: told).encode(), [9]])
        let reply = try client.reply(to: 1)
        let taken = clock.now - start
        #expect(reply.body.count == 2 && reply.payload == [9])
        let timings = try ReplyMetadata(decoding: reply.body[0].bytes)
        #expect(timings.worker == told)
        let own = try #require(timings.broker)
        func duration(_ microseconds: UInt64) -> Duration { .microseconds(Int64(microseconds)) }
        #expect(own.dispatches == 2)
        #expect(duration(own.retryMicroseconds) >= missed - lost)
        #expect(duration(own.awayMicroseconds) + .microseconds(1) >= answering - received)
        let sum = duration(own.waitMicroseconds) + duration(own.retryMicroseconds) + duration(own.awayMicroseconds)
        #expect(sum <= taken)
    }

    @Test func `metadata that nobody can read is forwarded, and changes nothing`() throws {
        let broker = try BrokerCallTests.start()
        let context = try Context()
        let worker = try ScriptedWorker("a", broker.workerEndpoint, in: context)
        let client = try BrokerPeer(broker.clientEndpoint, in: context)
        let large = CallMetadata(traceparent: String(repeating: "x", count: 10_000), sinewTrace: 1).encode()
        for (number, metadata) in [[], [0xC1], [0x90, 1], large].enumerated() {
            let head = Head(
                kind: .call, method: BrokerPeer.solve, model: "niki", callID: UInt64(number + 1),
                timeoutMicroseconds: 20_000_000, items: 1)
            try client.send(head, [metadata, [1]])
            let task = try worker.task()
            #expect(task.body.map(\.bytes) == [metadata, [1]])
            try worker.answer(task, payload: [7])
            #expect(try client.reply(to: head.callID).body.map(\.bytes) == [[7]], "no timings were asked for")
        }
    }

    @Test func `a trace's id stands in the logs of client, broker and worker, at debug`() async throws {
        let log = try RecordedLog()
        let fleet = try InProcessFleet(workerModels: [try analyticModels()], logger: log.logger)
        let client = try fleet.client(logger: log.logger)
        _ = try await client.waitForFleet { $0.workers.count == 1 }
        _ = try await client.solve(
            try NoisyPeople(3, seed: 1).request, model: "hybrik", tracing: CallTracing(traceparent: Self.text))
        let id = "trace-id=\(Self.traceID)"
        let given = try log.wait(for: "debug call given to a worker", id, "model=hybrik", "worker=worker-0")
        let request = try #require(given.split(separator: " ").first { $0.hasPrefix("request-id=") })
        _ = try log.wait(for: "debug task answered", id, "batch=", "model=hybrik/1", "worker=worker-0", String(request))
        _ = try log.wait(for: "debug call ended", id, "lease=", String(request))
        _ = try log.wait(for: "debug call ended", id, "status=OK")
        #expect(log.said.count { $0.contains(id) } == 4)
        _ = await #expect(throws: ClientError.self) {
            try await client.solve(
                try NoisyPeople(1, seed: 1).request, model: "none", deadline: .seconds(1),
                tracing: CallTracing(traceparent: Self.text))
        }
        #expect(log.said.count { $0.contains(id) && $0.contains("model=none") } >= 2)
    }

    @Test func `a job keeps its trace over a restart, and workers get it with each task`() async throws {
        let folder = StoreFolder()
        let first = try JobFleet(folder.path, workerModels: [])
        let submission = SinewClient.JobSubmission(.solvePoses, model: "hybrik")
        do {
            let client = try first.client()
            let job = try await client.submitJob(submission, tracing: CallTracing(traceparent: Self.text)).handle
            _ = try await job.append([try JobTask(index: 0, try NoisyPeople(2, seed: 1).request)])
            try await job.seal(tasks: 1)
        }
        await first.end()
        let log = try RecordedLog()
        let second = try JobFleet(folder.path, workerModels: [try analyticModels()], logger: log.logger)
        let client = try second.client()
        let ended = try await client.job(submission.id).wait(deadline: .seconds(60))
        #expect(ended.done == 1)
        let id = "trace-id=\(Self.traceID)"
        _ = try log.wait(for: "debug task of a job taken up", id, "job=\(submission.id)", "task=0")
        _ = try log.wait(for: "debug task answered", id, "worker=worker-0", "status=OK")
        // The same job again, of another trace: it is the same job.
        let again = try await client.submitJob(submission, tracing: CallTracing(wantsTimings: false))
        #expect(again.existed)
    }

    private struct Summary: Decodable {
        struct Trace: Decodable {
            struct Call: Decodable {
                let rows, batch_size, dispatches: Int
                let worker: String
                let stages_us: [String: Double]
                let total_us: Double
            }
            let trace_id: String
            let calls: [Call]
        }
        let seconds: Double
        let trace: Trace?
    }

    @Test func `sinew solve prints the waterfall, and its numbers as JSON`() async throws {
        let fleet = try InProcessFleet(workerModels: [try analyticModels()])
        _ = try await fleet.client().waitForFleet { $0.workers.count == 1 }
        try await withFolder { folder in
            try AtomicFile.write(PeopleFile(rows: 150, seed: 2).encoded(), to: "\(folder)/in.npz")
            let solve = [
                "solve", "\(folder)/in.npz", "-o", "\(folder)/out.npz", "--model", "hybrik", "--broker",
                fleet.broker.clientEndpoint,
            ]
            let text = try await CommandLineTool.run(solve + ["--trace", "--traceparent", Self.text])
            #expect(text.status == 0, "\(text.talk)")
            let lines = text.output.split(separator: "\n")
            #expect(lines.first == "trace \(Self.traceID)" && lines.contains { $0.hasPrefix("compute ") })
            #expect(lines.allSatisfy { $0.count <= 80 } && !text.output.contains("\u{1B}"))
            #expect(lines.contains { $0.hasPrefix("slowest of 3 calls: ") && $0.contains("worker worker-0") })

            // The environment is a caller, too.
            let inherited = try ChildProcess(
                "/usr/bin/env", ["TRACEPARENT=\(Self.text)", CommandLineTool.path] + solve + ["--trace", "--json"],
                capturesTalk: true)
            let json = try await CommandLineTool.finish(inherited)
            #expect(json.status == 0, "\(json.talk)")
            let summary = try JSONDecoder().decode(Summary.self, from: Data(json.output.utf8))
            let trace = try #require(summary.trace)
            #expect(trace.trace_id == Self.traceID && trace.calls.map(\.rows).reduce(0, +) == 150)
            for call in trace.calls {
                #expect(abs(call.stages_us.values.reduce(0, +) - call.total_us) < 0.01)
                #expect(call.total_us <= summary.seconds * 1e6 && call.worker == "worker-0" && call.dispatches == 1)
                #expect((call.stages_us["compute"] ?? 0) > 0 && call.stages_us.count == 9)
            }

            let malformed = try await CommandLineTool.run(solve + ["--trace", "--json", "--traceparent", "00-x"])
            #expect(malformed.status == 0 && malformed.talk.contains("malformed"))
            let own = try JSONDecoder().decode(Summary.self, from: Data(malformed.output.utf8))
            #expect(own.trace?.trace_id.count == 32 && own.trace?.trace_id != Self.traceID)
            let plain = try await CommandLineTool.run(solve + ["--json"])
            #expect(try JSONDecoder().decode(Summary.self, from: Data(plain.output.utf8)).trace == nil)
            let refused = try await CommandLineTool.run(solve.dropLast(2) + ["--local", "--trace"])
            #expect(refused.status == 64 && refused.talk.contains("--trace is for calls to a broker"))
        }
    }
}
