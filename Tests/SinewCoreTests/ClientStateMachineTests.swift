import SinewCore
import Testing

@Suite struct ClientStateMachineTests {
    typealias Machine = ClientStateMachine

    private let start = Instant(nanoseconds: 1_000_000_000)
    private func call(_ number: UInt64) -> CallID { CallID(rawValue: number) }
    private func after(_ milliseconds: Int) -> Instant { start + .milliseconds(milliseconds) }

    private func machine(_ limits: Limits = Limits(), waitForReady: Bool = false) -> Machine {
        Machine(limits: limits, waitForReady: waitForReady, seed: 1)
    }

    @discardableResult
    private func run(_ machine: inout Machine, _ events: Machine.Event..., at now: Instant? = nil) -> [Machine.Action] {
        var actions: [Machine.Action] = []
        for event in events { machine.handle(event, at: now ?? start, into: &actions) }
        return actions
    }

    /// Turns the clock from timer to timer until `end`, as a driver does.
    private func ticks(_ machine: inout Machine, until end: Instant) -> [Machine.Action] {
        var actions: [Machine.Action] = []
        var last = start
        while let next = machine.nextDeadline, next <= end {
            #expect(next >= last || next >= start, "a timer must not lie in the past for ever")
            last = next
            machine.handle(.ticked, at: next, into: &actions)
        }
        return actions
    }

    @Test func `the first call asks whether the broker lives and a reply completes it`() {
        var machine = machine()
        let deadline = after(30_000)
        #expect(
            run(&machine, .called(call(1), deadline: deadline)) == [
                .send(call(1), attempt: 1, deadline: deadline), .ping,
            ])
        #expect(run(&machine, .replied(call(1), attempt: 1, .final)) == [.complete(call(1))])
        #expect(machine.callCount == 0)
        #expect(machine.nextDeadline == nil)
    }

    @Test func `a late or repeated reply is dropped`() {
        var machine = machine()
        run(&machine, .called(call(1), deadline: after(100)))
        run(&machine, .replied(call(1), attempt: 1, .final))
        #expect(run(&machine, .replied(call(1), attempt: 1, .final)).isEmpty)
        #expect(run(&machine, .replied(call(77), attempt: 1, .final)).isEmpty)
    }

    @Test func `calls beyond the places in flight wait and go in order`() {
        var limits = Limits()
        limits.callsInFlightMax = 2
        var machine = machine(limits)
        let deadline = after(30_000)
        run(&machine, .pong(incarnation: 1))
        let sent = run(
            &machine, .called(call(1), deadline: deadline), .called(call(2), deadline: deadline),
            .called(call(3), deadline: deadline), .called(call(4), deadline: deadline))
        #expect(
            sent == [.send(call(1), attempt: 1, deadline: deadline), .send(call(2), attempt: 1, deadline: deadline)])
        #expect(
            run(&machine, .replied(call(2), attempt: 1, .final)) == [
                .complete(call(2)), .send(call(3), attempt: 1, deadline: deadline),
            ])
    }

    @Test func `waiting calls reach their limit and one more fails at once`() {
        var limits = Limits()
        limits.callsInFlightMax = 1
        limits.callsWaitingMax = 2
        var machine = machine(limits)
        let deadline = after(30_000)
        run(&machine, .called(call(1), deadline: deadline), .called(call(2), deadline: deadline))
        #expect(run(&machine, .called(call(3), deadline: deadline)).isEmpty)
        #expect(run(&machine, .called(call(4), deadline: deadline)) == [.fail(call(4), .tooManyCalls)])
    }

    @Test func `a call ends at its deadline when the broker lives`() {
        var machine = machine()
        run(&machine, .called(call(1), deadline: after(500)), .pong(incarnation: 1))
        #expect(ticks(&machine, until: after(499)).isEmpty)
        #expect(ticks(&machine, until: after(500)) == [.sendCancel(call(1)), .fail(call(1), .deadlineExceeded)])
    }

    @Test func `a call whose deadline has passed is not sent`() {
        var machine = machine()
        #expect(run(&machine, .called(call(1), deadline: start)) == [.fail(call(1), .deadlineExceeded)])
    }

    @Test func `a short deadline with a dead broker says that the broker did not answer`() {
        var machine = machine()
        run(&machine, .called(call(1), deadline: after(200)))
        #expect(
            ticks(&machine, until: after(200)) == [
                .sendCancel(call(1)), .fail(call(1), .brokerSilent(.milliseconds(200))),
            ])
    }

    @Test func `a silent broker is pinged and then every call fails`() {
        var machine = machine()
        let deadline = after(30_000)
        run(&machine, .called(call(1), deadline: deadline), .pong(incarnation: 1), .called(call(2), deadline: deadline))
        let actions = ticks(&machine, until: after(5_000))
        #expect(
            actions == [
                .ping, .ping, .fail(call(1), .brokerSilent(.seconds(3))), .fail(call(2), .brokerSilent(.seconds(3))),
            ])
        #expect(machine.nextDeadline == nil)
    }

    @Test func `a slow answer is waited for as long as the broker answers pings`() {
        var machine = machine()
        run(&machine, .called(call(1), deadline: after(30_000)), .pong(incarnation: 1))
        for second in 1...10 {
            #expect(ticks(&machine, until: after(second * 1_000)) == [.ping])
            run(&machine, .pong(incarnation: 1), at: after(second * 1_000))
        }
        #expect(machine.callCount == 1)
    }

    @Test func `overload is retried after the pushback and not before`() {
        var machine = machine()
        let deadline = after(30_000)
        run(&machine, .called(call(1), deadline: deadline))
        #expect(run(&machine, .replied(call(1), attempt: 1, .overloaded(retryAfter: .milliseconds(400)))).isEmpty)
        #expect(ticks(&machine, until: after(399)).isEmpty)
        #expect(ticks(&machine, until: after(481)) == [.send(call(1), attempt: 2, deadline: deadline)])
    }

    @Test func `a retry that is due and finds no place waits for one without spinning`() {
        var limits = Limits()
        limits.callsInFlightMax = 1
        var machine = machine(limits)
        run(&machine, .called(call(1), deadline: after(60_000)), .called(call(2), deadline: after(60_000)))
        run(&machine, .replied(call(1), attempt: 1, .overloaded(retryAfter: .milliseconds(10))), .pong(incarnation: 1))
        #expect(run(&machine, .ticked, at: after(500)).isEmpty, "the second call has the place")
        #expect(machine.nextDeadline == after(1_000), "the next ping, not the past")
        let actions = run(&machine, .replied(call(2), attempt: 1, .final), at: after(600))
        #expect(actions == [.complete(call(2)), .send(call(1), attempt: 2, deadline: after(60_000))])
    }

    @Test func `attempts end with the reply in hand`() {
        var limits = Limits()
        limits.attemptsMax = 3
        var machine = machine(limits)
        run(&machine, .called(call(1), deadline: after(60_000)))
        var now = start
        for attempt in 1...2 {
            #expect(run(&machine, .replied(call(1), attempt: attempt, .unavailable(retryAfter: nil)), at: now).isEmpty)
            now = now + .seconds(3)
            let resent = run(&machine, .ticked, at: now)
            #expect(resent.first == .send(call(1), attempt: attempt + 1, deadline: after(60_000)))
        }
        #expect(
            run(&machine, .replied(call(1), attempt: 3, .unavailable(retryAfter: nil)), at: now) == [
                .complete(call(1))
            ])
    }

    @Test func `waiting for a ready service is not limited by attempts`() {
        var limits = Limits()
        limits.attemptsMax = 2
        var machine = machine(limits, waitForReady: true)
        run(&machine, .called(call(1), deadline: after(60_000)))
        var now = start
        for attempt in 1...8 {
            run(&machine, .replied(call(1), attempt: attempt, .unavailable(retryAfter: nil)), at: now)
            now = now + .seconds(3)
            run(&machine, .ticked, at: now)
        }
        #expect(machine.callCount == 1)
        #expect(run(&machine, .replied(call(1), attempt: 9, .final), at: now) == [.complete(call(1))])
    }

    @Test func `a retry that could only start after the deadline is not made`() {
        var machine = machine()
        run(&machine, .called(call(1), deadline: after(100)))
        #expect(
            run(&machine, .replied(call(1), attempt: 1, .overloaded(retryAfter: .milliseconds(100)))) == [
                .complete(call(1))
            ])
    }

    @Test func `the refusal of an earlier attempt does not end the one under way`() {
        var machine = machine()
        run(&machine, .called(call(1), deadline: after(60_000)))
        run(&machine, .replied(call(1), attempt: 1, .overloaded(retryAfter: .milliseconds(10))))
        run(&machine, .ticked, at: after(20))
        #expect(run(&machine, .replied(call(1), attempt: 1, .overloaded(retryAfter: nil)), at: after(21)).isEmpty)
        #expect(run(&machine, .replied(call(1), attempt: 1, .final), at: after(22)) == [.complete(call(1))])
    }

    @Test func `an empty retry budget ends retries`() {
        var limits = Limits()
        limits.retryTokensMax = 4
        limits.callsInFlightMax = 8
        var machine = machine(limits)
        var ended = 0
        for number in 1...4 as ClosedRange<UInt64> {
            run(&machine, .called(call(number), deadline: after(60_000)))
            let actions = run(&machine, .replied(call(number), attempt: 1, .unavailable(retryAfter: nil)))
            ended += actions.filter { $0 == .complete(call(number)) }.count
        }
        #expect(ended == 3, "four tokens allow one retry above the half")
    }

    @Test func `a broker that restarted is sent its calls again`() {
        var machine = machine()
        let deadline = after(30_000)
        run(&machine, .called(call(1), deadline: deadline), .pong(incarnation: 1))
        #expect(run(&machine, .pong(incarnation: 1), at: after(50)).isEmpty)
        #expect(
            run(&machine, .pong(incarnation: 2), at: after(60)) == [
                .send(call(1), attempt: 2, deadline: deadline)
            ])
    }

    @Test func `cancelling tells the broker once and ends the call`() {
        var machine = machine()
        run(&machine, .called(call(1), deadline: after(1_000)))
        #expect(run(&machine, .cancelled(call(1))) == [.sendCancel(call(1)), .fail(call(1), .cancelled)])
        #expect(run(&machine, .cancelled(call(1))).isEmpty)
        #expect(machine.nextDeadline == nil)
    }

    @Test func `closing ends every call and refuses further ones`() {
        var limits = Limits()
        limits.callsInFlightMax = 1
        var machine = machine(limits)
        run(&machine, .called(call(1), deadline: after(1_000)), .called(call(2), deadline: after(1_000)))
        #expect(
            run(&machine, .closed) == [
                .sendCancel(call(1)), .fail(call(1), .closed), .fail(call(2), .closed),
            ])
        #expect(run(&machine, .called(call(3), deadline: after(1_000))) == [.fail(call(3), .closed)])
    }
}
