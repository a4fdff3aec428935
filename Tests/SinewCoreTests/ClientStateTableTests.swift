import SinewCore
import Testing

/// Walks the client's table of `proto/STATES.md` cell by cell.
@Suite struct ClientStateTableTests {
    enum State: String, CaseIterable {
        case waiting
        case inFlight = "in flight"
        case backingOff = "backing off"
        case ended
    }

    enum Event: String, CaseIterable {
        case reply = "reply, final"
        case overloaded = "reply RESOURCE_EXHAUSTED"
        case unavailable = "reply UNAVAILABLE"
        case cancel = "the user cancels"
        case samePong = "pong"
        case otherPong = "pong of another incarnation"
        case goingAway = "goingAway"
        case place = "a place is free and the backoff is over"
        case silence = "broker silent"
        case deadline = "deadline"
        case close = "the user closes the client"
    }

    @Test func `a call of a client does in every state what the document says`() throws {
        try StateTable("Client: a call").walk(states: State.self, events: Event.self) { state, event in
            var limits = Limits()
            limits.callsInFlightMax = 1
            var machine = ClientStateMachine(limits: limits, waitForReady: false, seed: 1)
            let start = BrokerBench.start
            let call = CallID(rawValue: 1)
            let other = CallID(rawValue: 2)
            func feed(_ event: ClientStateMachine.Event, at now: Instant = start) -> [ClientStateMachine.Action] {
                var actions: [ClientStateMachine.Action] = []
                machine.handle(event, at: now, into: &actions)
                return actions
            }
            let far = start + .seconds(60)
            let deadline = event == .deadline ? start + .seconds(2) : far
            _ = feed(.pong(incarnation: 1))
            switch state {
            case .waiting:
                _ = feed(.called(other, deadline: far))
                _ = feed(.called(call, deadline: deadline))
            case .inFlight:
                _ = feed(.called(call, deadline: deadline))
            case .backingOff:
                _ = feed(.called(call, deadline: deadline))
                _ = feed(.replied(call, attempt: 1, .overloaded(retryAfter: .milliseconds(1_500))))
            case .ended:
                _ = feed(.called(call, deadline: deadline))
                _ = feed(.replied(call, attempt: 1, .final))
            }
            let actions: [ClientStateMachine.Action]
            switch event {
            case .reply: actions = feed(.replied(call, attempt: 1, .final))
            case .overloaded: actions = feed(.replied(call, attempt: 1, .overloaded(retryAfter: nil)))
            case .unavailable: actions = feed(.replied(call, attempt: 1, .unavailable(retryAfter: nil)))
            case .cancel: actions = feed(.cancelled(call))
            case .samePong: actions = feed(.pong(incarnation: 1))
            case .otherPong: actions = feed(.pong(incarnation: 2))
            case .goingAway: actions = feed(.goingAway)
            case .place:
                let over = feed(.pong(incarnation: 1), at: start + .milliseconds(2_400))
                actions = over + feed(.replied(other, attempt: 1, .final), at: start + .milliseconds(2_500))
            case .silence: actions = feed(.ticked, at: start + .seconds(3))
            case .deadline:
                _ = feed(.pong(incarnation: 1), at: start + .milliseconds(1_500))
                actions = feed(.ticked, at: start + .seconds(2))
            case .close: actions = feed(.closed)
            }
            let mine = actions.filter { !$0.concerns(other) }
            return .cell(mine.map(\.name), next: Self.next(machine.state(of: call)).rawValue)
        }
    }

    private static func next(_ state: ClientStateMachine.CallState?) -> State {
        switch state {
        case .waiting: .waiting
        case .inFlight: .inFlight
        case .backingOff: .backingOff
        case nil: .ended
        }
    }
}

extension ClientStateMachine.Action {
    /// Whether the action is about this call.
    func concerns(_ id: CallID) -> Bool {
        switch self {
        case .send(let call, _, _), .sendCancel(let call), .complete(let call), .fail(let call, _): call == id
        case .ping: false
        }
    }
}
