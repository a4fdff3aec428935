extension PoseInput {
    /// Some rows, in the order given; tracks keep their numbers.
    package func keeping(rows: [Int]) -> PoseInput {
        func pick<Element>(_ values: [Element], _ columns: Int) -> [Element] {
            rows.flatMap { values[($0 * columns)..<($0 * columns + columns)] }
        }
        var kept = self
        kept.count = rows.count
        kept.joints = pick(joints, 87)
        kept.observed = pick(observed, 1)
        kept.sigma = pick(sigma, 29)
        kept.twists = pick(twists, 23)
        kept.hasTwists = pick(hasTwists, 1)
        kept.betas = pick(betas, 10)
        kept.genders = pick(genders, 1)
        kept.tracks = pick(tracks, 1)
        kept.frames = pick(frames, 1)
        kept.places = pick(places, 1)
        return kept
    }

    /// The rows of some people; the other tracks are gone.
    package func keeping(tracks names: [String]) -> PoseInput {
        let numbers = names.compactMap { name in trackNames.firstIndex(of: name) }
        var kept = keeping(rows: (0..<count).filter { numbers.contains(tracks[$0]) })
        kept.trackNames = numbers.map { trackNames[$0] }
        kept.tracks = kept.tracks.map { track in numbers.firstIndex(of: track) ?? 0 }
        return kept
    }
}
