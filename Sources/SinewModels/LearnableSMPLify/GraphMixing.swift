internal import SinewKernels

/// The contraction `X · (A_k ∘ mask_k)` of a graph unit: every keypoint gathers what its neighbours know.
///
/// The graph is a tree, so only some 3 in 100 of a table's entries are not zero, and the mask is fixed once trained: what is kept is one
/// number per keypoint for the table that is the identity, and a short list per keypoint for each of the other two.
/// - Source: models.md §7.3.
struct GraphMixing: Sendable {
    /// A neighbour and its weight.
    private struct Term: Sendable {
        let keypoint: Int
        let weight: Float
    }

    /// Tables of a unit: itself, inward, outward.
    static let tableCount = 3

    /// Tables by keypoint, `[3][V]`.
    private let terms: [[Term]]
    private let keypointCount: Int

    /// Premultiplies the graph's tables with a unit's mask `[3, V, V]`.
    ///
    /// Each column of a table is divided by its sum before the mask, as published.
    init(keypointCount count: Int, edges: [GraphLayout.Edge], mask: [Float]) {
        precondition(mask.count == Self.tableCount * count * count)
        var tables = [[Float]](repeating: [Float](repeating: 0, count: count * count), count: Self.tableCount)
        for keypoint in 0..<count { tables[0][keypoint * count + keypoint] = 1 }
        for edge in edges {
            tables[1][edge.inner * count + edge.outer] = 1
            tables[2][edge.outer * count + edge.inner] = 1
        }
        var terms: [[Term]] = []
        for (index, table) in tables.enumerated() {
            for column in 0..<count {
                let sum = (0..<count).reduce(Float(0)) { $0 + table[$1 * count + column] }
                terms.append(
                    (0..<count).filter { table[$0 * count + column] != 0 }.map { row in
                        let entry = table[row * count + column] / sum
                        return Term(keypoint: row, weight: entry * mask[(index * count + row) * count + column])
                    })
            }
        }
        self.terms = terms
        keypointCount = count
    }

    /// Mixes `people` people.
    ///
    /// - Shape: `source` `[people, V, frames, channels]` → `mixed` `[people, V, frames, 3, channels]`.
    /// - Cost: about `3 · V · frames · channels` multiply-adds a person; no allocation.
    func apply(
        people: Int, frames: Int, channels: Int, _ source: borrowing AlignedBuffer, into mixed: inout AlignedBuffer
    ) {
        let source = source.span
        var mixed = mixed.mutableSpan
        for person in 0..<people {
            for keypoint in 0..<keypointCount {
                for table in 0..<Self.tableCount {
                    let list = terms[table * keypointCount + keypoint]
                    for frame in 0..<frames {
                        let row = ((person * keypointCount + keypoint) * frames + frame) * Self.tableCount + table
                        Self.sum(
                            list, source, from: (person * keypointCount * frames + frame) * channels,
                            stride: frames * channels, channels: channels, into: &mixed, at: row * channels)
                    }
                }
            }
        }
    }

    private static func sum(
        _ terms: [Term], _ source: Span<Float>, from start: Int, stride: Int, channels: Int,
        into mixed: inout MutableSpan<Float>, at target: Int
    ) {
        guard let first = terms.first else {
            for channel in 0..<channels { mixed[target + channel] = 0 }
            return
        }
        func row(_ term: Term) -> Range<Int> {
            let begin = start + term.keypoint * stride
            return begin..<(begin + channels)
        }
        RowArithmetic.accumulate(
            source.extracting(row(first)), times: first.weight, onto: &mixed, at: target, isFirst: true)
        for term in terms.dropFirst() {
            RowArithmetic.accumulate(
                source.extracting(row(term)), times: term.weight, onto: &mixed, at: target, isFirst: false)
        }
    }
}
