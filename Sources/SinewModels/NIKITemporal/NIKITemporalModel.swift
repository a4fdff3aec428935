/// NIKI over time: every frame by the static network, then every joint from a window of its track.
///
/// The window is centred, so a clip has to be solved in one batch; rows without a track, and the ends of a track, have a window of what
/// is there. A person's bits depend on its own track alone.
/// - Source: ``TemporalAttention``.
public struct NIKITemporalModel: PoseModel {
    /// Name and version as in the repository, with the hash of the attention's weights.
    public let identity: ModelIdentity
    /// What `model.json` says.
    public let description: ModelDescription
    /// True: a frame sees the frames beside it.
    public var isSequential: Bool { true }
    private let base: NIKIModel
    private let attention: TemporalAttention

    init(_ files: ModelFiles, base: NIKIModel) throws(ModelError) {
        attention = try TemporalAttention(files)
        description = files.description
        identity = files.description.identity
        self.base = base
    }

    /// Solves every person of the batch; see ``PoseModel/solve(_:isCancelled:)``.
    ///
    /// - Throws: ``ModelError/Reason/degenerateInput`` for a person with a start pose, which this model has no use for.
    /// - Cost: the static network's, and a few microseconds per frame.
    public func solve(
        _ observations: PoseObservations, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        try solve(observations, on: .alone, isCancelled: isCancelled)
    }

    /// The same on several threads, which share the static network's work; see ``PoseModel/solve(_:on:isCancelled:)``.
    public func solve(
        _ observations: PoseObservations, on team: ComputeTeam, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        if let person = observations.hasStart.firstIndex(of: true) {
            throw ModelError(
                .degenerateInput,
                "person \(person) has a start pose, and \(identity) starts from none; leave it out or use learnable-smplify",
                person: person)
        }
        let rest = base.bodies.restJoints(for: observations)
        let (output, sigma) = try base.runKeepingSigma(
            observations, restJoints: rest, on: team.threads, isCancelled: isCancelled)
        let rotations = attention.apply(
            rotations: output.rotations, sigma: sigma, latentNorm: output.latentNorm, tracks: observations.tracks)
        return PoseFinishing.finish(
            rotations: rotations, observations: observations, restJoints: rest, latentNorms: output.latentNorm)
    }

    /// The static network's; the attention takes a few thousand more.
    public func multiplyAdds(of observations: PoseObservations) -> Int { base.multiplyAdds(of: observations) }
}
