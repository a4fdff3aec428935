internal import SinewBody

/// Why a person cannot be solved from its effectors: what would harm its neighbours in a batch, or is a mistake of units.
public struct EffectorProblem: Sendable, Equatable {
    /// The kind of mistake.
    public enum Reason: Sendable, Equatable {
        /// A NaN or an infinity.
        case notFinite
        /// A number outside the range of its field, or numbers that are no rotation or direction.
        case outOfRange
        /// Nothing says where the person is.
        case noPosition
        /// More effectors than a person may have.
        case tooMany
    }
    /// The kind of mistake.
    public let reason: Reason
    /// Which effector of the person, in the order given; nil when it is none in particular.
    public let effector: Int?
    /// The array that holds the mistake: `values`, `tolerances`, `weights`, `betas` or `counts`.
    public let field: String
    /// What and where, and what to do.
    public let message: String
}

extension EffectorObservations {
    /// The first mistake in a person's effectors and shape; nil when it can be solved.
    ///
    /// - Parameter countMax: how many effectors a person may have.
    /// - Cost: one pass over the person's values, no allocation unless something is wrong.
    public func problem(of person: Int, countMax: Int = perPersonMax) -> EffectorProblem? {
        let range = effectors(of: person)
        guard range.count <= countMax else {
            return EffectorProblem(
                reason: .tooMany, effector: nil, field: "counts",
                message: "\(range.count) effectors, a person may have \(countMax); leave some out")
        }
        var isPlaced = false
        for index in range {
            let effector = self[index]
            let checker = EffectorChecker(effector: effector, place: index - range.lowerBound)
            if let problem = checker.problem { return problem }
            if effector.kind == .position, effector.weight > 0 { isPlaced = true }
        }
        guard isPlaced else {
            return EffectorProblem(
                reason: .noPosition, effector: nil, field: "kinds",
                message: "no positional effector with a weight above 0, so nothing says where the person is; add one, "
                    + "for example the pelvis")
        }
        return spreadProblem(of: range) ?? betaProblem(of: person)
    }

    /// Positions of one person further apart than any body is long.
    private func spreadProblem(of range: Range<Int>) -> EffectorProblem? {
        var low = SIMD3<Double>(repeating: .infinity)
        var high = -low
        for index in range where kinds[index] == .position && weights[index] > 0 {
            let place = self[index].place
            low = pointwiseMin(low, place)
            high = pointwiseMax(high, place)
            guard (high - low).max() <= Self.extentMax else {
                return EffectorProblem(
                    reason: .outOfRange, effector: index - range.lowerBound, field: "values",
                    message: "effector \(index - range.lowerBound) (position of \(self[index].jointName)): more than "
                        + "\(Int(Self.extentMax)) m from another position of the person; divide by 1000 if they are in "
                        + "millimetres")
            }
        }
        return nil
    }

    private func betaProblem(of person: Int) -> EffectorProblem? {
        for column in 0..<10 {
            let value = betas[person * 10 + column]
            if !value.isFinite {
                return EffectorProblem(
                    reason: .notFinite, effector: nil, field: "betas",
                    message: "betas[\(column)] is \(value); leave the field out when it is not known")
            }
            if abs(value) > 10 {
                return EffectorProblem(
                    reason: .outOfRange, effector: nil, field: "betas",
                    message:
                        "betas[\(column)] is \(value), outside -10…10 standard deviations; shape coefficients of SMPL "
                        + "are meant")
            }
        }
        return nil
    }

    /// Nobody is larger, and millimetres read as metres are a thousand times larger.
    private static let extentMax = 10.0
}

/// Looks at one effector.
private struct EffectorChecker {
    let effector: Effector
    /// In the order of the person.
    let place: Int

    /// A kilometre from the origin a float has less than 0.1 mm left.
    private static let placeMax: Float = 1000
    private static let toleranceMax: Float = 1
    /// A weight that is not 0 lies in here: far outside, sums lose what the others say.
    private static let weights: ClosedRange<Float> = 0.001...1000
    /// How far rows of a rotation may be from unit length and a right angle: four decimals in a file are near enough.
    private static let rowErrorMax = 0.01

    private var name: String { "effector \(place) (\(effector.kind.name) of \(effector.jointName))" }

    var problem: EffectorProblem? {
        for column in 0..<6 where !effector.values[column].isFinite {
            return wrong(
                .notFinite, "values", "values[\(column)] is \(effector.values[column]); leave the effector out")
        }
        guard effector.tolerance.isFinite else {
            return wrong(.notFinite, "tolerances", "its tolerance is \(effector.tolerance); 0 is exact")
        }
        guard effector.weight.isFinite else {
            return wrong(.notFinite, "weights", "its weight is \(effector.weight); 1 is usual")
        }
        guard (0...Self.toleranceMax).contains(effector.tolerance) else {
            return wrong(
                .outOfRange, "tolerances",
                "its tolerance is \(effector.tolerance), outside 0…\(Self.toleranceMax) metres or radians")
        }
        guard effector.weight == 0 || Self.weights.contains(effector.weight) else {
            return wrong(
                .outOfRange, "weights",
                "its weight is \(effector.weight); use 0 for none, or \(Self.weights.lowerBound)…\(Self.weights.upperBound)"
            )
        }
        switch effector.kind {
        case .position: return placeProblem
        case .rotation: return rotationProblem
        case .lookAt: return placeProblem ?? directionProblem
        }
    }

    private var placeProblem: EffectorProblem? {
        for axis in 0..<3 where abs(effector.values[axis]) > Self.placeMax {
            return wrong(
                .outOfRange, "values",
                "\(["x", "y", "z"][axis]) is \(effector.values[axis]), outside -\(Self.placeMax)…\(Self.placeMax) m; divide by "
                    + "1000 if it is in millimetres")
        }
        return nil
    }

    private var rotationProblem: EffectorProblem? {
        let values = effector.values
        let a = SIMD3(Double(values[0]), Double(values[1]), Double(values[2]))
        let b = SIMD3(Double(values[3]), Double(values[4]), Double(values[5]))
        let errors = [abs(length(a) - 1), abs(length(b) - 1), abs(dot(a, b))]
        guard errors.allSatisfy({ $0 <= Self.rowErrorMax }) else {
            return wrong(
                .outOfRange, "values",
                "its six values are not the first two rows of a rotation matrix (unit length, at a right angle)")
        }
        return nil
    }

    private var directionProblem: EffectorProblem? {
        let values = effector.values
        let axis = SIMD3(Double(values[3]), Double(values[4]), Double(values[5]))
        guard abs(length(axis) - 1) <= Self.rowErrorMax else {
            return wrong(
                .outOfRange, "values",
                "its direction (values 3 to 5, in the joint's own frame) has the length \(length(axis)); make it 1")
        }
        return nil
    }

    private func wrong(_ reason: EffectorProblem.Reason, _ field: String, _ what: String) -> EffectorProblem {
        EffectorProblem(reason: reason, effector: place, field: field, message: "\(name): \(what)")
    }
}

extension Effector {
    /// The joint's name, for messages.
    var jointName: String { Skeleton.smpl24.jointNames[Int(joint)] }
}
