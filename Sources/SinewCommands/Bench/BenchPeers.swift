internal import Dispatch
internal import SinewClient
internal import SinewWire
internal import SinewZeroMQ
internal import Synchronization

/// A worker that answers every task with the bytes it was sent, at once, so that what is left is the service itself; or one that
/// keeps what it is given.
///
/// It speaks the real protocol (hello, beats, results, goodbye) on a thread of its own.
final class EchoWorker: Sendable {
    /// The model it says it has.
    static let model = "bench-echo"
    private let isEnding = Atomic(false)
    private let thread: Mutex<DedicatedThread?> = Mutex(nil)

    init(_ endpoint: String, credits: UInt32, answers: Bool = true, keys: CurveClientKeys? = nil) throws {
        let started = try DedicatedThread(named: "bench-worker") { [self] in
            do {
                try run(endpoint, credits: credits, answers: answers, keys: keys)
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

    private func run(_ endpoint: String, credits: UInt32, answers: Bool, keys: CurveClientKeys?) throws {
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
        var writer = HeadWriter()
        var last: Head?
        while !isEnding.load(ordering: .relaxed) {
            try poller.wait(atMost: .milliseconds(100))
            while let message = try socket.receiveLent() {
                var head = try message.withBytes(of: 0) { (bytes) throws(WireError) in
                    try Head(decoding: bytes, like: last)
                }
                last = head
                guard head.kind == .task, answers else { continue }
                head.kind = .result
                head.timeoutMicroseconds = nil
                let payload = message.take(message.frameCount - 1)
                _ = try writer.write(head) { (bytes) throws(ZeroMQError) in
                    try socket.send(head: bytes, payload: payload)
                }
            }
            if clock.now >= nextBeat {
                nextBeat = clock.now + .milliseconds(500)
                _ = try socket.send(Message([Head(kind: .beat).encode(), WorkerBeat().encode()]))
            }
        }
        _ = try socket.send(Message([Head(kind: .goodbye).encode()]))
    }
}

/// A client that keeps a number of calls under way and counts the answers. Belongs to the thread that uses it.
struct EchoCaller: ~Copyable {
    private let socket: Socket
    private var poller = Poller()
    private let payload: Frame
    private var lastCall: UInt64 = 0
    private let clock = ContinuousClock()
    private var writer = HeadWriter()
    private var last: Head?
    /// How long the broker may take for a call.
    var deadline = Duration.seconds(30)
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

    mutating func send() throws {
        lastCall += 1
        let head = Head(
            kind: .call, method: PoseSolver.SolvePoses.name, model: EchoWorker.model, callID: lastCall,
            timeoutMicroseconds: UInt64(deadline / .microseconds(1)), items: 1)
        while try transfer(head, payload) != .sent { try poller.wait(atMost: .milliseconds(1)) }
    }

    private mutating func transfer(_ head: Head, _ payload: Frame) throws(ZeroMQError) -> Socket.SendOutcome {
        try Self.transfer(head, payload, over: socket, &writer)
    }

    private static func transfer(
        _ head: Head, _ payload: Frame, over socket: borrowing Socket, _ writer: inout HeadWriter
    ) throws(ZeroMQError) -> Socket.SendOutcome {
        try writer.write(head) { (bytes) throws(ZeroMQError) in try socket.send(head: bytes, payload: payload) }
    }

    /// The next answers, at least one; how many.
    mutating func take() throws -> Int {
        var taken = 0
        while true {
            while let message = try socket.receiveLent() {
                let known = last
                let head = try message.withBytes(of: 0) { (bytes) throws(WireError) in
                    try Head(decoding: bytes, like: known)
                }
                last = head
                guard head.kind == .reply else { continue }
                if head.status != .ok { failures += 1 }
                taken += 1
            }
            if taken > 0 { return taken }
            guard try poller.wait(atMost: .seconds(30)) else { throw BenchSilence() }
        }
    }

    /// What the broker says of itself, once it has read all that was sent before. Answers to other calls are skipped and counted.
    mutating func status() throws -> FleetStatusReply {
        lastCall += 1
        let head = Head(kind: .call, method: Fleet.Status.name, callID: lastCall, timeoutMicroseconds: 30_000_000)
        while try transfer(head, Frame(FleetStatusRequest().encode())) != .sent {
            try poller.wait(atMost: .milliseconds(1))
        }
        while true {
            while let message = try socket.receive() {
                let head = try Head(decoding: message.frames[0].bytes)
                guard head.kind == .reply else { continue }
                if head.callID == lastCall { return try FleetStatusReply(decoding: message.frames[1].bytes) }
                if head.status != .ok { failures += 1 }
            }
            guard try poller.wait(atMost: .seconds(30)) else { throw BenchSilence() }
        }
    }

    /// Asks until the broker says what is wanted of it.
    mutating func wait(until isThere: (FleetStatusReply) -> Bool) throws {
        let end = clock.now + .seconds(60)
        while true {
            if isThere(try status()) { return }
            guard clock.now < end else { throw BenchSilence() }
            try poller.wait(atMost: .milliseconds(5))
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
