internal import Glibc
internal import SinewBody

extension PoseInput {
    /// The same motion at another frame rate.
    ///
    /// Frame `n` of the result is at `n / rate` seconds. A joint is seen where both neighbours are; a gap of more than half a second stays
    /// one. Sigma is that of the less sure neighbour; twists turn the short way.
    /// - Throws: ``FormatError`` without a frame rate.
    package func resampled(to rate: Double, _ interpolation: Interpolation) throws(FormatError) -> PoseInput {
        guard let from = framesPerSecond else {
            throw FormatError(
                .invalidData,
                "\(path) does not say its frame rate, which --fps needs; add fps to the file, or type --input-fps",
                field: "fps")
        }
        guard from != rate else { return self }
        var result = keeping(rows: [])
        for (track, rows) in rowsOfTracks.enumerated() {
            for run in TrackTimes.runs(of: rows.map { frames[$0] }, gapMax: Int(max(1, from / 2))) {
                append(run.map { rows[$0] }, track, from, rate, interpolation, to: &result)
            }
        }
        guard result.count > 0 else {
            throw FormatError(
                .invalidData,
                "\(path): at \(rate) frames a second nothing is left of \(count) rows; choose a higher --fps",
                field: "fps")
        }
        result.framesPerSecond = rate
        result.notes.append("\(count) rows at \(from) frames a second became \(result.count) at \(rate)")
        return result
    }

    private func append(
        _ rows: [Int], _ track: Int, _ from: Double, _ rate: Double, _ interpolation: Interpolation,
        to result: inout PoseInput
    ) {
        let numbers = rows.map { frames[$0] }
        for place in Resampling(of: numbers, from: from, to: rate).places {
            let (a, b) = (rows[place.index], rows[min(place.index + 1, rows.count - 1)])
            var seen: UInt32 = 0
            var positions = [Float](repeating: 0, count: 87)
            for joint in 0..<Skeleton.positionCount {
                let value = Resampling.value(place, numbers, interpolation) { index in
                    observed[rows[index]] & 1 << UInt32(joint) != 0
                        ? joints.vector(at: rows[index] * 87 + joint * 3) : nil
                }
                guard let value else { continue }
                seen |= 1 << UInt32(joint)
                positions.store(value, at: joint * 3)
            }
            let nearest = place.share < 0.5 ? a : b
            result.joints += positions
            result.observed.append(seen)
            result.sigma += (0..<29).map { max(sigma[a * 29 + $0], sigma[b * 29 + $0]) }
            let areTwisted = hasTwists[a] && hasTwists[b]
            result.hasTwists.append(areTwisted)
            result.twists += (0..<23).map { index in
                let (one, two) = (twists[a * 23 + index], twists[b * 23 + index])
                return areTwisted ? one + Float(place.share) * remainderf(two - one, 2 * .pi) : 0
            }
            result.betas += betas[(nearest * 10)..<(nearest * 10 + 10)]
            result.genders.append(genders[nearest])
            result.tracks.append(track)
            result.frames.append(place.frame)
            result.places.append("frame \(place.frame) of \(trackNames[track])")
            result.count += 1
        }
    }
}
