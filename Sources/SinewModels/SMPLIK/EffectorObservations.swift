public import SinewBody

/// Sparse goals for `count` people: any number of effectors each, stored one after the other without padding.
///
/// - Shape: person `p` has the effectors `offsets[p]..<offsets[p + 1]`; `kinds`, `joints`, `tolerances`, `weights` `[m]`, `values`
///   `[m, 6]`, `betas` `[count, 10]`, `genders` `[count]`; all row-major.
/// - Units: metres and radians; model frame, y up; any translation.
/// - Source: models.md §5.1.
public struct EffectorObservations: Sendable {
    /// What an effector says; the raw values are the ids of the published networks and of the wire.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// Where a joint is: three numbers, then three zeros.
        case position = 0
        /// How a joint is turned in the world: the first two rows of its rotation matrix (``Rotation6DRows``).
        case rotation = 1
        /// What a joint looks at: the target, then the direction, in the joint's own frame, that points there.
        case lookAt = 2

        /// The name in messages and files.
        public var name: String {
            switch self {
            case .position: "position"
            case .rotation: "rotation"
            case .lookAt: "look-at"
            }
        }
    }

    /// The number of people.
    public private(set) var count = 0
    /// `[count + 1]`; the first is 0.
    public private(set) var offsets = [0]
    /// What each effector says.
    public private(set) var kinds: [Kind] = []
    /// Which of the 24 joints each is about.
    public private(set) var joints: [UInt8] = []
    /// Six numbers each, as its kind says.
    public private(set) var values: [Float] = []
    /// How far a goal may be missed: the standard deviation of its noise, metres or radians, 0 for exact.
    public private(set) var tolerances: [Float] = []
    /// How much each counts beside the others of its person; 0 is as if it were not there.
    public private(set) var weights: [Float] = []
    /// Shape coefficients.
    public private(set) var betas: [Float] = []
    /// Which body the betas belong to.
    public private(set) var genders: [Gender] = []

    /// The most effectors of one person that a model solves: all joints with a position and a rotation, and 80 more.
    public static let perPersonMax = 128

    /// Nobody yet.
    public init() {}

    /// The number of effectors of all people.
    public var effectorCount: Int { kinds.count }

    /// The effectors of a person.
    public func effectors(of person: Int) -> Range<Int> { offsets[person]..<offsets[person + 1] }

    /// Adds a person.
    public mutating func append(_ effectors: [Effector], betas: [Float], gender: Gender) {
        precondition(betas.count == BodyModel.shapeCount, "a person has \(BodyModel.shapeCount) shape coefficients")
        for effector in effectors {
            kinds.append(effector.kind)
            joints.append(effector.joint)
            // −0 and 0 compare as equal but are not the same bits; only one of them is let in.
            for index in 0..<6 { values.append(effector.values[index] + 0) }
            tolerances.append(effector.tolerance)
            weights.append(effector.weight)
        }
        close(betas: betas, gender: gender)
    }

    /// Adds some people of another batch behind those of this one.
    public mutating func append(_ people: [Int], of other: EffectorObservations) {
        for person in people {
            let range = other.effectors(of: person)
            kinds += other.kinds[range]
            joints += other.joints[range]
            values += other.values[(6 * range.lowerBound)..<(6 * range.upperBound)]
            tolerances += other.tolerances[range]
            weights += other.weights[range]
            close(betas: Array(other.betas[(person * 10)..<(person * 10 + 10)]), gender: other.genders[person])
        }
    }

    /// One effector of the batch.
    public subscript(index: Int) -> Effector {
        var six = SIMD8<Float>.zero
        for axis in 0..<6 { six[axis] = values[index * 6 + axis] }
        return Effector(
            kind: kinds[index], joint: joints[index], values: six, tolerance: tolerances[index], weight: weights[index])
    }

    private mutating func close(betas: [Float], gender: Gender) {
        self.betas += betas
        genders.append(gender)
        offsets.append(kinds.count)
        count += 1
    }
}

/// One goal for one joint.
public struct Effector: Sendable, Hashable {
    /// What it says.
    public var kind: EffectorObservations.Kind
    /// Which of the 24 joints it is about.
    public var joint: UInt8
    /// Six numbers as the kind says; the last two lanes are unused.
    public var values: SIMD8<Float>
    /// The standard deviation of its noise, metres or radians; 0 is exact.
    public var tolerance: Float
    /// How much it counts; 0 is as if it were not there.
    public var weight: Float

    /// Takes the numbers as they are.
    public init(
        kind: EffectorObservations.Kind, joint: UInt8, values: SIMD8<Float>, tolerance: Float = 0, weight: Float = 1
    ) {
        self.kind = kind
        self.joint = joint
        self.values = values
        self.tolerance = tolerance
        self.weight = weight
    }

    /// A joint is to be at a place, metres, model frame.
    public static func position(
        _ joint: UInt8, at place: SIMD3<Double>, tolerance: Float = 0, weight: Float = 1
    ) -> Effector {
        Effector(
            kind: .position, joint: joint, values: six(place, .zero), tolerance: tolerance, weight: weight)
    }

    /// A joint is to have an orientation in the model frame; the rest pose has the identity everywhere.
    public static func rotation(
        _ joint: UInt8, _ orientation: RotationMatrix, tolerance: Float = 0, weight: Float = 1
    ) -> Effector {
        Effector(
            kind: .rotation, joint: joint, values: six(orientation.row0, orientation.row1), tolerance: tolerance,
            weight: weight)
    }

    /// A direction of a joint's own frame is to point at a place; +z is where the rest pose faces.
    public static func lookAt(
        _ joint: UInt8, target: SIMD3<Double>, direction: SIMD3<Double> = SIMD3(0, 0, 1), tolerance: Float = 0,
        weight: Float = 1
    ) -> Effector {
        Effector(
            kind: .lookAt, joint: joint, values: six(target, direction), tolerance: tolerance, weight: weight)
    }

    private static func six(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD8<Float> {
        SIMD8(Float(a.x), Float(a.y), Float(a.z), Float(b.x), Float(b.y), Float(b.z), 0, 0)
    }
}

/// A solver that turns effectors into body poses, beside whole sets of joints.
public protocol EffectorPoseModel: PoseModel {
    /// Solves every person of the batch.
    ///
    /// - Shape: see ``EffectorObservations`` and ``PoseSolutions``; rows keep their order.
    /// - Frame: model frame, metres, y up.
    /// - Parameter isCancelled: asked between layers; once it says true the result is thrown away.
    /// - Throws: ``ModelError/cancelled``, or ``ModelError/Reason/degenerateInput`` for a person without a positional effector of
    ///   positive weight.
    /// - Note: a person's result does not depend on who shares the batch, nor on the order of its effectors, bit for bit.
    func solve(_ effectors: EffectorObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions

    /// As ``PoseModel/multiplyAdds(of:)``, for effectors.
    func multiplyAdds(of effectors: EffectorObservations) -> Int
}

extension EffectorPoseModel {
    /// No network.
    public func multiplyAdds(of effectors: EffectorObservations) -> Int { 0 }
}
