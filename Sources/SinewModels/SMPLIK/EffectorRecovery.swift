public import SinewBody

/// Finds few effectors from which a model reproduces a whole pose: what an animator edits instead of 24 rotations.
///
/// Greedy forward selection: each round tries every candidate that is left beside those that were chosen, solves all of these sets as
/// one batch, and keeps the candidate with the smallest joint error. The first one is a position, because a model needs one.
/// - Source: Voleti et al., "SMPL-IK" (2022); models.md §6.2. Unpublished there, chosen here: candidates are the positions and
///   the world rotations of all 24 joints; the error is the mean distance of the 24 joints, unaligned; it also ends when no candidate
///   makes the error smaller.
public struct EffectorRecovery: Sendable {
    /// When to stop.
    public struct Options: Sendable {
        /// The most effectors.
        public var countMax = 6
        /// Stops once the mean joint error is at most this, millimetres.
        public var errorMillimetres: Float = 0
        /// What may be chosen beside positions.
        public var allowsRotations = true

        /// Six effectors of both kinds.
        public init() {}
    }

    /// What was found.
    public struct Recovered: Sendable {
        /// The effectors, in the order in which they were chosen.
        public var effectors: [Effector] = []
        /// The mean joint error after each choice, millimetres.
        public var errorsMillimetres: [Float] = []
    }

    private let model: any EffectorPoseModel
    private let bodies: BodyLibrary

    /// Creates a search that asks `model`.
    public init(model: any EffectorPoseModel) throws(ModelError) {
        self.model = model
        bodies = try .shared()
    }

    /// Recovers the effectors of one pose.
    ///
    /// - Parameters:
    ///   - theta: `[24, 3]` rotation vectors.
    ///   - translation: `[3]` SMPL `transl`, metres.
    ///   - betas: `[10]`.
    /// - Cost: at most `countMax · 48` people solved, in `countMax` batches.
    /// - Throws: ``ModelError/cancelled``.
    public func recover(
        theta: [Float], translation: [Float], betas: [Float], gender: Gender, options: Options = Options(),
        isCancelled: () -> Bool
    ) throws(ModelError) -> Recovered {
        precondition(theta.count == 72 && translation.count == 3 && betas.count == BodyModel.shapeCount)
        let posed = ForwardKinematics.pose(
            rotations: PoseRows.matrices(ofTheta: theta), restJoints: bodies[gender].restJoints(betas: betas))
        let joints = (0..<72).map { posed.joints[$0] + translation[$0 % 3] }
        var candidates = (0..<Skeleton.rotationCount).map { joint in
            Effector.position(UInt8(joint), at: joints.vector(at: joint * 3))
        }
        let rotations = (0..<Skeleton.rotationCount).map { joint in
            Effector.rotation(UInt8(joint), RotationMatrix(rowMajor: posed.globalRotations, at: joint * 9))
        }
        var found = Recovered()
        while found.effectors.count < options.countMax, !candidates.isEmpty {
            var sets = EffectorObservations()
            for candidate in candidates { sets.append(found.effectors + [candidate], betas: betas, gender: gender) }
            let solved = try model.solve(sets, isCancelled: isCancelled)
            let errors = candidates.indices.map { Self.error(of: solved.joints, row: $0, from: joints) }
            guard let best = errors.indices.min(by: { errors[$0] < errors[$1] }) else { break }
            if let last = found.errorsMillimetres.last, errors[best] >= last { break }
            found.effectors.append(candidates.remove(at: best))
            found.errorsMillimetres.append(errors[best])
            if errors[best] <= options.errorMillimetres { break }
            if found.effectors.count == 1, options.allowsRotations { candidates += rotations }
        }
        return found
    }

    /// The mean distance of 24 joints, millimetres; `solved` has rows of 29.
    private static func error(of solved: [Float], row: Int, from joints: [Float]) -> Float {
        var sum = 0.0
        for joint in 0..<Skeleton.rotationCount {
            sum += length(solved.vector(at: row * 87 + joint * 3) - joints.vector(at: joint * 3))
        }
        return Float(1000 * sum / Double(Skeleton.rotationCount))
    }
}
