internal import SinewArrayFiles

/// Learnable SMPLify's checkpoint (models.md §7.3, §7.6).
///
/// The file holds neither the graph nor which keypoint is which; both are the release's constants and stand here.
package enum LearnableSMPLifyCheckpoint {
    private static let keypointCount = 25
    /// Joints that are turned.
    private static let rotations = 22
    /// Rotation vectors of joints 1…23 and ten betas.
    private static let body = 79
    private static let blocksMax = 32

    /// The joint of the 29 that stands for each BODY-25 keypoint; of nose, eyes, ears, small toes and heels the joint that carries it.
    private static let keypoints = [
        15, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7, 15, 15, 15, 15, 27, 7, 7, 28, 8, 8,
    ]
    /// Where the carried keypoints are from their joints at rest, metres, measured on the open body: the regressor of the release is SMPL's.
    private static let offsets: [Int: [Double]] = [
        0: [0, 0.004, 0.117], 15: [-0.031, 0.04, 0.088], 16: [0.031, 0.04, 0.088], 17: [-0.08, 0.035, -0.01],
        18: [0.08, 0.035, -0.01], 20: [0.04, -0.057, 0.15], 21: [0.002, -0.04, -0.05], 23: [-0.04, -0.057, 0.15],
        24: [-0.002, -0.04, -0.05],
    ]
    /// Mid hip, left hip, right hip, neck.
    private static let frame = [8, 12, 9, 1]
    /// The released graph, counted from 1: NTU RGB+D's, although the keypoints are BODY-25's.
    private static let edges = [
        [1, 2], [2, 21], [3, 21], [4, 3], [5, 21], [6, 5], [7, 6], [8, 7], [9, 21], [10, 9], [11, 10], [12, 11],
        [13, 1],
        [14, 13], [15, 14], [16, 15], [17, 1], [18, 17], [19, 18], [20, 19], [22, 23], [23, 8], [24, 25], [25, 12],
    ]

    /// A graph unit, a temporal unit and the way around both, which has a layer of its own where the temporal stride is 2.
    package struct Block: Sendable, Equatable {
        package var inputs: Int
        package var outputs: Int
        package var stride: Int

        package init(inputs: Int, outputs: Int, stride: Int) {
            self.inputs = inputs
            self.outputs = outputs
            self.stride = stride
        }
    }

    /// The layout of a checkpoint; nil when it is no Learnable SMPLify.
    ///
    /// Widths, number of blocks and taps are taken from the tensors that tell them, everything else must then fit.
    static func layout(of state: StateDictionary) -> CheckpointLayout? {
        guard state.contains("backbone.gcn0.mask"), let head = state.shape(of: "linear.0.weight"), head.count == 2,
            let time = state.shape(of: "backbone.tcn0.conv.weight"), time.count == 4,
            let joints = state.shape(of: "regressor.layers.0.0.weight"), joints.count == 3
        else { return nil }
        var blocks: [Block] = []
        var width = time[0]
        while blocks.count < blocksMax,
            let conv = state.shape(of: "backbone.backbone.\(blocks.count).gcn1.conv_list.0.weight"), conv.count == 4
        {
            let isHalved = state.contains("backbone.backbone.\(blocks.count).down1.conv.weight")
            blocks.append(Block(inputs: width, outputs: conv[0], stride: isHalved ? 2 : 1))
            width = conv[0]
        }
        guard !blocks.isEmpty else { return nil }
        return layout(channels: time[0], blocks: blocks, taps: time[2], hidden: head[0], jointWidth: joints[2])
    }

    /// The layout for the sizes of a network; as published they are 64 channels, 9 blocks, 9 taps, 256 and 256.
    package static func layout(
        channels: Int, blocks: [Block], taps: Int, hidden: Int, jointWidth: Int
    ) -> CheckpointLayout {
        var tensors = norm("backbone.data_bn", channels: keypointCount * 3)
        tensors += graphUnit("backbone.gcn0", inputs: 3, outputs: channels)
        tensors += temporalUnit("backbone.tcn0", channels: channels, taps: taps)
        for (index, block) in blocks.enumerated() {
            let name = "backbone.backbone.\(index)"
            tensors += graphUnit("\(name).gcn1", inputs: block.inputs, outputs: block.outputs)
            tensors += temporalUnit("\(name).tcn1", channels: block.outputs, taps: taps)
            guard block.stride == 2 else { continue }
            tensors += convolution("\(name).down1.conv", inputs: block.inputs, outputs: block.outputs, taps: 1)
            tensors += norm("\(name).down1.bn", channels: block.outputs)
        }
        let features = (blocks.last?.outputs ?? 0) &+ body
        tensors += CheckpointLayout.Tensor.linear("linear.0", inputs: features, outputs: hidden)
        tensors += CheckpointLayout.Tensor.linear("linear.2", inputs: hidden, outputs: rotations &* jointWidth)
        tensors += [
            .init(name: "regressor.layers.0.0.weight", shape: [rotations, jointWidth, jointWidth]),
            .init(name: "regressor.layers.0.0.bias", shape: [rotations, jointWidth]),
            .init(name: "regressor.layers.1.weight", shape: [rotations, 6, jointWidth]),
            .init(name: "regressor.layers.1.bias", shape: [rotations, 6]),
        ]
        return CheckpointLayout(
            architecture: "learnable-smplify", title: "Learnable SMPLify", prefix: "",
            dims: [("couplings", 0), ("hidden", hidden)], conditioning: "human-centric", rotationLayout: "interleaved",
            graph: graph(channels: channels, blocks: blocks, taps: taps, jointWidth: jointWidth), tensors: tensors,
            licensedPrefixes: ["openpose_regressor"],
            unused: [.init(names: .ending(".num_batches_tracked"), reason: "a counter of the training")],
            licence:
                "The terms of Learnable SMPLify's authors; trained on AMASS, which is for non-commercial research only"
        )
    }

    /// `graph` of `model.json`.
    private static func graph(channels: Int, blocks: [Block], taps: Int, jointWidth: Int) -> JSONValue {
        func numbers(_ values: [Int]) -> JSONValue { .array(values.map { .integer($0) }) }
        return .object([
            .init("features", .string("position")), .init("keypoints", numbers(keypoints)),
            .init(
                "offsets",
                .array((0..<keypointCount).map { .array((offsets[$0] ?? [0, 0, 0]).map { .number($0) }) })),
            .init("edges", .array(edges.map { numbers($0.map { $0 - 1 }) })), .init("frame", numbers(frame)),
            .init("channels", .integer(channels)),
            .init("blocks", .array(blocks.map { numbers([$0.inputs, $0.outputs, $0.stride]) })),
            .init("temporal_kernel", .integer(taps)), .init("pooling", .string("mean")),
            .init("joint_width", .integer(jointWidth)), .init("rotations", .integer(rotations)),
        ])
    }

    private static func graphUnit(_ name: String, inputs: Int, outputs: Int) -> [CheckpointLayout.Tensor] {
        [.init(name: "\(name).mask", shape: [3, keypointCount, keypointCount])]
            + (0..<3).flatMap { convolution("\(name).conv_list.\($0)", inputs: inputs, outputs: outputs, taps: 1) }
            + norm("\(name).bn", channels: outputs)
    }

    private static func temporalUnit(_ name: String, channels: Int, taps: Int) -> [CheckpointLayout.Tensor] {
        convolution("\(name).conv", inputs: channels, outputs: channels, taps: taps)
            + norm("\(name).bn", channels: channels)
    }

    private static func convolution(
        _ name: String, inputs: Int, outputs: Int, taps: Int
    ) -> [CheckpointLayout.Tensor] {
        [
            .init(name: "\(name).weight", shape: [outputs, inputs, taps, 1]),
            .init(name: "\(name).bias", shape: [outputs]),
        ]
    }

    private static func norm(_ name: String, channels: Int) -> [CheckpointLayout.Tensor] {
        ["weight", "bias", "running_mean", "running_var"].map { .init(name: "\(name).\($0)", shape: [channels]) }
    }
}
