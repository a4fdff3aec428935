import SinewBody
import SinewModels

/// HybrIK's analytic inverse kinematics for one person, written with ordinary numbers and branches.
///
/// The package solves four people at once with masks; this is what that is tested against.
/// - Source: models.md §2.
struct ReferenceAnalyticIK {
    /// Where compensated and observed bone differ by more than this, the observed direction is used (§2.6).
    private static let compensationMax = 0.015

    let variant: HybrIKModel.Variant
    /// Rest positions of the 29 joints.
    let rest: [SIMD3<Double>]
    let seen: ObservedJoints
    /// Angles of joints 1…23.
    let twists: [Double]

    /// The 24 local rotations.
    func solve() -> [RotationMatrix] {
        let parents = Skeleton.smpl29.parents
        // Observed positions, moved so that the pelvis lies on the rest pelvis.
        let shift = rest[0] - seen.pelvis
        let target = seen.positions.map { $0 + shift }
        var globals = [RotationMatrix](repeating: .identity, count: Skeleton.rotationCount)
        var locals = globals
        // The skeleton as far as it is solved.
        var placed = rest
        locals[0] = rootOrientation(target)
        globals[0] = locals[0]
        for joint in 1..<Skeleton.rotationCount {
            let parent = parents[joint]
            placed[joint] = placed[parent] + globals[parent] * (rest[joint] - rest[parent])
            let child = BoneTopology.child[joint]
            let twist = SwingTwist.twist(about: rest[child] - rest[joint], angle: twists[joint - 1])
            if let (bone, aim) = aim(of: joint, target: target, placed: placed) {
                // The twist leaves the bone to the child alone, but turns a chain that ends further down.
                let swing = SwingTwist.swing(from: twist * bone, to: globals[parent].transposed * aim)
                locals[joint] = swing * twist
            } else {
                locals[joint] = twist
            }
            globals[joint] = globals[parent] * locals[joint]
        }
        return locals
    }

    /// The rest bone that decides about a joint's swing, and where it should point.
    private func aim(
        of joint: Int, target: [SIMD3<Double>], placed: [SIMD3<Double>]
    ) -> (bone: SIMD3<Double>, aim: SIMD3<Double>)? {
        var next = BoneTopology.next(after: joint)
        while let candidate = next, !seen.contains(candidate) { next = BoneTopology.next(after: candidate) }
        guard let end = next else { return nil }
        let bone = rest[end] - rest[joint]
        let compensated = target[end] - placed[joint]
        guard seen.contains(joint), let observed = direction(target[end] - target[joint]) else {
            return (bone, compensated)
        }
        switch variant {
        case .naive: return (bone, target[end] - target[joint])
        case .adaptive:
            let scaled = observed * length(bone)
            return (bone, length(compensated - scaled) > Self.compensationMax ? scaled : compensated)
        }
    }

    private func rootOrientation(_ target: [SIMD3<Double>]) -> RotationMatrix {
        // Spine and hips as the reference; when they do not span a plane, shoulders and the rest of the spine stand in, as if the
        // torso were rigid.
        var joints = [3, 1, 2].filter(seen.contains)
        if joints.count == 3, variant == .naive { return twoStepRoot(target) }
        if joints.count < 2 || !seen.contains(0) {
            joints += [16, 17, 13, 14, 12, 9, 6].filter(seen.contains)
        }
        var fit = RotationFit()
        for joint in joints { fit.add(rest[joint] - rest[0], to: target[joint] - rest[0]) }
        return fit.rotation
    }

    /// The swing of the spine, then the turn about the posed spine that brings the hips' middle to its place.
    private func twoStepRoot(_ target: [SIMD3<Double>]) -> RotationMatrix {
        let origin = rest[0]
        let spine = SwingTwist.swing(from: rest[3] - origin, to: target[3] - origin)
        guard let axis = direction(target[3] - origin) else { return spine }
        let restHips = spine * ((rest[1] + rest[2]) / 2 - origin)
        let targetHips = (target[1] + target[2]) / 2 - origin
        return SwingTwist.swing(
            from: restHips - dot(restHips, axis) * axis, to: targetHips - dot(targetHips, axis) * axis) * spine
    }
}
