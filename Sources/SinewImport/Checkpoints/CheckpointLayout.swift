internal import SinewArrayFiles

/// What a family of released checkpoints must hold, name by name and shape by shape (models.md §3.6, §5.5, §7.6).
package struct CheckpointLayout: Sendable {
    /// A tensor that the network needs.
    package struct Tensor: Equatable, Sendable {
        package var name: String
        package var shape: [Int]
    }

    /// The name of the architecture in `model.json`.
    package var architecture: String
    /// What people call the release.
    package var title: String
    /// Taken off the names that carry it before they are looked up; empty for none.
    var prefix: String
    /// `dims` of `model.json`, in order.
    package var dims: [(name: String, value: Int)]
    /// `conditioning` of `model.json`.
    var conditioning: String
    /// `rotation_layout` of `model.json`.
    var rotationLayout: String
    /// `graph` of `model.json`, for graph networks.
    var graph: JSONValue?
    /// All tensors of the network.
    package var tensors: [Tensor]
    /// Beginnings of names that hold arrays of SMPL, which may not be passed on with the weights.
    var licensedPrefixes: [String]
    /// Other tensors that are left out.
    var unused: [Unused]
    /// The terms that the weights stay under.
    var licence: String

    /// Tensors that the solver has no use for.
    struct Unused: Sendable {
        /// How they are told.
        enum Names: Sendable {
            /// By the beginning of their names.
            case beginning(String)
            /// By the end of their names.
            case ending(String)
            /// By standing outside the network's prefix and holding a single number.
            case singleOutsidePrefix
        }

        var names: Names
        var reason: String

        func holds(_ name: String, hadPrefix: Bool, isSingle: Bool) -> Bool {
            switch names {
            case .beginning(let text): name.hasPrefix(text)
            case .ending(let text): name.hasSuffix(text)
            case .singleOutsidePrefix: !hadPrefix && isSingle
            }
        }
    }

    /// The layout that a checkpoint has; nil when it is none of the known releases.
    static func matching(_ state: StateDictionary) -> CheckpointLayout? {
        NIKICheckpoint.layout(of: state) ?? SMPLIKCheckpoint.layout(of: state)
            ?? LearnableSMPLifyCheckpoint.layout(of: state)
    }
}

extension CheckpointLayout.Tensor {
    /// `prefix.weight` `[outputs, inputs]` and `prefix.bias` `[outputs]`.
    static func linear(_ prefix: String, inputs: Int, outputs: Int) -> [Self] {
        [Self(name: "\(prefix).weight", shape: [outputs, inputs]), Self(name: "\(prefix).bias", shape: [outputs])]
    }
}
