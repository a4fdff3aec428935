internal import SinewMetrics
internal import SinewWire
internal import SinewZeroMQ
internal import Synchronization

/// Many workers on one thread that speak the real protocol and solve nothing: hellos, and beats with all counters of all models.
final class SimulatedWorkers: Sendable {
    private let isEnding = Atomic(false)
    private let thread: Mutex<DedicatedThread?> = Mutex(nil)

    init(_ count: Int, models: Int, endpoint: String) throws {
        let started = try DedicatedThread(named: "bench-workers") { [self] in
            do {
                try run(count, models: models, endpoint)
            } catch {
                StandardStreams.talk("bench: the simulated workers ended: \(error)")
            }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        isEnding.store(true, ordering: .relaxed)
        thread.withLock { $0 }?.join()
    }

    /// One of them. Belongs to the thread.
    private final class Worker {
        let socket: Socket
        let number: Int
        let names: [String]
        var beats: UInt64 = 0

        init(_ number: Int, models: Int, _ endpoint: String, in context: Context) throws(ZeroMQError) {
            self.number = number
            names = (0..<models).map { "model-\($0)" }
            socket = try Socket(.dealer, in: context)
            try socket.connect(to: endpoint)
        }

        func sayHello() throws -> Bool {
            let hello = WorkerHello(
                name: "simulated-\(number)",
                models: names.map { ModelReady(name: $0, version: "1", architecture: "simulated") },
                credits: 512,
                computeThreads: 8, isa: "avx512", host: "simulated", processID: UInt32(number),
                version: sinewVersion)
            return try socket.send(Message([Head(kind: .hello).encode(), hello.encode()])) == .sent
        }

        func beat() throws {
            beats += 1
            var times = TimeCounts()
            for step in 0..<beats { times.note(UInt64(number + 1) * (step + 1) * 97) }
            let models = names.enumerated().map { place, name in
                ModelActivity(
                    name: name, version: "1", requestsOk: beats * 7, requestsFailed: beats,
                    itemsOk: beats * 400,
                    itemsFailed: beats * 2, batches: beats * 6, queuedItems: UInt32(place),
                    busyMicroseconds: beats * 900_000, expectedMicroseconds: beats * 850_000,
                    flop: beats * 45_500_000 * 400, loadMicroseconds: 40_000, batchesFull: beats * 5,
                    batchesIdle: beats, queueTime: times, computeTime: times,
                    batchSizes: (0..<9).map { BatchSizeCount(size: 1 << UInt32($0), count: beats) },
                    totalTime: times,
                    bestBatch: 64, batchItems: beats * 402)
            }
            let beat = WorkerBeat(
                itemsDone: beats * 400, batchesDone: beats * 6, busyMicroseconds: beats * 900_000,
                largestBatch: 64,
                queuedItems: 3, runningItems: 64, holding: HeldLeases(leases: []),
                cpuMicroseconds: beats * 950_000,
                residentBytes: 1 << 28, models: models, uptimeMicroseconds: beats * 1_000_000)
            _ = try socket.send(Message([Head(kind: .beat).encode(), beat.encode()]))
        }

        func read() throws {
            while let message = try socket.receive() {
                if try Head(decoding: message.frames[0].bytes).kind == .helloAgain { _ = try sayHello() }
            }
        }
    }

    private func run(_ count: Int, models: Int, _ endpoint: String) throws {
        let context = try Context()
        let workers = try (0..<count).map { try Worker($0, models: models, endpoint, in: context) }
        var poller = Poller()
        for worker in workers { _ = poller.add(worker.socket) }
        for worker in workers {
            // Until the connection stands, nothing can be sent.
            while !isEnding.load(ordering: .relaxed), try !worker.sayHello() {
                try poller.wait(atMost: .milliseconds(1))
            }
        }
        let clock = ContinuousClock()
        var next = clock.now
        var turn = 0
        while !isEnding.load(ordering: .relaxed) {
            // The beats are spread over the second, as those of real workers are.
            if clock.now >= next, count > 0 {
                try workers[turn % count].beat()
                turn += 1
                next += .microseconds(1_000_000 / count)
            }
            try poller.wait(atMost: max(.zero, min(next - clock.now, .milliseconds(50))))
            for worker in workers { try worker.read() }
        }
    }
}
