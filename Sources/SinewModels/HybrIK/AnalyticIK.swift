internal import SinewBody

/// How target directions are formed.
enum AnalyticIKVariant: Sendable {
    /// Straight from the observed bones; root by the two-step method (§2.4, §2.5).
    case naive
    /// Against the reconstructed skeleton, so that small errors are compensated; root by the best fit (§2.4, §2.6).
    case adaptive
}

/// HybrIK's analytic inverse kinematics: every bone is swung to where its child was seen, and turned about itself by its twist.
///
/// Solves the people of one lane group at once and keeps its memory for the next group.
///
/// Unobserved joints are ours (the released code has none): a joint whose child was not seen aims at the next observed joint down the
/// same chain as if the bones between were straight, and keeps its rest direction when there is none.
/// - Source: models.md §2.
struct AnalyticIK<Number: LaneNumber> {
    /// Where compensated and observed bone differ by more than this, the observed direction is used (§2.6).
    private static var compensationMax: Double { 0.015 }

    let variant: AnalyticIKVariant
    /// The 24 local rotations of the people last solved.
    private(set) var locals = [SpatialMatrix<Number>](repeating: .identity, count: Skeleton.rotationCount)

    private let parents = Skeleton.smpl29.parents
    private var globals = [SpatialMatrix<Number>](repeating: .identity, count: Skeleton.rotationCount)
    private var rest = [SpatialVector<Number>](repeating: .zero, count: Skeleton.positionCount)
    private var observed = ObservedPeople<Number>()
    /// Observed positions, moved so that the pelvis lies on the rest pelvis; without meaning where nothing was seen.
    private var target = [SpatialVector<Number>](repeating: .zero, count: Skeleton.positionCount)
    /// The skeleton as far as it is solved.
    private var placed = [SpatialVector<Number>](repeating: .zero, count: Skeleton.positionCount)

    /// A solver for `Number` of people at once.
    init(_: Number.Type, variant: AnalyticIKVariant) { self.variant = variant }

    /// Fills ``locals`` for `people`.
    ///
    /// - Shape: `restJoints` `[count, 29, 3]` of the whole batch.
    mutating func solve(_ people: LaneRows<Number>, _ observations: PoseObservations, restJoints: [Float]) {
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
            let swing = SpatialMatrix<Number>.swing(from: twist * bone, to: globals[parent].inverseRotated(aim))
            locals[joint] = (swing * twist).selected(isAimed, else: twist)
            globals[joint] = globals[parent] * locals[joint]
        }
    }

    private mutating func read(_ people: LaneRows<Number>, _ observations: PoseObservations, _ restJoints: [Float]) {
        observed.read(people, observations)
        for joint in 0..<Skeleton.positionCount { rest[joint] = people.vector(restJoints, width: 87, at: joint * 3) }
        let shift = rest[0] - observed.pelvis
        for joint in 0..<Skeleton.positionCount { target[joint] = observed.positions[joint] + shift }
    }

    /// The turns about the bones that orient a joint; the identity where the bone has no length.
    private func twist(_ joint: Int, angle: Number) -> SpatialMatrix<Number> {
        let bone = rest[BoneTopology.child[joint]] - rest[joint]
        let norm = bone.length
        let isBone = norm .> Number(repeating: 1e-12)
        let one = Number(repeating: 1)
        let (cosine, sine) = LaneTrigonometry.cosineAndSine(angle)
        return SpatialMatrix(unitAxis: norm.selected(isBone, else: one).reciprocal * bone, cosine: cosine, sine: sine)
            .selected(isBone, else: .identity)
    }

    /// The rest bone that decides about a joint's swing, where it should point, and where there is one at all.
    private func aim(of joint: Int) -> (bone: SpatialVector<Number>, aim: SpatialVector<Number>, isAimed: Number.Mask) {
        var end = SpatialVector<Number>.zero
        var bone = SpatialVector<Number>.zero
        var isAimed = Number.Mask(repeating: false)
        var next = BoneTopology.next(after: joint)
        while let candidate = next, !isAimed.isAll {
            let isTaken = observed.isSeen[candidate] .& .!isAimed
            end = target[candidate].selected(isTaken, else: end)
            bone = (rest[candidate] - rest[joint]).selected(isTaken, else: bone)
            isAimed = isAimed .| isTaken
            next = BoneTopology.next(after: candidate)
        }
        let compensated = end - placed[joint]
        let direct = end - target[joint]
        let norm = direct.length
        let isObserved = observed.isSeen[joint] .& (norm .> Number(repeating: 1e-12))
        switch variant {
        case .naive: return (bone, direct.selected(isObserved, else: compensated), isAimed)
        case .adaptive:
            let scaled = (bone.length / norm.selected(isObserved, else: Number(repeating: 1))) * direct
            let isFar = (compensated - scaled).length .> Number(repeating: Self.compensationMax)
            return (bone, scaled.selected(isObserved .& isFar, else: compensated), isAimed)
        }
    }

    private func rootOrientation() -> SpatialMatrix<Number> {
        // Spine and hips as the reference; when they do not span a plane, shoulders and the rest of the spine stand in, as if the
        // torso were rigid.
        let isSeen = observed.isSeen
        let isWhole = isSeen[3] .& isSeen[1] .& isSeen[2]
        let isTwoStep = isWhole .& Number.Mask(repeating: variant == .naive)
        var root = SpatialMatrix<Number>.identity
        if !isTwoStep.isAll {
            var fit = LaneRotationFit<Number>()
            for joint in [3, 1, 2] { add(joint, to: &fit, where: isSeen[joint]) }
            let hasTwo = (isSeen[3] .& isSeen[1]) .| (isSeen[3] .& isSeen[2]) .| (isSeen[1] .& isSeen[2])
            let needsMore = .!(hasTwo .& isSeen[0])
            if needsMore.isAny { for joint in torso { add(joint, to: &fit, where: isSeen[joint] .& needsMore) } }
            root = fit.rotation
        }
        return isTwoStep.isAny ? twoStepRoot().selected(isTwoStep, else: root) : root
    }

    private func add(_ joint: Int, to fit: inout LaneRotationFit<Number>, where mask: Number.Mask) {
        fit.add(rest[joint] - rest[0], to: target[joint] - rest[0], where: mask)
    }

    private let torso = [16, 17, 13, 14, 12, 9, 6]

    /// The swing of the spine, then the turn about the posed spine that brings the hips' middle to its place.
    private func twoStepRoot() -> SpatialMatrix<Number> {
        let half = Number(repeating: 0.5)
        let origin = rest[0]
        let spineTarget = target[3] - origin
        let spine = SpatialMatrix<Number>.swing(from: rest[3] - origin, to: spineTarget)
        let norm = spineTarget.length
        let isDefined = norm .> Number(repeating: 1e-12)
        let axis = norm.selected(isDefined, else: Number(repeating: 1)).reciprocal * spineTarget
        let restHips = spine * (half * (rest[1] + rest[2]) - origin)
        let targetHips = half * (target[1] + target[2]) - origin
        let turn = SpatialMatrix<Number>.swing(
            from: restHips - dot(restHips, axis) * axis, to: targetHips - dot(targetHips, axis) * axis)
        return (turn * spine).selected(isDefined, else: spine)
    }
}

extension AnalyticIK where Number == Lanes {
    /// A solver for four people at once.
    init(variant: AnalyticIKVariant) { self.init(Lanes.self, variant: variant) }
}
