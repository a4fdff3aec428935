internal import SinewBody

extension PoseInput {
    /// Joins tracks that go on as another after a gap: what a tracker lost and found again under a new name.
    ///
    /// A track may follow another when it begins after the other's end, at most `seconds` later, near where the other was heading: within
    /// 0.3 m and 1 m more for each second of the gap. Nearest pairs are joined first; a pair is left alone where another end or beginning
    /// is nearly as near (within twice the distance), because nobody can tell then who it was.
    /// - Throws: ``FormatError`` without a frame rate.
    package func stitched(overSeconds seconds: Double) throws(FormatError) -> PoseInput {
        guard let rate = framesPerSecond else {
            throw FormatError(
                .invalidData,
                "\(path) does not say its frame rate, which --stitch needs; add fps to the file, or type --input-fps",
                field: "fps")
        }
        let candidates = candidates(rate, seconds)
        var next = [Int?](repeating: nil, count: trackNames.count)
        var hasBefore = [Bool](repeating: false, count: trackNames.count)
        var doubtful = 0
        for pair in candidates where next[pair.from] == nil && !hasBefore[pair.to] {
            let rival = candidates.contains { other in
                (other.from == pair.from) != (other.to == pair.to) && other.distance < 2 * pair.distance + 0.05
            }
            if rival {
                doubtful += 1
                continue
            }
            next[pair.from] = pair.to
            hasBefore[pair.to] = true
        }
        return joined(next, hasBefore, doubtful: doubtful)
    }

    /// A track and one that may go on from it.
    private struct Candidate {
        let from, to: Int
        /// Metres between where the one was heading and where the other came from.
        let distance: Double
    }

    /// What may follow what, the nearest first. Where a third track fits in between, the outer two do not follow each other.
    private func candidates(_ rate: Double, _ seconds: Double) -> [Candidate] {
        let ends = rowsOfTracks.map { TrackEnds($0, of: self, rate: rate) }
        var found: [Candidate] = []
        var followers = [Set<Int>](repeating: [], count: ends.count)
        for (from, one) in ends.enumerated() {
            for (to, other) in ends.enumerated() where from != to {
                guard let one, let other, other.firstFrame > one.lastFrame else { continue }
                let gap = Double(other.firstFrame - one.lastFrame) / rate
                guard gap <= seconds else { continue }
                let heading = one.lastPlace + one.lastVelocity * (gap / 2)
                let distance = length(other.firstPlace - other.firstVelocity * (gap / 2) - heading)
                guard distance <= 0.3 + gap else { continue }
                found.append(Candidate(from: from, to: to, distance: distance))
                followers[from].insert(to)
            }
        }
        return found.filter { pair in !followers[pair.from].contains { followers[$0].contains(pair.to) } }
            .sorted { ($0.distance, $0.from, $0.to) < ($1.distance, $1.from, $1.to) }
    }

    private func joined(_ next: [Int?], _ hasBefore: [Bool], doubtful: Int) -> PoseInput {
        var result = self
        var owner = Array(trackNames.indices)
        var names: [String] = []
        var numbers = [Int](repeating: 0, count: trackNames.count)
        for track in trackNames.indices where !hasBefore[track] {
            numbers[track] = names.count
            names.append(trackNames[track])
            var at = track
            while let follower = next[at] {
                owner[follower] = track
                at = follower
            }
        }
        result.trackNames = names
        result.tracks = tracks.map { numbers[owner[$0]] }
        let joins = next.count { $0 != nil }
        if joins > 0 {
            result.notes.append(
                "\(joins) tracks go on as another after a gap and were joined; \(names.count) people remain")
        }
        if doubtful > 0 { result.notes.append("\(doubtful) tracks could go on as several others and were left apart") }
        return result
    }
}

/// Where a track begins and ends, and how it moves there.
private struct TrackEnds {
    let firstFrame, lastFrame: Int
    let firstPlace, lastPlace: SIMD3<Double>
    /// Metres a second.
    let firstVelocity, lastVelocity: SIMD3<Double>

    /// Nil for a track of which no trunk was seen.
    init?(_ rows: [Int], of input: PoseInput, rate: Double) {
        let sorted = rows.sorted { (input.frames[$0], $0) < (input.frames[$1], $1) }
        let places = sorted.compactMap { row in Self.place(row, of: input).map { (input.frames[row], $0) } }
        guard let first = places.first, let last = places.last else { return nil }
        (firstFrame, firstPlace) = first
        (lastFrame, lastPlace) = last
        // Over a third of a second: shorter is noise, longer is another step.
        let span = Int(max(2, rate / 3))
        let head = places.last { $0.0 <= first.0 + span } ?? first
        let tail = places.first { $0.0 >= last.0 - span } ?? last
        firstVelocity = Self.velocity(from: first, to: head, rate)
        lastVelocity = Self.velocity(from: tail, to: last, rate)
    }

    private static func velocity(
        from a: (Int, SIMD3<Double>), to b: (Int, SIMD3<Double>), _ rate: Double
    ) -> SIMD3<Double> {
        b.0 > a.0 ? (b.1 - a.1) * (rate / Double(b.0 - a.0)) : .zero
    }

    /// The middle of what was seen of pelvis, hips, shoulders and neck.
    private static func place(_ row: Int, of input: PoseInput) -> SIMD3<Double>? {
        let seen = [0, 1, 2, 12, 16, 17].filter { input.observed[row] & 1 << UInt32($0) != 0 }
        guard !seen.isEmpty else { return nil }
        return seen.reduce(SIMD3<Double>.zero) { $0 + input.joints.vector(at: row * 87 + $1 * 3) } / Double(seen.count)
    }
}
