/// A line search that ends where both strong Wolfe conditions hold: enough descent, and a slope that has become flat enough.
///
/// - Source: Nocedal and Wright, "Numerical Optimization", 2006, algorithms 3.5 (bracketing) and 3.6 (zoom) with cubic interpolation;
///   constants and safeguards as in PyTorch's LBFGS.
struct WolfeSearch {
    /// A point on the line.
    struct Trial {
        var step: Double
        var value: Double
        var slope: [Double]
        /// The slope along the direction.
        var incline: Double
    }

    /// How often the function was asked.
    private(set) var evaluations = 0
    private let x: [Double]
    private let direction: [Double]
    private let start: Trial
    private let reach: Double
    private let trialsMax: Int

    private static let descent = 1e-4
    private static let flatness = 0.9
    private static let changeMin = 1e-9

    /// - Parameter trialsMax: further trials after the first.
    init(
        x: [Double], direction: [Double], value: Double, slope: [Double], incline: Double, trialsMax: Int
    ) {
        self.trialsMax = trialsMax
        self.x = x
        self.direction = direction
        start = Trial(step: 0, value: value, slope: slope, incline: incline)
        reach = LBFGS.largest(direction)
    }

    /// Searches from the first trial step.
    mutating func run(from firstStep: Double, _ function: LBFGS.Function) throws(ModelError) -> Trial {
        var previous = start
        var trial = try evaluate(firstStep, function)
        var trials = 0
        var bracket: (Trial, Trial)?
        while trials < trialsMax {
            if !isLowEnough(trial) || (trials > 1 && trial.value >= previous.value) {
                bracket = (previous, trial)
                break
            }
            if isFlat(trial) { return trial }
            if trial.incline >= 0 {
                bracket = (previous, trial)
                break
            }
            let next = Self.cubicMinimum(
                previous, trial, within: (trial.step + 0.01 * (trial.step - previous.step), trial.step * 10))
            previous = trial
            trial = try evaluate(next, function)
            trials += 1
        }
        guard let bracket else { return start.value <= trial.value ? start : trial }
        return try zoom(bracket, trials: trials, function)
    }

    /// Narrows a bracket that holds an acceptable step.
    private mutating func zoom(
        _ bracket: (Trial, Trial), trials: Int, _ function: LBFGS.Function
    ) throws(ModelError) -> Trial {
        var (low, high) = bracket.0.value <= bracket.1.value ? (bracket.0, bracket.1) : (bracket.1, bracket.0)
        var hasStalled = false
        for _ in trials..<trialsMax {
            guard abs(high.step - low.step) * reach >= Self.changeMin else { break }
            let (left, right) = low.step <= high.step ? (low, high) : (high, low)
            var step = Self.cubicMinimum(left, right, within: (left.step, right.step))
            let margin = 0.1 * (right.step - left.step)
            if min(right.step - step, step - left.step) < margin {
                if hasStalled || step >= right.step || step <= left.step {
                    step = abs(step - right.step) < abs(step - left.step) ? right.step - margin : left.step + margin
                    hasStalled = false
                } else {
                    hasStalled = true
                }
            } else {
                hasStalled = false
            }
            let trial = try evaluate(step, function)
            if !isLowEnough(trial) || trial.value >= low.value {
                high = trial
                if low.value > high.value { swap(&low, &high) }
            } else {
                if isFlat(trial) { return trial }
                if trial.incline * (high.step - low.step) >= 0 { high = low }
                low = trial
            }
        }
        return low
    }

    private mutating func evaluate(_ step: Double, _ function: LBFGS.Function) throws(ModelError) -> Trial {
        evaluations += 1
        var point = x
        for index in point.indices { point[index] += step * direction[index] }
        var slope = [Double](repeating: 0, count: x.count)
        let value = try function(point, &slope)
        return Trial(step: step, value: value, slope: slope, incline: LBFGS.dot(slope, direction))
    }

    private func isLowEnough(_ trial: Trial) -> Bool {
        trial.value <= start.value + Self.descent * trial.step * start.incline
    }

    private func isFlat(_ trial: Trial) -> Bool { abs(trial.incline) <= -Self.flatness * start.incline }

    /// The minimum of the cubic through two points and their inclines, kept within bounds; their middle where there is none.
    static func cubicMinimum(_ a: Trial, _ b: Trial, within bounds: (Double, Double)) -> Double {
        let d1 = a.incline + b.incline - 3 * (a.value - b.value) / (a.step - b.step)
        let square = d1 * d1 - a.incline * b.incline
        guard square >= 0 else { return (bounds.0 + bounds.1) / 2 }
        let d2 = square.squareRoot()
        let minimum: Double
        if a.step <= b.step {
            minimum = b.step - (b.step - a.step) * ((b.incline + d2 - d1) / (b.incline - a.incline + 2 * d2))
        } else {
            minimum = a.step - (a.step - b.step) * ((a.incline + d2 - d1) / (a.incline - b.incline + 2 * d2))
        }
        return min(max(minimum, bounds.0), bounds.1)
    }
}
