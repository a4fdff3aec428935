/// Every number of the SMPLify baseline, in one place.
///
/// - Source: models.md §8 (the settings of the widely used three-dimensional SMPLify); what is ours is marked.
enum SMPLifySettings {
    // MARK: The objective.

    /// Weight of a squared joint distance, 1/m².
    static let jointWeight = 600.0 * 600
    /// The robustifier's scale, metres: as published, so large that the error is quadratic in practice.
    static let robustScale = 100.0
    /// Ours: a joint of this deviation or less has confidence 1, others `certainDeviation / σ`.
    static let certainDeviation = 0.02
    static let priorWeight = (4.78 * 1.5) * (4.78 * 1.5)
    static let angleWeight = 15.2 * 15.2
    /// Components of the 72-vector that must not bend backwards, elbows and knees, and the sign of the wrong direction.
    static let bendings: [(index: Int, sign: Double)] = [(55, 1), (58, -1), (12, -1), (15, -1)]
    /// Weight of the distance from the starting pose, LBFGS only.
    static let preservationWeight = 5.0 * 5

    // MARK: The first stage: root orientation and translation.

    /// Hips and shoulders.
    static let torso = [1, 2, 16, 17]
    /// Weight that keeps the translation at its first guess, 1/m², beside joint distances of weight 1.
    static let guessWeight = 100.0 * 100

    // MARK: The descents.

    static let learningRate = 1e-2
    static let adamSteps = (first: 20, second: 100)
    static let lbfgsSteps = (first: 10, second: 100)
    static let lbfgsIterationsPerStep = 100

    // MARK: Adam until it has converged (ours).

    /// A stage ends when this many steps have lowered the error by a smaller part of it than `adamProgressMin`.
    static let adamStepsBetweenLooks = 50
    static let adamProgressMin = 1e-3
    static let adamStepsMax = 5_000

    // MARK: Levenberg-Marquardt (ours).

    static let marquardtIterationsMax = 30
    /// A step that lowers the objective by a smaller part of it is the last.
    static let marquardtProgressMin = 1e-6
}
