internal import CZeroMQ
internal import Glibc

/// Why a libzmq call failed: what was attempted, on which endpoint, and what the library said.
public struct ZeroMQError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure to which a caller can react differently.
    public enum Reason: Sendable, Equatable {
        /// Another socket, often another process, already listens on this endpoint.
        case addressInUse
        /// The host or interface of the endpoint does not exist on this machine.
        case addressUnavailable
        /// The endpoint is not of the form `transport://address`, or the transport is unknown.
        case invalidEndpoint
        /// The context was shut down; the socket can only be closed.
        case terminated
        /// The process or the context has no file descriptor or socket left.
        case resourcesExhausted
        /// A message was refused part of the way; the socket can only be closed.
        case brokenMessage
        /// Anything else; ``ZeroMQError/errorNumber`` tells.
        case other
    }

    /// The kind of failure.
    public let reason: Reason
    /// The value of `zmq_errno()`.
    public let errorNumber: Int32
    /// What was attempted, for example `bind`.
    public let operation: String
    /// The endpoint concerned; empty where there is none.
    public let endpoint: String

    init(_ errorNumber: Int32, operation: String, endpoint: String = "", reason: Reason? = nil) {
        self.reason = reason ?? ZeroMQError.reason(of: errorNumber)
        self.errorNumber = errorNumber
        self.operation = operation
        self.endpoint = endpoint
    }

    /// Reads `zmq_errno()`; to be called before anything else touches the thread's error number.
    static func last(_ operation: String, endpoint: String = "") -> ZeroMQError {
        ZeroMQError(zmq_errno(), operation: operation, endpoint: endpoint)
    }

    private static func reason(of errorNumber: Int32) -> Reason {
        switch errorNumber {
        case EADDRINUSE: .addressInUse
        case EADDRNOTAVAIL, ENODEV: .addressUnavailable
        case EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO: .invalidEndpoint
        case errorTerminated: .terminated
        case EMFILE, ENFILE, ENOMEM, ENOBUFS: .resourcesExhausted
        default: .other
        }
    }

    /// libzmq's own text for the error number.
    public var libraryMessage: String {
        guard let text = unsafe zmq_strerror(errorNumber) else { return "error \(errorNumber)" }
        return unsafe String(cString: text)
    }

    /// What, where, why, and what to type next.
    public var description: String {
        let place = endpoint.isEmpty ? "" : " \(endpoint)"
        return "cannot \(operation)\(place): \(libraryMessage)\(advice)"
    }

    private var advice: String {
        switch reason {
        case .addressInUse:
            "; another process listens there: stop it or choose another port (port * lets the system choose)"
        case .addressUnavailable:
            "; this machine has no such address: use 127.0.0.1 or the name of one of its interfaces"
        case .invalidEndpoint:
            endpoint.isEmpty ? "" : "; an endpoint looks like tcp://127.0.0.1:7690"
        case .terminated: "; the context was shut down"
        case .resourcesExhausted: "; raise the limit of open files (ulimit -n)"
        case .brokenMessage: "; the message broke off, so the socket must be closed"
        case .other: ""
        }
    }
}

/// libzmq's own error numbers are C macros with arithmetic, which Swift does not import (`zmq.h`, ZMQ_HAUSNUMERO).
let errorTerminated: Int32 = 156_384_712 + 53
private let ENOCOMPATPROTO: Int32 = 156_384_712 + 52
