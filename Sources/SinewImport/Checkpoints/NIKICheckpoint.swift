/// NIKI's released checkpoints (models.md §3.6).
enum NIKICheckpoint {
    private static let prefix = "regressor."
    private static let input = 176
    private static let stageB = 190
    private static let betas = 10
    private static let licence =
        "The terms of NIKI's authors, whose repository has no licence file; for the holder's own use, not to be passed on"

    /// The layout of a checkpoint; nil when it is no NIKI.
    ///
    /// Couplings and width are taken from the tensors that name them, everything else must then fit.
    static func layout(of state: StateDictionary) -> CheckpointLayout? {
        let state = state.removingPrefix(prefix)
        if let mask = state.shape(of: "flow_j2s.jts_masks"), mask.count == 2,
            let first = state.shape(of: "flow_j2s.jts_nets.0.encoder.0.weight"), first.count == 2
        {
            return twistAndSwing(couplings: mask[0], hidden: first[0])
        }
        if let mask = state.shape(of: "flow.mask"), mask.count == 2, let first = state.shape(of: "flow.s.0.0.weight"),
            first.count == 2
        {
            return oneStage(couplings: mask[0], hidden: first[0])
        }
        return nil
    }

    private static func oneStage(couplings: Int, hidden: Int) -> CheckpointLayout {
        var tensors = [CheckpointLayout.Tensor(name: "flow.mask", shape: [couplings, input])]
        for index in 0..<bounded(couplings) {
            for net in ["s", "t"] {
                tensors += self.net(
                    "flow.\(net).\(index)", slots: [0, 2, 4], inputs: input, hidden: hidden, outputs: input)
            }
        }
        return layout("niki-one-stage", "NIKI, one-stage", couplings, hidden, tensors)
    }

    private static func twistAndSwing(couplings: Int, hidden: Int) -> CheckpointLayout {
        var tensors = [
            CheckpointLayout.Tensor(name: "flow_j2s.jts_masks", shape: [couplings, input]),
            CheckpointLayout.Tensor(name: "flow_j2s.shape_masks", shape: [couplings]),
            CheckpointLayout.Tensor(name: "flow_s2r.mask", shape: [couplings, stageB]),
        ]
        for index in 0..<bounded(couplings) {
            for name in ["jts_nets", "jts_nett"] {
                tensors += net(
                    "flow_j2s.\(name).\(index).encoder", slots: [0, 3, 6], inputs: input + betas, hidden: hidden,
                    outputs: input)
            }
            for name in ["s", "t"] {
                tensors += net(
                    "flow_s2r.\(name).\(index)", slots: [0, 3, 6], inputs: stageB, hidden: hidden, outputs: stageB)
            }
        }
        return layout("niki-twist-and-swing", "NIKI, twist-and-swing", couplings, hidden, tensors)
    }

    private static func net(
        _ prefix: String, slots: [Int], inputs: Int, hidden: Int, outputs: Int
    ) -> [CheckpointLayout.Tensor] {
        CheckpointLayout.Tensor.linear("\(prefix).\(slots[0])", inputs: inputs, outputs: hidden)
            + CheckpointLayout.Tensor.linear("\(prefix).\(slots[1])", inputs: hidden, outputs: hidden)
            + CheckpointLayout.Tensor.linear("\(prefix).\(slots[2])", inputs: hidden, outputs: outputs)
    }

    /// A file may claim any number; the loader of the written model refuses more than this anyway.
    private static func bounded(_ couplings: Int) -> Int { min(max(couplings, 0), 128) }

    private static func layout(
        _ architecture: String, _ title: String, _ couplings: Int, _ hidden: Int, _ tensors: [CheckpointLayout.Tensor]
    ) -> CheckpointLayout {
        CheckpointLayout(
            architecture: architecture, title: title, prefix: prefix,
            dims: [("couplings", couplings), ("hidden", hidden)],
            conditioning: "camera-frame", rotationLayout: "rows", tensors: tensors, licensedPrefixes: ["smpl_layer."],
            unused: [
                .init(
                    names: .beginning("camnet."), reason: "the camera network, which places a person in an image")
            ], licence: licence)
    }
}
