internal import Glibc
internal import SinewBody

/// SMPLify's error of one person, and its gradient through the skeleton.
///
/// `E = 600² Σ_j c_j² Σ_xyz ρ(p_j + t − k_j) + (4.78·1.5)² E_prior + 15.2² Σ exp(±θ_e)² + 5² ‖θ_body − θ_start‖²`, the last term for
/// LBFGS only. The shape is the caller's, so its term `5² ‖β‖²` is constant and left out. Unknowns: 72 axis-angle numbers and the
/// translation, 75 in all.
///
/// - Source: models.md §8.
package struct SMPLifyObjective {
    static let unknownCount = 75

    /// Which unknowns and terms count.
    package enum Stage: Sendable {
        /// Root orientation and translation from hips and shoulders; the body's slope is zero.
        case root
        case body
        /// As ``body``, and the pose stays near `start`.
        case bodyNearStart
    }

    /// What is minimised now.
    package var stage = Stage.root
    private let rest: [SIMD3<Double>]
    private let targets: [SIMD3<Double>]
    /// `c_j²`, 0 where nothing was seen.
    let confidences: [Double]
    private let torso: [Int]
    let prior: PosePrior
    /// The 69 numbers that the last term keeps near.
    private let start: [Double]
    private var guess = SIMD3<Double>.zero
    static let parents = Skeleton.smpl29.parents

    /// Reads one row of a batch; joints are moved by minus `origin`.
    package init(
        _ observations: PoseObservations, person: Int, restJoints: [Float], origin: SIMD3<Double>, prior: PosePrior,
        start: [Double]
    ) {
        rest = (0..<29).map { restJoints.vector(at: person * 87 + $0 * 3) }
        let seen = (0..<29).map { observations.observed[person] & (1 << UInt32($0)) != 0 }
        targets = (0..<29).map {
            seen[$0] ? observations.joints.vector(at: person * 87 + $0 * 3) - origin : .zero
        }
        confidences = (0..<29).map { joint in
            let deviation = max(Double(observations.sigma[person * 29 + joint]), SMPLifySettings.certainDeviation)
            let confidence = SMPLifySettings.certainDeviation / min(deviation, Double(FitTargets.deviationMax))
            return seen[joint] ? confidence * confidence : 0
        }
        // Ours: with fewer than two of hips and shoulders, all that was seen decides about the root.
        let torso = SMPLifySettings.torso.filter { seen[$0] }
        self.torso = torso.count >= 2 ? torso : (0..<29).filter { seen[$0] }
        self.prior = prior
        self.start = start
    }

    /// Sets the translation's first guess: the middle of the torso joints on the middle of the observed ones.
    ///
    /// - Returns: the guess.
    package mutating func guessTranslation(_ x: [Double]) -> SIMD3<Double> {
        let (_, positions) = place(x)
        let sum = torso.reduce(SIMD3<Double>.zero) { $0 + targets[$1] - positions[$1] }
        guess = sum / Double(max(1, torso.count))
        return guess
    }

    /// The error at `x`, and its slope.
    package func evaluate(_ x: [Double], slope: inout [Double]) -> Double {
        let (globals, positions) = place(x)
        let translation = SIMD3(x[72], x[73], x[74])
        var forces = [SIMD3<Double>](repeating: .zero, count: 29)
        var total = 0.0
        switch stage {
        case .root:
            for joint in torso {
                let residual = positions[joint] + translation - targets[joint]
                total += dot(residual, residual)
                forces[joint] = 2 * residual
            }
        case .body, .bodyNearStart:
            for joint in 0..<29 where confidences[joint] > 0 {
                let weight = SMPLifySettings.jointWeight * confidences[joint]
                let residual = positions[joint] + translation - targets[joint]
                for axis in 0..<3 {
                    let (value, derivative) = Self.robust(residual[axis])
                    total += weight * value
                    forces[joint][axis] = weight * derivative
                }
            }
        }
        Self.pullBack(x, globals, positions, forces, into: &slope)
        switch stage {
        case .root:
            let away = translation - guess
            total += SMPLifySettings.guessWeight * dot(away, away)
            for axis in 0..<3 { slope[72 + axis] += 2 * SMPLifySettings.guessWeight * away[axis] }
            for index in 3..<72 { slope[index] = 0 }
        case .body: total += addPriors(x, &slope)
        case .bodyNearStart:
            total += addPriors(x, &slope)
            for index in 0..<PosePrior.dimension {
                let away = x[3 + index] - start[index]
                total += SMPLifySettings.preservationWeight * away * away
                slope[3 + index] += 2 * SMPLifySettings.preservationWeight * away
            }
        }
        return total
    }

    private func addPriors(_ x: [Double], _ slope: inout [Double]) -> Double {
        let body = x[3..<72]
        let (value, component) = prior.error(of: body)
        for (index, derivative) in prior.slope(at: body, component: component).enumerated() {
            slope[3 + index] += SMPLifySettings.priorWeight * derivative
        }
        var total = SMPLifySettings.priorWeight * value
        for (index, sign) in SMPLifySettings.bendings {
            let value = SMPLifySettings.angleWeight * exp(2 * sign * x[index])
            total += value
            slope[index] += 2 * sign * value
        }
        return total
    }

    /// `ρ(r) = σ² r² / (σ² + r²)` and its derivative.
    static func robust(_ r: Double) -> (value: Double, derivative: Double) {
        let square = SMPLifySettings.robustScale * SMPLifySettings.robustScale
        let shrink = square / (square + r * r)
        return (shrink * r * r, 2 * shrink * shrink * r)
    }

    /// Global orientations and joints, translation left out.
    func place(_ x: [Double]) -> (globals: [RotationMatrix], positions: [SIMD3<Double>]) {
        var globals = [RotationMatrix](repeating: .identity, count: 24)
        var positions = rest
        for joint in 0..<29 {
            let parent = Self.parents[joint]
            if parent >= 0 { positions[joint] = positions[parent] + globals[parent] * (rest[joint] - rest[parent]) }
            guard joint < 24 else { continue }
            let local = RotationMatrix(AxisAngle(SIMD3(x[joint * 3], x[joint * 3 + 1], x[joint * 3 + 2])))
            globals[joint] = parent < 0 ? local : globals[parent] * local
        }
        return (globals, positions)
    }

    /// The adjoint of forward kinematics: forces on the joints to slopes of axis-angle and translation.
    private static func pullBack(
        _ x: [Double], _ globals: [RotationMatrix], _ positions: [SIMD3<Double>], _ forces: [SIMD3<Double>],
        into slope: inout [Double]
    ) {
        // Forces and moments of each subtree, about its own joint.
        var forces = forces
        var moments = [SIMD3<Double>](repeating: .zero, count: 29)
        for joint in (1..<29).reversed() {
            let parent = parents[joint]
            forces[parent] += forces[joint]
            moments[parent] += moments[joint] + cross(positions[joint] - positions[parent], forces[joint])
        }
        for joint in 0..<24 {
            let theta = SIMD3(x[joint * 3], x[joint * 3 + 1], x[joint * 3 + 2])
            let gradient = rightJacobianTransposed(theta, times: globals[joint].transposed * moments[joint])
            for axis in 0..<3 { slope[joint * 3 + axis] = gradient[axis] }
        }
        for axis in 0..<3 { slope[72 + axis] = forces[0][axis] }
    }

    /// `J_r(θ)ᵀ v`, where `exp(θ + dθ) = exp(θ) exp(J_r dθ)`.
    static func rightJacobianTransposed(_ theta: SIMD3<Double>, times v: SIMD3<Double>) -> SIMD3<Double> {
        let (a, b) = rightJacobianFactors(dot(theta, theta))
        let turned = cross(theta, v)
        return v + a * turned + b * cross(theta, turned)
    }

    /// `(1 − cos θ) / θ²` and `(θ − sin θ) / θ³`, by their series where the quotients lose digits.
    static func rightJacobianFactors(_ square: Double) -> (Double, Double) {
        guard square > 1e-4 else { return (0.5 - square / 24, 1.0 / 6 - square / 120) }
        let angle = square.squareRoot()
        return ((1 - cos(angle)) / square, (angle - sin(angle)) / (square * angle))
    }
}
