internal import SinewBody

/// SMPLify: every person's pose is found by minimising one error over joints, pose prior and unnatural bending.
///
/// Unobserved joints do not count, others by their uncertainty. The shape is the caller's. Twists are used by the start of
/// ``Method/levenbergMarquardt`` alone.
///
/// - Source: Bogo et al., "Keep it SMPL", 2016, in the form for three-dimensional joints; models.md §8.
public struct SMPLifyModel: PoseModel {
    /// How the error is minimised.
    public enum Method: String, Sendable, CaseIterable {
        /// Ours: Levenberg-Marquardt with analytic derivatives, from the analytic solution.
        case levenbergMarquardt = "smplify"
        /// As published: Adam from the mean pose.
        case adam = "smplify-adam"
        /// Ours: the same descent until it stops getting lower, which the published number of steps does not reach.
        case convergedAdam = "smplify-adam-converged"
        /// As published: LBFGS from the mean pose.
        case lbfgs = "smplify-lbfgs"
    }

    /// The method's name, version 1, with the hash of the pose prior.
    public let identity: ModelIdentity
    private let method: Method
    private let bodies: BodyLibrary
    private let prior: PosePrior

    /// Creates the solver with the pose prior that ships with the package.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` when the prior is missing or damaged.
    public init(bodies: BodyLibrary, method: Method) throws(ModelError) {
        self.bodies = bodies
        self.method = method
        prior = try .shared()
        identity = ModelIdentity(
            name: method.rawValue, version: "1", weightsSHA256: prior.sha256, architecture: "smplify")
    }

    /// Solves one person after the other.
    ///
    /// - Throws: ``ModelError/Reason/degenerateInput`` for a person of whom fewer than three joints were observed.
    public func solve(
        _ observations: PoseObservations, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        // The analytic solver also refuses people of whom too little was seen, for every method alike.
        let analytic = try HybrIKModel(bodies: bodies).solve(observations, isCancelled: isCancelled)
        let restJoints = bodies.restJoints(for: observations)
        var rotations = [Float](repeating: 0, count: observations.count * 216)
        var translations = [Float](repeating: 0, count: observations.count * 3)
        for person in 0..<observations.count {
            let origin = analytic.translation.vector(at: person * 3)
            var objective = SMPLifyObjective(
                observations, person: person, restJoints: restJoints, origin: origin, prior: prior, start: prior.start)
            let x: [Double]
            switch method {
            case .levenbergMarquardt:
                objective.stage = .body
                let start: [Double] = analytic.theta[person * 72..<(person + 1) * 72].map { Double($0) } + [0, 0, 0]
                x = try LevenbergMarquardt.minimise(objective, from: start, isCancelled: isCancelled)
            case .adam: x = try Self.descendByAdam(&objective, prior, untilConverged: false, isCancelled)
            case .convergedAdam: x = try Self.descendByAdam(&objective, prior, untilConverged: true, isCancelled)
            case .lbfgs: x = try Self.descendByLBFGS(&objective, prior, isCancelled)
            }
            for joint in 0..<24 {
                RotationMatrix(AxisAngle(SIMD3(x[joint * 3], x[joint * 3 + 1], x[joint * 3 + 2])))
                    .write(into: &rotations, at: person * 216 + joint * 9)
            }
            translations.store(origin + SIMD3(x[72], x[73], x[74]), at: person * 3)
        }
        return PoseFinishing.finish(
            rotations: rotations, observations: observations, restJoints: restJoints, translations: translations)
    }

    /// The mean pose, upright and facing +z, with the torso's middle on the observed one.
    private static func coldStart(_ objective: inout SMPLifyObjective, _ prior: PosePrior) -> [Double] {
        var x: [Double] = [0, 0, 0] + prior.start + [0, 0, 0]
        let guess = objective.guessTranslation(x)
        for axis in 0..<3 { x[72 + axis] = guess[axis] }
        return x
    }

    private static func descendByAdam(
        _ objective: inout SMPLifyObjective, _ prior: PosePrior, untilConverged: Bool, _ isCancelled: () -> Bool
    ) throws(ModelError) -> [Double] {
        var x = coldStart(&objective, prior)
        var slope = [Double](repeating: 0, count: SMPLifyObjective.unknownCount)
        let plan: [(SMPLifyObjective.Stage, Int)] = [
            (.root, SMPLifySettings.adamSteps.first), (.body, SMPLifySettings.adamSteps.second),
        ]
        for (stage, count) in plan {
            objective.stage = stage
            var adam = Adam(learningRate: SMPLifySettings.learningRate)
            var (lowest, lowestBefore) = (Double.infinity, Double.infinity)
            for step in 1...(untilConverged ? SMPLifySettings.adamStepsMax : count) {
                if isCancelled() { throw .cancelled }
                lowest = min(lowest, objective.evaluate(x, slope: &slope))
                adam.step(&x, slope: slope)
                guard untilConverged, step.isMultiple(of: SMPLifySettings.adamStepsBetweenLooks) else { continue }
                guard
                    lowestBefore == .infinity
                        || lowestBefore - lowest > SMPLifySettings.adamProgressMin * abs(lowestBefore)
                else { break }
                lowestBefore = lowest
            }
        }
        return x
    }

    private static func descendByLBFGS(
        _ objective: inout SMPLifyObjective, _ prior: PosePrior, _ isCancelled: () -> Bool
    ) throws(ModelError) -> [Double] {
        var x = coldStart(&objective, prior)
        let plan: [(SMPLifyObjective.Stage, Int)] = [
            (.root, SMPLifySettings.lbfgsSteps.first), (.bodyNearStart, SMPLifySettings.lbfgsSteps.second),
        ]
        for (stage, count) in plan {
            objective.stage = stage
            let stageObjective = objective
            var lbfgs = LBFGS(
                learningRate: SMPLifySettings.learningRate, iterationsMax: SMPLifySettings.lbfgsIterationsPerStep)
            var previous = Double.infinity
            for _ in 0..<count {
                let value = try lbfgs.step(&x) { (point, slope) throws(ModelError) in
                    if isCancelled() { throw .cancelled }
                    return stageObjective.evaluate(point, slope: &slope)
                }
                // Ours: further steps would start where this one stopped and stop there again.
                guard value < previous else { break }
                previous = value
            }
        }
        return x
    }
}

/// Levenberg's and Marquardt's damped Gauss-Newton method on SMPLify's error.
enum LevenbergMarquardt {
    private static let dampingStart = 1e-3
    private static let dampingFactor = 10.0
    private static let dampingMin = 1e-9

    /// Minimises from a start; never returns a larger error than the start's.
    static func minimise(
        _ objective: SMPLifyObjective, from start: [Double], isCancelled: () -> Bool
    ) throws(ModelError) -> [Double] {
        var x = start
        let count = SMPLifyObjective.unknownCount
        var slope = [Double](repeating: 0, count: count)
        var candidateSlope = slope
        var value = objective.evaluate(x, slope: &slope)
        var curvature = objective.curvature(x)
        var damping = dampingStart
        for _ in 0..<SMPLifySettings.marquardtIterationsMax {
            if isCancelled() { throw .cancelled }
            var system = curvature
            for index in 0..<count { system[index, index] *= 1 + damping }
            guard let step = system.solution(of: slope.map { -$0 }) else {
                damping *= dampingFactor
                continue
            }
            let candidate = zip(x, step).map { $0 + $1 }
            let candidateValue = objective.evaluate(candidate, slope: &candidateSlope)
            guard candidateValue < value else {
                damping *= dampingFactor
                continue
            }
            let gain = value - candidateValue
            (x, value) = (candidate, candidateValue)
            swap(&slope, &candidateSlope)
            guard gain > SMPLifySettings.marquardtProgressMin * abs(value) else { break }
            curvature = objective.curvature(x)
            damping = max(damping / dampingFactor, dampingMin)
        }
        return x
    }
}
