/// The Adam optimizer without weight decay.
///
/// - Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1, with its default constants.
package struct Adam {
    private let learningRate: Double
    private static let decays = (first: 0.9, second: 0.999)
    private static let epsilon = 1e-8
    private var first: [Double] = []
    private var second: [Double] = []
    private var powers = (first: 1.0, second: 1.0)

    package init(learningRate: Double) { self.learningRate = learningRate }

    /// Moves `x` one step against the slope.
    package mutating func step(_ x: inout [Double], slope: [Double]) {
        if first.isEmpty {
            first = [Double](repeating: 0, count: x.count)
            second = first
        }
        powers.first *= Self.decays.first
        powers.second *= Self.decays.second
        for index in x.indices {
            first[index] = Self.decays.first * first[index] + (1 - Self.decays.first) * slope[index]
            second[index] = Self.decays.second * second[index] + (1 - Self.decays.second) * slope[index] * slope[index]
            let deviation = (second[index] / (1 - powers.second)).squareRoot() + Self.epsilon
            x[index] -= learningRate / (1 - powers.first) * first[index] / deviation
        }
    }
}
