extension NIKINetwork {
    /// Reads and packs a network whose tensors carry the published names (models.md §3.6, without `regressor.`).
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` for anything missing, superfluous, misshapen or not finite.
    package init(_ flow: ModelDescription.Architecture.Flow, _ files: ModelFiles) throws(ModelError) {
        let (couplings, hidden) = (files.description.couplings, files.description.hidden)
        let precision = files.description.precision
        var reader = files.reader
        switch flow {
        case .oneStage, .vanilla:
            try reader.checkMasks("flow.mask", couplings: couplings, dimension: Self.inputCount)
            var layers: [CouplingLayer] = []
            for index in 0..<couplings {
                layers.append(
                    CouplingLayer(
                        index: index, dimension: Self.inputCount,
                        scale: try reader.net(
                            "flow.s.\(index)", slots: [0, 2, 4], inputs: Self.inputCount, hidden: hidden,
                            outputs: Self.inputCount),
                        translation: try reader.net(
                            "flow.t.\(index)", slots: [0, 2, 4], inputs: Self.inputCount, hidden: hidden,
                            outputs: Self.inputCount),
                        precision: precision))
            }
            self.init(
                first: CouplingFlow(dimension: Self.inputCount, hidden: hidden, layers: layers), second: nil,
                seesTwistsFirst: flow == .vanilla)
        case .twistAndSwing:
            let first = try Self.stageA(couplings: couplings, hidden: hidden, precision: precision, from: &reader)
            let second = try Self.stageB(couplings: couplings, hidden: hidden, precision: precision, from: &reader)
            self.init(first: first, second: second)
        }
        try reader.finish()
    }

    /// Joints to swings; its first layers have ten beta columns, used where the coupling's shape gate is not zero.
    private static func stageA(
        couplings: Int, hidden: Int, precision: ModelDescription.Precision, from reader: inout WeightsReader
    ) throws(ModelError) -> CouplingFlow {
        try reader.checkMasks("flow_j2s.jts_masks", couplings: couplings, dimension: inputCount)
        let gates = try reader.values("flow_j2s.shape_masks", shape: [couplings])
        let betaCount = FlowWorkspace.betaCount
        var layers: [CouplingLayer] = []
        for index in 0..<couplings {
            let scale = try reader.net(
                "flow_j2s.jts_nets.\(index).encoder", slots: [0, 3, 6], inputs: inputCount + betaCount, hidden: hidden,
                outputs: inputCount)
            let translation = try reader.net(
                "flow_j2s.jts_nett.\(index).encoder", slots: [0, 3, 6], inputs: inputCount + betaCount, hidden: hidden,
                outputs: inputCount)
            layers.append(
                CouplingLayer(
                    index: index, dimension: inputCount, scale: scale, translation: translation,
                    betaColumns: betaCount, gate: gates[index], precision: precision))
        }
        return CouplingFlow(dimension: inputCount, hidden: hidden, layers: layers)
    }

    /// Swings and twists to rotations.
    private static func stageB(
        couplings: Int, hidden: Int, precision: ModelDescription.Precision, from reader: inout WeightsReader
    ) throws(ModelError) -> CouplingFlow {
        let dimension = rotationCount + phiCount
        try reader.checkMasks("flow_s2r.mask", couplings: couplings, dimension: dimension)
        var layers: [CouplingLayer] = []
        for index in 0..<couplings {
            let scale = try reader.net(
                "flow_s2r.s.\(index)", slots: [0, 3, 6], inputs: dimension, hidden: hidden, outputs: dimension)
            let translation = try reader.net(
                "flow_s2r.t.\(index)", slots: [0, 3, 6], inputs: dimension, hidden: hidden, outputs: dimension)
            layers.append(
                CouplingLayer(
                    index: index, dimension: dimension, scale: scale, translation: translation, precision: precision))
        }
        return CouplingFlow(dimension: dimension, hidden: hidden, layers: layers)
    }
}

extension WeightsReader {
    /// The three linear layers of one net, under module indices `slots`.
    fileprivate mutating func net(
        _ prefix: String, slots: [Int], inputs: Int, hidden: Int, outputs: Int
    ) throws(ModelError) -> [Linear] {
        [
            try linear("\(prefix).\(slots[0])", inputs: inputs, outputs: hidden),
            try linear("\(prefix).\(slots[1])", inputs: hidden, outputs: hidden),
            try linear("\(prefix).\(slots[2])", inputs: hidden, outputs: outputs),
        ]
    }
}
