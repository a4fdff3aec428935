import SinewCore

extension BrokerStateMachine.Action {
    /// As `proto/STATES.md` writes it.
    var name: String {
        switch self {
        case .admit: "admit"
        case .reject: "reject"
        case .dispatch: "dispatch"
        case .deliver: "deliver"
        case .abort: "abort"
        case .discard: "discard"
        case .noteDeaths: "noteDeaths"
        case .withdraw: "withdraw"
        case .welcome: "welcome"
        case .refuse: "refuse"
        case .askForHello: "askForHello"
        case .drainWorker: "drainWorker"
        case .forget: "forget"
        case .announceDrain: "announceDrain"
        case .stop: "stop"
        }
    }
}

extension BatchingStateMachine.Action {
    /// As `proto/STATES.md` writes it.
    var name: String {
        switch self {
        case .run: "run"
        case .reply: "reply"
        case .expire: "expire"
        case .sendHome: "sendHome"
        case .drop: "drop"
        case .abandon: "abandon"
        case .drained: "drained"
        }
    }
}

extension ClientStateMachine.Action {
    /// As `proto/STATES.md` writes it.
    var name: String {
        switch self {
        case .send: "send"
        case .sendCancel: "sendCancel"
        case .ping: "ping"
        case .complete: "complete"
        case .fail: "fail"
        }
    }
}
