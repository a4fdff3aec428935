internal import SinewKernels

/// One of the two nets of a coupling: three linear layers, LeakyReLU between them, packed for the kernels.
internal struct CouplingNet: Sendable {
    /// What the net's outputs are to the coupling.
    enum Role: CaseIterable {
        case scale
        case translation
    }

    /// Kept half (and gated betas) to hidden, hidden to hidden, hidden to the updated half.
    let layers: [PackedMatrix]

    init(_ dense: [Linear], precision: ModelDescription.Precision) {
        layers = dense.map { $0.packed(precision) }
    }
}

/// An affine coupling in the exact packed form of models.md §3.8.
///
/// Each net sees only the half that the coupling keeps and only computes the half that it updates, so the masked columns of
/// the first layer and the masked rows of the last are left out. Where the shape gate of the coupling is zero the beta
/// columns are left out too; otherwise they are scaled by it.
internal struct CouplingLayer: Sendable {
    /// Log-scale; ends in tanh.
    let scale: CouplingNet
    /// Translation; ends in nothing.
    let translation: CouplingNet
    /// Whether the nets see the betas, after the kept half.
    let seesBetas: Bool

    func net(_ role: CouplingNet.Role) -> CouplingNet {
        switch role {
        case .scale: scale
        case .translation: translation
        }
    }

    /// Packs the dense nets of coupling `index`.
    ///
    /// - Parameters:
    ///   - scale: three layers of `dimension + betaColumns → hidden → hidden → dimension`.
    ///   - translation: the same shapes.
    ///   - betaColumns: how many beta columns follow the vector in the first layer, 0 or 10.
    ///   - gate: the shape gate that multiplies the betas.
    ///   - precision: how the packed weights are held; rounding comes last, after the gate.
    init(
        index: Int, dimension: Int, scale: [Linear], translation: [Linear], betaColumns: Int = 0, gate: Float = 0,
        precision: ModelDescription.Precision
    ) {
        precondition(scale.count == 3 && translation.count == 3)
        seesBetas = betaColumns > 0 && gate != 0
        // Even couplings keep the odd dimensions and update the even ones.
        let kept = Array(stride(from: index % 2 == 0 ? 1 : 0, to: dimension, by: 2))
        let updated = Array(stride(from: index % 2 == 0 ? 0 : 1, to: dimension, by: 2))
        let betas = seesBetas ? Array(dimension..<(dimension + betaColumns)) : []
        func pack(_ net: [Linear]) -> CouplingNet {
            var first = net[0].keeping(inputs: kept + betas, outputs: Array(0..<net[0].outputs))
            for row in 0..<first.outputs {
                for column in kept.count..<first.inputs { first.weight[row * first.inputs + column] *= gate }
            }
            let last = net[2].keeping(inputs: Array(0..<net[2].inputs), outputs: updated)
            return CouplingNet([first, net[1], last], precision: precision)
        }
        self.scale = pack(scale)
        self.translation = pack(translation)
    }
}
