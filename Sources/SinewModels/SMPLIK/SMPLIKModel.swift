internal import SinewBody

/// SMPL-IK: any number and mix of position, rotation and look-at effectors, shape and gender to a full pose.
///
/// - Source: Voleti et al., "SMPL-IK" (2022), after ProtoRes; models.md §5.
public struct SMPLIKModel: EffectorPoseModel {
    /// Name and version as in the repository, with the hash of the weights.
    public let identity: ModelIdentity
    /// What `model.json` says.
    public let description: ModelDescription
    package let network: SMPLIKNetwork
    private let bodies: BodyLibrary

    /// The largest tolerance that training draws; a joint's sigma is cut to it.
    private static let toleranceMax: Float = 0.1

    init(_ files: ModelFiles, bodies: BodyLibrary) throws(ModelError) {
        network = try SMPLIKNetwork(files)
        description = files.description
        identity = files.description.identity
        self.bodies = bodies
    }

    /// Solves every person of the batch; see ``EffectorPoseModel/solve(_:isCancelled:)-(EffectorObservations,_)``.
    ///
    /// The network says where the root is: ``PoseSolutions/translation`` is its word, not a fit to an observed pelvis.
    public func solve(
        _ effectors: EffectorObservations, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        let rest = bodies.restJoints(betas: effectors.betas, genders: effectors.genders)
        let output = try run(effectors, restJoints: rest, isCancelled: isCancelled)
        return EffectorFinishing.finish(output, effectors: effectors, restJoints: rest)
    }

    /// Solves observed joints: each becomes a positional effector whose tolerance is its sigma, at most 0.1 m.
    ///
    /// Leaves of the skeleton (24…28) and twists are nothing the network knows, and are left aside.
    /// - Throws: ``ModelError/Reason/degenerateInput`` for a person of whom none of the 24 joints was observed.
    public func solve(
        _ observations: PoseObservations, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        let effectors = try Self.effectors(of: observations)
        let rest = bodies.restJoints(for: observations)
        let output = try run(effectors, restJoints: rest, isCancelled: isCancelled)
        return PoseFinishing.finish(rotations: output.rotations, observations: observations, restJoints: rest)
    }

    /// Of the network, for effectors of positive weight.
    public func multiplyAdds(of effectors: EffectorObservations) -> Int {
        network.multiplyAdds(people: effectors.count, effectors: effectors.weights.count { $0 > 0 })
    }

    /// Of the network; each observed joint with a rotation is an effector.
    public func multiplyAdds(of observations: PoseObservations) -> Int {
        let rotating: UInt32 = 1 << UInt32(Skeleton.rotationCount) - 1
        let effectors = observations.observed.reduce(0) { $0 + ($1 & rotating).nonzeroBitCount }
        return network.multiplyAdds(people: observations.count, effectors: effectors)
    }

    /// The network's part: local rotations and the root's place; `restJoints` `[count, 29, 3]`.
    package func run(
        _ effectors: EffectorObservations, restJoints: [Float], isCancelled: () -> Bool
    ) throws(ModelError) -> EffectorPoses {
        let rows = try network.rows(effectors, restJoints: restJoints)
        let found = try network.solve(rows, isCancelled: isCancelled)
        return EffectorPoses(found, rows, restJoints: restJoints)
    }

    private static func effectors(of observations: PoseObservations) throws(ModelError) -> EffectorObservations {
        var all = EffectorObservations()
        for person in 0..<observations.count {
            var effectors: [Effector] = []
            for joint in 0..<Skeleton.rotationCount where observations.observed[person] & (1 << UInt32(joint)) != 0 {
                effectors.append(
                    .position(
                        UInt8(joint), at: observations.joints.vector(at: person * 87 + joint * 3),
                        tolerance: max(0, min(observations.sigma[person * 29 + joint], toleranceMax))))
            }
            guard !effectors.isEmpty else {
                throw ModelError(
                    .degenerateInput,
                    "person \(person): none of the 24 joints with a rotation was observed, and leaves alone say too little; "
                        + "leave the person out or use niki", person: person)
            }
            all.append(
                effectors, betas: Array(observations.betas[(person * 10)..<(person * 10 + 10)]),
                gender: observations.genders[person])
        }
        return all
    }
}

/// What SMPL-IK's network says of a batch, in the frame of the effectors.
///
/// - Shape: `rotations` `[count, 24, 3, 3]` row-major, parent-relative; `roots` `[count, 3]`.
package struct EffectorPoses: Sendable {
    /// Local rotations.
    package var rotations: [Float]
    /// SMPL `transl`, metres: what is added to joints that already contain the rest pelvis.
    package var roots: [Float]

    /// Decodes the rotations and leads them and the root back to the frame of the effectors; `restJoints` `[count, 29, 3]`.
    package init(_ output: SMPLIKNetwork.Output, _ rows: EffectorRows, restJoints: [Float]) {
        rotations = [Float](repeating: 0, count: rows.count * 216)
        roots = [Float](repeating: 0, count: rows.count * 3)
        Rotation6DRows.decode(output.rotation6d, count: rows.count * Skeleton.rotationCount, into: &rotations)
        for (person, frame) in rows.frames.enumerated() {
            frame.turnOut(rootOf: person, in: &rotations)
            let root = frame.translation(
                of: output.positions.vector(at: person * SMPLIKNetwork.positionCount),
                restPelvis: restJoints.vector(at: person * 87))
            roots.store(root, at: person * 3)
        }
    }
}
