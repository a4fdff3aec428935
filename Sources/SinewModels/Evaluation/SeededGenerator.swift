internal import Glibc

/// A small seeded generator (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
///
/// An evaluation prints its seed and repeats exactly; the system generator takes none.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Starts a sequence.
    package init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension RandomNumberGenerator {
    /// A number uniform in the range.
    package mutating func uniform(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &self) }

    /// A standard normal number (Box-Muller, the cosine branch).
    package mutating func normal() -> Double {
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &self))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
    }

    /// Three independent standard normal numbers.
    package mutating func normalVector() -> SIMD3<Double> { SIMD3(normal(), normal(), normal()) }
}
