/// Limited-memory BFGS with a strong Wolfe line search.
///
/// - Source: Nocedal and Wright, "Numerical Optimization", 2006, algorithms 7.5, 3.5 and 3.6. History, tolerances and the meaning of
///   `learningRate` (the first trial step of every line search) are those of PyTorch's optimizer of the same name, so that published
///   settings mean here what they meant there.
package struct LBFGS {
    /// A function to minimise: its value at a point, and its slope.
    package typealias Function = (_ x: [Double], _ slope: inout [Double]) throws(ModelError) -> Double

    private let learningRate: Double
    private let iterationsMax: Int
    private static let historyMax = 100
    private static let slopeMin = 1e-7
    private static let changeMin = 1e-9

    private var isFirst = true
    private var direction: [Double] = []
    private var stepLength = 0.0
    private var previousSlope: [Double] = []
    private var changesOfSlope: [[Double]] = []
    private var changesOfPoint: [[Double]] = []
    private var curvatures: [Double] = []
    private var scale = 1.0

    package init(learningRate: Double, iterationsMax: Int) {
        self.learningRate = learningRate
        self.iterationsMax = iterationsMax
    }

    /// Takes up to `iterationsMax` iterations from `x`; the history stays for the next call.
    ///
    /// - Returns: the value at the new `x`.
    package mutating func step(_ x: inout [Double], _ function: Function) throws(ModelError) -> Double {
        var slope = [Double](repeating: 0, count: x.count)
        var value = try function(x, &slope)
        let evaluationsMax = iterationsMax * 5 / 4
        var evaluations = 1
        guard Self.largest(slope) > Self.slopeMin else { return value }
        for iteration in 1...iterationsMax {
            updateDirection(slope)
            let previousValue = value
            previousSlope = slope
            let first = min(1, 1 / slope.reduce(0) { $0 + abs($1) }) * learningRate
            stepLength = isFirst ? first : learningRate
            isFirst = false
            let incline = Self.dot(slope, direction)
            guard incline <= -Self.changeMin else { break }
            var search = WolfeSearch(
                x: x, direction: direction, value: value, slope: slope, incline: incline,
                trialsMax: evaluationsMax - evaluations)
            let found = try search.run(from: stepLength, function)
            stepLength = found.step
            value = found.value
            slope = found.slope
            evaluations += search.evaluations
            for index in x.indices { x[index] += stepLength * direction[index] }
            if iteration == iterationsMax || evaluations >= evaluationsMax { break }
            if Self.largest(slope) <= Self.slopeMin || abs(value - previousValue) < Self.changeMin { break }
            if Self.largest(direction) * abs(stepLength) <= Self.changeMin { break }
        }
        return value
    }

    /// The two-loop recursion.
    private mutating func updateDirection(_ slope: [Double]) {
        guard !isFirst else {
            direction = slope.map { -$0 }
            return
        }
        let change = zip(slope, previousSlope).map { $0 - $1 }
        let moved = direction.map { $0 * stepLength }
        let curvature = Self.dot(change, moved)
        if curvature > 1e-10 {
            if changesOfSlope.count == Self.historyMax {
                changesOfSlope.removeFirst()
                changesOfPoint.removeFirst()
                curvatures.removeFirst()
            }
            changesOfSlope.append(change)
            changesOfPoint.append(moved)
            curvatures.append(1 / curvature)
            scale = curvature / Self.dot(change, change)
        }
        var q = slope.map { -$0 }
        var alphas = [Double](repeating: 0, count: curvatures.count)
        for index in curvatures.indices.reversed() {
            alphas[index] = Self.dot(changesOfPoint[index], q) * curvatures[index]
            for k in q.indices { q[k] -= alphas[index] * changesOfSlope[index][k] }
        }
        for k in q.indices { q[k] *= scale }
        for index in curvatures.indices {
            let factor = alphas[index] - Self.dot(changesOfSlope[index], q) * curvatures[index]
            for k in q.indices { q[k] += factor * changesOfPoint[index][k] }
        }
        direction = q
    }

    static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += a[index] * b[index] }
        return sum
    }

    static func largest(_ values: [Double]) -> Double { values.reduce(0) { max($0, abs($1)) } }
}
