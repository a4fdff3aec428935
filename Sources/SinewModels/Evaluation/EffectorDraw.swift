package import SinewBody

/// Which effectors of a known pose a model is given.
///
/// - Source: models.md §5.6 (the published random draw) and §10.
package enum EffectorDraw: String, Sendable, CaseIterable {
    /// 3 to 16 effectors of random kinds and joints with random tolerances, but at least three positions, so that there may be more
    /// than 16; the counts are drawn anew for every person.
    case random = "random-effectors"
    /// Exact positions of pelvis, neck, wrists and ankles.
    case sixPositions = "six-positions"

    private static let sixJoints: [UInt8] = [0, 12, 20, 21, 7, 8]
    private static let counts = 3...16
    private static let positionsMin = 3
    /// A tolerance is `0.1 · u¹³` metres or radians: nearly all are nearly exact.
    private static let toleranceMax = 0.1
    private static let tolerancePower = 13

    /// The effectors of every person, who stand with the rest pelvis at its place.
    package func effectors(
        of people: EvaluationPeople, using random: inout some RandomNumberGenerator
    ) -> EffectorObservations {
        var joints = [Float](repeating: 0, count: people.count * 87)
        var globals = [Float](repeating: 0, count: people.count * 216)
        ForwardKinematics.pose(
            count: people.count, rotations: PoseRows.matrices(ofTheta: people.theta), restJoints: people.restJoints,
            joints: &joints, globalRotations: &globals)
        var all = EffectorObservations()
        for person in 0..<people.count {
            let body = PosedBody(
                places: (0..<24).map { joints.vector(at: person * 87 + $0 * 3) },
                orientations: (0..<24).map { RotationMatrix(rowMajor: globals, at: person * 216 + $0 * 9) })
            let effectors: [Effector] =
                switch self {
                case .random: Self.draw(of: body, using: &random)
                case .sixPositions: Self.sixJoints.map { .position($0, at: body.places[Int($0)]) }
                }
            all.append(
                effectors, betas: Array(people.betas[(person * 10)..<(person * 10 + 10)]),
                gender: people.genders[person])
        }
        return all
    }

    private struct PosedBody {
        let places: [SIMD3<Double>]
        let orientations: [RotationMatrix]
    }

    private static func draw(of body: PosedBody, using random: inout some RandomNumberGenerator) -> [Effector] {
        var counts = [EffectorObservations.Kind: Int]()
        for _ in 0..<Int.random(in: Self.counts, using: &random) {
            counts[EffectorObservations.Kind.allCases[Int.random(in: 0..<3, using: &random)], default: 0] += 1
        }
        var effectors: [Effector] = []
        for joint in distinct(max(positionsMin, counts[.position] ?? 0), using: &random) {
            let tolerance = tolerance(using: &random)
            let place = body.places[joint] + tolerance * random.normalVector()
            effectors.append(.position(UInt8(joint), at: place, tolerance: Float(tolerance)))
        }
        for joint in distinct(counts[.rotation] ?? 0, using: &random) {
            let tolerance = tolerance(using: &random)
            let shake = eulerXYZ(tolerance * random.normalVector())
            effectors.append(
                .rotation(UInt8(joint), shake * body.orientations[joint], tolerance: Float(tolerance)))
        }
        for _ in 0..<(counts[.lookAt] ?? 0) {
            let joint = Int.random(in: 0..<24, using: &random)
            var direction = random.normalVector()
            direction /= length(direction)
            let distance = 1e-3 + 5 * abs(random.normal())
            let target = body.places[joint] + distance * (body.orientations[joint] * direction)
            effectors.append(.lookAt(UInt8(joint), target: target, direction: direction))
        }
        return effectors
    }

    private static func tolerance(using random: inout some RandomNumberGenerator) -> Double {
        let uniform = random.uniform(0...1)
        return (0..<tolerancePower).reduce(toleranceMax) { product, _ in product * uniform }
    }

    /// Different joints in random order.
    private static func distinct(_ count: Int, using random: inout some RandomNumberGenerator) -> [Int] {
        Array((0..<24).shuffled(using: &random).prefix(count))
    }

    /// `R_x R_y R_z`.
    private static func eulerXYZ(_ angles: SIMD3<Double>) -> RotationMatrix {
        func turn(_ axis: Int) -> RotationMatrix {
            var vector = SIMD3<Double>.zero
            vector[axis] = angles[axis]
            return RotationMatrix(AxisAngle(vector))
        }
        return turn(0) * turn(1) * turn(2)
    }
}

extension EffectorObservations {
    /// How far each exact positional effector (tolerance below 1 mm) is from its joint, millimetres, in the order of the effectors.
    package func positionMisses(of solutions: PoseSolutions) -> [Double] {
        exactPositions.map { person, effector in
            let place = SIMD3(
                Double(effector.values[0]), Double(effector.values[1]), Double(effector.values[2]))
            return 1000 * length(solutions.joints.vector(at: person * 87 + Int(effector.joint) * 3) - place)
        }
    }

    /// How far the joints of exact positional effectors are from where another solution has them, millimetres.
    package func positionMoves(from before: PoseSolutions, to after: PoseSolutions) -> [Double] {
        exactPositions.map { person, effector in
            let at = person * 87 + Int(effector.joint) * 3
            return 1000 * length(after.joints.vector(at: at) - before.joints.vector(at: at))
        }
    }

    private var exactPositions: [(person: Int, effector: Effector)] {
        (0..<count).flatMap { person in
            effectors(of: person).map { (person, self[$0]) }
                .filter { $0.1.kind == .position && $0.1.tolerance < 1e-3 && $0.1.weight > 0 }
        }
    }

    /// The same goals for other bodies, `betas` `[count, 10]`.
    package func reshaped(betas: [Float], genders: [Gender]) -> EffectorObservations {
        var all = EffectorObservations()
        for person in 0..<count {
            all.append(
                effectors(of: person).map { self[$0] }, betas: Array(betas[(person * 10)..<(person * 10 + 10)]),
                gender: genders[person])
        }
        return all
    }
}
