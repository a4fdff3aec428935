import Logging
import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import SinewZeroMQ
import Testing

/// Long enough that only a hang reaches it, on the slowest machine.
let generousDeadline = Duration.seconds(30)

/// Plays the broker's side of the worker protocol by hand, one step of a test at a time.
struct ScriptedBroker: ~Copyable {
    let endpoint: String
    private let socket: Socket
    private var poller = Poller()
    /// Where the last message came from.
    private(set) var worker: Frame?
    private var nextLease: UInt64 = 7000

    init(endpoint: String = "tcp://127.0.0.1:*") throws {
        // Everything that can throw comes first: a type without copies cannot be thrown away half-made.
        let router = try Socket(.router, in: try Context())
        let bound = try router.bind(to: endpoint)
        self.init(router, endpoint: bound)
    }

    private init(_ router: consuming Socket, endpoint: String) {
        self.endpoint = endpoint
        socket = router
        _ = poller.add(socket)
    }

    /// Nothing came before a generous deadline.
    struct Silence: Error {
        let expected: Head.Kind
    }

    /// The next message of a kind. Beats in between are skipped, anything else in between is a failure.
    mutating func expect(_ kind: Head.Kind, sourceLocation: SourceLocation = #_sourceLocation) throws -> Incoming {
        try expectEither(kind, kind, sourceLocation: sourceLocation)
    }

    private mutating func expectEither(
        _ kind: Head.Kind, _ other: Head.Kind, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Incoming {
        let end = ContinuousClock.now + generousDeadline
        while ContinuousClock.now < end {
            guard let message = try socket.receive() else {
                try poller.wait(atMost: end - ContinuousClock.now)
                continue
            }
            let head = try Head(decoding: message.frames[1].bytes)
            if head.kind != kind && head.kind != other && head.kind == .beat { continue }
            try #require(head.kind == kind || head.kind == other, sourceLocation: sourceLocation)
            worker = message.frames[0]
            return Incoming(head: head, payload: message.frames.count > 2 ? message.frames[2].bytes : [])
        }
        throw Silence(expected: kind)
    }

    mutating func send(_ head: Head, _ payload: [UInt8]? = nil) throws {
        var frames = [worker ?? Frame(""), Frame(head.encode())]
        if let payload { frames.append(Frame(payload)) }
        try send(frames)
    }

    mutating func send(_ frames: [Frame]) throws {
        let outcome = try socket.send(Message(frames: frames))
        try #require(outcome == .sent)
    }

    /// Takes a hello and welcomes its sender.
    mutating func welcome(beatInterval: Duration = .milliseconds(20)) throws -> WorkerHello {
        let hello = try WorkerHello(decoding: try expect(.hello).payload)
        try send(
            Head(kind: .welcome),
            WorkerWelcome(beatIntervalMicroseconds: beatInterval.remainingMicroseconds, version: "test").encode())
        return hello
    }

    /// As a broker that was started anew: whoever beats without an introduction is asked for one.
    mutating func welcomeUnknown() throws -> WorkerHello {
        let first = try expectEither(.hello, .beat)
        if first.head.kind == .beat {
            try send(Head(kind: .helloAgain))
            return try welcome()
        }
        try send(Head(kind: .welcome), WorkerWelcome(beatIntervalMicroseconds: 20_000, version: "test").encode())
        return try WorkerHello(decoding: first.payload)
    }

    /// Hands over a request; returns its lease.
    mutating func give(
        _ request: SolvePosesRequest, model: String = "recomputable", call: UInt64 = 1, timeout: Duration? = nil
    ) throws -> UInt64 {
        let items = UInt32(request.joints.shape.first ?? 0)
        return try give(request.encode(), items: items, model: model, call: call, timeout: timeout)
    }

    mutating func give(
        _ payload: [UInt8]?, items: UInt32, method: String = PoseSolver.SolvePoses.name,
        model: String = "recomputable", call: UInt64 = 1, timeout: Duration? = nil
    ) throws -> UInt64 {
        nextLease += 1
        let head = Head(
            kind: .task, method: method, model: model, callID: call,
            timeoutMicroseconds: timeout?.remainingMicroseconds, lease: nextLease, attempt: 2, items: items)
        try send(head, payload)
        return nextLease
    }

    /// The result of a lease, which must be the next one.
    mutating func result(of lease: UInt64) throws -> Incoming {
        let result = try expect(.result)
        #expect(result.head.lease == lease)
        return result
    }
}

/// A message of the worker.
struct Incoming {
    let head: Head
    let payload: [UInt8]

    var reply: SolvePosesReply {
        get throws {
            try #require(head.status == .ok)
            return try SolvePosesReply(decoding: payload)
        }
    }

    var failure: ErrorDetail {
        get throws {
            try #require(head.status != .ok)
            return try ErrorDetail(decoding: payload)
        }
    }
}

/// A worker on a scripted broker's endpoint.
func startWorker(
    _ endpoint: String, models: [any PoseModel], computeThreads: Int = 1, batchItemsMax: Int? = 64,
    creditItems: Int = 500, batchTableFolder: String? = nil
) throws -> WorkerServer {
    let configuration = WorkerConfiguration(
        brokerEndpoint: endpoint, name: "test-worker", computeThreads: computeThreads, creditItems: creditItems,
        version: "1.2.3", batchItemsMax: batchItemsMax, batchTableFolder: batchTableFolder)
    return try WorkerServer(configuration, models: models, logger: quietLogger)
}

/// Says nothing: what a test needs to know comes over the wire.
let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
