/// A batch as a network sees it, and what leads its output back to the person.
///
/// - Shape: `input` `[count, 116]` (87 joint or bone values, 29 sigmas), `phi` `[count, 46]`, `heading` `[count, 2]` (cos ψ,
///   sin ψ), `lengths` `[count, 29]` rest bone lengths in metres (entry 0 unused); row-major.
package struct ConditionedBatch: Sendable {
    /// The number of people.
    package let count: Int
    /// The values before the padding.
    package var input: [Float]
    /// (cos, sin) of the twists, zeros where they are unknown.
    package var phi: [Float]
    /// The heading that was taken out.
    package var heading: [Float]
    /// What bones were divided by.
    package var lengths: [Float]

    /// The uncertainties in ``input``, `[count, 29]`.
    var sigma: [Float] {
        (0..<(count * 29)).map { input[$0 / 29 * NIKINetwork.observationCount + 87 + $0 % 29] }
    }

    /// Zeros, headings of 0.
    package init(count: Int) {
        self.count = count
        input = [Float](repeating: 0, count: count * NIKINetwork.observationCount)
        phi = [Float](repeating: 0, count: count * NIKINetwork.phiCount)
        heading = [Float](repeating: 0, count: count * 2)
        lengths = [Float](repeating: 1, count: count * 29)
        for person in 0..<count { heading[person * 2] = 1 }
    }
}
