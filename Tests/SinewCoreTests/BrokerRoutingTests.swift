import SinewCore
import Testing

/// Which worker gets how much, with workers that solve one task after the other and a client that keeps a number of calls under way.
@Suite struct BrokerRoutingTests {
    /// Turns the clock by milliseconds.
    private struct Drive {
        var bench = BrokerBench()
        /// How long each worker needs for a task, milliseconds.
        var costs: [UInt64: Int]
        var settled: [UInt64: Int] = [:]
        /// What each worker holds, the oldest first.
        private(set) var held: [UInt64: [LeaseToken]] = [:]
        /// When the first of them is solved, milliseconds.
        private var done: [UInt64: Int] = [:]
        private var names: [UInt64]
        private var time = 0
        private var calls: UInt64 = 0
        private let callsUnderWay: Int

        init(costs: [UInt64: Int], callsUnderWay: Int) {
            self.costs = costs
            self.callsUnderWay = callsUnderWay
            names = costs.keys.sorted()
            for name in names { bench.hello(name) }
        }

        mutating func run(milliseconds: Int) {
            settled = [:]
            for _ in 0..<milliseconds { step() }
        }

        /// No work, but time.
        mutating func rest(seconds: Int) {
            while bench.machine.callsHeld > 0 { step(isAsking: false) }
            for _ in 0..<seconds * 1_000 { step(isAsking: false) }
        }

        private mutating func step(isAsking: Bool = true) {
            while isAsking, bench.machine.callsHeld < callsUnderWay {
                calls += 1
                take(bench.call(calls, items: 10))
            }
            bench.pass(1)
            time += 1
            for name in names {
                if time.isMultiple(of: 1_000) { bench.beat(name) }
                guard let end = done[name], end <= time, let token = held[name]?.first else { continue }
                held[name]?.removeFirst()
                begin(name)
                settled[name, default: 0] += 1
                take(bench.handle(.resulted(WorkerID(rawValue: name), token)))
            }
        }

        private mutating func take(_ actions: [BrokerStateMachine.Action]) {
            for action in actions {
                switch action {
                case .dispatch(_, let token, let worker, _, _):
                    held[worker.rawValue, default: []].append(token)
                    if done[worker.rawValue] == nil { begin(worker.rawValue) }
                case .withdraw(_, let token, let worker):
                    let isFirst = held[worker.rawValue]?.first == token
                    held[worker.rawValue]?.removeAll { $0 == token }
                    if isFirst { begin(worker.rawValue) }
                case .admit, .reject, .deliver, .abort, .discard, .welcome, .refuse, .askForHello, .drainWorker,
                    .forget, .announceDrain, .stop, .noteDeaths:
                    break
                }
            }
        }

        private mutating func begin(_ name: UInt64) {
            done[name] = held[name]?.isEmpty == false ? time + (costs[name] ?? 1) : nil
        }
    }

    @Test(arguments: [6, 16, 64])
    func `a worker that becomes four times slower gets a quarter of the other's share`(callsUnderWay: Int) throws {
        var drive = Drive(costs: [1: 10, 2: 10], callsUnderWay: callsUnderWay)
        drive.run(milliseconds: 5_000)
        let even = try #require(drive.settled[2]).asDouble / #require(drive.settled[1]).asDouble
        #expect(even > 0.9 && even < 1.1, "\(drive.settled)")
        drive.costs[2] = 40
        drive.run(milliseconds: 5_000)
        drive.run(milliseconds: 10_000)
        let share = try #require(drive.settled[2]).asDouble / #require(drive.settled[1]).asDouble
        #expect(share > 0.2 && share < 0.3, "\(drive.settled)")
    }

    @Test func `a worker that was slow in its first task gets an even share after a rest`() throws {
        var drive = Drive(costs: [1: 10, 2: 1_000], callsUnderWay: 8)
        drive.run(milliseconds: 8_000)
        drive.costs[2] = 10
        // What it showed is a hundredth of the other's speed, and the other has room for everything.
        drive.run(milliseconds: 15_000)
        drive.run(milliseconds: 5_000)
        let share = try #require(drive.settled[2]).asDouble / #require(drive.settled[1]).asDouble
        #expect(share > 0.9 && share < 1.1, "\(drive.settled)")
    }

    @Test func `a worker that rested shows its rate with one task before it gets more`() {
        var drive = Drive(costs: [1: 10, 2: 1_000], callsUnderWay: 8)
        drive.run(milliseconds: 8_000)
        drive.rest(seconds: 10)
        drive.run(milliseconds: 500)
        #expect(drive.held[2]?.count == 1 && drive.settled[2] == nil, "\(drive.held)")
        // It is as slow as it was.
        drive.run(milliseconds: 9_000)
        #expect(drive.settled[2] == 1, "\(drive.settled)")
    }
}

extension Int {
    fileprivate var asDouble: Double { Double(self) }
}
