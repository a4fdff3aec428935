/// Which joint of a rig stands for which joint of SMPL.
public struct RigMapping: Sendable, Equatable {
    /// For each of the rig's joints the SMPL joint that it stands for.
    public let smplJoints: [Int?]
    /// For each SMPL joint the rig's joint, or nil where the rig has none.
    public let rigJoints: [Int?]

    /// Without these a pose cannot be told.
    static let needed = [0, 1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21]

    /// Matches by name.
    ///
    /// - Parameter named: SMPL joint names by the rig's joint names, for rigs whose names say nothing; an empty name leaves a joint unmatched.
    /// - Throws: ``BodyError/Reason/invalidBody`` naming what is missing or unknown.
    public init(_ rig: RigSkeleton, named: [(rig: String, smpl: String)] = []) throws(BodyError) {
        var matches = RigJointNames.matches(rig.joints.map(\.name), parents: rig.joints.map(\.parent))
        for (rigName, smplName) in named {
            guard let index = rig.index(of: rigName) else {
                throw BodyError(
                    .invalidBody,
                    "the rig has no joint \"\(rigName)\"; it has \(rig.joints.map(\.name).joined(separator: ", "))")
            }
            guard !smplName.isEmpty else {
                matches[index] = nil
                continue
            }
            guard let joint = Skeleton.smpl24.index(of: smplName) else {
                throw BodyError(
                    .invalidBody,
                    "SMPL has no joint \"\(smplName)\"; it has \(Skeleton.smpl24.jointNames.joined(separator: ", "))")
            }
            for other in matches.indices where matches[other] == joint { matches[other] = nil }
            matches[index] = joint
        }
        let rigJoints = (0..<Skeleton.rotationCount).map { joint in matches.firstIndex { $0 == joint } }
        let missing = Self.needed.filter { rigJoints[$0] == nil }
        guard missing.isEmpty, rigJoints[12] ?? rigJoints[15] != nil else {
            let names = (missing.isEmpty ? [12] : missing).map { Skeleton.smpl24.jointNames[$0] }
            throw BodyError(
                .invalidBody,
                "no joint of the rig could be told to be \(names.joined(separator: ", ")); "
                    + "say which by RIGJOINT=SMPLJOINT. The rig has \(rig.joints.map(\.name).joined(separator: ", "))")
        }
        smplJoints = matches
        self.rigJoints = rigJoints
    }
}
