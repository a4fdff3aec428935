internal import SinewBody

/// Learnable SMPLify: a graph network turns a start pose towards observed joints.
///
/// The start is what the caller gives (any estimator's answer: plug-in refinement), else the answer of the frame before in the same track,
/// else analytic IK of the frame itself. Unlike the published pipeline it takes uncertainty and missing joints, needs no translation,
/// keeps the start where the answer is worse, and begins anew where a person was lost; ``PoseSolutions/outcome`` says which.
/// - Source: models.md §7.
public struct LearnableSMPLifyModel: PoseModel {
    /// Name and version as in the repository, with the hash of the weights.
    public let identity: ModelIdentity
    /// What `model.json` says.
    public let description: ModelDescription
    /// A frame's answer is the next frame's start.
    public var isSequential: Bool { true }
    /// The network on conditioned vectors.
    package let network: GraphNetwork
    private let bodies: BodyLibrary

    init(_ files: ModelFiles, bodies: BodyLibrary) throws(ModelError) {
        network = try GraphNetwork(files)
        description = files.description
        identity = files.description.identity
        self.bodies = bodies
    }

    /// Solves every person of the batch; the frames of a track one after the other, different tracks together.
    ///
    /// - Note: the rows of a track give the same bits in one call as in several, when the first row of each further call
    ///   starts from the last answer of the call before.
    /// - Cost: one pass through the network per row, and a second one for a person who was lost.
    public func solve(
        _ observations: PoseObservations, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        let rest = bodies.restJoints(for: observations)
        var solutions = PoseSolutions(count: observations.count)
        let order = TrackOrder(tracks: observations.tracks, count: observations.count)
        for wave in order.waves {
            let seen = observations.people(wave)
            let restJoints = Self.pick(wave, from: rest, columns: 87)
            let theta = startPoses(wave, order, observations, seen, restJoints, solutions)
            let solved = try step(seen, theta: theta, restJoints: restJoints, isCancelled: isCancelled)
            for (index, row) in wave.enumerated() { solutions.put(index, of: solved, at: row) }
        }
        return solutions
    }

    /// Of one pass of the network per row.
    public func multiplyAdds(of observations: PoseObservations) -> Int { observations.count * network.multiplyAdds }

    /// One pass of the network from the given start poses, guarded.
    ///
    /// - Shape: `theta` `[count, 24, 3]`, `restJoints` `[count, 29, 3]`.
    private func step(
        _ seen: PoseObservations, theta: [Float], restJoints: [Float], isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        var (rotations, verdict) = try attempt(seen, theta: theta, restJoints: restJoints, isCancelled: isCancelled)
        var outcome = verdict.isWorse.map { $0 ? PoseSolutions.Outcome.startKept : .solved }
        let lost = (0..<seen.count).filter { verdict.isLost[$0] }
        if !lost.isEmpty {
            let again = seen.people(lost)
            let rest = Self.pick(lost, from: restJoints, columns: 87)
            let (found, second) = try attempt(
                again, theta: Self.analyticTheta(again, restJoints: rest), restJoints: rest, isCancelled: isCancelled)
            for (index, row) in lost.enumerated() where second.misfit[index] < verdict.misfit[row] {
                rotations.replaceSubrange(
                    (row * 216)..<(row * 216 + 216), with: found[(index * 216)..<(index * 216 + 216)])
                outcome[row] = .restarted
            }
        }
        var solutions = PoseFinishing.finish(rotations: rotations, observations: seen, restJoints: restJoints)
        solutions.outcome = outcome
        return solutions
    }

    /// The better of the network's answers and their starts, `[count, 24, 3, 3]`.
    private func attempt(
        _ seen: PoseObservations, theta: [Float], restJoints: [Float], isCancelled: () -> Bool
    ) throws(ModelError) -> (rotations: [Float], verdict: PoseGuard.Verdict) {
        let batch = condition(seen, theta: theta, restJoints: restJoints)
        let residuals = try network.residuals(
            count: batch.count, graph: batch.graph, body: batch.body, isCancelled: isCancelled)
        var rotations = turned(batch.rotations, by: residuals)
        var poseGuard = PoseGuard()
        let verdict = poseGuard.judge(
            seen, solved: rotations, startMisfit: batch.misfit, restJoints: restJoints)
        for row in 0..<seen.count where verdict.isWorse[row] {
            rotations.replaceSubrange(
                (row * 216)..<(row * 216 + 216), with: batch.rotations[(row * 216)..<(row * 216 + 216)])
        }
        return (rotations, verdict)
    }

    /// What the network is given.
    package func condition(_ seen: PoseObservations, theta: [Float], restJoints: [Float]) -> StartBatch {
        var conditioning = StartConditioning(layout: network.layout)
        return conditioning.condition(seen, theta: theta, restJoints: restJoints)
    }

    /// `R ← R · ΔR`, each joint in its own frame.
    ///
    /// - Shape: `rotations` `[count, 24, 3, 3]`, `residuals` `[count, rotations, 6]`.
    package func turned(_ rotations: [Float], by residuals: [Float]) -> [Float] {
        let joints = network.layout.rotations
        let count = rotations.count / 216
        var turns = [Float](repeating: 0, count: count * joints * 9)
        Rotation6DInterleavedColumns.decode(residuals, count: count * joints, into: &turns)
        var turned = rotations
        for people in LanePeople.groups(of: count) {
            for joint in 0..<joints {
                let start = people.matrix(rotations, width: 216, at: joint * 9)
                let turn = people.matrix(turns, width: joints * 9, at: joint * 9)
                people.store(start * turn, into: &turned, width: 216, at: joint * 9)
            }
        }
        return turned
    }

    // MARK: Start poses

    /// Where each row of a wave starts, `[count, 24, 3]`.
    private func startPoses(
        _ wave: [Int], _ order: TrackOrder, _ observations: PoseObservations, _ seen: PoseObservations,
        _ restJoints: [Float], _ solutions: PoseSolutions
    ) -> [Float] {
        var theta = [Float](repeating: 0, count: wave.count * 72)
        var first: [Int] = []
        for (index, row) in wave.enumerated() {
            let source: ArraySlice<Float>
            if !observations.hasStart.isEmpty && observations.hasStart[row] {
                source = observations.startTheta[(row * 72)..<(row * 72 + 72)]
            } else if let previous = order.previous[row] {
                source = solutions.theta[(previous * 72)..<(previous * 72 + 72)]
            } else {
                first.append(index)
                continue
            }
            theta.replaceSubrange((index * 72)..<(index * 72 + 72), with: source)
        }
        guard !first.isEmpty else { return theta }
        let found = Self.analyticTheta(
            first.count == wave.count ? seen : seen.people(first),
            restJoints: first.count == wave.count ? restJoints : Self.pick(first, from: restJoints, columns: 87))
        for (index, target) in first.enumerated() {
            theta.replaceSubrange(
                (target * 72)..<(target * 72 + 72), with: found[(index * 72)..<(index * 72 + 72)])
        }
        return theta
    }

    /// Analytic IK as rotation vectors; a person with few joints keeps the rest pose where nothing is known.
    private static func analyticTheta(_ seen: PoseObservations, restJoints: [Float]) -> [Float] {
        var theta = [Float](repeating: 0, count: seen.count * 72)
        var solver = AnalyticIK(variant: .adaptive)
        for people in LanePeople.groups(of: seen.count) {
            solver.solve(people, seen, restJoints: restJoints)
            for joint in 0..<Skeleton.rotationCount {
                people.store(solver.locals[joint].rotationVector, into: &theta, width: 72, at: joint * 3)
            }
        }
        return theta
    }

    private static func pick(_ rows: [Int], from values: [Float], columns: Int) -> [Float] {
        var picked: [Float] = []
        picked.reserveCapacity(rows.count * columns)
        for row in rows { picked += values[(row * columns)..<(row * columns + columns)] }
        return picked
    }
}
