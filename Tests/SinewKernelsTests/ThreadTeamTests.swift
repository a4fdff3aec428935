import SinewKernels
import Synchronization
import TestSupport
import Testing

/// Counts in turns: in round `r` every member writes `r` to its own cell and, after meeting, must find `r` in all others.
private final class Rounds: TeamWork {
    let rounds: Int
    private let cells: [Atomic64]
    let mistakes = Atomic(0)
    let helps = Atomic(0)

    final class Atomic64: Sendable { let value = Atomic(0) }

    init(rounds: Int, members: Int) {
        self.rounds = rounds
        cells = (0..<members).map { _ in Atomic64() }
    }

    func help(_ member: TeamMember) {
        helps.wrappingAdd(1, ordering: .relaxed)
        perform(member)
    }

    func perform(_ member: TeamMember) {
        for round in 1...rounds {
            cells[member.index].value.store(round, ordering: .relaxed)
            member.meet()
            for cell in cells where cell.value.load(ordering: .relaxed) != round {
                mistakes.wrappingAdd(1, ordering: .relaxed)
            }
            member.meet()
        }
    }
}

/// Multiplies on shared buffers, every member some panels.
private final class SharedProduct: TeamWork {
    let matrix: PackedMatrix
    let a: SharedBuffer
    let c: SharedBuffer
    let rows: Int

    init(_ matrix: PackedMatrix, _ a: [Float], rows: Int) {
        self.matrix = matrix
        self.rows = rows
        self.a = SharedBuffer(count: a.count)
        c = SharedBuffer(count: rows * matrix.outputs)
        let buffer = self.a
        var span = buffer.mutableSpan
        for index in a.indices { span[index] = a[index] }
    }

    func help(_ member: TeamMember) { perform(member) }

    func perform(_ member: TeamMember) {
        let part = matrix.columns(ofPanels: member.share(of: matrix.panelCount))
        matrix.multiply(
            a, rows: rows, aStride: matrix.inputs, part: part, activation: .tanh, into: c, cStride: matrix.outputs)
    }

    var bits: [UInt32] {
        let c = c
        let span = c.span
        return (0..<c.count).map { span[$0].bitPattern }
    }
}

@Suite struct ThreadTeamTests {
    @Test(arguments: [1, 2, 3, 5, 8])
    func `all members see what the others wrote before they met`(count: Int) throws {
        let team = try ThreadTeam(count: count)
        for _ in 0..<20 {
            let work = Rounds(rounds: 50, members: count)
            team.run(work) { work.perform($0) }
            #expect(work.mistakes.load(ordering: .relaxed) == 0)
            #expect(work.helps.load(ordering: .relaxed) == count - 1)
        }
    }

    @Test func `helpers that went to sleep are woken by the next work`() throws {
        let team = try ThreadTeam(count: 3)
        for _ in 0..<50 {
            team.settle()
            let work = Rounds(rounds: 2, members: 3)
            team.run(work) { work.perform($0) }
            #expect(work.mistakes.load(ordering: .relaxed) == 0)
            #expect(work.helps.load(ordering: .relaxed) == 2)
        }
    }

    @Test func `every helper does each piece of work once, with more threads than processors`() throws {
        final class Once: TeamWork {
            let helped = (0..<24).map { _ in Rounds.Atomic64() }
            func help(_ member: TeamMember) { helped[member.index].value.wrappingAdd(1, ordering: .relaxed) }
        }
        let team = try ThreadTeam(count: 24)
        var mistakes = 0
        for piece in 0..<2000 {
            // Some pieces find helpers asleep, some find them on the way to bed.
            if piece % 7 == 0 { team.settle() }
            let work = Once()
            team.run(work) { _ in }
            mistakes += work.helped.dropFirst().count { $0.value.load(ordering: .relaxed) != 1 }
        }
        #expect(mistakes == 0)
    }

    @Test func `work of a team is back before the lead's result or error is given`() throws {
        struct Refused: Error {}
        let team = try ThreadTeam(count: 2)
        let work = Rounds(rounds: 1, members: 2)
        #expect(throws: Refused.self) {
            try team.run(work) { member throws(Refused) in
                work.perform(member)
                throw Refused()
            }
        }
        #expect(
            team.run(work) { member in
                work.perform(member)
                return 7
            } == 7)
        #expect(work.helps.load(ordering: .relaxed) == 2)
    }

    @Test func `a team that goes away ends its helpers, asleep or not`() throws {
        for round in 0..<20 {
            let team = try ThreadTeam(count: 4)
            if round % 2 == 0 { team.settle() }
        }
    }

    @Test func `a team that is at work refuses other work`() async {
        await #expect(processExitsWith: .failure) {
            let team = try ThreadTeam(count: 2)
            let outer = Rounds(rounds: 1, members: 2)
            team.run(outer) { member in
                outer.perform(member)
                team.run(outer) { _ in }
            }
        }
    }

    @Test func `shares cover everything in order and differ by one at most`() throws {
        for count in 1...9 {
            let team = try ThreadTeam(count: count)
            final class Shares: TeamWork {
                let found = Mutex<[Int: TeamMember]>([:])
                func help(_ member: TeamMember) { found.withLock { $0[member.index] = member } }
            }
            let work = Shares()
            team.run(work) { work.help($0) }
            let members = work.found.withLock { $0 }
            for total in 0...40 {
                var next = 0
                for index in 0..<count {
                    let share = try #require(members[index]).share(of: total)
                    #expect(share.lowerBound == next && abs(share.count * count - total) < count)
                    next = share.upperBound
                }
                #expect(next == total)
            }
        }
    }

    @Test(arguments: ISA.available)
    func `a product shared by panels has the bits of one thread's`(isa: ISA) throws {
        var generator = SplitMix64(seed: 21)
        for format in PackedMatrix.Format.allCases {
            for (outputs, inputs) in [(1, 3), (31, 7), (88, 64), (95, 520), (512, 40), (1100, 20)] {
                let matrix = PackedMatrix(
                    weights: randomFloats(outputs * inputs, &generator), bias: randomFloats(outputs, &generator),
                    inputs: inputs, format: format, isa: isa)
                for rows in [1, 2, 15, 30] {
                    let a = randomFloats(rows * inputs, &generator)
                    let alone = SharedProduct(matrix, a, rows: rows)
                    alone.perform(.alone)
                    for count in [2, 3, 5] {
                        let shared = SharedProduct(matrix, a, rows: rows)
                        try ThreadTeam(count: count).run(shared) { shared.perform($0) }
                        let isSame = shared.bits == alone.bits
                        #expect(isSame, "\(isa) \(format) \(rows)×\(outputs)×\(inputs), \(count) threads")
                    }
                }
            }
        }
    }

    @Test func `a pinned helper runs on its processor alone`() throws {
        final class Where: TeamWork {
            let found = Mutex<[[Int]]>([])
            func help(_ member: TeamMember) { found.withLock { $0.append(ProcessorPinning.allowed) } }
        }
        let allowed = ProcessorPinning.allowed
        let last = try #require(allowed.last)
        let work = Where()
        try ThreadTeam(count: 3, processors: [last]).run(work) { _ in }
        #expect(work.found.withLock { $0 } == [[last], [last]])
        let free = Where()
        try ThreadTeam(count: 2).run(free) { _ in }
        #expect(free.found.withLock { $0 } == [allowed])
        #expect(ProcessorPinning.allowed == allowed)
    }
}
