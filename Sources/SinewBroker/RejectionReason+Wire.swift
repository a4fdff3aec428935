internal import SinewCore
internal import SinewWire

/// What a client is told: status, code, and a sentence with what, why and what to type next.
struct WireRejection: Error {
    let status: StatusCode
    let detail: ErrorDetail

    init(
        _ status: StatusCode, _ code: ServiceErrorCode, _ message: String, field: String = "",
        retryAfter: Duration? = nil
    ) {
        self.status = status
        detail = ErrorDetail(
            message: message, code: UInt32(code.rawValue), field: field,
            retryAfterMicroseconds: retryAfter.map { $0.remainingMicroseconds })
    }

    /// - Parameters:
    ///   - model: what the call asked for.
    ///   - readyModels: `name/version` of all ready models, for the message.
    init(_ reason: RejectionReason, model: String, readyModels: [String], limits: Limits) {
        switch reason {
        case .overloaded(let bound, let retryAfter):
            self.init(
                .resourceExhausted, bound.code,
                "\(bound.sentence(limits)); try again in \(retryAfter.inMilliseconds) ms",
                retryAfter: retryAfter)
        case .tooManyItems(let max):
            self.init(
                .invalidArgument, .payloadTooLarge,
                "the call has more than \(max) people; send several calls of at most \(max)", field: "joints")
        case .unknownModel:
            self.init(
                .notFound, .unknownModel,
                "no worker has the model “\(model)”; ready are: \(readyModels.joined(separator: ", "))", field: "model")
        case .noWorker(let retryAfter):
            self.init(
                .unavailable, .noWorker,
                "no worker with the model “\(model)” is connected to the broker now; start one with `sinew worker`",
                retryAfter: retryAfter)
        case .deadlineExceeded:
            self.init(
                .deadlineExceeded, .deadlineExceeded,
                "the deadline passed before a worker had the result; allow more time, or start more workers with `sinew worker`"
            )
        case .poisoned(let deaths):
            self.init(
                .internal, .killsWorkers,
                "\(deaths) workers were lost while they had this call, the last one had nothing else; it is not tried again. Look at the workers' logs"
            )
        case .draining:
            self.init(
                .unavailable, .draining, "the broker is about to stop and takes no new calls; use another one or wait",
                retryAfter: limits.retryAfterMax)
        case .drainTimedOut:
            self.init(
                .unavailable, .draining, "the broker stopped before a worker had the result; send the call again",
                retryAfter: limits.retryAfterMax)
        }
    }
}

extension RejectionReason.Bound {
    fileprivate var code: ServiceErrorCode {
        switch self {
        case .queuedCalls, .queuedItems, .payloadBytesHeld: .queueFull
        case .callsOfClient: .clientLimit
        }
    }

    fileprivate func sentence(_ limits: Limits) -> String {
        switch self {
        case .queuedCalls: "the broker's queue is full: \(limits.queuedCallsMax) calls wait"
        case .queuedItems: "the broker's queue is full: at most \(limits.queuedItemsMax) people may wait"
        case .payloadBytesHeld: "the broker holds \(limits.payloadBytesHeldMax >> 20) MiB of calls, as much as it may"
        case .callsOfClient: "this client has \(limits.callsPerClientMax) calls under way, as many as one may have"
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up.
    var inMilliseconds: UInt64 { (remainingMicroseconds + 999) / 1_000 }
}
