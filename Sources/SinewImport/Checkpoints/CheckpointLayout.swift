/// What a family of released checkpoints must hold, name by name and shape by shape (models.md §3.6, §5.5, §7.6).
struct CheckpointLayout {
    /// A tensor that the network needs.
    struct Tensor: Equatable {
        var name: String
        var shape: [Int]
    }

    /// The name of the architecture in `model.json`.
    var architecture: String
    /// What people call the release.
    var title: String
    /// `dims` of `model.json`, in order.
    var dims: [(name: String, value: Int)]
    /// `conditioning` of `model.json`.
    var conditioning: String
    /// All tensors of the network.
    var tensors: [Tensor]
    /// Beginnings of names that hold arrays of SMPL, which may not be passed on with the weights.
    var licensedPrefixes: [String]
    /// Beginnings of names that the solver has no use for, and why.
    var unusedPrefixes: [(prefix: String, reason: String)]
    /// The terms that the weights stay under.
    var licence: String
}

extension CheckpointLayout.Tensor {
    /// `prefix.weight` `[outputs, inputs]` and `prefix.bias` `[outputs]`.
    static func linear(_ prefix: String, inputs: Int, outputs: Int) -> [Self] {
        [Self(name: "\(prefix).weight", shape: [outputs, inputs]), Self(name: "\(prefix).bias", shape: [outputs])]
    }
}
