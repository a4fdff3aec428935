internal import Dispatch
internal import SinewClient
internal import SinewWire
internal import SinewZeroMQ
internal import Synchronization

/// A worker that answers every task with the bytes it was sent, at once: what is left is the service itself.
///
/// It speaks the real protocol (hello, beats, results) on a thread of its own.
final class EchoWorker: Sendable {
    /// The model it says it has.
    static let model = "bench-echo"
    private let isEnding = Atomic(false)
    private let thread: Mutex<DedicatedThread?> = Mutex(nil)

    init(_ endpoint: String, credits: UInt32, keys: CurveClientKeys? = nil) throws {
        let started = try DedicatedThread(named: "bench-worker") { [self] in
            do {
                try run(endpoint, credits: credits, keys: keys)
            } catch {
                StandardStreams.talk("bench: the echo worker ended: \(error)")
            }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        isEnding.store(true, ordering: .relaxed)
        thread.withLock { $0 }?.join()
    }

    private func run(_ endpoint: String, credits: UInt32, keys: CurveClientKeys?) throws {
        let socket = try Socket(.dealer, in: try Context(), options: .bench(keys))
        try socket.connect(to: endpoint)
        var poller = Poller()
        _ = poller.add(socket)
        let hello = WorkerHello(
            name: "bench", models: [ModelReady(name: Self.model, version: "1", architecture: "echo")],
            credits: credits, computeThreads: 1, isa: "none", host: "here", processID: 0, version: sinewVersion,
            incarnation: 1)
        while try socket.send(Message([Head(kind: .hello).encode(), hello.encode()])) != .sent {
            try poller.wait(atMost: .milliseconds(1))
        }
        let clock = ContinuousClock()
        var nextBeat = clock.now
        while !isEnding.load(ordering: .relaxed) {
            try poller.wait(atMost: .milliseconds(100))
            while let message = try socket.receive() {
                var head = try Head(decoding: message.frames[0].bytes)
                guard head.kind == .task else { continue }
                head.kind = .result
                head.timeoutMicroseconds = nil
                _ = try socket.send(Message(frames: [Frame(head.encode())] + message.frames.dropFirst()))
            }
            if clock.now >= nextBeat {
                nextBeat = clock.now + .milliseconds(500)
                _ = try socket.send(Message([Head(kind: .beat).encode(), WorkerBeat().encode()]))
            }
        }
    }
}

/// A client that keeps a number of calls under way and counts the answers. Belongs to the thread that uses it.
struct EchoCaller: ~Copyable {
    private let socket: Socket
    private var poller = Poller()
    private let payload: Frame
    private var lastCall: UInt64 = 0
    private let clock = ContinuousClock()
    /// Answers that were not OK.
    private(set) var failures = 0

    init(_ endpoint: String, payloadBytes: Int, keys: CurveClientKeys? = nil) throws {
        let socket = try Socket(.dealer, in: try Context(), options: .bench(keys))
        try socket.connect(to: endpoint)
        self.init(socket, payloadBytes: payloadBytes)
    }

    private init(_ socket: consuming Socket, payloadBytes: Int) {
        self.socket = socket
        payload = Frame([UInt8](repeating: 7, count: payloadBytes))
        _ = poller.add(self.socket)
    }

    private mutating func send() throws {
        lastCall += 1
        let head = Head(
            kind: .call, method: PoseSolver.SolvePoses.name, model: EchoWorker.model, callID: lastCall,
            timeoutMicroseconds: 30_000_000, items: 1)
        let message = Message(frames: [Frame(head.encode()), payload])
        while try socket.send(message) != .sent { try poller.wait(atMost: .milliseconds(1)) }
    }

    /// The next answers, at least one; how many.
    private mutating func take() throws -> Int {
        var taken = 0
        while true {
            while let message = try socket.receive() {
                let head = try Head(decoding: message.frames[0].bytes)
                guard head.kind == .reply else { continue }
                if head.status != .ok { failures += 1 }
                taken += 1
            }
            if taken > 0 { return taken }
            guard try poller.wait(atMost: .seconds(30)) else { throw BenchSilence() }
        }
    }

    /// Calls one after the other until one succeeds: the worker has been welcomed.
    mutating func waitUntilAnswered() throws {
        let end = clock.now + .seconds(30)
        repeat {
            failures = 0
            try send()
            _ = try take()
            guard clock.now < end else { throw BenchSilence() }
        } while failures > 0
    }

    /// Times of lone round trips, microseconds, ascending.
    mutating func roundTrips(_ count: Int) throws -> [Double] {
        var times: [Double] = []
        for _ in 0..<count {
            let start = clock.now
            try send()
            _ = try take()
            times.append((clock.now - start) / .microseconds(1))
        }
        return times.sorted()
    }

    /// Answers per second with so many calls under way.
    mutating func throughput(calls: Int, window: Int) throws -> Double {
        let start = clock.now
        var sent = 0
        var taken = 0
        while taken < calls {
            while sent < calls && sent - taken < window {
                try send()
                sent += 1
            }
            taken += try take()
        }
        return Double(calls) / ((clock.now - start) / .seconds(1))
    }
}

extension Socket.Options {
    /// Those of a peer with these keys.
    fileprivate static func bench(_ keys: CurveClientKeys?) -> Socket.Options {
        var options = Socket.Options()
        if let keys { options.security = .client(keys) }
        return options
    }
}

/// Nothing came for half a minute.
struct BenchSilence: Error {}
