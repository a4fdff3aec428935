internal import SinewBody

/// HybrIK's analytic inverse kinematics: every bone is swung to where its child was seen, and turned about itself by its twist.
///
/// Solves up to four people at once, lane = person, and keeps its memory for the next four.
///
/// Unobserved joints are ours (the released code has none): a joint whose child was not seen aims at the next observed joint down the
/// same chain as if the bones between were straight, and keeps its rest direction when there is none.
/// - Source: models.md §2.
struct AnalyticIK {
    /// How target directions are formed.
    enum Variant: Sendable {
        /// Straight from the observed bones; root by the two-step method (§2.4, §2.5).
        case naive
        /// Against the reconstructed skeleton, so that small errors are compensated; root by the best fit (§2.4, §2.6).
        case adaptive
    }

    /// Where compensated and observed bone differ by more than this, the observed direction is used (§2.6).
    private static let compensationMax = 0.015

    let variant: Variant
    /// The 24 local rotations of the people last solved.
    private(set) var locals = [LaneMatrix](repeating: .identity, count: Skeleton.rotationCount)

    private let parents = Skeleton.smpl29.parents
    private var globals = [LaneMatrix](repeating: .identity, count: Skeleton.rotationCount)
    private var rest = [LaneVector](repeating: .zero, count: Skeleton.positionCount)
    private var observed = ObservedLanes()
    /// Observed positions, moved so that the pelvis lies on the rest pelvis; without meaning where nothing was seen.
    private var target = [LaneVector](repeating: .zero, count: Skeleton.positionCount)
    /// The skeleton as far as it is solved.
    private var placed = [LaneVector](repeating: .zero, count: Skeleton.positionCount)

    init(variant: Variant) { self.variant = variant }

    /// Fills ``locals`` for `people`.
    ///
    /// - Shape: `restJoints` `[count, 29, 3]` of the whole batch.
    mutating func solve(_ people: LanePeople, _ observations: PoseObservations, restJoints: [Float]) {
        read(people, observations, restJoints)
        locals[0] = rootOrientation()
        globals[0] = locals[0]
        placed[0] = rest[0]
        let hasTwists = people.mask { observations.hasTwists[$0] }
        for joint in 1..<Skeleton.rotationCount {
            let parent = parents[joint]
            placed[joint] = placed[parent] + globals[parent] * (rest[joint] - rest[parent])
            let given = people.number(observations.twists, width: 23, at: joint - 1).selected(hasTwists, else: .zero)
            let twist = self.twist(joint, angle: given)
            let (bone, aim, isAimed) = aim(of: joint)
            // The twist leaves the bone to the child alone, but turns a chain that ends further down.
            let swing = LaneMatrix.swing(from: twist * bone, to: globals[parent].inverseRotated(aim))
            locals[joint] = (swing * twist).selected(isAimed, else: twist)
            globals[joint] = globals[parent] * locals[joint]
        }
    }

    private mutating func read(_ people: LanePeople, _ observations: PoseObservations, _ restJoints: [Float]) {
        observed.read(people, observations)
        for joint in 0..<Skeleton.positionCount { rest[joint] = people.vector(restJoints, width: 87, at: joint * 3) }
        let shift = rest[0] - observed.pelvis
        for joint in 0..<Skeleton.positionCount { target[joint] = observed.positions[joint] + shift }
    }

    /// The turns about the bones that orient a joint; the identity where the bone has no length.
    private func twist(_ joint: Int, angle: Lanes) -> LaneMatrix {
        let bone = rest[BoneTopology.child[joint]] - rest[joint]
        let norm = bone.length
        let isBone = norm .> Lanes(repeating: 1e-12)
        let one = Lanes(repeating: 1)
        let (cosine, sine) = LaneTrigonometry.cosineAndSine(angle)
        return LaneMatrix(unitAxis: (1 / norm.selected(isBone, else: one)) * bone, cosine: cosine, sine: sine)
            .selected(isBone, else: .identity)
    }

    /// The rest bone that decides about a joint's swing, where it should point, and where there is one at all.
    private func aim(of joint: Int) -> (bone: LaneVector, aim: LaneVector, isAimed: LaneMask) {
        var end = LaneVector.zero
        var bone = LaneVector.zero
        var isAimed = LaneMask(repeating: false)
        var next = BoneTopology.next(after: joint)
        while let candidate = next, !all(isAimed) {
            let isTaken = observed.isSeen[candidate] .& .!isAimed
            end = target[candidate].selected(isTaken, else: end)
            bone = (rest[candidate] - rest[joint]).selected(isTaken, else: bone)
            isAimed = isAimed .| isTaken
            next = BoneTopology.next(after: candidate)
        }
        let compensated = end - placed[joint]
        let direct = end - target[joint]
        let norm = direct.length
        let isObserved = observed.isSeen[joint] .& (norm .> Lanes(repeating: 1e-12))
        switch variant {
        case .naive: return (bone, direct.selected(isObserved, else: compensated), isAimed)
        case .adaptive:
            let scaled = (bone.length / norm.selected(isObserved, else: Lanes(repeating: 1))) * direct
            let isFar = (compensated - scaled).length .> Lanes(repeating: Self.compensationMax)
            return (bone, scaled.selected(isObserved .& isFar, else: compensated), isAimed)
        }
    }

    private func rootOrientation() -> LaneMatrix {
        // Spine and hips as the reference; when they do not span a plane, shoulders and the rest of the spine stand in, as if the
        // torso were rigid.
        let isSeen = observed.isSeen
        let isWhole = isSeen[3] .& isSeen[1] .& isSeen[2]
        let isTwoStep = isWhole .& LaneMask(repeating: variant == .naive)
        var root = LaneMatrix.identity
        if !all(isTwoStep) {
            var fit = LaneRotationFit()
            for joint in [3, 1, 2] { add(joint, to: &fit, where: isSeen[joint]) }
            let hasTwo = (isSeen[3] .& isSeen[1]) .| (isSeen[3] .& isSeen[2]) .| (isSeen[1] .& isSeen[2])
            let needsMore = .!(hasTwo .& isSeen[0])
            if any(needsMore) { for joint in Self.torso { add(joint, to: &fit, where: isSeen[joint] .& needsMore) } }
            root = fit.rotation
        }
        return any(isTwoStep) ? twoStepRoot().selected(isTwoStep, else: root) : root
    }

    private func add(_ joint: Int, to fit: inout LaneRotationFit, where mask: LaneMask) {
        fit.add(rest[joint] - rest[0], to: target[joint] - rest[0], where: mask)
    }

    private static let torso = [16, 17, 13, 14, 12, 9, 6]

    /// The swing of the spine, then the turn about the posed spine that brings the hips' middle to its place.
    private func twoStepRoot() -> LaneMatrix {
        let half = Lanes(repeating: 0.5)
        let origin = rest[0]
        let spineTarget = target[3] - origin
        let spine = LaneMatrix.swing(from: rest[3] - origin, to: spineTarget)
        let norm = spineTarget.length
        let isDefined = norm .> Lanes(repeating: 1e-12)
        let axis = (1 / norm.selected(isDefined, else: Lanes(repeating: 1))) * spineTarget
        let restHips = spine * (half * (rest[1] + rest[2]) - origin)
        let targetHips = half * (target[1] + target[2]) - origin
        let turn = LaneMatrix.swing(
            from: restHips - dot(restHips, axis) * axis, to: targetHips - dot(targetHips, axis) * axis)
        return (turn * spine).selected(isDefined, else: spine)
    }
}
