internal import SinewArrayFiles
internal import SinewWire

extension JobWatch.View {
    var json: JSONValue {
        JSONValue(status)
            .setting("id", .string(UUIDText.text(of: status.id)))
            .setting("state", .string(status.state.word))
            .setting("persons_per_second", .number(personsPerSecond))
            .setting("eta_seconds", .number(etaSeconds))
    }

    /// The reply to `/api/v1/jobs`.
    static func json(_ jobs: [JobWatch.View]) -> JSONValue { .object([.init("jobs", .array(jobs.map(\.json)))]) }

    /// The reply to `/api/v1/jobs/{id}`.
    func json(failures: [TaskResult]) -> JSONValue {
        .object([
            .init("job", json),
            .init("dead", .array(failures.map(Self.failure))),
            .init("timeline", .array(timeline)),
        ])
    }

    private static func failure(_ task: TaskResult) -> JSONValue {
        // The detail says why; a worker that answered something else has at least a status.
        let detail = try? ErrorDetail(decoding: task.payload)
        let reason = detail?.message ?? StatusCode(rawValue: UInt8(clamping: task.status))?.description ?? ""
        return .object([
            .init("index", .count(task.index)),
            .init("label", .string(task.label)),
            .init("outcome", .string(task.outcome == .dead ? "dead" : "failed")),
            .init("reason", .string(reason)),
            .init("attempts", .count(task.attempts)),
        ])
    }

    private var timeline: [JSONValue] {
        func event(_ time: UInt64, _ event: String) -> JSONValue {
            .object([.init("time_unix_us", .count(time)), .init("event", .string(event))])
        }
        let history = status.history
        // In this order where two have one time.
        let known = [
            (status.createdUnixMicroseconds, "submitted"), (history.startedUnixMicroseconds, "first task handed out"),
            (history.sealedUnixMicroseconds, "all tasks known"), (history.firstDoneUnixMicroseconds, "first result"),
            (history.firstFailedUnixMicroseconds, "first task failed"),
            (history.firstDeadUnixMicroseconds, "first task given up"),
            (history.replayedUnixMicroseconds, "tasks without a result tried again"),
            (status.endedUnixMicroseconds, status.state.word),
        ].filter { $0.0 > 0 }
        let ordered = known.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
        return ordered.map { event($0.element.0, $0.element.1) }
    }
}

extension JobState {
    /// The state in one word.
    fileprivate var word: String {
        switch self {
        case .unspecified: "unknown"
        case .open: "open"
        case .sealed: "sealed"
        case .finished: "finished"
        case .cancelled: "cancelled"
        case .expired: "expired"
        case .unrecognized(let number): "state \(number)"
        }
    }
}
