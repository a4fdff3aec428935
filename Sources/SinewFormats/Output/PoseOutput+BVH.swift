internal import SinewBody

extension PoseOutput {
    /// The track as BVH: SMPL's 24 joints with the bones of its shape, in centimetres, as most programs expect.
    ///
    /// BVH joints have no rotation at rest, and neither have SMPL's: rotations are written as they are. The leaves (head top, finger tips,
    /// toes) are end sites. A frame without a pose repeats the one before it, because the format knows no gaps.
    func bvh(of track: Track) throws(FormatError) -> [UInt8] {
        let betas = track.betasOfAll.mean
        let rest = try RestPelvis.joints(track.gender, betas: betas)
        let skeleton = Skeleton.smpl29
        var joints: [RigSkeleton.Joint] = []
        for joint in 0..<Skeleton.rotationCount {
            let parent = skeleton.parents[joint]
            let offset = parent < 0 ? SIMD3<Double>.zero : rest.vector(at: joint * 3) - rest.vector(at: parent * 3)
            joints.append(.init(name: skeleton.jointNames[joint], parent: parent, offset: offset * 100))
        }
        var ends = [SIMD3<Double>?](repeating: nil, count: Skeleton.rotationCount)
        for leaf in Skeleton.rotationCount..<Skeleton.positionCount {
            let parent = skeleton.parents[leaf]
            ends[parent] = (rest.vector(at: leaf * 3) - rest.vector(at: parent * 3)) * 100
        }
        let (rig, mapping) = try RigClip.rig(joints, path: track.name, named: [])
        var frames: [RigPose] = []
        for frame in track.frames.indices {
            guard track.isSolved.isEmpty || track.isSolved[frame] else {
                frames.append(
                    frames.last
                        ?? RigPose(
                            rotations: [RotationMatrix](repeating: .identity, count: joints.count), pelvisOffset: .zero)
                )
                continue
            }
            let rotations = (0..<Skeleton.rotationCount).map { joint in
                RotationMatrix(AxisAngle(track.theta.vector(at: frame * 72 + joint * 3)))
            }
            let pelvis = track.translation.vector(at: frame * 3) + rest.vector(at: 0)
            frames.append(RigPose(rotations: rotations, pelvisOffset: pelvis * 100))
        }
        let clip = RigClip(
            rig: rig, mapping: mapping, frames: frames,
            framesPerSecond: framesPerSecond ?? Self.framesPerSecondAssumed)
        return Array(BVHWriter.text(of: clip, ends: ends).utf8)
    }
}
