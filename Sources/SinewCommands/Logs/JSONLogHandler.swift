internal import Glibc
package import Logging
internal import SinewArrayFiles

/// Prints each message as a JSON object on a line of its own.
///
/// Members, in this order: `time` (UTC, RFC 3339 with microseconds), `level` (swift-log's word), `label` (who says it), `message`, and
/// `metadata`, an object whose keys are in alphabetical order; left out when there is none. An error that was logged is `error.message`
/// and `error.type` there, as in swift-log's own handler. Whatever a text holds, it adds no line: JSON escapes line ends.
package struct JSONLogHandler: LogHandler {
    package var logLevel = Logger.Level.info
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let microsecondsSince1970: @Sendable () -> Int64
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - now: the time of day, microseconds since 1970 in UTC.
    ///   - write: prints one line, which has no line end yet; called from any thread.
    package init(
        label: String, now: @escaping @Sendable () -> Int64 = { JSONLogHandler.timeOfDay },
        write: @escaping @Sendable (String) -> Void
    ) {
        self.label = label
        microsecondsSince1970 = now
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { _, new in new }
        all.merge(event.metadata ?? [:]) { _, new in new }
        if let error = event.error {
            all["error.message"] = "\(error)"
            all["error.type"] = "\(String(reflecting: type(of: error)))"
        }
        var members: [JSONValue.Member] = [
            .init("time", .string(Self.text(of: microsecondsSince1970()))),
            .init("level", .string(event.level.rawValue)), .init("label", .string(label)),
            .init("message", .string(event.message.description)),
        ]
        if !all.isEmpty { members.append(.init("metadata", Self.value(of: .dictionary(all)))) }
        write(JSONValue.object(members).encoded())
    }

    private static func value(of value: Logger.MetadataValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value): .string(value.description)
        case .array(let values): .array(values.map { Self.value(of: $0) })
        case .dictionary(let values):
            .object(values.sorted { $0.key < $1.key }.map { .init($0.key, Self.value(of: $0.value)) })
        }
    }

    /// For example `2026-01-31T09:05:07.000250Z`.
    private static func text(of microseconds: Int64) -> String {
        let fraction = (microseconds % 1_000_000 + 1_000_000) % 1_000_000
        var seconds = time_t((microseconds - fraction) / 1_000_000)
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = "\(number)"
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let (year, month, day) = unsafe (parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday)
        let (hour, minute, second) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let clock = "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
        return "\(date)T\(clock).\(padded(fraction, 6))Z"
    }

    /// Microseconds since 1970 in UTC.
    package static var timeOfDay: Int64 {
        var time = timespec()
        // Fails only for a clock that does not exist.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
