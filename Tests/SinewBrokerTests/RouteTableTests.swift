import SinewBroker
import SinewCore
import SinewZeroMQ
import Testing

/// Who is behind a routing id.
@Suite struct RouteTableTests {
    private let now = Instant(nanoseconds: 1)
    private let route = Frame([0, 1, 2, 3, 4])

    @Test func `a peer keeps its number for as long as it is the same routing id and the same key`() {
        var table = RouteTable()
        var displaced: UInt64?
        let number = table.number(of: route, user: "anna", heard: now, displaced: &displaced)
        #expect(table.number(of: route, user: "anna", heard: now, displaced: &displaced) == number)
        #expect(displaced == nil && table.count == 1)
    }

    @Test func `routing ids of every length are told apart, and known ones are found by their bytes`() {
        var table = RouteTable()
        var displaced: UInt64?
        // Lengths around those that fit in one and in two words; zeros, so that only the length differs.
        let routes =
            (1...40).map { [UInt8](repeating: 0, count: $0) } + (0..<24).map { [UInt8](repeating: 0, count: $0) + [1] }
        let numbers = routes.map { table.number(of: Frame($0), user: nil, heard: now, displaced: &displaced) }
        #expect(Set(numbers).count == routes.count && table.count == routes.count)
        for (route, number) in zip(routes, numbers) {
            #expect(table.knownNumber(of: route.span, user: nil, heard: now) == number)
            #expect(table.knownNumber(of: route.span, user: "anna", heard: now) == nil, "somebody else")
        }
        table.forget(numbers[7])
        // A span of an element is not formed inside the macro.
        let forgotten = routes[7]
        #expect(table.knownNumber(of: forgotten.span, user: nil, heard: now) == nil)
        #expect(displaced == nil)
    }

    @Test func `another key behind the same routing id is another peer, and the one before is gone`() {
        var table = RouteTable()
        var displaced: UInt64?
        let anna = table.number(of: route, user: "anna", heard: now, displaced: &displaced)
        let thief = table.number(of: route, user: "thief", heard: now, displaced: &displaced)
        #expect(thief != anna)
        #expect(displaced == anna)
        #expect(table.route(of: anna) == nil, "nothing meant for Anna goes to the thief")
        #expect(table.route(of: thief) != nil)
        #expect(table.count == 1 && table.numbers == [thief])
    }

    @Test func `the peers of a key are found and forgotten, and others stay`() {
        var table = RouteTable()
        var displaced: UInt64?
        var numbers: [UInt64] = []
        for (index, user) in ["anna", "bob", "anna", nil].enumerated() {
            numbers.append(table.number(of: Frame([UInt8(index)]), user: user, heard: now, displaced: &displaced))
        }
        #expect(table.numbers { $0 == "anna" } == [numbers[0], numbers[2]])
        for number in [numbers[0], numbers[2]] { table.forget(number) }
        #expect(table.numbers == [numbers[1], numbers[3]])
        #expect(table.judge(numbers[0], byteCount: 1, limits: Limits(), at: now) == .dropped, "a forgotten peer")
        #expect(table.judge(numbers[1], byteCount: 1, limits: Limits(), at: now) == .taken)
    }
}

/// A log that stays readable.
@Suite struct RefusalLogTests {
    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 1) + .seconds(seconds) }

    @Test func `the first refusal of a kind is said at once and the others after a minute with their number`() {
        var log = RefusalLog()
        #expect(log.note("a", at: at(0)) == 1)
        for second in 1..<60 { #expect(log.note("a", at: at(second)) == nil) }
        #expect(log.note("b", at: at(59)) == 1)
        #expect(log.note("a", at: at(60)) == 60)
        #expect(log.note("a", at: at(61)) == nil)
    }

    @Test func `as many lines as may be are said in a minute and one more is not`() {
        var log = RefusalLog()
        var said = 0
        for kind in 0..<1_000 where log.note("\(kind)", at: at(0)) != nil { said += 1 }
        #expect(said == RefusalLog.linesMax)
        #expect(log.note("999", at: at(60)) == 2, "the one that was not said and this one")
    }

    @Test func `more kinds than are remembered cost no more memory and are said again`() {
        var log = RefusalLog()
        #expect(log.note("first", at: at(0)) == 1)
        #expect(log.note("first", at: at(0)) == nil)
        for kind in 0..<RefusalLog.entriesMax { _ = log.note("\(kind)", at: at(0)) }
        #expect(log.note("first", at: at(61)) == 1, "forgotten, so the count begins anew")
    }
}
