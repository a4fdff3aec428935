internal import SinewBody

/// The effectors of a batch as the network sees them: without those of weight 0, each person's in one canonical order.
///
/// The order makes the result independent of the caller's order bit for bit: sums of floats depend on theirs.
/// - Shape: person `p` has the rows `offsets[p]..<offsets[p + 1]`; `features` `[m, 7]` (six data values relative to the person's
///   reference, tolerance), `slots` and `shares` `[m]`, `shape` `[count, 11]` (betas, gender code), `reference` `[count, 3]`.
package struct EffectorRows: Sendable {
    /// The number of people.
    package let count: Int
    /// Where each person's rows begin, and the end.
    package private(set) var offsets = [0]
    /// What the network reads of each effector.
    package private(set) var features: [Float] = []
    /// `kind · 24 + joint`, the row of the lookup tables.
    package private(set) var slots: [Int] = []
    /// Weights divided by the sum of the person's weights.
    package private(set) var shares: [Float] = []
    /// Betas, then the gender code of the published networks: 0 male, 1 female, 2 neutral.
    package private(set) var shape: [Float] = []
    /// `[m]` which effector of the observations each row is.
    package private(set) var sources: [Int] = []
    /// Where each person's network frame lies.
    private(set) var frames: [EffectorFrame] = []

    /// Values of one row of ``features``.
    package static let featureCount = 7
    /// Values of one row of ``shape``.
    package static let shapeCount = 11

    /// Sorts, centres and normalises.
    ///
    /// - Parameters:
    ///   - conditioning: what stands between the effectors and the network.
    ///   - restJoints: `[count, 29, 3]`.
    /// - Throws: ``ModelError/Reason/degenerateInput`` for a person without a positional effector of positive weight, or with more
    ///   than ``EffectorObservations/perPersonMax`` effectors.
    init(
        _ observations: EffectorObservations, conditioning: EffectorConditioning, restJoints: [Float]
    ) throws(ModelError) {
        count = observations.count
        features.reserveCapacity(observations.effectorCount * Self.featureCount)
        for person in 0..<count {
            let order = Self.canonicalOrder(observations, person)
            let effectors = order.map { observations[$0] }
            guard effectors.count <= EffectorObservations.perPersonMax else {
                throw ModelError(
                    .degenerateInput,
                    "person \(person): \(effectors.count) effectors, at most \(EffectorObservations.perPersonMax) are solved "
                        + "together; leave some out", person: person)
            }
            guard let reference = Self.reference(of: effectors) else {
                throw ModelError(
                    .degenerateInput,
                    "person \(person): no positional effector with a weight above 0, so nothing says where the person is; add "
                        + "one, for example the pelvis", person: person)
            }
            append(
                effectors,
                in: EffectorFrame(
                    conditioning, of: effectors, reference: reference, restJoints: restJoints, person: person))
            sources += order
            shape += observations.betas[(person * 10)..<(person * 10 + 10)]
            shape.append(Self.code(of: observations.genders[person]))
        }
    }

    /// Effectors that are centred and turned already, for ``SMPLIKNetwork/solve(_:isCancelled:)`` alone: no way back is known.
    ///
    /// - Parameters:
    ///   - features: `[m, 7]`, person after person in the order of `counts`.
    ///   - kinds: `[m]`, as ``EffectorObservations/Kind``'s raw values.
    ///   - shape: `[count, 11]`, betas and gender code.
    package init(
        features: [Float], kinds: [Int], joints: [Int], weights: [Float], counts: [Int], shape: [Float]
    ) {
        precondition(counts.reduce(0, +) == kinds.count && features.count == kinds.count * Self.featureCount)
        precondition(joints.count == kinds.count && weights.count == kinds.count)
        precondition(shape.count == counts.count * Self.shapeCount)
        count = counts.count
        self.features = features
        self.shape = shape
        slots = zip(kinds, joints).map { $0 * Skeleton.rotationCount + $1 }
        for number in counts {
            let first = offsets[offsets.count - 1]
            let total = weights[first..<(first + number)].reduce(0) { $0 + Double($1) }
            shares += weights[first..<(first + number)].map { Float(Double($0) / total) }
            offsets.append(first + number)
        }
    }

    /// The gender code of the published networks.
    static func code(of gender: Gender) -> Float {
        switch gender {
        case .male: 0
        case .female: 1
        case .neutral: 2
        }
    }

    private mutating func append(_ effectors: [Effector], in frame: EffectorFrame) {
        let total = effectors.reduce(0) { $0 + Double($1.weight) }
        for effector in effectors {
            let (a, b) = frame.data(of: effector)
            features += [Float(a.x), Float(a.y), Float(a.z), Float(b.x), Float(b.y), Float(b.z), effector.tolerance]
            slots.append(Int(effector.kind.rawValue) * Skeleton.rotationCount + Int(effector.joint))
            shares.append(Float(Double(effector.weight) / total))
        }
        offsets.append(slots.count)
        frames.append(frame)
    }

    /// The effectors of positive weight, by kind, joint, and then by their numbers.
    static func canonical(_ observations: EffectorObservations, _ person: Int) -> [Effector] {
        canonicalOrder(observations, person).map { observations[$0] }
    }

    private static func canonicalOrder(_ observations: EffectorObservations, _ person: Int) -> [Int] {
        observations.effectors(of: person).filter { observations.weights[$0] > 0 }
            .sorted { precedes(observations[$0], observations[$1]) }
    }

    private static func precedes(_ a: Effector, _ b: Effector) -> Bool {
        if a.kind != b.kind { return a.kind.rawValue < b.kind.rawValue }
        if a.joint != b.joint { return a.joint < b.joint }
        for index in 0..<6 where a.values[index] != b.values[index] { return a.values[index] < b.values[index] }
        if a.tolerance != b.tolerance { return a.tolerance < b.tolerance }
        return a.weight < b.weight
    }

    private static func reference(of effectors: [Effector]) -> SIMD3<Double>? {
        var sum = SIMD3<Double>.zero
        var total = 0.0
        for effector in effectors where effector.kind == .position {
            sum += Double(effector.weight) * effector.place
            total += Double(effector.weight)
        }
        return total > 0 ? sum / total : nil
    }
}
