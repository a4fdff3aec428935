internal import SinewArrayFiles

/// Something that wants a person's attention, and what to do about it.
package struct FleetAlert: Sendable, Equatable {
    package enum Severity: String, Sendable {
        case warning, critical
    }

    package let severity: Severity
    /// For programs, for example `worker_silent`.
    package let code: String
    /// What is wrong, with names and numbers.
    package let what: String
    /// What to type or to look at.
    package let `do`: String

    package init(_ severity: Severity, _ code: String, what: String, do remedy: String) {
        self.severity = severity
        self.code = code
        self.what = what
        self.do = remedy
    }

    var json: JSONValue {
        .object([
            .init("severity", .string(severity.rawValue)),
            .init("code", .string(code)),
            .init("what", .string(what)),
            .init("do", .string(self.do)),
        ])
    }
}
