internal import Logging
internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

/// Who may say what: every message is looked at, because a connection outlives the key it was made with.
extension BrokerLoop {
    /// As whose a message is read.
    enum Sender {
        /// No keys are in use.
        case anybody
        case holder(AuthorizedKeys.Entry)
        case refused

        /// Whether it may change the fleet. Where no keys are in use, whoever reaches the port may.
        var mayOperate: Bool {
            switch self {
            case .anybody: true
            case .holder(let entry): entry.role == .operator
            case .refused: false
            }
        }
    }

    mutating func sender(_ user: String?, at port: BrokerPort) throws(ZeroMQError) -> Sender {
        guard keys != nil else { return .anybody }
        guard let user, let entry = try entry(of: user) else {
            refuse(user, "the key is not authorized any more", at: port)
            return .refused
        }
        if let objection = port.objection(to: entry.role) {
            refuse(user, objection, at: port)
            return .refused
        }
        return .holder(entry)
    }

    /// A key's entry in the newest list.
    private mutating func entry(of user: String) throws(ZeroMQError) -> AuthorizedKeys.Entry? {
        if let entry = keys?[user] { return entry }
        // The authenticator posts a list before it lets anybody in by it: the one that has this key may lie in the mailbox.
        try obeyCommands()
        return keys?[user]
    }

    private mutating func refuse(_ user: String?, _ why: String, at port: BrokerPort) {
        counters.messagesRefused += 1
        noteRefusal("refused a message: \(why)", at: port, key: user)
    }

    /// One line in the log for the first of its kind and then one a minute.
    mutating func noteRefusal(_ what: Logger.Message, at port: BrokerPort, key: String?) {
        guard let count = refusals.note("\(port) \(key ?? "") \(what)", at: now) else { return }
        var metadata: Logger.Metadata = ["port": "\(port)", "times": "\(count)"]
        if let key {
            metadata["key"] = "\(key)"
            metadata["name"] = "\(keys?[key]?.name ?? "")"
        }
        logger.warning(what, metadata: metadata)
    }

    /// Another list of keys is in force: connections of keys that are not admitted any more end here, whatever they have under way.
    mutating func take(_ changed: AuthorizedKeys) throws(ZeroMQError) {
        keys = changed
        func isUnwanted(_ user: String, _ port: BrokerPort) -> Bool {
            guard let entry = changed[user] else { return true }
            return port.objection(to: entry.role) != nil
        }
        let clients = clientRoutes.numbers { isUnwanted($0, .clients) }
        let workers = workerRoutes.numbers { isUnwanted($0, .workers) }
        for client in clients {
            clientRoutes.forget(client)
            try tell(.clientGone(ClientID(rawValue: client)))
        }
        for worker in workers { try end(WorkerID(rawValue: worker)) }
        guard !clients.isEmpty || !workers.isEmpty else { return }
        logger.warning(
            "ended what keys had under way that are not admitted any more",
            metadata: ["clients": "\(clients.count)", "workers": "\(workers.count)"])
    }

    /// Forgets a worker that may not speak any more; what it has runs elsewhere, and its tasks are not to blame.
    mutating func end(_ worker: WorkerID) throws(ZeroMQError) {
        try tell(.workerSaidGoodbye(worker))
        try tell(.undeliverable(worker, LeaseToken(rawValue: 0)))
        workerRoutes.forget(worker.rawValue)
    }

    /// Whether a client keeps to its rate; a call that does not is pushed back.
    mutating func isSlowEnough(
        _ byteCount: Int, of user: String?, _ head: Head, _ client: ClientID
    ) throws(ZeroMQError) -> Bool {
        let limits = configuration.limits
        let wait: Duration
        switch clientRoutes.judge(client.rawValue, byteCount: byteCount, limits: limits, at: now) {
        case .taken: return true
        case .tooFast(let retryAfter): wait = retryAfter
        case .dropped: wait = .zero
        }
        counters.messagesTooFast += 1
        noteRefusal("a client sends faster than one may", at: .clients, key: user)
        if head.kind == .call, wait > .zero {
            let retryAfter = Swift.min(Swift.max(wait, limits.retryAfterMin), limits.retryAfterMax)
            try answer(
                head, client,
                with: WireRejection(
                    .resourceExhausted, .tooFast,
                    "a client may send \(limits.peerMessagesPerSecond) messages and \(limits.peerBytesPerSecond >> 20) MiB per "
                        + "second; try again in \(retryAfter.inMilliseconds) ms",
                    retryAfter: retryAfter))
        }
        return false
    }

    /// What libzmq says of connections that did not come about.
    mutating func noteHandshakes() throws(ZeroMQError) {
        // Asked only then: finding nothing costs a system call each.
        if poller.isReady(clientHandshakesReady) {
            while let outcome = try clientHandshakes.next() { note(outcome, at: .clients) }
        }
        if poller.isReady(workerHandshakesReady) {
            while let outcome = try workerHandshakes.next() { note(outcome, at: .workers) }
        }
    }

    private mutating func note(_ outcome: HandshakeMonitor.Outcome, at port: BrokerPort) {
        switch outcome {
        // The authenticator has said why.
        case .succeeded, .refused: break
        case .incompatible:
            counters.handshakesWithoutKey += 1
            noteRefusal(
                keys == nil
                    ? "refused a connection: the peer has keys, and this broker has none"
                    : "refused a connection: the peer has no key, or expects another broker's", at: port, key: nil)
        case .brokenOff where keys == nil: break
        case .brokenOff:
            counters.handshakesWithoutKey += 1
            noteRefusal("refused a connection: it ended before the peer had shown a key", at: port, key: nil)
        }
    }
}
