internal import SinewBody

/// Six distances between joints of a skeleton at rest, from which a shape can be told.
///
/// The distances from the head depend on the pose: the skeleton must stand in a T-pose, arms out to the sides.
/// - Units: metres.
/// - Source: SMPL-SI, models.md §6.1: right thigh, right shin, head to right ankle, head to right wrist, right upper arm, right forearm.
public struct LimbLengths: Sendable, Equatable {
    /// The lengths, in the order of ``names``.
    public let values: [Double]

    /// How many there are.
    public static let count = 6
    /// What each length is called in messages and on the command line.
    public static let names = [
        "right thigh", "right shin", "head to right ankle", "head to right wrist", "right upper arm", "right forearm",
    ]
    /// The joints of ``Skeleton/smpl24`` that each length lies between.
    public static let jointPairs: [(from: Int, to: Int)] = [(2, 5), (5, 8), (15, 8), (15, 21), (17, 19), (19, 21)]
    /// Metres; a length outside is a mistake of units, and bodies of 0.2 to 2 times the usual size have none there.
    public static let range = 0.01...10.0

    /// Takes lengths as measured.
    ///
    /// - Parameter values: six lengths in metres, in the order of ``names``.
    /// - Throws: ``ModelError/Reason/degenerateInput`` where there are not six, or one is not in ``range``.
    public init(_ values: [Double]) throws(ModelError) {
        guard values.count == Self.count else {
            throw ModelError(
                .degenerateInput,
                "there are \(values.count) lengths, but a shape is told from \(Self.count): "
                    + "\(Self.names.joined(separator: ", ")), in metres")
        }
        for (name, value) in zip(Self.names, values) where !Self.range.contains(value) {
            throw ModelError(
                .degenerateInput,
                "the length \(name) is \(value) m; it must be in \(Self.range.lowerBound)…\(Self.range.upperBound) m. "
                    + "Check the unit and that the skeleton stands in a T-pose")
        }
        self.values = values
    }

    /// Measures a skeleton.
    ///
    /// - Parameter restJoints: `[24 or more, 3]` positions in metres in the order of ``Skeleton/smpl24``, in a T-pose.
    /// - Throws: ``ModelError/Reason/degenerateInput`` where a length is not in ``range``.
    public init(restJoints: [Float]) throws(ModelError) {
        precondition(restJoints.count >= Skeleton.rotationCount * 3, "24 joints of three coordinates")
        let lengths = Self.jointPairs.map { pair in
            let from = restJoints.vector(at: pair.from * 3)
            return SinewBody.length(restJoints.vector(at: pair.to * 3) - from)
        }
        try self.init(lengths)
    }

    /// Lengths that need no check, because a body has them.
    init(unchecked values: [Double]) { self.values = values }
}
