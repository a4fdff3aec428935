package import SinewKernels

/// The MLP baseline: the same observations as NIKI, four linear layers, no error code.
///
/// - Source: Zhou et al. 2019 as NIKI's Table 5 uses it; models.md §4.
public struct MLPIKModel: PoseModel {
    /// Name and version as in the repository, with the hash of the weights.
    public let identity: ModelIdentity
    /// What `model.json` says.
    public let description: ModelDescription
    private let network: MLPIKNetwork
    private let conditioning: InputConditioning
    private let bodies: BodyLibrary

    init(_ files: ModelFiles, bodies: BodyLibrary) throws(ModelError) {
        network = try MLPIKNetwork(files)
        description = files.description
        identity = files.description.identity
        conditioning = InputConditioning(files.description.conditioning)
        self.bodies = bodies
    }

    /// Solves every person of the batch; see ``PoseModel/solve(_:isCancelled:)``.
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

    /// Of the four layers.
    public func multiplyAdds(of observations: PoseObservations) -> Int { observations.count * network.multiplyAdds }

    /// The network's part of ``solve(_:isCancelled:)``; `restJoints` `[count, 29, 3]`.
    package func run(
        _ observations: PoseObservations, restJoints: [Float], on team: ThreadTeam = .alone,
        isCancelled: () -> Bool
    ) throws(ModelError) -> NetworkOutput {
        let batch = try conditioning.condition(observations, restJoints: restJoints)
        let rotation6d = try network.solve(
            count: batch.count, input: batch.input, phi: batch.phi, on: team, isCancelled: isCancelled)
        return NetworkOutput(rotation6d: rotation6d, heading: batch.heading, latent: [])
    }
}
