internal import Foundation
internal import Glibc
internal import Logging
internal import SinewArrayFiles
internal import SinewBroker
internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

/// Durable submission: blocks of people, acknowledged once they are synced to the disk; then the broker is started anew on them.
struct DurableBench {
    struct Report: Encodable {
        let itemsPerBlock, payloadBytesPerBlock, blocks, window: Int
        /// People acknowledged per second.
        let itemsPerSecond: Double
        /// From the start of a second broker on the same folder until it answers for the job, all people still queued.
        let restartSeconds: Double
        let queuedItems: Int
    }

    var itemsPerBlock = 64
    var blocks = 2_000
    var window = 64
    /// Where the store is made, and removed afterwards; the figure is that of this disk.
    var folder: String

    /// 29 joints of three floats, and what stands around them.
    private var payloadBytesPerBlock: Int { itemsPerBlock * 348 + 64 }

    func run(logger: Logger) async throws -> Report {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        configuration.limits.peerMessagesPerSecond = 1 << 30
        configuration.limits.peerMessagesAtOnceMax = 1 << 32
        configuration.limits.peerBytesPerSecond = 1 << 40
        let store = "\(folder)/sinew-bench-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: store) }
        configuration.store = JobStoreConfiguration(folder: store)
        let first = try BrokerServer(configuration, logger: logger)
        var submitter = try BlockSubmitter(first.clientEndpoint)
        try submitter.submit()
        let rate = try submitter.append(
            blocks: blocks, window: window, items: itemsPerBlock, payloadBytes: payloadBytesPerBlock)
        first.stop()
        await first.run()
        let clock = ContinuousClock()
        let start = clock.now
        let second = try BrokerServer(configuration, logger: logger)
        defer { second.stop() }
        let queued = try submitter.queuedTasks(at: second.clientEndpoint)
        let restart = (clock.now - start) / .seconds(1)
        return Report(
            itemsPerBlock: itemsPerBlock, payloadBytesPerBlock: payloadBytesPerBlock, blocks: blocks, window: window,
            itemsPerSecond: rate * Double(itemsPerBlock), restartSeconds: restart, queuedItems: queued * itemsPerBlock)
    }
}

/// A client of the Jobs service that keeps a number of appends under way.
struct BlockSubmitter: ~Copyable {
    private var socket: Socket
    private var poller = Poller()
    private var lastCall: UInt64 = 0
    private let job: [UInt8]
    private let clock = ContinuousClock()

    init(_ endpoint: String) throws {
        let socket = try Socket(.dealer, in: try Context())
        try socket.connect(to: endpoint)
        self.init(socket)
    }

    private init(_ socket: consuming Socket) {
        self.socket = socket
        _ = poller.add(self.socket)
        var id = (0..<16).map { _ in UInt8.random(in: 0...255) }
        id[6] = 0x70 | id[6] & 0x0F
        id[8] = 0x80 | id[8] & 0x3F
        job = id
    }

    private mutating func send<Method: WireMethod>(_ method: Method.Type, _ request: Method.Request) throws {
        lastCall += 1
        let head = Head(kind: .call, method: method.name, callID: lastCall, timeoutMicroseconds: 30_000_000)
        let message = Message([head.encode(), request.encode()])
        while try socket.send(message) != .sent { try poller.wait(atMost: .milliseconds(1)) }
    }

    /// The next answer; how its call ended and what it says.
    private mutating func take() throws -> (status: StatusCode, payload: [UInt8]) {
        while true {
            while let message = try socket.receive() {
                let head = try Head(decoding: message.frames[0].bytes)
                if head.kind == .reply { return (head.status, message.frames.last?.bytes ?? []) }
            }
            guard try poller.wait(atMost: .seconds(30)) else { throw BenchSilence() }
        }
    }

    mutating func submit() throws {
        try send(
            Jobs.Submit.self,
            SubmitJobRequest(
                id: job, method: PoseSolver.SolvePoses.name, model: EchoWorker.model, label: "bench"))
        let answer = try take()
        guard answer.status == .ok else { throw BenchRefusal(try ErrorDetail(decoding: answer.payload).message) }
    }

    /// Blocks acknowledged per second, with so many appends under way.
    mutating func append(blocks: Int, window: Int, items: Int, payloadBytes: Int) throws -> Double {
        let payload = [UInt8](repeating: 7, count: payloadBytes)
        let hash = SHA256.digest(of: payload)
        let start = clock.now
        var sent = 0
        var acknowledged = 0
        while acknowledged < blocks {
            while sent < blocks && sent - acknowledged < window {
                let block = TaskBlock(index: UInt64(sent), items: UInt32(items), sha256: hash, payload: payload)
                try send(Jobs.Append.self, AppendTasksRequest(id: job, tasks: [block]))
                sent += 1
            }
            let answer = try take()
            guard answer.status == .ok else { throw BenchRefusal(try ErrorDetail(decoding: answer.payload).message) }
            acknowledged += 1
        }
        return Double(blocks) / ((clock.now - start) / .seconds(1))
    }

    /// Appends tasks of one person, many to a request.
    mutating func appendTasks(_ count: Int, perRequest: Int, payloadBytes: Int) throws {
        let payload = [UInt8](repeating: 7, count: payloadBytes)
        let hash = SHA256.digest(of: payload)
        var sent = 0
        var underWay = 0
        while sent < count || underWay > 0 {
            while sent < count && underWay < 4 {
                let block = (sent..<min(sent + perRequest, count)).map {
                    TaskBlock(index: UInt64($0), items: 1, sha256: hash, payload: payload)
                }
                try send(Jobs.Append.self, AppendTasksRequest(id: job, tasks: block))
                sent += block.count
                underWay += 1
            }
            let answer = try take()
            guard answer.status == .ok else { throw BenchRefusal(try ErrorDetail(decoding: answer.payload).message) }
            underWay -= 1
        }
    }

    /// Memory of the broker's process.
    mutating func residentBytes() throws -> UInt64 {
        try send(Fleet.Status.self, FleetStatusRequest())
        return try FleetStatusReply(decoding: take().payload).broker.residentBytes
    }

    /// Asks a broker for the job until it answers.
    mutating func queuedTasks(at endpoint: String) throws -> Int {
        let fresh = try Socket(.dealer, in: try Context())
        try fresh.connect(to: endpoint)
        socket = fresh
        poller = Poller()
        _ = poller.add(socket)
        while true {
            try send(Jobs.Status.self, JobStatusRequest(id: job))
            let answer = try take()
            if answer.status == .ok { return Int(try JobStatus(decoding: answer.payload).queued) }
            guard answer.status == .unavailable else {
                throw BenchRefusal(try ErrorDetail(decoding: answer.payload).message)
            }
            try poller.wait(atMost: .milliseconds(2))
        }
    }
}

/// The broker refused what the bench asked for.
struct BenchRefusal: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
