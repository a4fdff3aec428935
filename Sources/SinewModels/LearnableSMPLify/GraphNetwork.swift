internal import SinewKernels

/// The graph network of Learnable SMPLify on conditioned inputs: start and target keypoints in, residual rotations out.
///
/// What training needs and inference does not is gone: taps of the temporal convolutions that only ever meet padding, the
/// normalisations, the zeros of the graph's tables. The results equal the dense network's to rounding.
/// - Source: models.md §7.3, §7.5.
package struct GraphNetwork: Sendable {
    /// Graph and sizes.
    package let layout: GraphLayout
    private let data: Normalisation
    private let graph: GraphUnit
    private let time: TemporalUnit
    private let blocks: [GraphBlock]
    private let first: PackedMatrix
    private let second: PackedMatrix
    private let heads: [JointHead]
    private let hidden: Int
    private let pool: Pool<GraphWorkspace>

    init(
        layout: GraphLayout, data: Normalisation, graph: GraphUnit, time: TemporalUnit, blocks: [GraphBlock],
        first: PackedMatrix, second: PackedMatrix, heads: [JointHead], hidden: Int
    ) {
        self.layout = layout
        self.data = data
        self.graph = graph
        self.time = time
        self.blocks = blocks
        self.first = first
        self.second = second
        self.heads = heads
        self.hidden = hidden
        pool = Pool { GraphWorkspace(layout: layout, hidden: hidden) }
    }

    /// Multiply-adds of one person: the products; mixing over the joints takes less than a hundredth of them.
    package var multiplyAdds: Int {
        var perKeypoint = 2 * graph.product.multiplyAdds + time.product.multiplyAdds
        var frames = time.framesOut
        for block in blocks {
            perKeypoint += frames * block.graph.product.multiplyAdds + block.time.product.multiplyAdds
            // The way around runs on the frames that the stride keeps.
            perKeypoint += block.time.framesOut * (block.around?.multiplyAdds ?? 0)
            frames = block.time.framesOut
        }
        let head = heads.reduce(first.multiplyAdds + second.multiplyAdds) {
            $0 + $1.first.multiplyAdds + $1.last.multiplyAdds
        }
        return perKeypoint * layout.keypoints.count + head
    }

    /// Residual rotations.
    ///
    /// - Shape: `graph` `[count, V, 2, C]` (frame 0 start, frame 1 target), `body` `[count, 79]` → `[count, rotations, 6]`, the first two
    ///   columns interleaved.
    /// - Throws: ``ModelError/cancelled``, between blocks of people.
    package func residuals(
        count: Int, graph: [Float], body: [Float], isCancelled: () -> Bool
    ) throws(ModelError) -> [Float] {
        let width = layout.keypoints.count * 2 * layout.features.width
        precondition(graph.count == count * width && body.count == count * GraphLayout.bodyWidth)
        var rotation6d = [Float](repeating: 0, count: count * layout.rotations * 6)
        try pool.lend { workspace throws(ModelError) in
            let head = RowBlocks.rows(of: count, rowsMax: GraphWorkspace.headPeople)
            for start in stride(from: 0, to: count, by: head) {
                let people = min(head, count - start)
                let block = GraphWorkspace.blockPeople
                for offset in stride(from: 0, to: people, by: block) {
                    if isCancelled() { throw .cancelled }
                    let rows = min(block, people - offset)
                    load(graph, firstPerson: start + offset, people: rows, into: &workspace.current)
                    let frames = convolve(workspace, people: rows)
                    gather(workspace, firstPerson: offset, people: rows, frames: frames)
                }
                append(body, firstPerson: start, people: people, to: workspace)
                regress(workspace, people: people, into: &rotation6d, at: start)
            }
        }
        return rotation6d
    }

    /// Copies and normalises the inputs of some people.
    private func load(_ graph: [Float], firstPerson: Int, people: Int, into buffer: inout AlignedBuffer) {
        let (count, channels) = (layout.keypoints.count, layout.features.width)
        var target = buffer.mutableSpan
        let source = graph.span
        for person in 0..<people {
            for keypoint in 0..<count {
                for frame in 0..<2 {
                    let to = ((person * count + keypoint) * 2 + frame) * channels
                    let from = (((firstPerson + person) * count + keypoint) * 2 + frame) * channels
                    for channel in 0..<channels {
                        let index = keypoint * channels + channel
                        target[to + channel] = source[from + channel] * data.scale[index] + data.shift[index]
                    }
                }
            }
        }
    }

    /// Runs the graph and temporal units; the result is in `current`.
    ///
    /// - Returns: the frames that are left.
    private func convolve(_ workspace: GraphWorkspace, people: Int) -> Int {
        mix(graph, workspace, people: people, frames: 2)
        let rows = people * layout.keypoints.count
        run(time, workspace, rows: rows)
        workspace.swapActivations()
        var frames = time.framesOut
        for block in blocks {
            mix(block.graph, workspace, people: people, frames: frames)
            run(block.time, workspace, rows: rows)
            addWayAround(block, workspace, rows: rows, frames: frames)
            workspace.swapActivations()
            frames = block.time.framesOut
        }
        return frames
    }

    /// `current` → `between`.
    private func mix(_ unit: GraphUnit, _ workspace: GraphWorkspace, people: Int, frames: Int) {
        unit.mixing.apply(
            people: people, frames: frames, channels: unit.inputs, workspace.current, into: &workspace.mixed)
        let depth = GraphMixing.tableCount * unit.inputs
        unit.product.multiply(
            workspace.mixed, rows: people * layout.keypoints.count * frames, aStride: depth, activation: .reLU,
            into: &workspace.between, cStride: unit.outputs)
    }

    /// `between` → `next`.
    private func run(_ unit: TemporalUnit, _ workspace: GraphWorkspace, rows: Int) {
        unit.product.multiply(
            workspace.between, rows: rows, aStride: unit.framesIn * unit.outputs, activation: .reLU,
            into: &workspace.next, cStride: unit.framesOut * unit.outputs)
    }

    /// Adds what went around a block to `next`; `between` is free by then.
    private func addWayAround(_ block: GraphBlock, _ workspace: GraphWorkspace, rows: Int, frames: Int) {
        let values = rows * block.time.framesOut * block.time.outputs
        guard let around = block.around else {
            Self.add(workspace.current, count: values, to: &workspace.next)
            return
        }
        if block.stride == 2 {
            // The first frame of each keypoint.
            around.multiply(
                workspace.current, rows: rows, aStride: frames * around.inputs, activation: .reLU,
                into: &workspace.between, cStride: around.outputs)
        } else {
            around.multiply(
                workspace.current, rows: rows * frames, aStride: around.inputs, activation: .reLU,
                into: &workspace.between, cStride: around.outputs)
        }
        Self.add(workspace.between, count: values, to: &workspace.next)
    }

    private static func add(_ source: borrowing AlignedBuffer, count: Int, to target: inout AlignedBuffer) {
        let source = source.span
        var target = target.mutableSpan
        RowArithmetic.accumulate(source.extracting(0..<count), times: 1, onto: &target, at: 0, isFirst: false)
    }

    /// Brings the features of each person together, in the layout's way, averaged over frames.
    private func gather(_ workspace: GraphWorkspace, firstPerson: Int, people: Int, frames: Int) {
        let (count, channels) = (layout.keypoints.count, blocks[blocks.count - 1].graph.outputs)
        let isMean = layout.pooling == .mean
        for person in 0..<people {
            let row = (firstPerson + person) * workspace.featureStride
            for part in 0..<(isMean ? 1 : count) {
                Self.average(
                    workspace.current, firstRow: (person * count + part) * frames,
                    rows: isMean ? count * frames : frames, channels: channels, into: &workspace.features,
                    at: row + part * channels)
            }
        }
    }

    private static func average(
        _ source: borrowing AlignedBuffer, firstRow: Int, rows: Int, channels: Int, into target: inout AlignedBuffer,
        at offset: Int
    ) {
        let source = source.span
        var target = target.mutableSpan
        let share = 1 / Float(rows)
        for row in firstRow..<(firstRow + rows) {
            let values = source.extracting((row * channels)..<(row * channels + channels))
            RowArithmetic.accumulate(values, times: share, onto: &target, at: offset, isFirst: row == firstRow)
        }
    }

    private func append(_ body: [Float], firstPerson: Int, people: Int, to workspace: GraphWorkspace) {
        for person in 0..<people {
            Self.copy(
                body, row: firstPerson + person, into: &workspace.features,
                at: person * workspace.featureStride + layout.featureWidth)
        }
    }

    private static func copy(_ body: [Float], row: Int, into target: inout AlignedBuffer, at offset: Int) {
        let width = GraphLayout.bodyWidth
        var target = target.mutableSpan
        for index in 0..<width { target[offset + index] = body[row * width + index] }
    }

    private func regress(_ workspace: GraphWorkspace, people: Int, into rotation6d: inout [Float], at start: Int) {
        let (width, count) = (layout.jointWidth, layout.rotations)
        first.multiply(
            workspace.features, rows: people, aStride: workspace.featureStride, activation: .reLU,
            into: &workspace.hidden, cStride: hidden)
        second.multiply(
            workspace.hidden, rows: people, aStride: hidden, activation: .identity, into: &workspace.joints,
            cStride: count * width)
        for (joint, head) in heads.enumerated() {
            Self.multiply(
                head.first, workspace.joints, column: joint * width, rows: people, stride: count * width,
                into: &workspace.jointHidden)
            head.last.multiply(
                workspace.jointHidden, rows: people, aStride: width, activation: .identity,
                into: &workspace.rotation6d, cStride: 6)
            Self.copy(
                workspace.rotation6d, rows: people, into: &rotation6d, at: (start * count + joint) * 6,
                stride: count * 6)
        }
    }

    /// A joint's part of each row through its own first layer.
    private static func multiply(
        _ layer: PackedMatrix, _ source: borrowing AlignedBuffer, column: Int, rows: Int, stride: Int,
        into target: inout AlignedBuffer
    ) {
        var target = target.mutableSpan
        layer.multiply(
            source.span.extracting(column...), rows: rows, aStride: stride, activation: .reLU, into: &target,
            cStride: layer.outputs)
    }

    private static func copy(
        _ source: borrowing AlignedBuffer, rows: Int, into target: inout [Float], at offset: Int, stride: Int
    ) {
        let source = source.span
        for row in 0..<rows {
            for index in 0..<6 { target[offset + row * stride + index] = source[row * 6 + index] }
        }
    }
}
