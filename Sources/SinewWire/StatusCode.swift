/// How a call ended, by gRPC's names and numbers.
public enum StatusCode: UInt8, Sendable, Equatable, CaseIterable, CustomStringConvertible {
    /// The call was answered with its result.
    case ok = 0
    /// The caller no longer wanted the result.
    case cancelled = 1
    /// The failure has no better code.
    case unknown = 2
    /// The request is wrong in itself; sending it again will not help.
    case invalidArgument = 3
    /// The deadline passed before the result was there; the work may still have been done.
    case deadlineExceeded = 4
    /// What was asked for (for example a model) does not exist.
    case notFound = 5
    /// What was to be created exists.
    case alreadyExists = 6
    /// The caller is known but may not do this.
    case permissionDenied = 7
    /// A queue, credit or rate is used up; try again after the pushback.
    case resourceExhausted = 8
    /// The system is not in the state that the call needs.
    case failedPrecondition = 9
    /// A concurrent change got in the way; start again from reading.
    case aborted = 10
    /// A position lies outside what exists.
    case outOfRange = 11
    /// The method or feature is not known here.
    case unimplemented = 12
    /// A promise was broken on the serving side: a bug.
    case `internal` = 13
    /// Nobody can be reached who could answer; try again.
    case unavailable = 14
    /// Data was lost or damaged for good.
    case dataLoss = 15
    /// The caller could not show who he is.
    case unauthenticated = 16

    /// The name as gRPC writes it, for example `RESOURCE_EXHAUSTED`.
    public var description: String {
        switch self {
        case .ok: "OK"
        case .cancelled: "CANCELLED"
        case .unknown: "UNKNOWN"
        case .invalidArgument: "INVALID_ARGUMENT"
        case .deadlineExceeded: "DEADLINE_EXCEEDED"
        case .notFound: "NOT_FOUND"
        case .alreadyExists: "ALREADY_EXISTS"
        case .permissionDenied: "PERMISSION_DENIED"
        case .resourceExhausted: "RESOURCE_EXHAUSTED"
        case .failedPrecondition: "FAILED_PRECONDITION"
        case .aborted: "ABORTED"
        case .outOfRange: "OUT_OF_RANGE"
        case .unimplemented: "UNIMPLEMENTED"
        case .internal: "INTERNAL"
        case .unavailable: "UNAVAILABLE"
        case .dataLoss: "DATA_LOSS"
        case .unauthenticated: "UNAUTHENTICATED"
        }
    }
}
