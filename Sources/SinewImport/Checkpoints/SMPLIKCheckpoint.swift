/// SMPL-IK's checkpoints, as PyTorch Lightning writes them (models.md §5.5).
///
/// The network lies under `net.`; beside it are the three SMPL bodies, the scales of the losses and the counters of the metrics. ProtoRes,
/// the same network for one fixed skeleton that is not SMPL's, is told apart and refused.
package enum SMPLIKCheckpoint {
    private static let prefix = "net."
    /// Rows of both embedding tables, of which 24 and 3 are used.
    private static let embeddingRows = 65
    /// Data and tolerance of an effector; betas and gender of a person; joint positions; 6D rotations.
    private static let (features, shape, positions, rotations) = (7, 11, 72, 144)
    private static let blocksMax = 64

    /// The layout of a checkpoint; nil when it is no SMPL-IK.
    ///
    /// Width, embeddings and number of blocks are taken from the tensors that tell them, everything else must then fit.
    static func layout(of state: StateDictionary) -> CheckpointLayout? {
        let state = state.removingPrefix(prefix)
        guard let embedding = state.shape(of: "embeddings.0.projection.weight"), embedding.count == 2,
            let first = state.shape(of: "encoder.blocks.0.fc_layers.0.weight"), first.count == 2
        else { return nil }
        var blocks = 1
        while blocks < blocksMax, state.contains("encoder.blocks.\(blocks).fc_layers.0.weight") { blocks += 1 }
        return layout(width: first[0], embedding: embedding[0], blocks: blocks)
    }

    /// The layout for the sizes of a network; as published they are 1024, 32 and 3.
    package static func layout(width: Int, embedding: Int, blocks: Int) -> CheckpointLayout {
        var tensors: [CheckpointLayout.Tensor] = []
        for table in 0..<2 {
            tensors += CheckpointLayout.Tensor.linear(
                "embeddings.\(table).projection", inputs: embeddingRows, outputs: embedding)
        }
        // Sizes come from a file; what overflows is no network.
        let embedded = width &+ shape
        let stacks = [
            ("encoder", features &+ shape &+ 2 &* embedding, width, false),
            ("decoder_stage1", embedded, positions, true),
            ("decoder_stage2", positions &+ embedded, rotations, true),
        ]
        for (stack, inputs, outputs, hasNorm) in stacks {
            for index in 0..<blocks {
                tensors += block(
                    "\(stack).blocks.\(index)", inputs: index == 0 ? inputs : width, width: width, outputs: outputs,
                    hasNorm: hasNorm)
            }
        }
        return CheckpointLayout(
            architecture: "smpl-ik", title: "SMPL-IK", prefix: prefix,
            dims: [("width", width), ("blocks", blocks), ("embedding", embedding)], conditioning: "effector-z-up",
            rotationLayout: "rows", tensors: tensors,
            licensedPrefixes: ["smpl_male.", "smpl_female.", "smpl_neutral."],
            unused: [.init(names: .singleOutsidePrefix, reason: "a scale or counter of the training")],
            licence:
                "The terms of SMPL-IK's authors (Unity): non-commercial academic research only, not to be passed on")
    }

    /// Whether a checkpoint is a ProtoRes: the blocks of all three stacks in one list.
    static func isProtoRes(_ state: StateDictionary) -> Bool {
        let state = state.removingPrefix(prefix)
        return ["model.0.fc_layers.0.weight", "model.8.fc_layers.0.weight"].allSatisfy { state.contains($0) }
    }

    private static func block(
        _ name: String, inputs: Int, width: Int, outputs: Int, hasNorm: Bool
    ) -> [CheckpointLayout.Tensor] {
        var tensors = CheckpointLayout.Tensor.linear("\(name).fc_layers.0", inputs: inputs, outputs: width)
        // Slot 1 was the dropout.
        for slot in [2, 3] {
            tensors += CheckpointLayout.Tensor.linear("\(name).fc_layers.\(slot)", inputs: width, outputs: width)
        }
        tensors += CheckpointLayout.Tensor.linear("\(name).forward_projection", inputs: width, outputs: outputs)
        tensors += CheckpointLayout.Tensor.linear("\(name).backward_projection", inputs: inputs, outputs: width)
        if hasNorm {
            tensors += ["a_2", "b_2"].map { CheckpointLayout.Tensor(name: "\(name).norm.\($0)", shape: [inputs]) }
        }
        return tensors
    }
}
