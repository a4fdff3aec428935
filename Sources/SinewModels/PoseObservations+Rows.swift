extension PoseObservations {
    /// Some people in another order, as a batch of their own: each a track of its own, without a start pose.
    func people(_ rows: [Int]) -> PoseObservations {
        func pick<Element>(_ values: [Element], _ columns: Int) -> [Element] {
            var picked: [Element] = []
            picked.reserveCapacity(rows.count * columns)
            for row in rows { picked += values[(row * columns)..<(row * columns + columns)] }
            return picked
        }
        return PoseObservations(
            count: rows.count, joints: pick(joints, 87), sigma: pick(sigma, 29), observed: pick(observed, 1),
            twists: pick(twists, 23), hasTwists: pick(hasTwists, 1), betas: pick(betas, 10), genders: pick(genders, 1))
    }
}

extension PoseObservations {
    /// The batch without one of its people; the frames around one that is left out follow each other.
    package func without(_ person: Int) -> PoseObservations {
        let rows = (0..<count).filter { $0 != person }
        var rest = people(rows)
        if !hasStart.isEmpty {
            rest.hasStart = rows.map { hasStart[$0] }
            rest.startTheta = rows.flatMap { startTheta[($0 * 72)..<($0 * 72 + 72)] }
        }
        if !tracks.isEmpty { rest.tracks = rows.map { tracks[$0] } }
        return rest
    }
}
