internal import SinewKernels
internal import Synchronization

/// The memory of one call through the MLP, and its way over the threads of a team; see ``FlowScratch``.
internal final class MLPIKScratch: TeamWork {
    /// Floats from one input row to the next: 162, whole cache lines.
    static let inputStride = 176
    private static let rowsMax = 126

    /// The rows of one block on their way through the layers; see ``FlowWorkspace`` for the strides.
    final class Workspace: Sendable {
        let input: SharedBuffer
        let hiddenA: SharedBuffer
        let hiddenB: SharedBuffer
        let output: SharedBuffer

        init(hiddenStride: Int) {
            input = SharedBuffer(count: rowsMax * inputStride)
            hiddenA = SharedBuffer(count: rowsMax * hiddenStride)
            hiddenB = SharedBuffer(count: rowsMax * hiddenStride)
            output = SharedBuffer(count: rowsMax * NIKINetwork.rotationCount)
        }
    }

    /// One for each member of the largest team so far.
    private(set) var workspaces: [Workspace] = []
    private let layers: [PackedMatrix]
    private let hiddenStride: Int
    private var pass: (plan: BatchPlan, wave: Int)?
    /// The layers that are still wanted, as in ``CouplingFlow/run(_:on:firstDepth:stop:isCancelled:)``.
    private let stop = Atomic(Int.max)

    init(layers: [PackedMatrix], hidden: Int) {
        self.layers = layers
        hiddenStride = (hidden + 15) / 16 * 16 + 16
    }

    /// Makes the workspaces that a team needs, and says how it takes a batch.
    func plan(count: Int, on team: ThreadTeam) -> BatchPlan {
        while workspaces.count < team.count { workspaces.append(Workspace(hiddenStride: hiddenStride)) }
        return BatchPlan(count: count, members: team.count, rowsMax: Self.rowsMax)
    }

    /// Sends the inputs of a wave through the layers.
    ///
    /// - Throws: ``ModelError/cancelled``; asked before each layer.
    func run(plan: BatchPlan, wave: Int, on team: ThreadTeam, isCancelled: () -> Bool) throws(ModelError) {
        if isCancelled() { throw .cancelled }
        stop.store(.max, ordering: .relaxed)
        pass = (plan, wave)
        team.run(self) { member in perform(plan, wave, member, isCancelled: isCancelled) }
        pass = nil
        if stop.load(ordering: .relaxed) < layers.count { throw .cancelled }
    }

    func help(_ member: TeamMember) {
        guard let pass else { preconditionFailure("a helper was called without a pass") }
        perform(pass.plan, pass.wave, member, isCancelled: { false })
    }

    private func perform(_ plan: BatchPlan, _ wave: Int, _ member: TeamMember, isCancelled: () -> Bool) {
        let own = plan.sharesRows ? 0 : member.index
        let rows = plan.rows(wave: wave, workspace: own).count
        guard rows > 0 else { return }
        let member = plan.sharesRows ? member : .alone
        for step in layers.indices {
            if stop.load(ordering: .relaxed) <= step { return }
            multiply(step, workspaces[own], rows: rows, member)
            if step + 1 < layers.count, isCancelled() { stop.store(step + 1, ordering: .relaxed) }
            member.meet()
        }
    }

    /// The member's share of one layer's outputs.
    private func multiply(_ step: Int, _ workspace: Workspace, rows: Int, _ member: TeamMember) {
        let layer = layers[step]
        let isLast = step + 1 == layers.count
        let (a, b) = (workspace.hiddenA, workspace.hiddenB)
        let (input, output) = step % 2 == 0 ? (b, a) : (a, b)
        layer.multiply(
            step == 0 ? workspace.input : input, rows: rows, aStride: step == 0 ? Self.inputStride : hiddenStride,
            part: layer.columns(ofPanels: member.share(of: layer.panelCount)),
            activation: isLast ? .identity : .leakyReLU, into: isLast ? workspace.output : output,
            cStride: isLast ? NIKINetwork.rotationCount : hiddenStride)
    }
}

/// As for ``FlowScratch``: one call at a time holds a scratch, its thread alone writes these fields while no helper works.
extension MLPIKScratch: @unchecked Sendable {}
