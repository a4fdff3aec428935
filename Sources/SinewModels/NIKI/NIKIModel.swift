package import SinewKernels

/// NIKI: noisy joints, uncertainties and twists to poses, through an invertible network.
///
/// - Source: Li et al., CVPR 2023; models.md §3. What we do differently: the padding is zero and not drawn anew at every call, so the
///   same input always gives the same pose; and our own checkpoints see bones in the person's heading frame (`heading-bones`).
public struct NIKIModel: PoseModel {
    /// Name and version as in the repository, with the hash of the weights.
    public let identity: ModelIdentity
    /// What `model.json` says.
    public let description: ModelDescription
    /// The network on conditioned vectors.
    package let network: NIKINetwork
    private let conditioning: InputConditioning
    package let bodies: BodyLibrary

    init(_ flow: ModelDescription.Architecture.Flow, _ files: ModelFiles, bodies: BodyLibrary) throws(ModelError) {
        network = try NIKINetwork(flow, files)
        description = files.description
        identity = files.description.identity
        conditioning = InputConditioning(files.description.conditioning)
        self.bodies = bodies
    }

    /// Solves every person of the batch; see ``PoseModel/solve(_:isCancelled:)``.
    ///
    /// - Cost: about 45.5 MFLOP per person with the published dims (16 couplings, hidden width 512, two stages).
    public func solve(
        _ observations: PoseObservations, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        try solve(observations, on: .alone, isCancelled: isCancelled)
    }

    /// The same on several threads, which share the network's work; see ``PoseModel/solve(_:on:isCancelled:)``.
    public func solve(
        _ observations: PoseObservations, on team: ComputeTeam, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        let rest = bodies.restJoints(for: observations)
        let output = try run(observations, restJoints: rest, on: team.threads, isCancelled: isCancelled)
        return PoseFinishing.finish(output, observations: observations, restJoints: rest)
    }

    /// Of all couplings.
    public func multiplyAdds(of observations: PoseObservations) -> Int { observations.count * network.multiplyAdds }

    /// The network's part of ``solve(_:isCancelled:)``.
    ///
    /// - Parameters:
    ///   - restJoints: `[count, 29, 3]`.
    ///   - padding: `[count, 60]`, or nil for zeros.
    package func run(
        _ observations: PoseObservations, restJoints: [Float], padding: [Float]? = nil,
        on team: ThreadTeam = .alone, isCancelled: () -> Bool
    ) throws(ModelError) -> NetworkOutput {
        try runKeepingSigma(
            observations, restJoints: restJoints, padding: padding, on: team, isCancelled: isCancelled
        ).output
    }

    /// The same with the uncertainties as the network saw them, `[count, 29]`.
    func runKeepingSigma(
        _ observations: PoseObservations, restJoints: [Float], padding: [Float]? = nil, on team: ThreadTeam,
        isCancelled: () -> Bool
    ) throws(ModelError) -> (output: NetworkOutput, sigma: [Float]) {
        let inCamera = description.conditioning == .cameraFrame
        var (seen, rest) = (observations, restJoints)
        if inCamera {
            CameraFrame.turn(points: &seen.joints)
            CameraFrame.turn(points: &rest)
        }
        let batch = try conditioning.condition(seen, restJoints: rest)
        let found = try network.inverse(
            count: batch.count, input: batch.input, phi: batch.phi, betas: observations.betas, padding: padding,
            on: team, isCancelled: isCancelled)
        var output = NetworkOutput(rotation6d: found.rotation6d, heading: batch.heading, latent: found.latent)
        if inCamera { CameraFrame.turn(rootsOf: &output.rotations) }
        return (output, batch.sigma)
    }
}

extension ModelDescription {
    /// Name, version, hash and architecture, as answers carry them.
    public var identity: ModelIdentity {
        ModelIdentity(
            name: name, version: version, weightsSHA256: weightsSHA256, architecture: architecture.name,
            precision: weightsSHA256.isEmpty ? "" : precision.rawValue)
    }
}
