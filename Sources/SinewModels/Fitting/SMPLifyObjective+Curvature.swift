internal import Glibc
internal import SinewBody

/// The Gauss-Newton curvature of SMPLify's error, for Levenberg-Marquardt.
extension SMPLifyObjective {
    /// The sum of a subtree's weights, weighted places and their products, about its own joint.
    private struct Composite {
        var weight = 0.0
        var first = SIMD3<Double>.zero
        /// `Σ w d dᵀ` by rows.
        var second = RotationMatrix(rows: .zero, .zero, .zero)

        mutating func add(_ other: Composite, at o: SIMD3<Double>) {
            weight += other.weight
            let m = other.first
            first += m + other.weight * o
            let far = m + other.weight * o
            // Σ w (d + o)(d + o)ᵀ = S + m oᵀ + o (m + W o)ᵀ.
            second.row0 += other.second.row0 + m.x * o + o.x * far
            second.row1 += other.second.row1 + m.y * o + o.y * far
            second.row2 += other.second.row2 + m.z * o + o.z * far
        }
    }

    /// The curvature at `x`: exact for priors, `2 JᵀWJ` for joints.
    ///
    /// Two joints share curvature only when one is above the other, so blocks are made of each joint with its ancestors; sums over a
    /// joint's subtree stand for its targets.
    package func curvature(_ x: [Double]) -> PositiveSystem {
        var system = PositiveSystem(count: Self.unknownCount)
        let (globals, positions) = place(x)
        var composites = [Composite](repeating: Composite(), count: 29)
        for joint in (0..<29).reversed() {
            composites[joint].weight += 2 * SMPLifySettings.jointWeight * confidences[joint]
            let parent = Self.parents[joint]
            if parent >= 0 { composites[parent].add(composites[joint], at: positions[joint] - positions[parent]) }
        }
        // World rotation vectors of the three axis-angle numbers of a joint, as columns.
        let axes = (0..<24).map { joint in
            globals[joint] * Self.rightJacobian(SIMD3(x[joint * 3], x[joint * 3 + 1], x[joint * 3 + 2]))
        }
        for joint in 0..<24 {
            let (m, s) = (composites[joint].first, composites[joint].second)
            let trace = s.trace
            var ancestor = joint
            while ancestor >= 0 {
                // Σ w [d]ₓᵀ [d + o]ₓ = tr(S) I − S + (m·o) I − o mᵀ.
                let o = positions[joint] - positions[ancestor]
                let diagonal = trace + dot(m, o)
                var world = RotationMatrix(
                    rows: -s.row0 - o.x * m, -s.row1 - o.y * m, -s.row2 - o.z * m)
                world.row0.x += diagonal
                world.row1.y += diagonal
                world.row2.z += diagonal
                system.set(axes[joint].transposed * (world * axes[ancestor]), row: joint * 3, column: ancestor * 3)
                ancestor = Self.parents[ancestor]
            }
            // With the translation: Σ w [d]ₓᵀ, rows of the translation, columns of the joint.
            let (a, b, c) = axes[joint].columns
            system.set(
                RotationMatrix(columns: cross(a, m), cross(b, m), cross(c, m)), row: 72, column: joint * 3)
        }
        for axis in 72..<75 { system[axis, axis] = composites[0].weight }
        addPriorCurvature(x, to: &system)
        return system
    }

    private func addPriorCurvature(_ x: [Double], to system: inout PositiveSystem) {
        let component = prior.error(of: x[3..<72]).component
        for column in 0..<PosePrior.dimension {
            for row in column..<PosePrior.dimension {
                system[3 + row, 3 + column] += SMPLifySettings.priorWeight * prior.precision(component, row, column)
            }
        }
        for (index, sign) in SMPLifySettings.bendings {
            system[index, index] += 4 * SMPLifySettings.angleWeight * exp(2 * sign * x[index])
        }
    }

    /// `J_r(θ)`, where `exp(θ + dθ) = exp(θ) exp(J_r dθ)`.
    private static func rightJacobian(_ theta: SIMD3<Double>) -> RotationMatrix {
        RotationMatrix(
            rows: rightJacobianTransposed(theta, times: SIMD3(1, 0, 0)),
            rightJacobianTransposed(theta, times: SIMD3(0, 1, 0)),
            rightJacobianTransposed(theta, times: SIMD3(0, 0, 1)))
    }
}

extension PositiveSystem {
    /// Sets a 3×3 block of the lower triangle; of a diagonal block only the lower half is kept.
    mutating func set(_ block: RotationMatrix, row: Int, column: Int) {
        for (i, values) in [block.row0, block.row1, block.row2].enumerated() {
            for j in 0..<3 where row + i >= column + j { self[row + i, column + j] = values[j] }
        }
    }
}
