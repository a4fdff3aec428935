extension BrokerStateMachine {
    mutating func drain(until: Instant, into actions: inout [Action]) {
        switch lifecycle {
        case .serving:
            lifecycle = .draining(until: until)
            actions.append(.announceDrain)
        case .draining(let known):
            // A second request can only shorten the wait.
            lifecycle = .draining(until: Swift.min(known, until))
        case .stopped:
            break
        }
    }

    mutating func finishDrain(at now: Instant, into actions: inout [Action]) {
        switch lifecycle {
        case .serving, .stopped:
            return
        case .draining(let until):
            if now >= until {
                for slot in tasks.slots.indices where tasks.slots[slot] != nil {
                    abort(slot, .drainTimedOut, at: now, into: &actions)
                }
            }
            guard tasks.count == 0 else { return }
            lifecycle = .stopped
            actions.append(.stop)
        }
    }

    package var isDraining: Bool {
        switch lifecycle {
        case .serving: false
        case .draining, .stopped: true
        }
    }
}
