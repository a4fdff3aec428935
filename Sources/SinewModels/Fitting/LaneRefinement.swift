package import SinewBody

/// Damped Gauss-Newton steps (Levenberg-Marquardt) on up to four people, lane = person.
///
/// The unknowns are a rotation increment of each of the 24 joints and the translation. Each step minimises the linearised target error
/// plus a spring that holds every joint at the rotation it started from, so that what no target holds stays as it was. The normal
/// equations have the shape of the skeleton and are solved along it in linear time: joints are eliminated from the leaves to the root
/// (``EliminatedTurn``), as articulated bodies are (Featherstone, "Rigid Body Dynamics Algorithms", 2008, ch. 7).
///
/// - Note: a step that would raise the error is not taken. Lanes do not look at each other.
package struct LaneRefinement {
    /// The spring's deviation, radians: a joint that turns by this much costs as much as a target that is off by its deviation.
    ///
    /// Large enough that consistent targets with the usual deviation of 2 cm are met to a millimetre, small enough to choose among all
    /// the poses that meet them.
    package static let anchorDeviation = 4.0
    /// The damping of the first step, relative to all weights of a person together.
    private static let dampingStart = 1e-3
    /// What a refused and a taken step do to the damping. Falling more slowly than it rises spares refused steps.
    private static let dampingRise = 10.0
    private static let dampingFall = 0.3
    /// Keeps the translation defined where no target holds it.
    private static let dampingMin = 1e-12
    /// A lever of a target, metres, where damping of turns and of the translation must be compared.
    private static let lever = 0.3
    /// A step that lowers the error by a smaller part of it is the last.
    private static let progressMin = 1e-10

    private let rest: [LaneVector]
    private let start: [LaneMatrix]
    private let targets: LaneTargets
    /// The best pose so far.
    package private(set) var pose = FittedPose()
    /// Its error, without the springs.
    package private(set) var targetError: Lanes
    /// Its error, with the springs.
    private var error: Lanes
    private var damping = Lanes(repeating: Self.dampingStart)
    private let weight: Lanes
    private var bodies = [SpatialQuadratic](repeating: SpatialQuadratic(), count: Skeleton.rotationCount)
    private var eliminated = [EliminatedTurn](repeating: EliminatedTurn(), count: Skeleton.rotationCount)
    private var angular = [LaneVector](repeating: .zero, count: Skeleton.rotationCount)
    private var linear = [LaneVector](repeating: .zero, count: Skeleton.rotationCount)

    /// Starts from local rotations on a rest skeleton of 29 joints.
    package init(start: [LaneMatrix], rest: [LaneVector], targets: LaneTargets) {
        self.start = start
        self.rest = rest
        self.targets = targets
        pose.place(locals: start, rest: rest)
        targetError = TargetError.value(of: pose, targets)
        error = targetError
        weight = targets.totalWeight + 1
    }

    /// Takes up to `steps` steps, each lane its own number.
    package mutating func run(steps: SIMD4<Int64>) {
        var isActive = steps .> SIMD4<Int64>.zero
        var candidate = FittedPose()
        var step = PoseStep()
        var taken: Int64 = 0
        while any(isActive) {
            solve(&step)
            candidate.move(pose, by: step, rest: rest)
            let newTargetError = TargetError.value(of: candidate, targets)
            let newError = newTargetError + springError(of: candidate)
            // A comparison with NaN is false, so a broken step is a refused one.
            let isAccepted = isActive .& (newError .< error)
            let isLast = isAccepted .& (error - newError .< Self.progressMin * error)
            pose.take(candidate, where: isAccepted)
            targetError = newTargetError.selected(isAccepted, else: targetError)
            error = newError.selected(isAccepted, else: error)
            let less = (Self.dampingFall * damping).clamped(
                lowerBound: Lanes(repeating: Self.dampingMin), upperBound: damping)
            damping = less.selected(isAccepted, else: Self.dampingRise * damping)
            taken += 1
            isActive = isActive .& .!isLast .& (steps .> SIMD4(repeating: taken))
        }
    }

    /// The pose made of other rotations and another translation, and its error without springs.
    func rounded(locals: [LaneMatrix], translation: LaneVector) -> (pose: FittedPose, error: Lanes) {
        var rounded = FittedPose()
        rounded.place(locals: locals, translation: translation, rest: rest)
        return (rounded, TargetError.value(of: rounded, targets))
    }

    /// ½ Σ ‖R_start − R‖²_F / 2 over the anchor's variance.
    private func springError(of candidate: borrowing FittedPose) -> Lanes {
        var sum = Lanes.zero
        for joint in 0..<Skeleton.rotationCount {
            let (a, b) = (start[joint], candidate.locals[joint])
            sum += 3 - (dot(a.row0, b.row0) + dot(a.row1, b.row1) + dot(a.row2, b.row2))
        }
        return (0.5 * Self.anchorStiffness) * sum
    }

    private static var anchorStiffness: Double { 1 / (anchorDeviation * anchorDeviation) }
    /// Spring and damping of a joint's turn, 1/rad².
    package var turnStiffness: Lanes { Self.anchorStiffness + (Self.lever * Self.lever) * translationStiffness }
    /// Damping of the translation, 1/m².
    package var translationStiffness: Lanes { damping * weight }

    /// The damped step from the present pose.
    package mutating func solve(_ step: inout PoseStep) {
        TargetError.linearise(pose, targets, into: &bodies)
        let anchor = Self.anchorStiffness
        let stiffness = turnStiffness
        for joint in (0..<Skeleton.rotationCount).reversed() {
            let away = start[joint].transposed * pose.locals[joint]
            // The spring's slope is the sine times the axis, turned from the joint's frame to the world's.
            let slope = Lanes(repeating: 0.5 * anchor) * (pose.globals[joint] * away.doubledSineAxis)
            let reduced = eliminated[joint].eliminate(bodies[joint], stiffness: stiffness, springSlope: slope)
            guard joint > 0 else {
                let held = reduced.linear + LaneSymmetric(diagonal: translationStiffness)
                step.translation = held.inverse * -reduced.force
                continue
            }
            let parent = FittedPose.parents[joint]
            bodies[parent].add(reduced, at: pose.positions[joint] - pose.positions[parent])
        }
        for joint in 0..<Skeleton.rotationCount {
            let parent = FittedPose.parents[joint]
            let isRoot = parent < 0
            let turn = isRoot ? .zero : angular[parent]
            linear[joint] =
                isRoot
                ? step.translation
                : linear[parent] + cross(turn, pose.positions[joint] - pose.positions[parent])
            angular[joint] = eliminated[joint].angularVelocity(parent: turn, joint: linear[joint])
            step.turns[joint] = angular[joint] - turn
        }
    }
}
