/// The rows of a batch cut into waves: wave `k` holds the frame `k` of every track, so that each wave's start poses are known.
struct TrackOrder {
    /// Rows of each wave, in the order of the batch.
    private(set) var waves: [[Int]] = []
    /// The row that holds the frame before; nil for the first of a track.
    private(set) var previous: [Int?]

    /// - Parameter tracks: a number per row, in time order within a track; empty when every row is a track of its own.
    init(tracks: [UInt32], count: Int) {
        previous = [Int?](repeating: nil, count: count)
        guard !tracks.isEmpty else {
            if count > 0 { waves = [Array(0..<count)] }
            return
        }
        // Looked up only; the order comes from the rows.
        var last: [UInt32: (row: Int, wave: Int)] = [:]
        for (row, track) in tracks.enumerated() {
            let before = last[track]
            previous[row] = before?.row
            let wave = before.map { $0.wave + 1 } ?? 0
            last[track] = (row, wave)
            if wave == waves.count { waves.append([]) }
            waves[wave].append(row)
        }
    }
}
