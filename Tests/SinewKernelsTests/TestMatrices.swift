import Glibc
import SinewKernels
import TestSupport

/// Random floats in [-1, 1) from a seeded generator.
func randomFloats(_ count: Int, _ generator: inout SplitMix64) -> [Float] {
    (0..<count).map { _ in Float.random(in: -1..<1, using: &generator) }
}

/// The definition of each activation in double precision.
func exact(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .identity: x
    case .leakyReLU: x > 0 ? x : 0.01 * x
    case .tanh: tanh(x)
    case .reLU: x > 0 ? x : 0
    }
}

/// `c = activation(a · Wᵀ + bias)` in double precision, and for each element how far a float chain may be from it.
///
/// A chain of K multiply-adds with unit roundoff u is off by at most (K + 1) u / (1 − (K + 1) u) times the sum of the
/// magnitudes (Higham, “Accuracy and Stability of Numerical Algorithms”, §3.1; twice that where the product is rounded as
/// well). The activations have slope at most 1 and add at most 2^-21 of their own.
func reference(
    a: [Float], rows: Int, aStride: Int, weights: [Float], bias: [Float], inputs: Int, depth: Int, columns: Int,
    activation: Activation
) -> (values: [Double], bounds: [Double]) {
    var values: [Double] = []
    var bounds: [Double] = []
    let unit = 0x1p-24
    for row in 0..<rows {
        for column in 0..<columns {
            var sum = Double(bias[column])
            var magnitude = abs(sum)
            for input in 0..<depth {
                let product = Double(a[row * aStride + input]) * Double(weights[column * inputs + input])
                sum += product
                magnitude += abs(product)
            }
            let value = exact(activation, sum)
            values.append(value)
            bounds.append(2 * Double(depth + 2) * unit * magnitude + 0x1p-21 * abs(value) + 1e-30)
        }
    }
    return (values, bounds)
}
