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
        switch lifecycle {
        case .draining(let until) where until <= clock.now:
            logger.warning("the drain took too long; unfinished tasks go back", metadata: ["tasks": "\(tasks.count)"])
            try leaveNow()
        case .serving, .draining, .stopped: break
        }
    }

    /// Says goodbye first, so that no new task is sent here, then gives back what has not started.
    mutating func drain(within duration: Duration, reason: String) throws(ZeroMQError) {
        let until = clock.now + duration
        switch lifecycle {
        case .stopped: return
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
        for lease in machine.heldLeases {
            guard let task = tasks[lease] else { continue }
            try send(Head(kind: .returned, callID: task.callID, lease: task.brokerLease, attempt: task.attempt))
        }
        try send(Head(kind: .goodbye))
        lifecycle = .stopped
    }
}
