internal import SinewBody
package import SinewModels

/// How long a model takes per person at each batch size, measured on this machine.
///
/// Cost is not a·n + b: it has steps where blocks fill and where caches end, so it is measured and not modelled.
package struct BatchSizeTable: Sendable {
    package struct Entry: Sendable, Equatable {
        package let size: Int
        package let perItem: Duration

        package init(size: Int, perItem: Duration) {
            self.size = size
            self.perItem = perItem
        }
    }

    package let entries: [Entry]

    package init(entries: [Entry]) { self.entries = entries }

    /// Measures sizes 1, 2, 4 … up to `sizeMax`, the best of three runs each, for about `budget` in all.
    ///
    /// - Returns: nil when the model was cancelled or could not solve a person at rest.
    package static func measure(
        _ model: any PoseModel, sizeMax: Int, budget: Duration, isCancelled: () -> Bool
    ) -> BatchSizeTable? {
        // Timing hardly depends on the pose; a person at rest can be solved by every model.
        guard let body = try? BodyModel.bundled(.neutral) else { return nil }
        let rest = body.restJoints(betas: [Float](repeating: 0, count: 10))
        let start = ContinuousClock.now
        var entries: [Entry] = []
        var size = 1
        while size <= sizeMax {
            let batch = people(size, joints: rest)
            var best: Duration?
            for _ in 0..<3 {
                let begin = ContinuousClock.now
                guard (try? model.solve(batch, isCancelled: isCancelled)) != nil else { return nil }
                let taken = ContinuousClock.now - begin
                best = best.map { Swift.min($0, taken) } ?? taken
                if ContinuousClock.now - start > budget { break }
            }
            if let best { entries.append(Entry(size: size, perItem: best / size)) }
            if ContinuousClock.now - start > budget { break }
            size *= 2
        }
        return BatchSizeTable(entries: entries)
    }

    /// The smallest size within 3 % of the best time per person: beyond it a larger batch only makes callers wait.
    package var bestSize: Int? {
        guard let best = entries.map(\.perItem).min() else { return nil }
        return entries.first { $0.perItem <= best * 1.03 }?.size
    }

    private static func people(_ count: Int, joints: [Float]) -> PoseObservations {
        var all: [Float] = []
        for _ in 0..<count { all += joints }
        return PoseObservations(
            count: count, joints: all, sigma: Array(repeating: RequestFields.sigmaDefault, count: count * 29),
            observed: Array(repeating: (1 << 29) - 1, count: count), twists: Array(repeating: 0, count: count * 23),
            hasTwists: Array(repeating: false, count: count), betas: Array(repeating: 0, count: count * 10),
            genders: Array(repeating: .neutral, count: count))
    }
}
