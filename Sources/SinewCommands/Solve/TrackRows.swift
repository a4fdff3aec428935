internal import SinewFormats

/// The rows of an input as sequential models need them: track by track, in time order.
struct TrackRows {
    /// The rows of each track.
    let tracks: [[Int]]
    /// Whether a track's twists are used: a request has them for all of its rows or for none.
    let hasTwists: [Bool]

    init(_ input: PoseInput) {
        var tracks = [[Int]](repeating: [], count: input.trackNames.count)
        for row in 0..<input.count { tracks[input.tracks[row]].append(row) }
        for track in tracks.indices {
            // Rows of one frame keep the order of the file.
            tracks[track].sort { (input.frames[$0], $0) < (input.frames[$1], $1) }
        }
        self.tracks = tracks
        hasTwists = tracks.map { rows in rows.allSatisfy { input.hasTwists[$0] } }
    }

    /// The tracks shared out to at most `count` groups of about equally many rows.
    func groups(atMost count: Int) -> [[Int]] {
        var groups = [[Int]](repeating: [], count: max(1, min(count, tracks.count)))
        var rows = [Int](repeating: 0, count: groups.count)
        for track in tracks.indices.sorted(by: { (-tracks[$0].count, $0) < (-tracks[$1].count, $1) }) {
            let least = rows.indices.min { (rows[$0], $0) < (rows[$1], $1) } ?? 0
            groups[least].append(track)
            rows[least] += tracks[track].count
        }
        return groups
    }
}
