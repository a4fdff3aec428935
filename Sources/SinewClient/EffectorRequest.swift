internal import SinewCore

/// Sparse goals for some people, each with any number of effectors.
///
/// ```swift
/// var request = EffectorRequest()
/// request.append([.position(20, at: (0.4, 1.1, 0.3)), .lookAt(15, target: (0, 1.6, 2))], gender: "female")
/// let reply = try await client.solve(request, model: "smpl-ik")
/// ```
/// - Units: metres and radians; model frame, y up; any translation. Joints are SMPL's 24 by number.
public struct EffectorRequest: Sendable, Equatable {
    /// Three numbers: x, y, z.
    public typealias Vector = (x: Double, y: Double, z: Double)

    /// One goal for one joint; at least one of a person's must be a position.
    public struct Effector: Sendable, Equatable {
        /// 0 position, 1 rotation, 2 look-at.
        public var kind: UInt8
        /// Which of SMPL's 24 joints it is about.
        public var joint: UInt8
        /// Position: the place and three zeros. Rotation: the first two rows of the rotation matrix. Look-at: the target and the
        /// direction of the joint's own frame that points at it.
        public var values: [Float]
        /// Standard deviation of what is asked, metres or radians, 0…1.
        public var tolerance: Float
        /// How much it counts beside the others: 0 or 0.001…1000.
        public var weight: Float

        /// Creates an effector from its numbers. They are checked by the worker, not here.
        public init(kind: UInt8, joint: UInt8, values: [Float], tolerance: Float = 0, weight: Float = 1) {
            self.kind = kind
            self.joint = joint
            self.values = values
            self.tolerance = tolerance
            self.weight = weight
        }

        /// A joint is to be at a place.
        public static func position(
            _ joint: UInt8, at place: Vector, tolerance: Float = 0, weight: Float = 1
        ) -> Effector {
            Effector(
                kind: 0, joint: joint, values: [place.x, place.y, place.z, 0, 0, 0].map(Float.init),
                tolerance: tolerance, weight: weight)
        }

        /// A joint is to have an orientation in the model frame, given as a row-major 3×3 matrix.
        public static func rotation(
            _ joint: UInt8, matrix: [Double], tolerance: Float = 0, weight: Float = 1
        ) -> Effector {
            precondition(matrix.count == 9, "a rotation matrix has nine numbers, not \(matrix.count)")
            return Effector(
                kind: 1, joint: joint, values: matrix[..<6].map(Float.init), tolerance: tolerance, weight: weight)
        }

        /// A joint is to have an orientation in the model frame, given as a quaternion, which need not be of unit length.
        public static func rotation(
            _ joint: UInt8, quaternion q: (w: Double, x: Double, y: Double, z: Double), tolerance: Float = 0,
            weight: Float = 1
        ) -> Effector {
            let scale = 2 / (q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z)
            let matrix = [
                1 - scale * (q.y * q.y + q.z * q.z), scale * (q.x * q.y - q.w * q.z), scale * (q.x * q.z + q.w * q.y),
                scale * (q.x * q.y + q.w * q.z), 1 - scale * (q.x * q.x + q.z * q.z), scale * (q.y * q.z - q.w * q.x),
                scale * (q.x * q.z - q.w * q.y), scale * (q.y * q.z + q.w * q.x), 1 - scale * (q.x * q.x + q.y * q.y),
            ]
            return rotation(joint, matrix: matrix, tolerance: tolerance, weight: weight)
        }

        /// A direction of a joint's own frame is to point at a place; +z is where the rest pose faces.
        public static func lookAt(
            _ joint: UInt8, target: Vector, direction: Vector = (0, 0, 1), tolerance: Float = 0, weight: Float = 1
        ) -> Effector {
            Effector(
                kind: 2, joint: joint,
                values: [target.x, target.y, target.z, direction.x, direction.y, direction.z].map(Float.init),
                tolerance: tolerance, weight: weight)
        }
    }

    /// The effectors of each person.
    public private(set) var people: [[Effector]] = []
    /// Shape coefficients of each person, `[count, 10]`.
    public private(set) var betas: [Float] = []
    /// `neutral`, `female` or `male`, one per person.
    public private(set) var genders: [String] = []

    /// Gauss-Newton steps on the residual of the effectors after the model, 0…64.
    public var refine: Int

    /// The number of people.
    public var count: Int { people.count }

    /// Nobody yet.
    public init(refine: Int = 0) { self.refine = refine }

    /// Adds a person.
    ///
    /// - Parameter betas: at most ten shape coefficients; missing ones are zero.
    public mutating func append(_ effectors: [Effector], betas: [Float] = [], gender: String = "neutral") {
        precondition(betas.count <= 10, "a body has ten shape coefficients, not \(betas.count)")
        people.append(effectors)
        self.betas += betas + [Float](repeating: 0, count: 10 - betas.count)
        genders.append(gender)
    }
}

extension EffectorRequest {
    /// Refuses what has no place in a message.
    func validate() throws(ClientError) {
        guard count >= 1 else {
            throw ClientError(.wrongShape, "a request for nobody; append at least one person", field: "counts")
        }
        let refineStepsMax = Limits().refineStepsMax
        guard (0...refineStepsMax).contains(refine) else {
            throw ClientError(.outOfRange, "refine is \(refine), outside 0…\(refineStepsMax) steps", field: "refine")
        }
        for (person, effectors) in people.enumerated() {
            for (place, effector) in effectors.enumerated() where effector.values.count != 6 {
                throw ClientError(
                    .wrongShape,
                    "person \(person), effector \(place): \(effector.values.count) values, an effector has six",
                    field: "values")
            }
        }
    }

    /// The message with the people of `range`. The request must be valid.
    func message(_ range: Range<Int>) -> SolveEffectorsRequest {
        let effectors = people[range].flatMap { $0 }
        func column(_ values: [Float]) -> Tensor { Tensor(values, shape: [values.count]) }
        return SolveEffectorsRequest(
            counts: Tensor(.int32(people[range].map { Int32(clamping: $0.count) }), shape: [range.count]),
            kinds: Tensor(.uint8(effectors.map(\.kind)), shape: [effectors.count]),
            joints: Tensor(.uint8(effectors.map(\.joint)), shape: [effectors.count]),
            values: Tensor(effectors.flatMap(\.values), shape: [effectors.count, 6]),
            tolerances: column(effectors.map(\.tolerance)), weights: column(effectors.map(\.weight)),
            betas: Tensor(Array(betas[(range.lowerBound * 10)..<(range.upperBound * 10)]), shape: [range.count, 10]),
            genders: Array(genders[range]), refine: refine == 0 ? nil : UInt32(refine))
    }
}
