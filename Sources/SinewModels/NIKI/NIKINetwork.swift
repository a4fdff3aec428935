package import SinewKernels

/// The vectors of a batch that a NIKI network turns into rotations.
///
/// - Shape: `rotation6d` `[count, 144]` (24 × the first two rows of a rotation matrix), `swing6d` `[count, 144]` or empty,
///   `latent` `[count, latentCount]`; row-major.
package struct NIKISolution: Sendable {
    /// Local rotations, in the frame of the conditioning.
    package var rotation6d: [Float]
    /// What stage A gave to stage B, raw; empty unless asked for, and for the one-stage network.
    package var swing6d: [Float]
    /// The error code: stage A's 32 values, then stage B's 46; the 32 of the one-stage network.
    package var latent: [Float]
}

/// What the FK direction gives back.
///
/// - Shape: `observation` `[count, 176]`, `swing6d` `[count, 144]` and `phi` `[count, 46]`; both empty for one-stage, the first for vanilla too.
package struct NIKIReconstruction: Sendable {
    /// Joints or bones (87), sigma (29), padding (60), of which vanilla uses 46 for phi.
    package var observation: [Float]
    /// What stage B gave to stage A.
    package var swing6d: [Float]
    /// (cos, sin) of the twists as the network sees them, not normalised.
    package var phi: [Float]
}

/// The invertible network of NIKI on conditioned vectors: one flow (`one-stage`, and `vanilla`, which has the twists in its input in
/// place of 46 values of the padding) or two (`twist-and-swing`).
///
/// - Source: Li et al., “NIKI: Neural Inverse Kinematics with Invertible Neural Networks for 3D Human Pose and Shape
///   Estimation”, CVPR 2023, as specified in models.md §3.
package struct NIKINetwork: Sendable {
    /// Joints or bones, sigma, padding.
    package static let inputCount = 176
    /// The values of the input before the padding.
    package static let observationCount = 116
    /// The padding.
    package static let paddingCount = 60
    /// 24 row-6D rotations.
    package static let rotationCount = 144
    /// Error code of stage A and of the one-stage flow.
    package static let swingLatentCount = 32
    /// (cos, sin) of 23 twists; as many as stage B's error code.
    package static let phiCount = 46

    /// Stage A, or the only flow.
    let first: CouplingFlow
    /// Stage B.
    let second: CouplingFlow?
    /// Whether the only flow sees the twists.
    private let seesTwistsFirst: Bool
    private let pool: Pool<FlowScratch>

    /// Multiply-adds of one person; the inputs of the first coupling that are zero, which it skips, are counted.
    package var multiplyAdds: Int { first.multiplyAdds + (second?.multiplyAdds ?? 0) }

    init(first: CouplingFlow, second: CouplingFlow?, seesTwistsFirst: Bool = false) {
        precondition(!seesTwistsFirst || second == nil)
        precondition(first.dimension == Self.inputCount)
        precondition(second == nil || second?.dimension == Self.rotationCount + Self.phiCount)
        self.first = first
        self.second = second
        self.seesTwistsFirst = seesTwistsFirst
        let half = max(first.half, second?.half ?? 0)
        let hidden = max(first.hidden, second?.hidden ?? 0)
        pool = Pool { FlowScratch(half: half, hidden: hidden) }
    }

    /// Values of the error code per person.
    package var latentCount: Int { Self.swingLatentCount + (second == nil ? 0 : Self.phiCount) }

    /// IK direction: observations to rotations and error code.
    ///
    /// - Parameters:
    ///   - input: `[count, 116]`.
    ///   - phi: `[count, 46]`; not read by the one-stage network.
    ///   - betas: `[count, 10]`; read only where a shape gate is open.
    ///   - padding: `[count, 60]`, or nil for zeros.
    ///   - keepsSwing: also returns what passes between the stages.
    ///   - team: the threads that share the work; the result is the same bit for bit.
    /// - Throws: ``ModelError/cancelled``.
    package func inverse(
        count: Int, input: [Float], phi: [Float], betas: [Float], padding: [Float]? = nil, keepsSwing: Bool = false,
        on team: ThreadTeam = .alone, isCancelled: () -> Bool
    ) throws(ModelError) -> NIKISolution {
        var found = NIKISolution(
            rotation6d: [Float](repeating: 0, count: count * Self.rotationCount),
            swing6d: [Float](repeating: 0, count: keepsSwing && second != nil ? count * Self.rotationCount : 0),
            latent: [Float](repeating: 0, count: count * latentCount))
        try inverse(
            count: count, input: input, phi: phi, betas: betas, padding: padding, into: &found, on: team,
            isCancelled: isCancelled)
        return found
    }

    /// The same into arrays of the right size; `swing6d` may be empty.
    ///
    /// - Cost: no allocation once a batch of this size was solved with a team of this size.
    package func inverse(
        count: Int, input: [Float], phi: [Float], betas: [Float], padding: [Float]? = nil,
        into found: inout NIKISolution, on team: ThreadTeam = .alone, isCancelled: () -> Bool
    ) throws(ModelError) {
        precondition(input.count == count * Self.observationCount && betas.count == count * FlowWorkspace.betaCount)
        precondition(
            phi.count == count * Self.phiCount && padding.map { $0.count == count * Self.paddingCount } ?? true)
        precondition(found.rotation6d.count == count * Self.rotationCount && found.latent.count == count * latentCount)
        try pool.lend { scratch throws(ModelError) in
            let plan = scratch.plan(count: count, on: team)
            for wave in 0..<plan.waves {
                for index in 0..<plan.workspaces {
                    fill(
                        scratch.workspaces[index], plan.rows(wave: wave, workspace: index), input: input, phi: phi,
                        betas: betas, padding: padding)
                }
                let given = Self.observationCount + (seesTwistsFirst ? Self.phiCount : 0)
                let known = (padding == nil ? given : Self.inputCount) / 2
                try scratch.run(
                    first, .update, plan: plan, wave: wave, firstDepth: known, on: team, isCancelled: isCancelled)
                for index in 0..<plan.workspaces {
                    passOn(
                        scratch.workspaces[index], plan.rows(wave: wave, workspace: index), phi: phi, into: &found)
                }
                if let second {
                    try scratch.run(second, .update, plan: plan, wave: wave, on: team, isCancelled: isCancelled)
                }
                for index in 0..<plan.workspaces {
                    collect(scratch.workspaces[index], plan.rows(wave: wave, workspace: index), into: &found)
                }
            }
        }
    }

    /// Writes the first flow's input.
    private func fill(
        _ workspace: FlowWorkspace, _ people: Range<Int>, input: [Float], phi: [Float], betas: [Float],
        padding: [Float]?
    ) {
        Halves.scatter(
            input.span, firstPerson: people.lowerBound, sourceStride: Self.observationCount,
            count: Self.observationCount, rows: people.count, into: workspace)
        if let padding {
            Halves.scatter(
                padding.span, firstPerson: people.lowerBound, sourceStride: Self.paddingCount,
                count: Self.paddingCount, dimension: Self.observationCount, rows: people.count, into: workspace)
        } else {
            Halves.clear(
                dimension: Self.observationCount, count: Self.paddingCount, rows: people.count, in: workspace)
        }
        if seesTwistsFirst {
            Halves.scatter(
                phi.span, firstPerson: people.lowerBound, sourceStride: Self.phiCount, count: Self.phiCount,
                dimension: Self.observationCount, rows: people.count, into: workspace)
        }
        appendBetas(betas, people, to: workspace)
    }

    private func appendBetas(_ betas: [Float], _ people: Range<Int>, to workspace: FlowWorkspace) {
        guard first.seesBetas else { return }
        Halves.appendBetas(
            betas.span, firstPerson: people.lowerBound, half: first.half, rows: people.count, to: workspace)
    }

    /// Reads the first flow's error code and writes the second flow's input.
    private func passOn(
        _ workspace: FlowWorkspace, _ people: Range<Int>, phi: [Float], into found: inout NIKISolution
    ) {
        var latent = found.latent.mutableSpan
        Halves.gather(
            workspace, dimension: Self.rotationCount, count: Self.swingLatentCount, rows: people.count, into: &latent,
            firstPerson: people.lowerBound, targetStride: latentCount)
        guard second != nil else { return }
        if !found.swing6d.isEmpty {
            var swing = found.swing6d.mutableSpan
            Halves.gather(
                workspace, dimension: 0, count: Self.rotationCount, rows: people.count, into: &swing,
                firstPerson: people.lowerBound, targetStride: Self.rotationCount)
        }
        // The swings stay where they are: both flows lay out their halves alike, so only phi is put behind them.
        Halves.scatter(
            phi.span, firstPerson: people.lowerBound, sourceStride: Self.phiCount, count: Self.phiCount,
            dimension: Self.rotationCount, rows: people.count, into: workspace)
    }

    /// Reads what the last flow left.
    private func collect(_ workspace: FlowWorkspace, _ people: Range<Int>, into found: inout NIKISolution) {
        if second != nil {
            var latent = found.latent.mutableSpan
            Halves.gather(
                workspace, dimension: Self.rotationCount, count: Self.phiCount, rows: people.count, into: &latent,
                firstPerson: people.lowerBound, targetStride: latentCount, targetStart: Self.swingLatentCount)
        }
        var rotation = found.rotation6d.mutableSpan
        Halves.gather(
            workspace, dimension: 0, count: Self.rotationCount, rows: people.count, into: &rotation,
            firstPerson: people.lowerBound, targetStride: Self.rotationCount)
    }

    /// FK direction: rotations and error code to the observation.
    ///
    /// - Parameters:
    ///   - rotation6d: `[count, 144]`.
    ///   - latent: `[count, latentCount]`; zeros stand for “no error”.
    ///   - betas: `[count, 10]`; read only where a shape gate is open.
    /// - Throws: ``ModelError/cancelled``.
    package func forward(
        count: Int, rotation6d: [Float], latent: [Float], betas: [Float], isCancelled: () -> Bool
    ) throws(ModelError) -> NIKIReconstruction {
        precondition(rotation6d.count == count * Self.rotationCount && latent.count == count * latentCount)
        precondition(betas.count == count * FlowWorkspace.betaCount)
        let twoStages = second != nil
        var found = NIKIReconstruction(
            observation: [Float](repeating: 0, count: count * Self.inputCount),
            swing6d: [Float](repeating: 0, count: twoStages ? count * Self.rotationCount : 0),
            phi: [Float](repeating: 0, count: twoStages || seesTwistsFirst ? count * Self.phiCount : 0))
        try pool.lend { scratch throws(ModelError) in
            let plan = scratch.plan(count: count, on: .alone)
            for wave in 0..<plan.waves {
                try forward(
                    scratch, plan, wave: wave, rotation6d: rotation6d, latent: latent, betas: betas, into: &found,
                    isCancelled: isCancelled)
            }
        }
        return found
    }

    private func forward(
        _ scratch: FlowScratch, _ plan: BatchPlan, wave: Int, rotation6d: [Float], latent: [Float], betas: [Float],
        into found: inout NIKIReconstruction, isCancelled: () -> Bool
    ) throws(ModelError) {
        let (workspace, people) = (scratch.workspaces[0], plan.rows(wave: wave, workspace: 0))
        let (start, rows) = (people.lowerBound, people.count)
        Halves.scatter(
            rotation6d.span, firstPerson: start, sourceStride: Self.rotationCount, count: Self.rotationCount,
            rows: rows, into: workspace)
        if let second {
            Halves.scatter(
                latent.span, firstPerson: start, sourceStride: latentCount, sourceStart: Self.swingLatentCount,
                count: Self.phiCount, dimension: Self.rotationCount, rows: rows, into: workspace)
            try scratch.run(second, .invert, plan: plan, wave: wave, on: .alone, isCancelled: isCancelled)
            var swing = found.swing6d.mutableSpan
            Halves.gather(
                workspace, dimension: 0, count: Self.rotationCount, rows: rows, into: &swing, firstPerson: start,
                targetStride: Self.rotationCount)
            var phi = found.phi.mutableSpan
            Halves.gather(
                workspace, dimension: Self.rotationCount, count: Self.phiCount, rows: rows, into: &phi,
                firstPerson: start, targetStride: Self.phiCount)
        }
        Halves.scatter(
            latent.span, firstPerson: start, sourceStride: latentCount, count: Self.swingLatentCount,
            dimension: Self.rotationCount, rows: rows, into: workspace)
        appendBetas(betas, people, to: workspace)
        try scratch.run(first, .invert, plan: plan, wave: wave, on: .alone, isCancelled: isCancelled)
        if seesTwistsFirst {
            var phi = found.phi.mutableSpan
            Halves.gather(
                workspace, dimension: Self.observationCount, count: Self.phiCount, rows: rows, into: &phi,
                firstPerson: start, targetStride: Self.phiCount)
        }
        var observation = found.observation.mutableSpan
        Halves.gather(
            workspace, dimension: 0, count: Self.inputCount, rows: rows, into: &observation, firstPerson: start,
            targetStride: Self.inputCount)
    }
}
