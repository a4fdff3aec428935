internal import Logging
internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

extension WorkerLoop {
    /// Looks at what other threads ordered, and at the end of a drain's time.
    mutating func followOrders() throws(ZeroMQError) {
        let pending = orders.take()
        if pending.stop {
            try leaveNow()
            return
        }
        if let duration = pending.drainWithin { try drain(within: duration, reason: "ordered") }
        let now = clock.now
        switch lifecycle {
        case .draining(let until) where until <= now:
            logger.warning("the drain took too long; unfinished tasks go back", metadata: ["tasks": "\(tasks.count)"])
            try leaveNow()
        case .farewell(let until) where until <= now: lifecycle = .stopped
        case .serving, .draining, .farewell, .stopped: break
        }
    }

    /// Says goodbye first, so that no new task is sent here, then gives back what has not started.
    mutating func drain(within duration: Duration, reason: String) throws(ZeroMQError) {
        let until = clock.now + duration
        switch lifecycle {
        case .farewell, .stopped: return
        case .draining(let known):
            // A second order can only shorten the wait.
            lifecycle = .draining(until: min(known, until))
        case .serving:
            logger.info(
                "draining",
                metadata: [
                    "worker": "\(configuration.name)", "reason": "\(reason)",
                    "queued-items": "\(machine.queuedItems)", "running-items": "\(machine.runningItems)",
                ])
            lifecycle = .draining(until: until)
            try send(Head(kind: .goodbye))
            try step(.drainRequested)
        }
    }

    /// Gives everything back, also what is being computed: somebody else can begin with it at once.
    private mutating func leaveNow() throws(ZeroMQError) {
        try drain(within: .zero, reason: "the worker stops")
        for lease in machine.heldLeases {
            if let task = tasks[lease] {
                try send(Head(kind: .returned, callID: task.callID, lease: task.brokerLease, attempt: task.attempt))
            }
            try step(.cancelled(lease))
        }
        try beginFarewell()
    }

    /// Nothing is in hand any more. The worker goes when the broker has forgotten it, or cannot be reached.
    mutating func beginFarewell() throws(ZeroMQError) {
        switch lifecycle {
        case .farewell, .stopped: return
        case .serving, .draining: break
        }
        lifecycle = .farewell(until: clock.now + WorkerLoop.farewellMax)
        try sayFarewell()
    }

    /// A broker forgets a worker that says goodbye with nothing in hand, and asks whom it does not know to introduce itself:
    /// that answer to a beat is the sign that no task is on its way.
    mutating func sayFarewell() throws(ZeroMQError) {
        try send(Head(kind: .goodbye))
        try beat()
        if connection.state == .absent { lifecycle = .stopped }
    }
}
