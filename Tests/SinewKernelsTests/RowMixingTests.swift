import SinewKernels
import TestSupport
import Testing

@Suite struct RowMixingTests {
    private static func lists(rows: Int, count: Int, _ random: inout SplitMix64) -> [[RowMixing.Term]] {
        (0..<count).map { list in
            // Empty ones too, and the same row twice.
            (0..<(list % 5)).map { _ in
                RowMixing.Term(
                    row: Int.random(in: 0..<rows, using: &random), weight: Float.random(in: -2...2, using: &random))
            }
        }
    }

    private static func filled(_ values: [Float]) -> AlignedBuffer {
        var buffer = AlignedBuffer(count: values.count)
        var span = buffer.mutableSpan
        for index in values.indices { span[index] = values[index] }
        return buffer
    }

    @Test(arguments: ISA.available)
    func `every list is summed in every table and frame, whatever the width`(isa: ISA) {
        var random = SplitMix64(seed: 41)
        for (rows, group, width, frames) in [
            (1, 1, 1, 1), (5, 3, 7, 2), (29, 3, 64, 2), (29, 3, 32, 1), (25, 3, 33, 2), (4, 2, 15, 3), (3, 1, 17, 1),
        ] {
            let lists = Self.lists(rows: rows, count: group * rows, &random)
            let mixing = RowMixing(lists, group: group, rowCount: rows, isa: isa)
            let tables = 3
            let values = randomFloats(tables * rows * frames * width, &random)
            let size = tables * lists.count * frames * width
            // What lies behind the sums must stay.
            var mixed = Self.filled([Float](repeating: -77, count: size + 5))
            mixing.apply(tables: tables, frames: frames, width: width, Self.filled(values), into: &mixed)
            let found = mixed.span
            for table in 0..<tables {
                for (list, terms) in lists.enumerated() {
                    for frame in 0..<frames {
                        let row = ((table * rows + list / group) * frames + frame) * group + list % group
                        for column in 0..<width {
                            let parts = terms.map { term -> Double in
                                let at = ((table * rows + term.row) * frames + frame) * width + column
                                return Double(term.weight) * Double(values[at])
                            }
                            let bound = 1e-6 * parts.reduce(0) { $0 + abs($1) }
                            let sum = parts.reduce(0, +)
                            #expect(abs(Double(found[row * width + column]) - sum) <= bound, "\(isa) \(width) \(list)")
                        }
                    }
                }
            }
            for index in 0..<5 { #expect(found[size + index] == -77) }
        }
    }

    @Test(arguments: ISA.available)
    func `a table's bits do not depend on the tables beside it`(isa: ISA) {
        var random = SplitMix64(seed: 43)
        let mixing = RowMixing(Self.lists(rows: 6, count: 12, &random), group: 2, rowCount: 6, isa: isa)
        let values = randomFloats(4 * 6 * 19, &random)
        var together = AlignedBuffer(count: 4 * 12 * 19)
        mixing.apply(tables: 4, frames: 1, width: 19, Self.filled(values), into: &together)
        for table in 0..<4 {
            var alone = AlignedBuffer(count: 12 * 19)
            let own = Array(values[(table * 114)..<(table * 114 + 114)])
            mixing.apply(tables: 1, frames: 1, width: 19, Self.filled(own), into: &alone)
            for index in 0..<(12 * 19) { #expect(alone.span[index] == together.span[table * 228 + index]) }
        }
    }
}
