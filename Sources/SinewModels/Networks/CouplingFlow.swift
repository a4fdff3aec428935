internal import SinewKernels
internal import Synchronization

/// A stack of affine couplings between vectors of `dimension` values, run in either direction.
///
/// - Source: models.md §3.2 and §3.8. The last coupling computes the rows of the error code too, because answers carry its norm
///   (0.1 % of the work).
///
/// The nets of a coupling take the rows where they lie, so a shared first product would save nothing. Alone, a thread runs them one
/// after the other through the same scratch rows; two threads take a net each, and more cut the outputs of both among them.
internal struct CouplingFlow: Sendable {
    let dimension: Int
    let hidden: Int
    let layers: [CouplingLayer]

    var half: Int { dimension / 2 }

    /// Multiply-adds of one person in either direction.
    var multiplyAdds: Int {
        layers.reduce(0) { sum, layer in
            (layer.scale.layers + layer.translation.layers).reduce(sum) { $0 + $1.multiplyAdds }
        }
    }

    /// Whether any coupling reads the betas.
    var seesBetas: Bool { layers.contains { $0.seesBetas } }

    /// A member's part of a pass, in place on the halves of its rows.
    ///
    /// - Parameters:
    ///   - direction: ``Coupling/update`` for IK, ``Coupling/invert`` for its exact inverse, FK.
    ///   - firstDepth: IK: how many values of the odd half can differ from zero at the start; the others are not multiplied in the
    ///     first coupling.
    ///   - stop: the couplings that are still wanted; read before each one. It moves to a coupling that nobody has begun, so that
    ///     all members of a team leave at the same one.
    ///   - isCancelled: asked after each coupling but the last; moves `stop`.
    func run(
        _ direction: Coupling, on part: FlowPart, firstDepth: Int?, stop: borrowing Atomic<Int>,
        isCancelled: () -> Bool
    ) {
        for step in layers.indices {
            if stop.load(ordering: .relaxed) <= step { return }
            let index: Int
            let depth: Int?
            switch direction {
            case .update: (index, depth) = (step, step == 0 && !layers[0].seesBetas ? firstDepth : nil)
            case .invert: (index, depth) = (layers.count - 1 - step, nil)
            }
            // Even couplings keep the odd dimensions.
            let (even, odd) = (part.workspace.even, part.workspace.odd)
            let (kept, updated) = index % 2 == 0 ? (odd, even) : (even, odd)
            evaluate(layers[index], kept: kept, depth: depth, on: part)
            part.member.meet()
            couple(direction, updated, on: part, isa: layers[index].scale.layers[0].isa)
            if step + 1 < layers.count, isCancelled() { stop.store(step + 1, ordering: .relaxed) }
            part.member.meet()
        }
    }

    /// The member's share of both nets.
    private func evaluate(_ layer: CouplingLayer, kept: SharedBuffer, depth: Int?, on part: FlowPart) {
        let netLayers = layer.scale.layers.count
        guard part.member.count > 2 else {
            // One member has both nets and two have one each: every product reads what the same thread wrote.
            for net in CouplingNet.Role.allCases {
                for step in 0..<netLayers { multiply(layer, net, step, kept: kept, depth: depth, on: part) }
            }
            return
        }
        for step in 0..<netLayers {
            for net in CouplingNet.Role.allCases { multiply(layer, net, step, kept: kept, depth: depth, on: part) }
            if step + 1 < netLayers { part.member.meet() }
        }
    }

    /// One layer of one net, for the outputs in the member's share of both nets' micropanels.
    private func multiply(
        _ layer: CouplingLayer, _ net: CouplingNet.Role, _ step: Int, kept: SharedBuffer, depth: Int?,
        on part: FlowPart
    ) {
        let (matrix, workspace) = (layer.net(net).layers[step], part.workspace)
        let scratch = net == .scale ? workspace : part.translationScratch
        let panels = matrix.panelCount
        let share = part.member.share(of: 2 * panels)
        let first = net == .scale ? 0 : panels
        let columns = matrix.columns(
            ofPanels: min(max(share.lowerBound - first, 0), panels)..<min(max(share.upperBound - first, 0), panels))
        let (stride, hiddenStride) = (workspace.halfStride, workspace.hiddenStride)
        switch step {
        case 0:
            matrix.multiply(
                kept, rows: part.rows, aStride: stride, depth: depth, part: columns, activation: .leakyReLU,
                into: scratch.hiddenA, cStride: hiddenStride)
        case 1:
            matrix.multiply(
                scratch.hiddenA, rows: part.rows, aStride: hiddenStride, part: columns, activation: .leakyReLU,
                into: scratch.hiddenB, cStride: hiddenStride)
        default:
            matrix.multiply(
                scratch.hiddenB, rows: part.rows, aStride: hiddenStride, part: columns,
                activation: net == .scale ? .tanh : .identity,
                into: net == .scale ? workspace.scale : workspace.translation, cStride: stride)
        }
    }

    /// The member's share of the element-wise update: some of the rows, or some of the columns where rows are few.
    private func couple(_ direction: Coupling, _ updated: SharedBuffer, on part: FlowPart, isa: ISA) {
        let (workspace, member) = (part.workspace, part.member)
        let stride = workspace.halfStride
        var (rows, columns) = (0..<part.rows, 0..<half)
        if part.rows >= member.count {
            rows = member.share(of: part.rows)
        } else {
            // Whole cache lines, so that no two cores write to the same one.
            let line = AlignedBuffer.alignment / MemoryLayout<Float>.stride
            let lines = member.share(of: (half + line - 1) / line)
            columns = min(lines.lowerBound * line, half)..<min(lines.upperBound * line, half)
        }
        direction.apply(
            to: updated, rows: rows, columns: columns, xStride: stride, s: workspace.scale, t: workspace.translation,
            stride: stride, isa: isa)
    }
}

/// What one member of a team works on during a pass.
internal struct FlowPart {
    /// The rows' halves, and the scratch rows of the log-scale net.
    let workspace: FlowWorkspace
    /// Whose hidden rows the translation net uses: the same ones where one thread runs both nets.
    let translationScratch: FlowWorkspace
    let rows: Int
    let member: TeamMember
}
