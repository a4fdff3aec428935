import SinewCore

/// What travels between simulated processes: the messages of the wire, without their bytes.
indirect enum Packet: Equatable {
    // Client → broker.
    case call(CallID, attempt: Int, Request, remaining: Duration)
    case cancel(CallID)
    case ping
    case ask(UInt64, JobAsk)
    // Broker → client.
    case reply(CallID, attempt: Int, Answer)
    case pong(incarnation: UInt64)
    case goingAway
    case told(UInt64, JobAnswer)
    // Worker → broker.
    case hello(BrokerStateMachine.WorkerIntroduction)
    case beat(holding: [LeaseToken])
    case result(LeaseToken, tag: UInt64, status: UInt8)
    case returned(LeaseToken)
    case goodbye
    // Broker → worker.
    case welcome
    case task(LeaseToken, Request, remaining: Duration)
    case cancelTask(LeaseToken)
    case helloAgain

    /// The part of a call that the broker keeps and forwards.
    struct Request: Equatable {
        var model: ModelKey
        var items: Int
        var tag: UInt64
        var priority: UInt8
        var tenant: TenantID
        /// A worker that starts it dies.
        var isDeadly = false
        /// Its answer is INVALID_ARGUMENT.
        var isWrong = false
        /// Its answer is INTERNAL in so many of a hundred attempts.
        var failPercent = 0
    }

    /// Requests of the service Jobs.
    enum JobAsk: Equatable {
        case submit(JobSubmission)
        case append(JobID, first: Int, [Request])
        case seal(JobID, tasks: Int)
        case cancel(JobID)
        case replay(JobID)
        case status(JobID)
        case results(JobID, cursor: UInt64, countMax: Int, wait: Duration)
    }

    enum JobAnswer: Equatable {
        case reply(JobReply)
        case results([JobResult], next: UInt64, isComplete: Bool)
    }

    struct JobResult: Equatable {
        var index: Int
        var outcome: JobTaskOutcome
        var status: UInt8
        var sequence: UInt64
        var bytes: UInt64
    }

    enum Answer: Equatable {
        case result(tag: UInt64)
        case error(RejectionReason)
    }

    /// What a worker makes of a request's tag; a client checks that it got the answer of its own call.
    static func solve(_ tag: UInt64) -> UInt64 { tag &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
}

/// A process of the simulation. A worker's number is its connection.
enum Address: Equatable {
    case broker
    case client(Int)
    case submitter(Int)
    case worker(UInt64)
}

/// What the world does at an instant.
indirect enum Occurrence {
    case arrive(Packet, from: Address, to: Address)
    case userCalls(client: Int)
    case userCancels(client: Int, CallID)
    case workerBeats(slot: Int, process: UInt64)
    case batchDone(slot: Int, process: UInt64, BatchID)
    case startWorker(slot: Int)
    case crashWorker(slot: Int)
    case drainWorker(slot: Int)
    case crashBroker
    case startBroker
    case cutLink(slot: Int, until: Instant)
    case drainBroker(within: Duration)
    case diskDone(opening: UInt64)
    case fillDisk
    case breakDisk
    case flipBit
    case pauseBroker
    case resumeBroker(after: Duration)
    case pauseWorker(slot: Int)
    case jumpWallClock
    case submitterActs(Int, number: UInt64)
    case crashSubmitter(Int)
}

/// Occurrences in order of time; those of the same instant in the order in which they were scheduled.
struct Schedule {
    private var entries: [(time: Instant, sequence: UInt64, what: Occurrence)] = []
    private var next: UInt64 = 0

    var first: Instant? { entries.first?.time }

    mutating func add(_ what: Occurrence, at time: Instant) {
        entries.append((time, next, what))
        next += 1
        var child = entries.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Occurrence? {
        guard let last = entries.popLast() else { return nil }
        guard let top = entries.first else { return last.what }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1..<min(2 * parent + 3, max(entries.count, 2 * parent + 1))
            where precedes(child, least) {
                least = child
            }
            if least == parent { return top.what }
            entries.swapAt(parent, least)
            parent = least
        }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        entries[a].time != entries[b].time
            ? entries[a].time < entries[b].time : entries[a].sequence < entries[b].sequence
    }
}

/// How the network and the machines misbehave until `until`; after it they are perfect.
struct Faults {
    var until = Duration.zero
    var lossPercent = 0
    var duplicationPercent = 0
    /// Of messages that take long and so overtake or are overtaken.
    var delayPercent = 0
    var workerCrashes = 0
    var workerDrains = 0
    var brokerCrashes = 0
    var cutLinks = 0
    /// One call kills every worker that starts it.
    var deadlyCall = false
    // Of jobs, and of what they need.
    var submitterCrashes = 0
    var fullDisks = 0
    var brokenDisks = 0
    var flippedBits = 0
    var brokerPauses = 0
    var workerPauses = 0
    var clockJumps = 0

    static let none = Faults()

    /// Workers fall silent by themselves, not only by a deadly task.
    var loseWorkers: Bool { workerCrashes + cutLinks + workerPauses + brokerPauses + lossPercent > 0 }
}
