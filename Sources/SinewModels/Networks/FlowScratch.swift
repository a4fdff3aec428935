internal import SinewKernels
internal import Synchronization

/// The memory of one call through the flows of a network, and its way over the threads of a team.
///
/// The calling thread fills the workspaces, ``run(_:_:plan:wave:firstDepth:on:isCancelled:)`` sends them through a flow, the calling
/// thread reads them. It keeps what it allocated, so that a later call of the same size allocates nothing.
internal final class FlowScratch: TeamWork {
    /// One for each member of the largest team so far.
    private(set) var workspaces: [FlowWorkspace] = []
    private let half: Int
    private let hidden: Int
    private var pass: Pass?
    /// See ``CouplingFlow/run(_:on:firstDepth:stop:isCancelled:)``.
    private let stop = Atomic(Int.max)

    private struct Pass {
        let flow: CouplingFlow
        let direction: Coupling
        let firstDepth: Int?
        let plan: BatchPlan
        let wave: Int
    }

    init(half: Int, hidden: Int) {
        self.half = half
        self.hidden = hidden
    }

    /// Makes the workspaces that a team needs, and says how it takes a batch.
    func plan(count: Int, on team: ThreadTeam) -> BatchPlan {
        while workspaces.count < team.count { workspaces.append(FlowWorkspace(half: half, hidden: hidden)) }
        return BatchPlan(count: count, members: team.count, rowsMax: workspaces[0].rowsMax)
    }

    /// Sends the rows of a wave through a flow, in place.
    ///
    /// - Throws: ``ModelError/cancelled``; asked before each coupling.
    func run(
        _ flow: CouplingFlow, _ direction: Coupling, plan: BatchPlan, wave: Int, firstDepth: Int? = nil,
        on team: ThreadTeam, isCancelled: () -> Bool
    ) throws(ModelError) {
        if isCancelled() { throw .cancelled }
        stop.store(.max, ordering: .relaxed)
        let pass = Pass(flow: flow, direction: direction, firstDepth: firstDepth, plan: plan, wave: wave)
        self.pass = pass
        team.run(self) { member in perform(pass, member, isCancelled: isCancelled) }
        self.pass = nil
        if stop.load(ordering: .relaxed) < flow.layers.count { throw .cancelled }
    }

    func help(_ member: TeamMember) {
        guard let pass else { preconditionFailure("a helper was called without a pass") }
        // The lead asks; a helper only hears of it.
        perform(pass, member, isCancelled: { false })
    }

    private func perform(_ pass: Pass, _ member: TeamMember, isCancelled: () -> Bool) {
        let part: FlowPart
        if pass.plan.sharesRows {
            part = FlowPart(
                workspace: workspaces[0], translationScratch: workspaces[1],
                rows: pass.plan.rows(wave: pass.wave, workspace: 0).count, member: member)
        } else {
            let own = workspaces[member.index]
            let rows = pass.plan.rows(wave: pass.wave, workspace: member.index).count
            guard rows > 0 else { return }
            part = FlowPart(workspace: own, translationScratch: own, rows: rows, member: .alone)
        }
        pass.flow.run(
            pass.direction, on: part, firstDepth: pass.firstDepth, stop: stop, isCancelled: isCancelled)
    }
}

/// Only one call at a time holds a scratch (see ``Pool``). Its thread writes `workspaces` and `pass` while no helper works, and the
/// start and end of the team's work order that; during it the members keep ``SharedBuffer``'s rule.
extension FlowScratch: @unchecked Sendable {}
