internal import Glibc
public import SinewBody

/// Poses for the FK direction, one row each.
///
/// - Shape: `rotations` `[count, 24, 3, 3]` row-major, parent-relative, model frame; `betas` `[count, 10]`; `latent`
///   `[count, latentCount]` or empty for zeros; `heading` `[count]` or empty for the heading of the pose itself.
public struct PosedPeople: Sendable {
    /// The number of people.
    public var count: Int
    /// Local rotations.
    public var rotations: [Float]
    /// Shape coefficients.
    public var betas: [Float]
    /// Which body the betas belong to.
    public var genders: [Gender]
    /// The error code; zeros stand for an observation without error.
    public var latent: [Float]
    /// ψ of a preceding IK of the same person, radians.
    public var heading: [Float]

    /// Creates a batch from its arrays.
    public init(
        count: Int, rotations: [Float], betas: [Float], genders: [Gender], latent: [Float] = [], heading: [Float] = []
    ) {
        precondition(rotations.count == count * 216 && betas.count == count * 10 && genders.count == count)
        precondition(heading.isEmpty || heading.count == count)
        self.count = count
        self.rotations = rotations
        self.betas = betas
        self.genders = genders
        self.latent = latent
        self.heading = heading
    }
}

/// What the network expects to be observed of a pose.
///
/// - Shape: `joints` `[count, 29, 3]` pelvis-relative, metres, model frame; `sigma` `[count, 29]`; `twists` `[count, 23]`
///   radians, empty for the one-stage network, which has none.
public struct ExpectedObservations: Sendable {
    /// Joint positions relative to the pelvis.
    public var joints: [Float]
    /// Uncertainties.
    public var sigma: [Float]
    /// Twist angles of joints 1…23.
    public var twists: [Float]
}

extension NIKIModel {
    /// Values of the error code per person.
    public var latentCount: Int { network.latentCount }

    /// The FK direction: from poses and error codes to observations, the exact inverse of the network in ``solve(_:isCancelled:)``.
    ///
    /// - Frame: model frame, metres, y up.
    /// - Throws: ``ModelError/cancelled``.
    public func expectedObservations(
        of people: PosedPeople, isCancelled: () -> Bool = { false }
    ) throws(ModelError) -> ExpectedObservations {
        precondition(people.latent.isEmpty || people.latent.count == people.count * latentCount)
        let rest = bodies.restJoints(betas: people.betas, genders: people.genders)
        return try expectedObservations(of: people, restJoints: rest, isCancelled: isCancelled)
    }

    /// The same with given rest joints, `[count, 29, 3]`.
    package func expectedObservations(
        of people: PosedPeople, restJoints: [Float], isCancelled: () -> Bool
    ) throws(ModelError) -> ExpectedObservations {
        let usesBones = description.conditioning == .headingBones
        var heading = [Float](repeating: 0, count: people.count * 2)
        for person in 0..<people.count {
            (heading[person * 2], heading[person * 2 + 1]) =
                usesBones ? Self.heading(people, person, restJoints) : (1, 0)
        }
        var rotations = people.rotations
        HeadingFrame.remove(&rotations, heading: heading)
        if description.conditioning == .cameraFrame { CameraFrame.turn(rootsOf: &rotations) }
        var rotation6d = [Float](repeating: 0, count: people.count * NIKINetwork.rotationCount)
        for rotation in 0..<(people.count * 24) {
            for index in 0..<6 { rotation6d[rotation * 6 + index] = rotations[rotation * 9 + index] }
        }
        let zeros = [Float](repeating: 0, count: people.latent.isEmpty ? people.count * latentCount : 0)
        let found = try network.forward(
            count: people.count, rotation6d: rotation6d, latent: people.latent.isEmpty ? zeros : people.latent,
            betas: people.betas, isCancelled: isCancelled)
        var expected = ExpectedObservations(joints: [], sigma: [], twists: [])
        if usesBones {
            var lengths = [Float](repeating: 1, count: people.count * 29)
            var span = lengths.mutableSpan
            for person in 0..<people.count {
                InputConditioning.fillLengths(
                    restJoints.span.extracting((person * 87)..<(person * 87 + 87)), &span, at: person * 29)
            }
            expected.joints = HeadingFrame.joints(ofBones: found.observation, lengths: lengths, heading: heading)
        } else {
            expected.joints = (0..<(people.count * 87)).map { found.observation[$0 / 87 * 176 + $0 % 87] }
            if description.conditioning == .cameraFrame { CameraFrame.turn(points: &expected.joints) }
        }
        expected.sigma = (0..<(people.count * 29)).map { found.observation[$0 / 29 * 176 + 87 + $0 % 29] }
        expected.twists = (0..<(found.phi.count / 2)).map { atan2f(found.phi[$0 * 2 + 1], found.phi[$0 * 2]) }
        return expected
    }

    /// (cos ψ, sin ψ): as given, or step 2 on the posed joints with every joint seen and an uncertainty of 0.02.
    private static func heading(_ people: PosedPeople, _ person: Int, _ restJoints: [Float]) -> (Float, Float) {
        if !people.heading.isEmpty { return (cosf(people.heading[person]), sinf(people.heading[person])) }
        let posed = ForwardKinematics.pose(
            rotations: Array(people.rotations[(person * 216)..<(person * 216 + 216)]),
            restJoints: Array(restJoints[(person * 87)..<(person * 87 + 87)]))
        var values = [Float](repeating: 0.02, count: NIKINetwork.observationCount)
        for index in 0..<87 { values[index] = posed.joints[index] - posed.joints[index % 3] }
        return InputConditioning.heading(values.span, at: 0, 0x1FFF_FFFF)
    }
}
