import DequeModule

/// Decides what a client does about its calls: send, wait, try again, give up. No socket, clock or continuation.
///
/// A call is *waiting* (for one of `callsInFlightMax` places), *in flight*, or *backing off* before its next attempt.
/// Each call ends by exactly one `complete` or `fail`, at its deadline at the latest. Replies to calls that ended are
/// dropped. Calls are idempotent (they are pure computations), so a call whose broker restarted is sent again.
///
/// Retries follow gRPC: only after UNAVAILABLE and RESOURCE_EXHAUSTED, at most `attemptsMax` attempts, exponential
/// backoff with jitter, the server's pushback first, and a token budget that stops retries when most calls fail.
package struct ClientStateMachine: Sendable {
    package enum Event: Equatable, Sendable {
        /// The user makes a call. Its id must not be in use.
        case called(CallID, deadline: Instant)
        /// The user no longer wants the answer.
        case cancelled(CallID)
        /// A reply arrived; the driver keeps it until it has performed the actions.
        case replied(CallID, attempt: Int, Outcome)
        /// The broker answered a ping. The incarnation is another number each time a broker starts.
        case pong(incarnation: UInt64)
        /// The broker said that it drains; calls in flight may still be answered.
        case goingAway
        /// Time passed.
        case ticked
        /// The user closes the client.
        case closed
    }

    /// What a reply means to the retry policy.
    package enum Outcome: Equatable, Sendable {
        /// Status OK, or an error that a second attempt would only repeat.
        case final
        /// RESOURCE_EXHAUSTED, with the broker's pushback when it gave one.
        case overloaded(retryAfter: Duration?)
        /// UNAVAILABLE, with the broker's pushback when it gave one.
        case unavailable(retryAfter: Duration?)
    }

    package enum Action: Equatable, Sendable {
        /// Send the call; `deadline` becomes the remaining time of the head.
        case send(CallID, attempt: Int, deadline: Instant)
        /// Tell the broker that nobody waits any more.
        case sendCancel(CallID)
        /// Ask the broker whether it lives.
        case ping
        /// Hand the reply that just arrived to the user, success or error, and forget the call.
        case complete(CallID)
        /// The call ends without a reply.
        case fail(CallID, Failure)
    }

    /// Why a call ended without a reply.
    package enum Failure: Equatable, Sendable {
        /// DEADLINE_EXCEEDED: the broker lives and did not answer in time.
        case deadlineExceeded
        /// UNAVAILABLE: nothing heard from the broker for this long.
        case brokerSilent(Duration)
        /// UNAVAILABLE: the broker restarted and the call may not be tried again.
        case brokerRestarted
        /// RESOURCE_EXHAUSTED: more calls wait in this client than `callsWaitingMax`.
        case tooManyCalls
        /// CANCELLED by the user.
        case cancelled
        /// CANCELLED: the client was closed.
        case closed
    }

    /// Where a call is that has not ended.
    package enum CallState: Equatable, Sendable {
        /// For a place in flight; never sent yet.
        case waiting
        case inFlight
        /// Refused, and to be sent again.
        case backingOff
    }

    struct Call {
        let id: CallID
        let deadline: Instant
        var state: CallState
        /// Attempts sent so far.
        var attempts = 0
    }

    let limits: Limits
    let waitForReady: Bool
    var retryBudget: RetryBudget
    var calls: [Call?] = []
    var freeSlots: [Int] = []
    var slotOfCall: [CallID: Int] = [:]
    /// Calls that wait for a place, in order; a call that has ended is skipped.
    var waiting: Deque<CallID> = []
    var waitingCount = 0
    var inFlightCount = 0
    var deadlines = IndexedHeap<Instant>()
    var retries = IndexedHeap<Instant>()
    /// When the broker spoke last.
    var heard: Instant?
    /// Since when something is expected from the broker; nil when nothing is.
    var expectingSince: Instant?
    var pinged: Instant?
    var incarnation: UInt64?
    var isClosed = false

    /// - Parameters:
    ///   - waitForReady: a broker that is silent or has no worker yet is waited for until the deadline.
    ///   - seed: drives the jitter of the backoff; two clients should not have the same one.
    package init(limits: Limits, waitForReady: Bool, seed: UInt64) {
        if let violated = limits.violatedRelation { preconditionFailure(violated) }
        self.limits = limits
        self.waitForReady = waitForReady
        retryBudget = RetryBudget(limits: limits, seed: seed)
    }

    /// Calls that have not ended.
    package var callCount: Int { slotOfCall.count }

    /// Nil when the call has ended, or was never made.
    package func state(of id: CallID) -> CallState? { slotOfCall[id].flatMap { calls[$0]?.state } }

    /// When `handle(.ticked)` has something to do next; nil when only an event can.
    package var nextDeadline: Instant? {
        var next = deadlines.min?.key
        // A retry that is due and has no place waits for one of the calls in flight to end, not for the clock.
        let retryDue = inFlightCount < limits.callsInFlightMax ? retries.min?.key : nil
        for candidate in [retryDue, pingDue, silenceDue] {
            if let candidate { next = next.map { Swift.min($0, candidate) } ?? candidate }
        }
        return next
    }

    package mutating func handle(_ event: Event, at now: Instant, into actions: inout [Action]) {
        switch event {
        case .called(let id, let deadline): admit(id, deadline: deadline, at: now, into: &actions)
        case .cancelled(let id): cancel(id, into: &actions)
        case .replied(let id, let attempt, let outcome):
            hear(at: now)
            settle(id, attempt: attempt, outcome, at: now, into: &actions)
        case .pong(let incarnation):
            hear(at: now)
            noteIncarnation(incarnation, at: now, into: &actions)
        case .goingAway: hear(at: now)
        case .ticked: break
        case .closed: close(into: &actions)
        }
        expire(at: now, into: &actions)
        giveUpOnSilence(at: now, into: &actions)
        sendWhatMay(at: now, into: &actions)
        pingIfDue(at: now, into: &actions)
    }
}
