internal import SinewBody

/// The joints of a rig's motion as observations.
enum RigObservations {
    /// One row per frame; joints that no joint of the rig stands for were not seen.
    ///
    /// A rig's joints lie where its maker put them, a hand's breadth off SMPL's at hips and shoulders; ``Retargeting`` carries rotations
    /// over instead.
    static func people(of clip: RigClip, path: String, format: PoseFileFormat) throws(FormatError) -> RawPeople {
        guard !clip.frames.isEmpty else {
            throw FormatError(.invalidData, "\(path) holds a rig but no motion of it", field: "joints3d")
        }
        var people = RawPeople(path: path, skeleton: .smpl24)
        people.trackNames = ["person-0"]
        people.framesPerSecond = clip.framesPerSecond
        let pelvis = clip.mapping.rigJoints[0] ?? 0
        for (frame, pose) in clip.frames.enumerated() {
            let positions = pose.positions(of: clip.rig, pelvis: pelvis)
            for joint in 0..<Skeleton.rotationCount {
                let place = clip.mapping.rigJoints[joint].map { positions[$0] }
                people.observed.append(place != nil)
                let point = place ?? .zero
                people.joints += [Float(point.x), Float(point.y), Float(point.z)]
            }
            people.frames.append(frame)
            people.places.append("frame \(frame)")
        }
        let count = clip.frames.count
        people.tracks = [Int](repeating: 0, count: count)
        people.certainty = [RawPeople.Certainty](repeating: .unknown, count: count)
        people.certaintyValues = [Float](repeating: 0, count: count * Skeleton.rotationCount)
        people.twists = [Float](repeating: 0, count: count * 23)
        people.hasTwists = [Bool](repeating: false, count: count)
        people.betas = [Float](repeating: 0, count: count * 10)
        people.genders = [Gender](repeating: .neutral, count: count)
        let missing = (0..<Skeleton.rotationCount).filter { clip.mapping.rigJoints[$0] == nil }
            .map { Skeleton.smpl24.jointNames[$0] }
        people.notes = [
            "read as \(format.name): the places of the rig's joints"
                + (missing.isEmpty ? "" : ", which has no " + missing.joined(separator: ", ")),
            "no betas and no gender are given; assumed the mean shape, neutral",
        ]
        return people
    }
}

extension RigPose {
    /// Where the rig's joints are, in its world and unit.
    func positions(of rig: RigSkeleton, pelvis: Int) -> [SIMD3<Double>] {
        var world: [RotationMatrix] = []
        var positions: [SIMD3<Double>] = []
        for (index, joint) in rig.joints.enumerated() {
            let above = joint.parent < 0 ? .identity : world[joint.parent]
            let offset = index == pelvis ? pelvisOffset : joint.offset
            positions.append((joint.parent < 0 ? .zero : positions[joint.parent]) + above * offset)
            world.append(above * rotations[index])
        }
        return positions
    }
}
