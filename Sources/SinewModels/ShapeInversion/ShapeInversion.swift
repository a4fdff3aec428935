internal import Glibc
public import SinewBody

/// SMPL-SI: the shape and scale of a body whose limbs have given lengths.
///
/// Twenty thousand random bodies are drawn once, from a seed; an answer is their mean, weighted by a Gaussian kernel on the six lengths.
/// In six dimensions and with a kernel of 20 mm that is little more than the nearest of them, some centimetres off, so a few Gauss-Newton
/// steps on the six lengths follow. The published method is ``estimate(_:refinements:)`` with no refinement.
/// - Source: models.md §6.1 for the kernel, the ranges and the number of bodies; the refinement is ours.
public struct ShapeInversion: Sendable {
    /// The number of bodies that the paper draws.
    public static let sampleCountDefault = 20_000
    /// The kernel's standard deviation, metres.
    public static let bandwidth = 0.02
    /// The seed of the shipped tables; another seed draws other bodies and gives other answers.
    public static let seedDefault: UInt64 = 20_260_101
    /// The range of each shape coefficient.
    public static let betaRange = -5.0...5.0
    /// The range of the scale.
    public static let scaleRange = 0.2...2.0
    /// Refinement steps that ``estimate(_:refinements:)`` takes unless told otherwise.
    public static let refinementsDefault = 10

    /// Shape coefficients and scale: ten and one.
    static let unknownCount = BodyModel.shapeCount + 1

    let limbs: LimbTable
    /// `[samples, 11]` coefficients and scale.
    private let shapes: [Double]
    /// `[samples, 6]` their lengths, metres.
    private let lengths: [Double]

    /// Draws the table of a body: any, bundled or imported.
    ///
    /// - Parameters:
    ///   - sampleCount: how many bodies, at least 1.
    ///   - seed: the same seed and body give the same answers on every machine.
    /// - Cost: about 150 floating-point operations per body; 2.7 MB for 20 000.
    public init(body: BodyModel, sampleCount: Int = sampleCountDefault, seed: UInt64 = seedDefault) {
        precondition(sampleCount >= 1, "a table needs a body")
        let limbs = LimbTable(body: body)
        var generator = SeededGenerator(seed: seed)
        var shapes: [Double] = []
        var lengths: [Double] = []
        shapes.reserveCapacity(sampleCount * Self.unknownCount)
        lengths.reserveCapacity(sampleCount * LimbLengths.count)
        for _ in 0..<sampleCount {
            var shape = (0..<BodyModel.shapeCount).map { _ in generator.uniform(Self.betaRange) }
            shape.append(generator.uniform(Self.scaleRange))
            shapes += shape
            lengths += limbs.lengths(shape)
        }
        self.limbs = limbs
        self.shapes = shapes
        self.lengths = lengths
    }

    /// The shape whose limbs have these lengths.
    ///
    /// - Parameter refinements: at most so many Gauss-Newton steps after the kernel's answer; 0 for the published method.
    /// - Returns: coefficients within ``betaRange``, a scale within ``scaleRange``, and the lengths that they really give: where
    ///   no body has the lengths asked for, ``ShapeEstimate/worstErrorMillimetres`` says how far off the answer is.
    /// - Cost: one pass over the table, 0.1 to 1 ms; a step costs microseconds.
    public func estimate(_ wanted: LimbLengths, refinements: Int = refinementsDefault) -> ShapeEstimate {
        precondition(refinements >= 0, "a number of steps is not negative")
        var shape = kernelMean(wanted.values)
        var steps = 0
        while steps < refinements, let better = refined(shape, wanted: wanted.values) {
            shape = better
            steps += 1
        }
        let reached = LimbLengths(unchecked: limbs.lengths(shape))
        return ShapeEstimate(
            betas: shape[..<BodyModel.shapeCount].map(Float.init), scale: shape[BodyModel.shapeCount], wanted: wanted,
            reached: reached, refinements: steps)
    }

    /// `Σ w x` with `w ∝ exp(−‖f − fᵢ‖² / 2σ²)`, normalised through the largest exponent so that far lengths do not underflow.
    private func kernelMean(_ wanted: [Double]) -> [Double] {
        let sampleCount = shapes.count / Self.unknownCount
        var exponents = [Double](repeating: 0, count: sampleCount)
        for sample in 0..<sampleCount {
            var squares = 0.0
            for limb in 0..<LimbLengths.count {
                let apart = lengths[sample * LimbLengths.count + limb] - wanted[limb]
                squares += apart * apart
            }
            exponents[sample] = -squares / (2 * Self.bandwidth * Self.bandwidth)
        }
        let largest = exponents.max() ?? 0
        var mean = [Double](repeating: 0, count: Self.unknownCount)
        var sum = 0.0
        for sample in 0..<sampleCount where exponents[sample] > largest - 60 {
            let weight = exp(exponents[sample] - largest)
            sum += weight
            for index in 0..<Self.unknownCount { mean[index] += weight * shapes[sample * Self.unknownCount + index] }
        }
        return mean.map { $0 / sum }
    }
}

/// What ``ShapeInversion`` found.
public struct ShapeEstimate: Sendable, Equatable {
    /// Ten shape coefficients.
    public let betas: [Float]
    /// The factor by which the shaped body is larger than it would be.
    public let scale: Double
    /// The lengths that were asked for.
    public let wanted: LimbLengths
    /// The lengths that the shape and scale give.
    public let reached: LimbLengths
    /// Gauss-Newton steps that were taken; fewer than allowed where no step helped any more.
    public let refinements: Int

    /// The largest difference between a length that was asked for and the one that is given, millimetres.
    public var worstErrorMillimetres: Double {
        zip(wanted.values, reached.values).reduce(0) { max($0, abs($1.0 - $1.1) * 1000) }
    }
}
