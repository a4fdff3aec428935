internal import SinewBody

extension PoseInput {
    /// Smooths every joint of every track by the One-Euro filter; a joint begins anew after it was not seen, a track after a gap.
    ///
    /// - Throws: ``FormatError`` without a frame rate: the filter counts in seconds.
    package func smoothed(by filter: OneEuroFilter) throws(FormatError) -> PoseInput {
        guard let rate = framesPerSecond else {
            throw FormatError(
                .invalidData,
                "\(path) does not say its frame rate, which smoothing needs; add fps to the file, or type --input-fps",
                field: "fps")
        }
        var smoothed = self
        for rows in rowsOfTracks {
            for run in TrackTimes.runs(of: rows.map { frames[$0] }, gapMax: Int(max(1, rate))) {
                for joint in 0..<Skeleton.positionCount {
                    smooth(run.map { rows[$0] }, joint, filter, rate, into: &smoothed)
                }
            }
        }
        smoothed.notes.append(
            "joints are smoothed (One-Euro, cutoff \(filter.minimalCutoff) Hz, beta \(filter.beta)); they lag a little")
        return smoothed
    }

    private func smooth(
        _ rows: [Int], _ joint: Int, _ filter: OneEuroFilter, _ rate: Double, into smoothed: inout PoseInput
    ) {
        let fresh = [OneEuroFilter.Signal](repeating: OneEuroFilter.Signal(filter), count: 3)
        var signals = fresh
        var last: Int?
        for row in rows {
            guard observed[row] & 1 << UInt32(joint) != 0 else {
                last = nil
                continue
            }
            if last == nil { signals = fresh }
            let seconds = last.map { Double(frames[row] - $0) / rate } ?? 0
            last = frames[row]
            for axis in 0..<3 {
                let index = row * 87 + joint * 3 + axis
                smoothed.joints[index] = Float(signals[axis].next(Double(joints[index]), after: seconds))
            }
        }
    }
}
