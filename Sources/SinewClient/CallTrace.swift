internal import SinewCore

/// How long each stage of a call took.
///
/// Client, broker and worker each measure durations by their own clock, and nobody's clock is compared with another's. What remains of
/// the time between sending and the answer is the network there and back, and what nobody measures. The stages add up to ``total``.
public struct CallTrace: Sendable, Equatable {
    /// A stage; in the order of ``stages``.
    public enum Stage: String, Sendable, CaseIterable {
        /// In the client, until the call left for the last time: waiting for its turn, and attempts that failed.
        case clientQueue = "client queue"
        /// In the broker, until a worker had room.
        case brokerQueue = "broker queue"
        /// With workers that did not answer.
        case earlierWorkers = "earlier workers"
        /// In the worker that answered, until its batch began.
        case workerQueue = "worker queue"
        /// A compute thread at work on the batch, decoding and encoding included.
        case compute = "compute"
        /// In the worker, between its threads.
        case workerFinish = "worker finish"
        /// Between broker and worker, there and back, and what neither measures.
        case workerNetwork = "broker-worker net"
        /// Between client and broker, there and back, and what neither measures.
        case clientNetwork = "client-broker net"
        /// In the client, from the answer's arrival until it was read.
        case clientFinish = "client finish"
    }

    /// The trace; 32 hexadecimal digits.
    public let traceID: String
    /// The worker that answered; empty when it does not tell.
    public let worker: String
    /// The batch, counted by that worker since it began.
    public let batchID: UInt64
    /// People solved in it, this call's and others'.
    public let batchSize: Int
    /// How often a worker was given the call.
    public let dispatches: Int
    /// How long each stage took, in the order of ``Stage``; all of them, also those of no duration.
    public let stages: [Duration]

    /// From making the call to its answer.
    public var total: Duration { stages.reduce(.zero, +) }

    /// How long a stage took.
    public subscript(stage: Stage) -> Duration {
        // All cases stand in `allCases` and in `stages`.
        stages[Stage.allCases.firstIndex(of: stage) ?? 0]
    }

    /// - Parameters:
    ///   - reply: what broker and worker tell; nil when they do not know of timings. Nothing in it is believed beyond the time that the
    ///     client itself has measured.
    package init(_ parent: TraceParent?, _ times: CallTimes, _ reply: ReplyMetadata?) {
        traceID = parent?.traceID ?? ""
        worker = reply?.worker?.worker ?? ""
        batchID = reply?.worker?.batchID ?? 0
        batchSize = Int(reply?.worker?.batchSize ?? 0)
        dispatches = Int(reply?.broker?.dispatches ?? 0)
        var outside = Swift.max(.zero, times.underWay)
        let brokerQueue = outside.take(reply?.broker?.waitMicroseconds)
        let earlierWorkers = outside.take(reply?.broker?.retryMicroseconds)
        var away = outside.take(reply?.broker?.awayMicroseconds)
        // A broker that tells nothing is a part of the network.
        if reply?.broker == nil { swap(&away, &outside) }
        let workerQueue = away.take(reply?.worker?.queueMicroseconds)
        let compute = away.take(reply?.worker?.computeMicroseconds)
        let workerFinish = away.take(reply?.worker?.finishMicroseconds)
        if reply?.broker == nil { swap(&away, &outside) }
        stages = [
            Swift.max(.zero, times.queue), brokerQueue, earlierWorkers, workerQueue, compute, workerFinish, away,
            outside,
            Swift.max(.zero, times.finish),
        ]
    }
}

/// What the client measures of a call.
package struct CallTimes: Sendable {
    /// Until it left for the last time.
    var queue: Duration
    /// From there to the arrival of the answer.
    var underWay: Duration
    /// From there until it was read.
    var finish: Duration

    package init(queue: Duration, underWay: Duration, finish: Duration = .zero) {
        self.queue = queue
        self.underWay = underWay
        self.finish = finish
    }
}

extension Duration {
    /// Takes away a duration, or what is left.
    fileprivate mutating func take(_ microseconds: UInt64?) -> Duration {
        let taken = Swift.min(self, .microseconds(Int64(clamping: microseconds ?? 0)))
        self -= taken
        return taken
    }
}
