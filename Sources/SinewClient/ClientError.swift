internal import SinewCore
internal import SinewZeroMQ

/// Why a call failed.
public struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// How the call ended, never OK.
    public let status: StatusCode
    /// Why, more finely; `none` when the status says it all.
    public let code: ServiceErrorCode
    /// What, where, why, and what to type next.
    public let message: String
    /// The request field that is wrong; empty when it is none in particular.
    public let field: String
    /// The person of the request that the failure is about.
    public let item: Int?
    /// Do not try again before; nil when the broker said nothing about it.
    public let retryAfter: Duration?

    /// Creates an error; `code` decides the status.
    init(_ code: ServiceErrorCode, _ message: String, field: String = "") {
        self.init(status: code.status ?? .unknown, code: code, message: message, field: field)
    }

    init(
        status: StatusCode, code: ServiceErrorCode, message: String, field: String = "", item: Int? = nil,
        retryAfter: Duration? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.item = item
        self.retryAfter = retryAfter
    }

    /// The error of a reply, from its head and its payload.
    init(replyStatus: StatusCode, errorCode: UInt16, detail: ErrorDetail?) {
        let code = ServiceErrorCode(rawValue: errorCode)
        let said = detail?.message ?? ""
        self.init(
            status: replyStatus, code: code,
            message: !said.isEmpty ? said : !code.sentence.isEmpty ? code.sentence : "the broker gave no reason",
            field: detail?.field ?? "", item: detail?.item.map { Int($0) },
            retryAfter: detail?.retryAfterMicroseconds.map { .microseconds(Int64(clamping: $0)) })
    }

    /// The status, the code and the message.
    public var description: String {
        code == .none ? "\(status): \(message)" : "\(status) (\(code)): \(message)"
    }
}

extension ClientError {
    /// A failure that the state machine found without a reply.
    ///
    /// - Parameters:
    ///   - keyTrouble: why keys keep a connection from coming about.
    ///   - publicKey: the client's own key.
    init(
        _ failure: ClientStateMachine.Failure, endpoint: String, deadline: Duration, hasHeardBroker: Bool,
        keyTrouble: HandshakeHistory.Trouble?, publicKey: CurvePublicKey?
    ) {
        switch failure {
        case .deadlineExceeded, .brokerSilent:
            if let keyTrouble {
                self.init(keyTrouble, endpoint: endpoint, publicKey: publicKey)
                return
            }
        case .brokerRestarted, .tooManyCalls, .cancelled, .closed: break
        }
        switch failure {
        case .deadlineExceeded:
            self.init(
                .deadlineExceeded,
                "no result within \(Self.text(deadline)); raise the deadline, or start more workers (sinew status shows the load)"
            )
        case .brokerSilent(let silence):
            if hasHeardBroker {
                self.init(
                    .brokerSilent,
                    "the broker at \(endpoint) has not answered for \(Self.text(silence)); see whether it still runs: sinew status"
                )
            } else {
                self.init(
                    .brokerUnreachable,
                    "no broker answers at \(endpoint) (tried for \(Self.text(silence))); start one: sinew up")
            }
        case .brokerRestarted:
            self.init(
                .brokerSilent, "the broker at \(endpoint) was started anew and lost the call too often; try again")
        case .tooManyCalls:
            self.init(.clientLimit, "too many calls wait in this client; wait for some of them before making more")
        case .cancelled: self.init(.cancelled, "the call was cancelled")
        case .closed: self.init(.clientClosed, "the client was closed while the call was under way")
        }
    }

    /// The keys keep a connection from coming about.
    init(_ trouble: HandshakeHistory.Trouble, endpoint: String, publicKey: CurvePublicKey?) {
        switch trouble {
        case .refused:
            self.init(
                .keyRefused,
                "the broker at \(endpoint) does not admit this key for clients: let its operator type: "
                    + "sinew keys authorize '\(publicKey?.z85 ?? "")' --role client")
        case .incompatible where publicKey == nil:
            self.init(
                .keysDoNotMatch,
                "the broker at \(endpoint) asks for a key: make one with sinew keys generate, and add --key and --broker-key"
            )
        case .incompatible:
            self.init(
                .keysDoNotMatch,
                "whoever listens at \(endpoint) does not hold the broker key given, or has no key at all: compare it with "
                    + "what sinew keys show prints beside the broker")
        }
    }

    init(_ error: ZeroMQError) {
        switch error.reason {
        case .invalidEndpoint, .addressUnavailable:
            self.init(status: .invalidArgument, code: .none, message: "\(error)")
        case .addressInUse, .terminated, .resourcesExhausted, .brokenMessage, .other:
            self.init(status: .unavailable, code: .none, message: "\(error)")
        }
    }

    private static func text(_ duration: Duration) -> String {
        let milliseconds = Int((duration.inSeconds * 1000).rounded())
        return milliseconds < 1000 ? "\(milliseconds) ms" : "\(Double(milliseconds / 100) / 10) s"
    }
}
