internal import SinewBody

/// Turns observed joints into the network's input, in float and in the order of `tools/train/CONDITIONING.md`; the step numbers
/// are its.
///
/// - Cost: no allocation per person.
package struct InputConditioning: Sendable {
    /// Which of the two descriptions is followed.
    package let kind: ModelDescription.Conditioning

    static let jointCount = 29
    private static let twistCount = 23
    private static let sigmaMax: Float = 0.4
    /// (left, right) hips and shoulders.
    private static let headingPairs = [(1, 2), (16, 17)]

    /// Creates a conditioning.
    package init(_ kind: ModelDescription.Conditioning) { self.kind = kind }

    /// Conditions every person.
    ///
    /// - Parameter restJoints: `[count, 29, 3]`, the rest joints of each person's betas.
    /// - Throws: ``ModelError/Reason/degenerateInput`` for a person without any observed joint.
    package func condition(
        _ seen: PoseObservations, restJoints: [Float]
    ) throws(ModelError) -> ConditionedBatch {
        precondition(restJoints.count == seen.count * Self.jointCount * 3)
        var batch = ConditionedBatch(count: seen.count)
        for person in 0..<seen.count {
            guard seen.observed[person] & 0x1FFF_FFFF != 0 else {
                throw ModelError(
                    .degenerateInput,
                    "person \(person) of the batch has no observed joint; give at least one joint with finite coordinates",
                    person: person)
            }
            let heading = conditionJoints(seen, restJoints, person, into: &batch.input, lengths: &batch.lengths)
            batch.heading[person * 2] = heading.cos
            batch.heading[person * 2 + 1] = heading.sin
            conditionTwists(seen, person, into: &batch.phi)
        }
        return batch
    }

    /// Steps 0 to 5.
    ///
    /// - Returns: cos ψ and sin ψ.
    private func conditionJoints(
        _ seen: PoseObservations, _ rest: [Float], _ person: Int, into values: inout [Float], lengths: inout [Float]
    ) -> (cos: Float, sin: Float) {
        // One span for the whole person: through the array, every store would ask whether it is shared.
        var input = values.mutableSpan
        var heading: (cos: Float, sin: Float) = (1, 0)
        let joints = seen.joints.span.extracting((person * 87)..<(person * 87 + 87))
        let rest = rest.span.extracting((person * 87)..<(person * 87 + 87))
        let observed = seen.observed[person]
        let base = person * NIKINetwork.observationCount
        // Step 0. The published checkpoints take sigma as it comes, but what was not seen is uncertain there too.
        for joint in 0..<Self.jointCount {
            let given = seen.sigma[person * Self.jointCount + joint]
            let clipped = kind == .headingBones ? min(max(given, 0), Self.sigmaMax) : given
            input[base + 87 + joint] = observed >> UInt32(joint) & 1 == 1 ? clipped : Self.sigmaMax
        }
        // Step 1.
        let root = Self.root(joints, observed)
        for joint in 0..<Self.jointCount {
            for axis in 0..<3 { input[base + joint * 3 + axis] = joints[joint * 3 + axis] - root[axis] }
        }
        for axis in 0..<3 { input[base + axis] = 0 }
        // Steps 2 and 3.
        if kind == .headingBones {
            heading = Self.heading(input.span, at: base, observed)
            for joint in 0..<Self.jointCount {
                let (x, z) = (input[base + joint * 3], input[base + joint * 3 + 2])
                input[base + joint * 3] = heading.cos * x - heading.sin * z
                input[base + joint * 3 + 2] = heading.sin * x + heading.cos * z
            }
        }
        // Step 4, parents first.
        for joint in 1..<Self.jointCount where observed >> UInt32(joint) & 1 == 0 {
            let parent = Self.parents[joint]
            for axis in 0..<3 {
                let offset = rest[joint * 3 + axis] - rest[parent * 3 + axis]
                input[base + joint * 3 + axis] = input[base + parent * 3 + axis] + offset
            }
        }
        // Step 5, children first, because a bone takes the place of its joint.
        if kind == .headingBones {
            var lengths = lengths.mutableSpan
            Self.fillLengths(rest, &lengths, at: person * Self.jointCount)
            for joint in stride(from: Self.jointCount - 1, to: 0, by: -1) {
                let length = lengths[person * Self.jointCount + joint]
                let parent = Self.parents[joint]
                for axis in 0..<3 {
                    let at = base + joint * 3 + axis
                    input[at] = (input[at] - input[base + parent * 3 + axis]) / length
                }
            }
        }
        return heading
    }

    /// Step 7.
    private func conditionTwists(_ seen: PoseObservations, _ person: Int, into phi: inout [Float]) {
        guard seen.hasTwists[person] else { return }
        let first = person * Self.twistCount
        for twists in LaneRows<Lanes>.groups(first..<(first + Self.twistCount)) {
            let angles = twists.number(seen.twists, width: 1, at: 0)
            let found = LaneTrigonometry.cosineAndSine(angles)
            let (cosine, sine) = (SIMD4<Float>(found.cosine), SIMD4<Float>(found.sine))
            let norm = (cosine * cosine + sine * sine).squareRoot() + 1e-8
            let (x, y) = (cosine / norm, sine / norm)
            for lane in 0..<twists.count {
                phi[twists.row(lane) * 2] = x[lane]
                phi[twists.row(lane) * 2 + 1] = y[lane]
            }
        }
    }

    /// Step 1: the pelvis, or what stands for it.
    private static func root(_ joints: Span<Float>, _ observed: UInt32) -> [3 of Float] {
        func isObserved(_ joint: Int) -> Bool { observed >> UInt32(joint) & 1 == 1 }
        func joint(_ index: Int) -> [3 of Float] { [joints[index * 3], joints[index * 3 + 1], joints[index * 3 + 2]] }
        if isObserved(0) { return joint(0) }
        if isObserved(1) && isObserved(2) {
            let (left, right) = (joint(1), joint(2))
            return [(left[0] + right[0]) * 0.5, (left[1] + right[1]) * 0.5, (left[2] + right[2]) * 0.5]
        }
        if isObserved(1) { return joint(1) }
        if isObserved(2) { return joint(2) }
        var sum: [3 of Float] = [0, 0, 0]
        for index in 0..<jointCount where isObserved(index) {
            for axis in 0..<3 { sum[axis] += joints[index * 3 + axis] }
        }
        let count = Float(observed.nonzeroBitCount)
        return [sum[0] / count, sum[1] / count, sum[2] / count]
    }

    /// Step 2: cos ψ and sin ψ.
    ///
    /// - Parameter values: from `base` on, 29 root-relative joints and then 29 sigmas.
    static func heading(_ values: Span<Float>, at base: Int, _ observed: UInt32) -> (cos: Float, sin: Float) {
        var (x, z) = (Float(0), Float(0))
        for (left, right) in headingPairs
        where observed >> UInt32(left) & 1 == 1 && observed >> UInt32(right) & 1 == 1 {
            let (sigmaLeft, sigmaRight) = (values[base + 87 + left], values[base + 87 + right])
            let weight = 1 / ((sigmaLeft * sigmaLeft + sigmaRight * sigmaRight) * 0.5 + 0.0004)
            x += weight * (values[base + left * 3] - values[base + right * 3])
            z += weight * (values[base + left * 3 + 2] - values[base + right * 3 + 2])
        }
        let norm = (x * x + z * z).squareRoot()
        return norm < 1e-6 ? (1, 0) : (x / norm, -z / norm)
    }

    /// Rest bone lengths of one person, at least 1e-6; entry 0 stays.
    static func fillLengths(_ rest: Span<Float>, _ lengths: inout MutableSpan<Float>, at base: Int) {
        for joint in 1..<jointCount {
            let parent = parents[joint]
            var sum: Float = 0
            for axis in 0..<3 {
                let offset = rest[joint * 3 + axis] - rest[parent * 3 + axis]
                sum += offset * offset
            }
            lengths[base + joint] = max(sum.squareRoot(), 1e-6)
        }
    }

    static let parents = Skeleton.smpl29.parents
}
