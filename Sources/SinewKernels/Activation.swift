/// What a matrix product applies to its sums before it stores them, while they are still in registers.
package enum Activation: UInt32, CaseIterable, Sendable {
    case identity = 0
    /// `x > 0 ? x : 0.01 x`.
    case leakyReLU = 1
    case tanh = 2
    /// `x > 0 ? x : 0`.
    case reLU = 3
}
