public import SinewBody

/// A solver that turns observed joints into body poses, a whole batch at a time.
///
/// A model is loaded once per process and shared by all compute threads, so it holds packed weights and no scratch memory.
public protocol PoseModel: Sendable {
    /// Name and version as in the repository, for example `niki` and `1`.
    var identity: ModelIdentity { get }

    /// Whether a pose depends on other frames of its track: on a start pose, the one given or the answer of the frame before, or on the
    /// frames around it. Then the rows of a track belong into one batch, in time order. False unless a model says otherwise.
    var isSequential: Bool { get }

    /// Solves every person of the batch.
    ///
    /// - Shape: see ``PoseObservations`` and ``PoseSolutions``; rows keep their order.
    /// - Frame: model frame, metres, y up.
    /// - Parameter isCancelled: asked between layers; once it says true the result is thrown away.
    /// - Throws: ``ModelError/cancelled``, or ``ModelError`` when an observation cannot be solved.
    /// - Note: a person's result does not depend on who shares the batch, bit for bit.
    func solve(_ observations: PoseObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions

    /// Multiply-adds that the packed network takes for these people; 0 for a solver without a network.
    ///
    /// Further passes for people who were lost, refinement, forward kinematics and fitting are not counted.
    func multiplyAdds(of observations: PoseObservations) -> Int

    /// The same on several threads, with the same result bit for bit.
    ///
    /// - Parameter team: must not be at work. Where a model says nothing of its own, each member solves some of the people.
    func solve(
        _ observations: PoseObservations, on team: ComputeTeam, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions
}

extension PoseModel {
    /// Every row by itself.
    public var isSequential: Bool { false }

    /// No network.
    public func multiplyAdds(of observations: PoseObservations) -> Int { 0 }
}

/// Which model answered: `name/version`.
public struct ModelIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The repository name, for example `niki`.
    public let name: String
    /// The repository version, for example `1`.
    public let version: String
    /// SHA-256 of the weights in lowercase hexadecimal; empty for solvers without weights.
    public let weightsSHA256: String
    /// The architecture name of `model.json`, for example `niki-twist-and-swing`.
    public let architecture: String
    /// How the weights are held, as in `model.json`; empty for solvers without weights.
    public let precision: String

    /// Creates an identity.
    public init(name: String, version: String, weightsSHA256: String, architecture: String, precision: String = "") {
        self.name = name
        self.version = version
        self.weightsSHA256 = weightsSHA256
        self.architecture = architecture
        self.precision = precision
    }

    /// `name/version`.
    public var description: String { "\(name)/\(version)" }
}

/// What was seen of `count` people, one row each, already validated (finite values, matching lengths).
///
/// - Shape: `joints` `[count, 29, 3]`, `sigma` `[count, 29]`, `observed` `[count]` bit sets, `twists` `[count, 23]`,
///   `betas` `[count, 10]`; all row-major.
/// - Units: metres and radians; model frame, y up; any translation.
public struct PoseObservations: Sendable {
    /// The number of people.
    public var count: Int
    /// Joint positions in the order of the 29-joint skeleton.
    public var joints: [Float]
    /// Uncertainty of each joint, larger is less certain, clipped to `[0, 0.4]` by the models.
    public var sigma: [Float]
    /// Bit `j` is set where joint `j` was observed; the position of an unobserved joint is ignored.
    public var observed: [UInt32]
    /// Twist angles of joints 1…23 about their rest bone; ignored where ``hasTwists`` is false.
    public var twists: [Float]
    /// Whether a person's twists are known.
    public var hasTwists: [Bool]
    /// Shape coefficients.
    public var betas: [Float]
    /// Which body the betas belong to.
    public var genders: [Gender]
    /// Start poses `[count, 24, 3]`, rotation vectors in radians, for models that start from one; empty when nobody has one.
    public var startTheta: [Float]
    /// Whether a row has a start pose; empty when none has.
    public var hasStart: [Bool]
    /// Rows with the same number are consecutive frames of one person, in time order; empty when every row stands for itself.
    public var tracks: [UInt32]

    /// Creates a batch from its arrays.
    public init(
        count: Int, joints: [Float], sigma: [Float], observed: [UInt32], twists: [Float], hasTwists: [Bool],
        betas: [Float], genders: [Gender], startTheta: [Float] = [], hasStart: [Bool] = [], tracks: [UInt32] = []
    ) {
        precondition(hasStart.isEmpty || hasStart.count == count)
        precondition(startTheta.count == hasStart.count * 72 && (tracks.isEmpty || tracks.count == count))
        precondition(joints.count == count * 29 * 3 && sigma.count == count * 29 && observed.count == count)
        precondition(twists.count == count * 23 && hasTwists.count == count)
        precondition(betas.count == count * 10 && genders.count == count)
        self.count = count
        self.joints = joints
        self.sigma = sigma
        self.observed = observed
        self.twists = twists
        self.hasTwists = hasTwists
        self.betas = betas
        self.genders = genders
        self.startTheta = startTheta
        self.hasStart = hasStart
        self.tracks = tracks
    }
}

/// The poses of a batch, in the order of its people.
///
/// - Shape: `theta` `[count, 24, 3]` parent-relative axis-angle (radians), `translation` `[count, 3]`, `joints`
///   `[count, 29, 3]`, and one entry per person in each quality array.
/// - Frame: model frame; forward kinematics of `theta` and the person's beta, plus `translation`, gives `joints`.
public struct PoseSolutions: Sendable {
    /// The number of people.
    public var count: Int
    /// Local rotations, joint 0 is the global orientation.
    public var theta: [Float]
    /// SMPL `transl`: puts the posed pelvis on the observed one.
    public var translation: [Float]
    /// The 29 joints of the solved pose.
    public var joints: [Float]
    /// Norm of the latent error code (0 for solvers without one).
    public var latentNorm: [Float]
    /// Mean distance between observed joints and solved joints after pelvis alignment, millimetres; of effectors, the weighted mean
    /// distance of the positional ones from their joints, without any alignment.
    public var jointResidualMillimetres: [Float]
    /// Weighted mean angle by which rotation and look-at effectors are missed, radians; 0 where there are none.
    public var orientationResidualRadians: [Float]
    /// Largest relative difference between an observed bone's length and the body's.
    public var boneLengthChange: [Float]
    /// How many of the 29 joints were not observed.
    public var unobservedJoints: [Int32]
    /// What became of the start pose; always ``Outcome/solved`` for models that need none.
    public var outcome: [Outcome]

    /// Where a pose came from.
    public enum Outcome: Int32, Sendable, CaseIterable {
        /// It is the solver's answer.
        case solved = 0
        /// It is the start pose: the answer fitted what was observed worse.
        case startKept = 1
        /// The person was lost, and the solver began anew from analytic IK.
        case restarted = 2
    }

    /// Creates zeroed solutions for `count` people.
    public init(count: Int) {
        self.count = count
        theta = Array(repeating: 0, count: count * 72)
        translation = Array(repeating: 0, count: count * 3)
        joints = Array(repeating: 0, count: count * 87)
        latentNorm = Array(repeating: 0, count: count)
        jointResidualMillimetres = Array(repeating: 0, count: count)
        orientationResidualRadians = Array(repeating: 0, count: count)
        boneLengthChange = Array(repeating: 0, count: count)
        unobservedJoints = Array(repeating: 0, count: count)
        outcome = Array(repeating: .solved, count: count)
    }
}

/// Why a model could not be loaded or a batch could not be solved.
public struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure, for callers that react differently.
    public enum Reason: Sendable, Equatable {
        /// The caller no longer wants the result.
        case cancelled
        /// The repository holds no such model.
        case unknownModel
        /// A file of the model is missing, malformed, or does not match its hash.
        case unusableFile
        /// An observation cannot be solved (for example every joint is unobserved).
        case degenerateInput
    }
    /// The kind of failure.
    public let reason: Reason
    /// What, where, why and what to type next, in one sentence or two.
    public let message: String
    /// The person of the batch the failure is about.
    public let person: Int?

    /// Creates an error.
    public init(_ reason: Reason, _ message: String, person: Int? = nil) {
        self.reason = reason
        self.message = message
        self.person = person
    }

    /// The caller no longer wants the result.
    public static var cancelled: ModelError { ModelError(.cancelled, "the call was cancelled") }

    /// The message.
    public var description: String { message }
}
