/// Whether the broker lives. Only our own pings say: a socket to a killed peer reports nothing for seconds.
extension ClientStateMachine {
    /// Nothing heard for an interval while something is expected: ask. The first call after a silence asks at once,
    /// so that a call with a short deadline still learns whether it was the broker that did not answer.
    var pingDue: Instant? {
        guard let expectingSince else { return nil }
        let quietSince = heard.map { $0 + limits.pingInterval } ?? expectingSince
        let due = Swift.max(quietSince, expectingSince)
        guard let pinged else { return due }
        return Swift.max(due, pinged + limits.pingInterval)
    }

    /// When silence becomes UNAVAILABLE; nil when the user prefers to wait.
    var silenceDue: Instant? {
        guard let expectingSince, !waitForReady else { return nil }
        return expectingSince + limits.brokerSilenceMax
    }

    /// Whether a ping was sent after the last word of the broker.
    var pingUnanswered: Bool {
        guard let pinged else { return false }
        guard let heard else { return true }
        return pinged > heard
    }

    mutating func hear(at now: Instant) {
        heard = now
        expectingSince = inFlightCount > 0 ? now : nil
    }

    mutating func stopExpectingIfIdle() {
        if inFlightCount == 0 { expectingSince = nil }
    }

    mutating func pingIfDue(at now: Instant, into actions: inout [Action]) {
        guard let due = pingDue, due <= now else { return }
        pinged = now
        actions.append(.ping)
    }

    /// A call that ends at its deadline while a ping is unanswered ends because of the broker.
    mutating func expire(at now: Instant, into actions: inout [Action]) {
        while let due = deadlines.min, due.key <= now {
            guard let call = calls[due.slot] else { preconditionFailure("a deadline without its call") }
            let failure: Failure
            switch call.state {
            case .inFlight:
                actions.append(.sendCancel(call.id))
                failure = pingUnanswered ? .brokerSilent(silence(at: now)) : .deadlineExceeded
            case .waiting, .backingOff:
                failure = pingUnanswered ? .brokerSilent(silence(at: now)) : .deadlineExceeded
            }
            end(due.slot, .fail(call.id, failure), into: &actions)
        }
    }

    mutating func giveUpOnSilence(at now: Instant, into actions: inout [Action]) {
        guard let due = silenceDue, due <= now else { return }
        let failure = Failure.brokerSilent(silence(at: now))
        for slot in calls.indices {
            guard let call = calls[slot] else { continue }
            end(slot, .fail(call.id, failure), into: &actions)
        }
    }

    private func silence(at now: Instant) -> Duration {
        guard let expectingSince else { return limits.brokerSilenceMax }
        return now - expectingSince
    }

    /// Another incarnation means that every call in flight was lost with the old broker.
    mutating func noteIncarnation(_ new: UInt64, at now: Instant, into actions: inout [Action]) {
        guard let known = incarnation, known != new else {
            incarnation = new
            return
        }
        incarnation = new
        for slot in calls.indices {
            guard let call = calls[slot] else { continue }
            switch call.state {
            case .waiting, .backingOff:
                continue
            case .inFlight:
                retryBudget.noteFailure()
                guard waitForReady || (call.attempts < limits.attemptsMax && retryBudget.allowsRetry) else {
                    end(slot, .fail(call.id, .brokerRestarted), into: &actions)
                    continue
                }
                backOff(slot, until: now)
            }
        }
    }
}
