internal import SinewKernels

/// SMPL-IK's network on centred effectors: encoder, position decoder (GPD), rotation decoder (IKD).
///
/// Effectors of all people are rows of one matrix, without padding: a batch costs what its effectors cost.
/// - Source: Oreshkin et al., "ProtoRes" (2022) and Voleti et al., "SMPL-IK" (2022); models.md §5.2–5.5.
package struct SMPLIKNetwork: Sendable {
    /// Joint positions that the first decoder gives.
    package static let positionCount = 72
    /// Row-6D rotations that the second decoder gives.
    package static let rotationCount = 144

    /// What the network says of a batch.
    package struct Output: Sendable {
        /// `[count, 144]` row-6D local rotations.
        package var rotation6d: [Float]
        /// `[count, 72]` positions relative to the reference; the first joint is the root, the others are latents that training
        /// left free.
        package var positions: [Float]
    }

    private let width: Int
    private let conditioning: EffectorConditioning
    private let encoder: EffectorEncoder
    private let positionDecoder: PoseDecoder
    private let rotationDecoder: PoseDecoder
    private let pool: Pool<SMPLIKWorkspace>

    /// Multiply-adds of a batch, by how many people and how many of their effectors have a weight above 0.
    package func multiplyAdds(people: Int, effectors: Int) -> Int {
        effectors * encoder.multiplyAddsPerEffector
            + people
            * (encoder.multiplyAddsPerPerson + positionDecoder.multiplyAdds + rotationDecoder.multiplyAdds)
    }

    /// Reads and packs all tensors of models.md §5.5, and the tables of `effector-heading` where the model has them.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` for anything missing, superfluous, misshapen or not finite.
    package init(_ files: ModelFiles) throws(ModelError) {
        let description = files.description
        let embedded = description.hidden + EffectorRows.shapeCount
        var reader = files.reader
        width = description.hidden
        encoder = try EffectorEncoder(&reader, description)
        positionDecoder = try PoseDecoder(
            &reader, prefix: "decoder_stage1", inputs: embedded, outputs: Self.positionCount, description)
        rotationDecoder = try PoseDecoder(
            &reader, prefix: "decoder_stage2", inputs: Self.positionCount + embedded, outputs: Self.rotationCount,
            description)
        conditioning =
            switch description.conditioning {
            case .effectorHeading: .heading(try EffectorHeading(&reader))
            case .effectorZUp: .zUp
            case .none, .headingBones, .cameraFrame, .humanCentric: .none
            }
        try reader.finish()
        let columns = Self.positionCount + embedded
        pool = Pool { SMPLIKWorkspace(columns: max(columns, Self.rotationCount)) }
    }

    /// Effectors as the network reads them; `restJoints` `[count, 29, 3]`.
    ///
    /// - Throws: ``ModelError/Reason/degenerateInput`` for a person without a positional effector of positive weight.
    package func rows(
        _ effectors: EffectorObservations, restJoints: [Float]
    ) throws(ModelError) -> EffectorRows {
        try EffectorRows(effectors, conditioning: conditioning, restJoints: restJoints)
    }

    /// Effectors to rotations and root.
    ///
    /// - Cost: with the published width of 1024, 9.45 million multiply-adds per effector and 27.1 million per person.
    /// - Throws: ``ModelError/cancelled``, between blocks.
    package func solve(_ rows: EffectorRows, isCancelled: () -> Bool) throws(ModelError) -> Output {
        var output = Output(
            rotation6d: [Float](repeating: 0, count: rows.count * Self.rotationCount),
            positions: [Float](repeating: 0, count: rows.count * Self.positionCount))
        try pool.lend { workspace throws(ModelError) in
            // A row: root-relative positions, embedding, shape. The first decoder reads the last two, the second all.
            let inputs = PersonRows(width: width)
            var buffer = AlignedBuffer(count: rows.count * inputs.stride)
            for people in Self.groups(rows, rowsMax: workspace.rowsMax) {
                try encoder.run(
                    rows, people: people, workspace, embeddings: &buffer, layout: inputs, isCancelled: isCancelled)
            }
            inputs.placeShapes(of: rows, in: &buffer)
            let block = RowBlocks.rows(of: rows.count, rowsMax: workspace.rowsMax)
            for start in stride(from: 0, to: rows.count, by: block) {
                try decode(
                    start..<min(rows.count, start + block), &buffer, inputs, workspace, into: &output,
                    isCancelled: isCancelled)
            }
        }
        return output
    }

    /// Consecutive people whose effectors fit into the workspace together.
    static func groups(_ rows: EffectorRows, rowsMax: Int) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var first = 0
        for person in 0..<rows.count where rows.offsets[person + 1] - rows.offsets[first] > rowsMax {
            groups.append(first..<person)
            first = person
        }
        if first < rows.count { groups.append(first..<rows.count) }
        return groups
    }

    private func decode(
        _ people: Range<Int>, _ buffer: inout AlignedBuffer, _ inputs: PersonRows, _ workspace: SMPLIKWorkspace,
        into output: inout Output, isCancelled: () -> Bool
    ) throws(ModelError) {
        try positionDecoder.run(
            buffer, stride: inputs.stride, start: inputs.embedding(of: people.lowerBound), rows: people.count,
            workspace, sums: &workspace.pooled, isCancelled: isCancelled)
        Self.copy(
            workspace.pooled, stride: workspace.hiddenStride, people, width: Self.positionCount, to: &output.positions)
        inputs.placePositions(output.positions, of: people, in: &buffer)
        try rotationDecoder.run(
            buffer, stride: inputs.stride, start: people.lowerBound * inputs.stride, rows: people.count, workspace,
            sums: &workspace.pooled, isCancelled: isCancelled)
        Self.copy(
            workspace.pooled, stride: workspace.hiddenStride, people, width: Self.rotationCount, to: &output.rotation6d)
    }

    private static func copy(
        _ sums: borrowing AlignedBuffer, stride: Int, _ people: Range<Int>, width: Int, to target: inout [Float]
    ) {
        let sums = sums.span
        for person in people {
            let row = (person - people.lowerBound) * stride
            for column in 0..<width { target[person * width + column] = sums[row + column] }
        }
    }
}

/// How the input of the decoders lies: a row per person of root-relative positions, embedding, betas and gender.
internal struct PersonRows: Sendable {
    /// Floats from one row to the next; no power of two.
    let stride: Int
    private let width: Int

    init(width: Int) {
        self.width = width
        stride = (SMPLIKNetwork.positionCount + width + EffectorRows.shapeCount + 15) / 16 * 16 + 16
    }

    /// Where a person's embedding begins.
    func embedding(of person: Int) -> Int { person * stride + SMPLIKNetwork.positionCount }

    /// Writes betas and gender behind the embeddings.
    func placeShapes(of rows: EffectorRows, in buffer: inout AlignedBuffer) {
        var target = buffer.mutableSpan
        for person in 0..<rows.count {
            for column in 0..<EffectorRows.shapeCount {
                target[embedding(of: person) + width + column] = rows.shape[person * EffectorRows.shapeCount + column]
            }
        }
    }

    /// Writes `[count, 72]` positions before the embeddings, relative to each person's root.
    func placePositions(_ positions: [Float], of people: Range<Int>, in buffer: inout AlignedBuffer) {
        var target = buffer.mutableSpan
        for person in people {
            let first = person * SMPLIKNetwork.positionCount
            for column in 0..<SMPLIKNetwork.positionCount {
                target[person * stride + column] = positions[first + column] - positions[first + column % 3]
            }
        }
    }
}
