internal import SinewKernels

/// The contraction `X · (A_k ∘ mask_k)` of a graph unit: every keypoint gathers what its neighbours know.
///
/// The graph is a tree, so only some 3 in 100 of a table's entries are not zero, and the mask is fixed once trained: what is kept is one
/// number per keypoint for the table that is the identity, and a short list per keypoint for each of the other two.
/// - Source: models.md §7.3.
struct GraphMixing: Sendable {
    /// Tables of a unit: itself, inward, outward.
    static let tableCount = 3

    /// Where the list of each keypoint begins, table by table within a keypoint: `[V · 3 + 1]`.
    private let starts: [Int]
    /// The neighbours of all lists, one list after the other.
    private let neighbours: [Int]
    /// Their weights.
    private let weights: [Float]
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
        var starts = [0]
        var neighbours: [Int] = []
        var weights: [Float] = []
        for column in 0..<count {
            for (index, table) in tables.enumerated() {
                let sum = (0..<count).reduce(Float(0)) { $0 + table[$1 * count + column] }
                for row in 0..<count where table[row * count + column] != 0 {
                    let entry = table[row * count + column] / sum
                    neighbours.append(row)
                    weights.append(entry * mask[(index * count + row) * count + column])
                }
                starts.append(neighbours.count)
            }
        }
        self.starts = starts
        self.neighbours = neighbours
        self.weights = weights
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
        let (starts, neighbours, weights) = (starts.span, neighbours.span, weights.span)
        let stride = frames * channels
        for person in 0..<people {
            for list in 0..<(starts.count - 1) {
                let (keypoint, table) = (list / Self.tableCount, list % Self.tableCount)
                for frame in 0..<frames {
                    let target = ((person * keypointCount + keypoint) * frames + frame) * Self.tableCount + table
                    let from = person * keypointCount * stride + frame * channels
                    var row = mixed._mutatingExtracting((target * channels)..<(target * channels + channels))
                    guard starts[list] < starts[list + 1] else {
                        for channel in row.indices { row[channel] = 0 }
                        continue
                    }
                    for term in starts[list]..<starts[list + 1] {
                        let begin = from + neighbours[term] * stride
                        Self.add(
                            source.extracting(begin..<(begin + channels)), times: weights[term], to: &row,
                            isFirst: term == starts[list])
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func add(
        _ values: Span<Float>, times weight: Float, to row: inout MutableSpan<Float>, isFirst: Bool
    ) {
        precondition(values.count == row.count)
        if isFirst {
            for channel in row.indices { row[channel] = values[channel] * weight }
        } else {
            for channel in row.indices { row[channel] += values[channel] * weight }
        }
    }
}
