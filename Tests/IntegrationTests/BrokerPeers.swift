import SinewWire
import SinewZeroMQ
import Testing

/// How long a test waits for what must happen; far beyond what a loaded machine needs.
let brokerPatience = Duration.seconds(30)

/// A peer of the broker that speaks the protocol frame by frame. Belongs to the thread of its test.
final class BrokerPeer {
    struct Received {
        let head: Head
        let body: [Frame]

        var payload: [UInt8] { body.last?.bytes ?? [] }

        func detail() throws -> ErrorDetail { try ErrorDetail(decoding: payload) }
    }

    private let socket: Socket
    private var poller = Poller()
    private let ready: Poller.Token
    private let clock = ContinuousClock()
    /// Called between two looks at the socket, for example to beat.
    var whileWaiting: (() throws -> Void)?
    /// Looks at every message first; true when it has dealt with it.
    var intercept: ((Received) throws -> Bool)?

    /// - Parameter onlyToConnected: what it sends waits for the end of the handshake, not libzmq's queue.
    init(
        _ endpoint: String, in context: Context, keys: CurveClientKeys? = nil, onlyToConnected: Bool = false
    ) throws {
        var options = Socket.Options()
        options.onlyToConnected = onlyToConnected
        if let keys { options.security = .client(keys) }
        socket = try Socket(.dealer, in: context, options: options)
        try socket.connect(to: endpoint)
        ready = poller.add(socket)
    }

    func send(_ head: Head, _ body: [[UInt8]] = []) throws { try send(frames: [head.encode()] + body) }

    func send(frames: [[UInt8]]) throws {
        // Until the connection stands, the socket would block.
        let deadline = clock.now + brokerPatience
        while try socket.send(Message(frames)) != .sent {
            try #require(clock.now < deadline, "the message could not be sent")
            try poller.wait(atMost: .milliseconds(5))
        }
    }

    /// The next message for which `wanted` holds; others are thrown away.
    func receive(_ wanted: (Received) -> Bool = { _ in true }) throws -> Received {
        let deadline = clock.now + brokerPatience
        while clock.now < deadline {
            while let message = try socket.receive() {
                let head = try message.frames[0].withBytes { (bytes) throws(WireError) in try Head(decoding: bytes) }
                let received = Received(head: head, body: Array(message.frames[1...]))
                if try intercept?(received) ?? false { continue }
                if wanted(received) { return received }
            }
            try whileWaiting?()
            try poller.wait(atMost: .milliseconds(20))
        }
        throw Silence()
    }

    /// Whether nothing has arrived that was not looked at.
    func hasHeardNothing() throws -> Bool { try socket.receive() == nil }

    func receive(_ kind: Head.Kind) throws -> Received { try receive { $0.head.kind == kind } }

    struct Silence: Error {}
}

extension BrokerPeer {
    static let solve = PoseSolver.SolvePoses.name

    func call(
        _ id: UInt64, model: String = "niki", method: String = BrokerPeer.solve, timeout: Duration? = nil,
        items: UInt32 = 1, tenant: String = "", payload: [UInt8] = [1, 2, 3]
    ) throws {
        try send(
            Head(
                kind: .call, method: method, model: model, callID: id,
                timeoutMicroseconds: timeout.map {
                    UInt64($0.components.seconds) * 1_000_000 + UInt64($0.components.attoseconds / 1_000_000_000_000)
                },
                tenant: tenant, items: items), [payload])
    }

    /// The reply to one call.
    func reply(to id: UInt64) throws -> Received { try receive { $0.head.kind == .reply && $0.head.callID == id } }

    /// Asks the broker itself and reads its answer.
    func ask<Method: WireMethod>(_ method: Method.Type, _ request: Method.Request, id: UInt64) throws -> Method.Reply {
        try call(id, model: "", method: Method.name, payload: request.encode())
        let reply = try reply(to: id)
        #expect(reply.head.status == .ok)
        return try Method.Reply(decoding: reply.payload)
    }
}

/// A worker that says what a test tells it to say, and beats while it waits.
final class ScriptedWorker {
    let peer: BrokerPeer
    private let hello: WorkerHello
    var holding: [UInt64] = []
    var isSilent = false
    /// What its beats and its hello say besides; the leases are added.
    var counters = WorkerBeat()

    init(
        _ name: String, _ endpoint: String, in context: Context, models: [String] = ["niki"], credits: UInt32 = 1_000,
        incarnation: UInt64 = 1, keys: CurveClientKeys? = nil, counters: WorkerBeat? = nil
    ) throws {
        self.counters = counters ?? WorkerBeat()
        peer = try BrokerPeer(endpoint, in: context, keys: keys)
        hello = WorkerHello(
            name: name, models: models.map { ModelReady(name: $0, version: "1", architecture: "test") },
            credits: credits, computeThreads: 1, isa: "generic", host: "here", processID: 1, version: "0",
            incarnation: incarnation, beat: counters)
        peer.whileWaiting = { [unowned self] in
            if !isSilent { try beat() }
        }
        // On a loaded machine the test may come late with its beats; a worker then introduces itself again.
        peer.intercept = { [unowned self] received in
            // The broker's probe: it names nothing.
            if received.head.kind == .cancelTask && received.head.lease == 0 { return true }
            guard received.head.kind == .helloAgain, !isSilent else { return false }
            try sayHello()
            return true
        }
        try sayHello()
        _ = try peer.receive(.welcome)
    }

    func sayHello() throws { try peer.send(Head(kind: .hello), [hello.encode()]) }

    func beat() throws {
        var beat = counters
        beat.holding = HeldLeases(leases: holding)
        try peer.send(Head(kind: .beat), [beat.encode()])
    }

    /// The next task; it is named in the beats until it is answered.
    func task() throws -> BrokerPeer.Received {
        let task = try peer.receive(.task)
        holding.append(task.head.lease)
        return task
    }

    func answer(_ task: BrokerPeer.Received, payload: [UInt8] = [9], status: StatusCode = .ok) throws {
        holding.removeAll { $0 == task.head.lease }
        var head = task.head
        head.kind = .result
        head.status = status
        head.timeoutMicroseconds = nil
        try peer.send(head, [payload])
    }
}
