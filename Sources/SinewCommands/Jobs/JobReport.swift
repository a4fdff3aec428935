internal import SinewArrayFiles
internal import SinewClient

/// A job's state as it is printed.
struct JobReport: Encodable {
    let job, state, model, method, label, tenant: String
    let priority: UInt32
    let tasks, items, queued, leased, done, failed, dead, cancelled, itemsDone: UInt64
    let nextIndex, payloadBytes, resultBytes: UInt64
    /// Seconds since 1970; nil where it has not happened.
    let created: Double
    let ended, givenUpAt, removedAt: Double?
    let contentSha256: String?

    init(_ status: JobStatus) {
        job = status.jobID?.description ?? ""
        state = status.state.word
        model = status.model
        method = status.method
        label = status.label
        tenant = status.tenant
        priority = status.priority
        (tasks, items) = (status.tasks, status.items)
        (queued, leased, done) = (status.queued, status.leased, status.done)
        (failed, dead, cancelled, itemsDone) = (status.failed, status.dead, status.cancelled, status.itemsDone)
        (nextIndex, payloadBytes, resultBytes) = (status.nextIndex, status.payloadBytes, status.resultBytes)
        created = Double(status.createdUnixMicroseconds) / 1e6
        ended = Self.time(status.endedUnixMicroseconds)
        givenUpAt = Self.time(status.giveUpUnixMicroseconds)
        removedAt = Self.time(status.removeUnixMicroseconds)
        contentSha256 = status.contentSHA256.isEmpty ? nil : SHA256.hexadecimal(status.contentSHA256)
    }

    private static func time(_ microseconds: UInt64) -> Double? {
        microseconds == 0 ? nil : Double(microseconds) / 1e6
    }

    /// For one line of talk.
    var line: String {
        var parts = ["\(done)/\(tasks) tasks done"]
        for (count, word) in [(leased, "running"), (queued, "waiting"), (failed, "failed"), (dead, "dead")]
        where count > 0 { parts.append("\(count) \(word)") }
        if cancelled > 0 { parts.append("\(cancelled) given up") }
        return "job \(job) is \(state): " + parts.joined(separator: ", ")
    }

    /// Tasks that will never be done.
    var lost: UInt64 { failed + dead + cancelled }
}

extension JobState {
    /// The state in one word.
    var word: String {
        switch self {
        case .unspecified: "unknown"
        case .open: "open"
        case .sealed: "running"
        case .finished: "finished"
        case .cancelled: "cancelled"
        case .expired: "expired"
        case .unrecognized(let number): "state \(number)"
        }
    }
}

extension TaskOutcome {
    /// The outcome in one word.
    var word: String {
        switch self {
        case .unspecified: "unknown"
        case .done: "done"
        case .failed: "failed"
        case .dead: "dead"
        case .cancelled: "cancelled"
        case .unrecognized(let number): "outcome \(number)"
        }
    }
}
