/// What a path names.
enum Route: Equatable {
    case live, ready, metrics
    case fleet, models, jobs, history, events
    /// Whether the operator's token is right.
    case `operator`
    /// By its id, as it was written.
    case job(String)
    case drainWorker(String)
    case cancelJob(String)
    /// A file of the dashboard.
    case file(String)

    /// Nil when the path is no text.
    init?(path: String) {
        var parts: [String] = []
        for part in path.split(separator: "/") {
            guard let text = Self.unescaped(part) else { return nil }
            parts.append(text)
        }
        self = Self.route(parts) ?? .file(parts.isEmpty ? "index.html" : parts.joined(separator: "/"))
    }

    private static func route(_ parts: [String]) -> Route? {
        if parts == ["livez"] { return .live }
        if parts == ["readyz"] { return .ready }
        if parts == ["metrics"] { return .metrics }
        guard parts.starts(with: ["api", "v1"]), parts.count > 2 else { return nil }
        switch (parts[2], parts.count) {
        case ("fleet", 3): return .fleet
        case ("models", 3): return .models
        case ("jobs", 3): return .jobs
        case ("history", 3): return .history
        case ("events", 3): return .events
        case ("operator", 3): return .operator
        case ("jobs", 4): return .job(parts[3])
        case ("jobs", 5) where parts[4] == "cancel": return .cancelJob(parts[3])
        case ("workers", 5) where parts[4] == "drain": return .drainWorker(parts[3])
        default: return nil
        }
    }

    /// Whether it changes something, so that it is for POST.
    var isChange: Bool {
        switch self {
        case .drainWorker, .cancelJob: true
        case .live, .ready, .metrics, .fleet, .models, .jobs, .history, .events, .operator, .job, .file: false
        }
    }

    /// A part of a path without its percent signs; nil when one of them is followed by no two hexadecimal digits, or the bytes are no UTF-8.
    ///
    /// - Source: RFC 3986, section 2.1.
    private static func unescaped(_ part: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
