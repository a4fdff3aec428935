internal import SinewBody

extension ShapeInversion {
    /// How far a unit of each unknown is, for the smallest step: a standard deviation of beta, and a tenth of the scale.
    private static let widths = [Double](repeating: 1, count: BodyModel.shapeCount) + [0.1]
    /// Lengths that are met to a nanometre need no further step.
    private static let squaresMin = 1e-18
    /// A step that is not better after so many halvings is given up.
    private static let halvingsMax = 8

    /// One damped Gauss-Newton step towards the six lengths.
    ///
    /// There are eleven unknowns, so many steps reach the lengths: the smallest is taken, `Δ = W Jᵀ (J W Jᵀ + μ I)⁻¹ r`, which leaves the
    /// kernel's answer as it is where the lengths do not speak. Unknowns that would leave their range stop at its end and the others make up.
    ///
    /// - Returns: nil once nothing gets better.
    func refined(_ shape: [Double], wanted: [Double]) -> [Double]? {
        let residual = zip(wanted, limbs.lengths(shape)).map { $0 - $1 }
        let squares = Self.squares(residual)
        guard squares > Self.squaresMin else { return nil }
        let step = boundedStep(from: shape, residual: residual)
        var fraction = 1.0
        for _ in 0..<Self.halvingsMax {
            let moved = zip(shape, step).map { $0 + fraction * $1 }
            let left = Self.squares(zip(wanted, limbs.lengths(moved)).map { $0 - $1 })
            if left < squares { return moved }
            fraction /= 2
        }
        return nil
    }

    private static func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }

    /// The smallest step within the ranges; every round fixes at least one unknown more, so there are at most twelve.
    private func boundedStep(from shape: [Double], residual: [Double]) -> [Double] {
        let jacobian = limbs.jacobian(shape)
        var free = [Bool](repeating: true, count: Self.unknownCount)
        var step = [Double](repeating: 0, count: Self.unknownCount)
        while free.contains(true) {
            // What the fixed unknowns already contribute is not asked of the others.
            let rest = residual.indices.map { limb in
                residual[limb]
                    - step.indices.reduce(0) { sum, unknown in
                        free[unknown] ? sum : sum + jacobian[limb * Self.unknownCount + unknown] * step[unknown]
                    }
            }
            let smallest = Self.smallestStep(jacobian, free: free, residual: rest)
            var stopped = false
            for unknown in step.indices where free[unknown] {
                let range = unknown < BodyModel.shapeCount ? Self.betaRange : Self.scaleRange
                let wanted = shape[unknown] + smallest[unknown]
                let kept = min(max(wanted, range.lowerBound), range.upperBound)
                step[unknown] = kept - shape[unknown]
                if kept != wanted {
                    free[unknown] = false
                    stopped = true
                }
            }
            if !stopped { break }
        }
        return step
    }

    /// `W Jᵀ (J W Jᵀ + μ I)⁻¹ r` over the free unknowns; the others get 0.
    private static func smallestStep(_ jacobian: [Double], free: [Bool], residual: [Double]) -> [Double] {
        let count = LimbLengths.count
        let weights = widths.indices.map { free[$0] ? widths[$0] * widths[$0] : 0 }
        var gram = [Double](repeating: 0, count: count * count)
        for row in 0..<count {
            for column in 0..<count {
                gram[row * count + column] = weights.indices.reduce(0) { sum, unknown in
                    sum + weights[unknown] * jacobian[row * unknownCount + unknown]
                        * jacobian[column * unknownCount + unknown]
                }
            }
        }
        // Small against the lengths' own spread, so that steps stay whole; there because fewer than six unknowns may be free.
        let trace = (0..<count).reduce(0) { $0 + gram[$1 * count + $1] }
        for row in 0..<count { gram[row * count + row] += 1e-6 * trace / Double(count) + 1e-15 }
        let multipliers = solvedByCholesky(gram, residual)
        return weights.indices.map { unknown in
            weights[unknown]
                * (0..<count).reduce(0) { $0 + jacobian[$1 * unknownCount + unknown] * multipliers[$1] }
        }
    }

    /// Solves `A x = b` for a symmetric positive definite `A` `[n, n]`.
    private static func solvedByCholesky(_ matrix: [Double], _ right: [Double]) -> [Double] {
        let count = right.count
        var lower = matrix
        for column in 0..<count {
            for row in column..<count {
                var value = lower[row * count + column]
                for index in 0..<column { value -= lower[row * count + index] * lower[column * count + index] }
                lower[row * count + column] =
                    row == column ? max(value, 1e-30).squareRoot() : value / lower[column * count + column]
            }
        }
        var solution = right
        for row in 0..<count {
            for index in 0..<row { solution[row] -= lower[row * count + index] * solution[index] }
            solution[row] /= lower[row * count + row]
        }
        for row in (0..<count).reversed() {
            for index in (row + 1)..<count { solution[row] -= lower[index * count + row] * solution[index] }
            solution[row] /= lower[row * count + row]
        }
        return solution
    }
}
