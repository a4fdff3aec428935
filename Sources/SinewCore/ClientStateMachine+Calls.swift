import DequeModule

extension ClientStateMachine {
    mutating func admit(_ id: CallID, deadline: Instant, at now: Instant, into actions: inout [Action]) {
        precondition(slotOfCall[id] == nil, "call \(id.rawValue) is already under way")
        if isClosed {
            actions.append(.fail(id, .closed))
        } else if deadline <= now {
            actions.append(.fail(id, .deadlineExceeded))
        } else if waitingCount >= limits.callsWaitingMax {
            actions.append(.fail(id, .tooManyCalls))
        } else {
            let slot = freeSlots.popLast() ?? calls.count
            if slot == calls.count { calls.append(nil) }
            calls[slot] = Call(id: id, deadline: deadline, state: .waiting)
            slotOfCall[id] = slot
            deadlines.set(slot, deadline)
            waiting.append(id)
            waitingCount += 1
        }
    }

    mutating func cancel(_ id: CallID, into actions: inout [Action]) {
        guard let slot = slotOfCall[id], let call = calls[slot] else { return }  // it has ended
        if call.attempts > 0 { actions.append(.sendCancel(id)) }
        end(slot, .fail(id, .cancelled), into: &actions)
    }

    mutating func close(into actions: inout [Action]) {
        isClosed = true
        for slot in calls.indices {
            guard let call = calls[slot] else { continue }
            if call.attempts > 0 { actions.append(.sendCancel(call.id)) }
            end(slot, .fail(call.id, .closed), into: &actions)
        }
    }

    mutating func settle(
        _ id: CallID, attempt: Int, _ outcome: Outcome, at now: Instant, into actions: inout [Action]
    ) {
        guard let slot = slotOfCall[id], let call = calls[slot] else { return }  // late: the call has ended
        switch call.state {
        case .waiting: return  // never sent, so this answers something else
        case .inFlight, .backingOff: break
        }
        let pushback: Duration?
        switch outcome {
        case .final:
            retryBudget.noteSuccess()
            end(slot, .complete(id), into: &actions)
            return
        case .overloaded(let retryAfter), .unavailable(let retryAfter):
            // A refusal of an earlier attempt says nothing about the one that is under way.
            guard attempt == call.attempts else { return }
            pushback = retryAfter
        }
        switch call.state {
        case .waiting, .backingOff: return  // the same refusal a second time
        case .inFlight: break
        }
        let unlimited = waitForReady && outcome.isUnavailable
        retryBudget.noteFailure()
        guard unlimited || (call.attempts < limits.attemptsMax && retryBudget.allowsRetry) else {
            end(slot, .complete(id), into: &actions)
            return
        }
        let wait = retryBudget.backoff(afterAttempts: call.attempts, pushback: pushback)
        guard now + wait < call.deadline else {
            end(slot, .complete(id), into: &actions)
            return
        }
        backOff(slot, until: now + wait)
    }

    func isWaiting(_ id: CallID) -> Bool {
        guard let slot = slotOfCall[id], let call = calls[slot] else { return false }
        switch call.state {
        case .waiting: return true
        case .inFlight, .backingOff: return false
        }
    }

    /// Fills the free places: retries that are due first, they have waited longest.
    mutating func sendWhatMay(at now: Instant, into actions: inout [Action]) {
        while inFlightCount < limits.callsInFlightMax, let due = retries.min, due.key <= now {
            retries.remove(due.slot)
            send(due.slot, at: now, into: &actions)
        }
        while inFlightCount < limits.callsInFlightMax, let id = waiting.popFirst() {
            guard isWaiting(id), let slot = slotOfCall[id] else { continue }
            waitingCount -= 1
            send(slot, at: now, into: &actions)
        }
    }

    mutating func send(_ slot: Int, at now: Instant, into actions: inout [Action]) {
        guard var call = calls[slot] else { preconditionFailure("an empty slot was to be sent") }
        call.attempts = Swift.min(call.attempts + 1, 255)
        call.state = .inFlight
        calls[slot] = call
        inFlightCount += 1
        actions.append(.send(call.id, attempt: call.attempts, deadline: call.deadline))
        if expectingSince == nil { expectingSince = now }
    }

    mutating func backOff(_ slot: Int, until due: Instant) {
        calls[slot]?.state = .backingOff
        inFlightCount -= 1
        retries.set(slot, due)
        stopExpectingIfIdle()
    }

    /// The one way out of the machine, so that a call ends once.
    mutating func end(_ slot: Int, _ action: Action, into actions: inout [Action]) {
        guard let call = calls[slot] else { preconditionFailure("a call ended twice") }
        switch call.state {
        case .waiting:
            waitingCount -= 1
            if waiting.count > 2 * waitingCount + 64 {
                waiting = Deque(waiting.filter { isWaiting($0) && $0 != call.id })
            }
        case .inFlight: inFlightCount -= 1
        case .backingOff: retries.remove(slot)
        }
        deadlines.remove(slot)
        slotOfCall[call.id] = nil
        calls[slot] = nil
        freeSlots.append(slot)
        stopExpectingIfIdle()
        actions.append(action)
    }
}

extension ClientStateMachine.Outcome {
    fileprivate var isUnavailable: Bool {
        switch self {
        case .unavailable: true
        case .final, .overloaded: false
        }
    }
}
