/// Why the broker does not, or no longer, work on a call. The driver maps each to a gRPC status by an exhaustive switch.
package enum RejectionReason: Equatable, Sendable {
    /// RESOURCE_EXHAUSTED: a bound of the broker is reached; try again after this time.
    case overloaded(Bound, retryAfter: Duration)
    /// INVALID_ARGUMENT: the call has more items than `itemsPerCallMax`.
    case tooManyItems(max: Int)
    /// NOT_FOUND: workers are ready and none has ever had this model.
    case unknownModel
    /// UNAVAILABLE: no worker with this model is connected now; try again after this time.
    case noWorker(retryAfter: Duration)
    /// DEADLINE_EXCEEDED: the deadline passed before a result came.
    case deadlineExceeded
    /// INTERNAL: this many workers died with the call in hand, the last one with nothing else in hand.
    case poisoned(deaths: Int)
    /// UNAVAILABLE: the broker drains and takes no new calls.
    case draining
    /// UNAVAILABLE: the time of the drain was up before the call was done.
    case drainTimedOut

    /// Which limit was reached.
    package enum Bound: Equatable, Sendable {
        case queuedCalls
        case queuedItems
        case callsOfClient
        case payloadBytesHeld
    }
}
