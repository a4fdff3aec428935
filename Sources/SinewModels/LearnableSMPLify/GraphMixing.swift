internal import SinewKernels

/// The contraction `X · (A_k ∘ mask_k)` of a graph unit: every keypoint gathers what its neighbours know.
///
/// The graph is a tree, so only some 3 in 100 of a table's entries are not zero, and the mask is fixed once trained: what is kept is one
/// number per keypoint for the table that is the identity, and a short list per keypoint for each of the other two.
/// - Source: models.md §7.3.
struct GraphMixing: Sendable {
    /// Tables of a unit: itself, inward, outward.
    static let tableCount = 3

    private let mixing: RowMixing

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
        var lists: [[RowMixing.Term]] = []
        for column in 0..<count {
            for (index, table) in tables.enumerated() {
                let sum = (0..<count).reduce(Float(0)) { $0 + table[$1 * count + column] }
                lists.append(
                    (0..<count).filter { table[$0 * count + column] != 0 }.map { row in
                        let entry = table[row * count + column] / sum
                        return RowMixing.Term(row: row, weight: entry * mask[(index * count + row) * count + column])
                    })
            }
        }
        mixing = RowMixing(lists, group: Self.tableCount, rowCount: count)
    }

    /// Mixes `people` people.
    ///
    /// - Shape: `source` `[people, V, frames, channels]` → `mixed` `[people, V, frames, 3, channels]`.
    /// - Cost: about `3 · V · frames · channels` multiply-adds a person; no allocation.
    func apply(
        people: Int, frames: Int, channels: Int, _ source: borrowing AlignedBuffer, into mixed: inout AlignedBuffer
    ) {
        mixing.apply(tables: people, frames: frames, width: channels, source, into: &mixed)
    }
}
