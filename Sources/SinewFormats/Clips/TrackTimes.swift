/// The frames of a track in time order, cut where too many are missing.
enum TrackTimes {
    /// Runs of positions in `frames`, sorted by frame; a run ends before a gap of more than `gapMax` frames.
    ///
    /// - Parameter gapMax: frames between two neighbours of a run, 1 for none missing.
    static func runs(of frames: [Int], gapMax: Int) -> [[Int]] {
        let order = frames.indices.sorted { (frames[$0], $0) < (frames[$1], $1) }
        var runs: [[Int]] = []
        for position in order {
            if let last = runs.last?.last, frames[position] - frames[last] <= gapMax {
                runs[runs.count - 1].append(position)
            } else {
                runs.append([position])
            }
        }
        return runs
    }
}

extension PoseInput {
    /// The rows of each track, in the order of the file.
    var rowsOfTracks: [[Int]] {
        var rows = [[Int]](repeating: [], count: trackNames.count)
        for row in 0..<count { rows[tracks[row]].append(row) }
        return rows
    }
}
