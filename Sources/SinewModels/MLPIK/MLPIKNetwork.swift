package import SinewKernels

/// The MLP baseline of NIKI's Table 5 on conditioned vectors: four linear layers, LeakyReLU between them.
///
/// - Source: models.md §4; input `[bones 87, sigma 29, phi 46]`, output 24 row-6D rotations.
package struct MLPIKNetwork: Sendable {
    /// Bones, sigma, twists.
    package static let inputCount = 162
    private let layers: [PackedMatrix]
    private let pool: Pool<MLPIKScratch>

    /// Multiply-adds of one person.
    package var multiplyAdds: Int { layers.reduce(0) { $0 + $1.multiplyAdds } }

    /// Reads and packs `layers.{0…3}.{weight,bias}`.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` for anything missing, superfluous, misshapen or not finite.
    package init(_ files: ModelFiles) throws(ModelError) {
        let hidden = files.description.hidden
        var reader = files.reader
        let sizes = [Self.inputCount, hidden, hidden, hidden, NIKINetwork.rotationCount]
        var packed: [PackedMatrix] = []
        for index in 0..<4 {
            let layer = try reader.linear("layers.\(index)", inputs: sizes[index], outputs: sizes[index + 1])
            packed.append(layer.packed(files.description.precision))
        }
        try reader.finish()
        layers = packed
        pool = Pool { [layers] in MLPIKScratch(layers: layers, hidden: hidden) }
    }

    /// Observations to rotations.
    ///
    /// - Parameters:
    ///   - input: `[count, 116]`, bones and sigma.
    ///   - phi: `[count, 46]`.
    ///   - team: the threads that share the work; the result is the same bit for bit.
    /// - Returns: `[count, 144]`.
    /// - Throws: ``ModelError/cancelled``, between layers.
    package func solve(
        count: Int, input: [Float], phi: [Float], on team: ThreadTeam = .alone, isCancelled: () -> Bool
    ) throws(ModelError) -> [Float] {
        var rotation6d = [Float](repeating: 0, count: count * NIKINetwork.rotationCount)
        try solve(count: count, input: input, phi: phi, into: &rotation6d, on: team, isCancelled: isCancelled)
        return rotation6d
    }

    /// The same into an array of the right size.
    ///
    /// - Cost: no allocation once a batch of this size was solved with a team of this size.
    package func solve(
        count: Int, input: [Float], phi: [Float], into rotation6d: inout [Float], on team: ThreadTeam = .alone,
        isCancelled: () -> Bool
    ) throws(ModelError) {
        let (observation, twists) = (NIKINetwork.observationCount, NIKINetwork.phiCount)
        precondition(input.count == count * observation && phi.count == count * twists)
        precondition(rotation6d.count == count * NIKINetwork.rotationCount)
        try pool.lend { scratch throws(ModelError) in
            let plan = scratch.plan(count: count, on: team)
            for wave in 0..<plan.waves {
                for index in 0..<plan.workspaces {
                    let people = plan.rows(wave: wave, workspace: index)
                    let target = scratch.workspaces[index].input
                    Self.copy(input.span, width: observation, of: people, to: target, column: 0)
                    Self.copy(phi.span, width: twists, of: people, to: target, column: observation)
                }
                try scratch.run(plan: plan, wave: wave, on: team, isCancelled: isCancelled)
                for index in 0..<plan.workspaces {
                    let source = scratch.workspaces[index].output
                    Self.copy(source.span, to: plan.rows(wave: wave, workspace: index), of: &rotation6d)
                }
            }
        }
    }

    private static func copy(
        _ source: Span<Float>, width: Int, of people: Range<Int>, to target: SharedBuffer, column: Int
    ) {
        var span = target.mutableSpan
        for (row, person) in people.enumerated() {
            let start = row * MLPIKScratch.inputStride + column
            for index in 0..<width { span[start + index] = source[person * width + index] }
        }
    }

    private static func copy(_ source: Span<Float>, to people: Range<Int>, of target: inout [Float]) {
        let width = NIKINetwork.rotationCount
        for index in 0..<(people.count * width) { target[people.lowerBound * width + index] = source[index] }
    }
}
