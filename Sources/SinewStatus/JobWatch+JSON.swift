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
        var events = [event(status.createdUnixMicroseconds, "submitted")]
        if status.endedUnixMicroseconds > 0 { events.append(event(status.endedUnixMicroseconds, status.state.word)) }
        return events
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
