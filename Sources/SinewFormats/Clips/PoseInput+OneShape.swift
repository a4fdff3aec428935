internal import SinewBody

extension PoseInput {
    /// One shape and one gender for each person: of each coefficient the weighted median over the rows, of gender the heavier part.
    ///
    /// A row weighs as many joints as were seen, each by how sure it is: `Σ 1 / (1 + (sigma / 0.02 m)²)`.
    package func withOneShapePerTrack() -> PoseInput {
        var result = self
        for rows in rowsOfTracks where !rows.isEmpty {
            let weights = rows.map(weight)
            for coefficient in 0..<10 {
                let value = WeightedMedian.of(rows.map { betas[$0 * 10 + coefficient] }, weights)
                for row in rows { result.betas[row * 10 + coefficient] = value }
            }
            let sums = Gender.allCases.map { gender in
                zip(rows, weights).reduce(0) { $0 + (genders[$1.0] == gender ? $1.1 : 0) }
            }
            let heaviest = sums.indices.max { (sums[$0], -$0) < (sums[$1], -$1) } ?? 0
            for row in rows { result.genders[row] = Gender.allCases[heaviest] }
        }
        return result
    }

    private func weight(_ row: Int) -> Double {
        (0..<Skeleton.positionCount).reduce(0) { sum, joint in
            guard observed[row] & 1 << UInt32(joint) != 0 else { return sum }
            let ratio = Double(sigma[row * 29 + joint] / Self.sigmaDefault)
            return sum + 1 / (1 + ratio * ratio)
        }
    }
}

/// The weighted median: the smallest value with half of the weight at or below it.
enum WeightedMedian {
    /// - Precondition: as many weights as values, at least one; weights are not negative.
    static func of(_ values: [Float], _ weights: [Double]) -> Float {
        precondition(values.count == weights.count && !values.isEmpty, "a weight for each value")
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        let half = weights.reduce(0, +) / 2
        var sum = 0.0
        for index in order {
            sum += weights[index]
            if sum >= half, weights[index] > 0 || half == 0 { return values[index] }
        }
        return values[order[order.count - 1]]
    }
}
