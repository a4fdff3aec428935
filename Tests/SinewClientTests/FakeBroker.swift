import SinewWire
import SinewZeroMQ
import Synchronization

/// A ROUTER that answers as the test says. Runs on its own thread until it is stopped or dropped.
final class FakeBroker: Sendable {
    /// What goes back to the peer whose message is being answered.
    struct Answer: Sendable {
        var frames: [[UInt8]]

        init(_ head: Head, _ payload: [UInt8]? = nil) { frames = [head.encode()] + (payload.map { [$0] } ?? []) }
        init(frames: [[UInt8]]) { self.frames = frames }
    }

    typealias Script = @Sendable (Head, [UInt8]) -> [Answer]

    let endpoint: String
    /// Every head that came, in order; ends when the broker stops.
    let heads: AsyncStream<Head>
    private let kept = MetadataLog()
    private let waker: Waker
    private let isStopping = Atomic<Bool>(false)
    private let thread = Mutex<DedicatedThread?>(nil)

    /// - Parameter incarnation: what pongs carry.
    init(endpoint: String = "tcp://127.0.0.1:*", incarnation: UInt64 = 1, answer: @escaping Script) throws {
        waker = try Waker()
        let (heads, sink) = AsyncStream<Head>.makeStream()
        self.heads = heads
        let context = try Context()
        let socket = try Socket(.router, in: context)
        self.endpoint = try socket.bind(to: endpoint)
        let started = try DedicatedThread(named: "fake-broker", owning: socket) { [weak self, waker, kept] socket in
            var poller = Poller()
            let token = poller.add(socket)
            _ = poller.add(waker)
            while self?.isStopping.load(ordering: .acquiring) == false {
                _ = try? poller.wait(atMost: .seconds(1))
                waker.clear()
                guard poller.isReady(token) else { continue }
                Self.serve(socket, incarnation, sink, kept, answer)
            }
            sink.finish()
        }
        thread.withLock { $0 = started }
    }

    deinit { stop() }

    /// Closes the sockets, as the death of a broker does.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        waker.wake()
        thread.withLock { $0.take() }?.join()
    }

    /// Reads everything that is there before answering any of it, so that a peer that sends too much is seen.
    private static func serve(
        _ socket: borrowing Socket, _ incarnation: UInt64, _ sink: AsyncStream<Head>.Continuation,
        _ kept: MetadataLog, _ answer: Script
    ) {
        var answers: [(Frame, Answer)] = []
        while let message = try? socket.receive() {
            guard message.frames.count >= 2, let head = try? Head(decoding: message.frames[1].bytes) else { continue }
            sink.yield(head)
            if head.kind == .ping {
                answers.append((message.frames[0], Answer(Head(kind: .pong, callID: head.callID, lease: incarnation))))
            }
            if head.kind == .call { kept.add(message.frames.count > 3 ? message.frames[2].bytes : nil) }
            let payload = message.frames.count > 2 ? message.frames[message.frames.count - 1].bytes : []
            for one in answer(head, payload) {
                answers.append((message.frames[0], one))
            }
        }
        for (peer, answer) in answers {
            _ = try? socket.send(Message(frames: [peer] + answer.frames.map { Frame($0) }))
        }
    }

    /// The metadata frame of each call that came, in order; nil where there was none.
    var metadata: [[UInt8]?] { kept.all }

    /// The first head of a kind that comes from now on.
    func next(_ kind: Head.Kind) async -> Head? { await heads.first { $0.kind == kind } }
}

/// What the broker's thread has seen.
private final class MetadataLog: Sendable {
    private let frames = Mutex<[[UInt8]?]>([])
    var all: [[UInt8]?] { frames.withLock { $0 } }
    func add(_ frame: [UInt8]?) { frames.withLock { $0.append(frame) } }
}

extension FakeBroker {
    /// Solves every call at once.
    static let solving: Script = { head, payload in head.kind == .call ? [solution(head, payload)] : [] }

    /// A solution whose numbers tell whose it is: every value of a row is the row's first coordinate plus an offset.
    static func solution(_ head: Head, _ payload: [UInt8]) -> Answer {
        guard let request = try? SolvePosesRequest(decoding: payload), let joints = request.joints.floats else {
            return refusal(head, .malformedRequest)
        }
        let n = request.joints.shape[0]
        let width = joints.count / max(n, 1)
        let first = (0..<n).map { joints[$0 * width] }
        func rows(_ columns: Int, _ offset: Float) -> [Float] {
            first.flatMap { Array(repeating: $0 + offset, count: columns) }
        }
        let reply = SolvePosesReply(
            theta: Tensor(rows(72, 0), shape: [n, 24, 3]), translation: Tensor(rows(3, 0.25), shape: [n, 3]),
            joints: Tensor(rows(87, 0.5), shape: [n, 29, 3]),
            quality: SolveQuality(
                latentNorm: rows(1, 1), jointResidualMillimetres: rows(1, 2), boneLengthChange: rows(1, 3),
                unobservedJoints: Array(repeating: 4, count: n)),
            model: "fake", modelVersion: "7", worker: "w", batchSize: UInt32(n), queueMicroseconds: 5,
            computeMicroseconds: 6,
            itemErrors: first.enumerated().filter { $0.element < 0 }.map {
                ItemError(item: UInt32($0.offset), status: 3, code: 121, field: "joints", message: "negative")
            })
        return Answer(Head(kind: .reply, callID: head.callID, attempt: head.attempt), reply.encode())
    }

    /// A refusal as a broker writes it.
    static func refusal(_ head: Head, _ code: ServiceErrorCode, retryAfterMicroseconds: UInt64? = nil) -> Answer {
        let detail = ErrorDetail(
            message: "refused: \(code)", code: UInt32(code.rawValue), field: "joints", item: 3,
            retryAfterMicroseconds: retryAfterMicroseconds)
        let reply = Head(
            kind: .reply, callID: head.callID, attempt: head.attempt, status: code.status ?? .unknown,
            errorCode: code.rawValue)
        return Answer(reply, detail.encode())
    }
}
