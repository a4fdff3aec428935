internal import SinewKernels

extension GraphNetwork {
    /// Reads, folds and packs a network whose tensors carry the published names (models.md §7.6, without `openpose_regressor`, which is
    /// SMPL's, and without the counters of the normalisations).
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` for anything missing, superfluous, misshapen or not finite.
    package init(_ files: ModelFiles) throws(ModelError) {
        guard let layout = files.description.graph else {
            throw ModelError(.unusableFile, "model \(files.description.identity) has no \"graph\" in its model.json")
        }
        let hidden = files.description.hidden
        let precision = files.description.precision
        var reader = files.reader
        let count = layout.keypoints.count
        let data = try reader.normalisation("backbone.data_bn", channels: count * layout.features.width)
        let graph = try Self.graphUnit(
            "backbone.gcn0", layout, inputs: layout.features.width, outputs: layout.channels, precision, from: &reader)
        let time = try Self.temporalUnit(
            "backbone.tcn0", layout, channels: layout.channels, frames: 2, stride: 1, precision, from: &reader)
        var frames = 2
        var blocks: [GraphBlock] = []
        for (index, block) in layout.blocks.enumerated() {
            let name = "backbone.backbone.\(index)"
            let graph = try Self.graphUnit(
                "\(name).gcn1", layout, inputs: block.inputs, outputs: block.outputs, precision, from: &reader)
            let time = try Self.temporalUnit(
                "\(name).tcn1", layout, channels: block.outputs, frames: frames, stride: block.stride, precision,
                from: &reader)
            var around: PackedMatrix?
            if block.inputs != block.outputs || block.stride != 1 {
                let weight = try reader.values(
                    "\(name).down1.conv.weight", shape: [block.outputs, block.inputs, 1, 1])
                let bias = try reader.values("\(name).down1.conv.bias", shape: [block.outputs])
                let norm = try reader.normalisation("\(name).down1.bn", channels: block.outputs)
                around = norm.folded(into: Linear(weight: weight, bias: bias, inputs: block.inputs)).packed(precision)
            }
            blocks.append(GraphBlock(graph: graph, time: time, around: around, stride: block.stride))
            frames = time.framesOut
        }
        let body = GraphLayout.bodyWidth
        let first = try reader.linear("linear.0", inputs: layout.featureWidth + body, outputs: hidden)
        let second = try reader.linear("linear.2", inputs: hidden, outputs: layout.rotations * layout.jointWidth)
        let heads = try Self.jointHeads(layout, precision, from: &reader)
        try reader.finish()
        self.init(
            layout: layout, data: data, graph: graph, time: time, blocks: blocks, first: first.packed(precision),
            second: second.packed(precision), heads: heads, hidden: hidden)
    }

    private static func graphUnit(
        _ name: String, _ layout: GraphLayout, inputs: Int, outputs: Int, _ precision: ModelDescription.Precision,
        from reader: inout WeightsReader
    ) throws(ModelError) -> GraphUnit {
        let (count, tables) = (layout.keypoints.count, GraphMixing.tableCount)
        let mask = try reader.values("\(name).mask", shape: [tables, count, count])
        var weight = [Float](repeating: 0, count: outputs * tables * inputs)
        var bias = [Float](repeating: 0, count: outputs)
        for table in 0..<tables {
            let part = try reader.values("\(name).conv_list.\(table).weight", shape: [outputs, inputs, 1, 1])
            let offset = try reader.values("\(name).conv_list.\(table).bias", shape: [outputs])
            for output in 0..<outputs {
                bias[output] += offset[output]
                for input in 0..<inputs {
                    weight[(output * tables + table) * inputs + input] = part[output * inputs + input]
                }
            }
        }
        let norm = try reader.normalisation("\(name).bn", channels: outputs)
        let whole = norm.folded(into: Linear(weight: weight, bias: bias, inputs: tables * inputs))
        return GraphUnit(
            mixing: GraphMixing(keypointCount: count, edges: layout.edges, mask: mask), inputs: inputs,
            outputs: outputs, product: whole.packed(precision))
    }

    private static func temporalUnit(
        _ name: String, _ layout: GraphLayout, channels: Int, frames: Int, stride: Int,
        _ precision: ModelDescription.Precision, from reader: inout WeightsReader
    ) throws(ModelError) -> TemporalUnit {
        let kernel = layout.temporalKernel
        let taps = try reader.values("\(name).conv.weight", shape: [channels, channels, kernel, 1])
        let bias = try reader.values("\(name).conv.bias", shape: [channels])
        let norm = try reader.normalisation("\(name).bn", channels: channels)
        // The tap that meets frame `input` for the output frame that is centred on frame `output · stride`.
        let framesOut = stride == 2 ? 1 : frames
        var weight = [Float](repeating: 0, count: framesOut * channels * frames * channels)
        for output in 0..<framesOut {
            for input in 0..<frames {
                let tap = kernel / 2 + input - output * stride
                for row in 0..<channels {
                    for column in 0..<channels {
                        let target = ((output * channels + row) * frames + input) * channels + column
                        weight[target] = taps[(row * channels + column) * kernel + tap] * norm.scale[row]
                    }
                }
            }
        }
        let folded = (0..<channels).map { bias[$0] * norm.scale[$0] + norm.shift[$0] }
        let whole = Linear(
            weight: weight, bias: (0..<framesOut).flatMap { _ in folded }, inputs: frames * channels)
        return TemporalUnit(
            framesIn: frames, framesOut: framesOut, outputs: channels, product: whole.packed(precision))
    }

    private static func jointHeads(
        _ layout: GraphLayout, _ precision: ModelDescription.Precision, from reader: inout WeightsReader
    ) throws(ModelError) -> [JointHead] {
        let (count, width) = (layout.rotations, layout.jointWidth)
        let weight = try reader.values("regressor.layers.0.0.weight", shape: [count, width, width])
        let bias = try reader.values("regressor.layers.0.0.bias", shape: [count, width])
        let lastWeight = try reader.values("regressor.layers.1.weight", shape: [count, 6, width])
        let lastBias = try reader.values("regressor.layers.1.bias", shape: [count, 6])
        func part(_ values: [Float], _ joint: Int) -> [Float] {
            let size = values.count / count
            return Array(values[(joint * size)..<(joint * size + size)])
        }
        return (0..<count).map { joint in
            JointHead(
                first: Linear(weight: part(weight, joint), bias: part(bias, joint), inputs: width).packed(precision),
                last: Linear(weight: part(lastWeight, joint), bias: part(lastBias, joint), inputs: width)
                    .packed(precision))
        }
    }

    /// A normalisation over channels as one multiplication and one addition.
    struct Normalisation: Sendable {
        let scale: [Float]
        let shift: [Float]

        /// The layer before it with the normalisation in its weights.
        func folded(into layer: Linear) -> Linear {
            var folded = layer
            for output in 0..<layer.outputs {
                folded.bias[output] = layer.bias[output] * scale[output] + shift[output]
                for input in 0..<layer.inputs { folded.weight[output * layer.inputs + input] *= scale[output] }
            }
            return folded
        }

        init(mean: [Float], variance: [Float], weight: [Float], bias: [Float], epsilon: Float) {
            let scale = zip(weight, variance).map { $0 / ($1 + epsilon).squareRoot() }
            self.scale = scale
            shift = bias.indices.map { bias[$0] - mean[$0] * scale[$0] }
        }
    }
}

extension WeightsReader {
    /// A BatchNorm with its running statistics.
    fileprivate mutating func normalisation(
        _ prefix: String, channels: Int
    ) throws(ModelError) -> GraphNetwork.Normalisation {
        let mean = try values("\(prefix).running_mean", shape: [channels])
        let variance = try values("\(prefix).running_var", shape: [channels])
        let weight = try values("\(prefix).weight", shape: [channels])
        let bias = try values("\(prefix).bias", shape: [channels])
        // 1e-5 is what PyTorch adds to a variance.
        return GraphNetwork.Normalisation(
            mean: mean, variance: variance, weight: weight, bias: bias, epsilon: 1e-5)
    }
}
