internal import SinewKernels

/// A graph unit: mixing over the joints, three 1×1 convolutions as one product, normalisation folded in, ReLU.
struct GraphUnit: Sendable {
    let mixing: GraphMixing
    let inputs: Int
    let outputs: Int
    /// `3 · inputs → outputs`.
    let product: PackedMatrix
}

/// A temporal unit over at most two frames: only the taps that meet a frame, normalisation folded in, ReLU.
///
/// The taps of both output frames lie in one product: `[x0 x1] → [y0 y1]`.
/// - Source: models.md §7.5.
struct TemporalUnit: Sendable {
    let framesIn: Int
    let framesOut: Int
    let outputs: Int
    /// `framesIn · channels → framesOut · channels`.
    let product: PackedMatrix
}

/// Graph unit, temporal unit, and the way around them; no ReLU after the sum.
struct GraphBlock: Sendable {
    let graph: GraphUnit
    let time: TemporalUnit
    /// A product with ReLU on the frames that the stride keeps; nil where the way around is the identity.
    let around: PackedMatrix?
    let stride: Int
}

/// A joint's own two layers.
struct JointHead: Sendable {
    let first: PackedMatrix
    let last: PackedMatrix
}

/// The scratch memory of a call.
final class GraphWorkspace {
    /// People whose activations pass through the blocks together: they fit the L2 of a core.
    static let blockPeople = 14
    /// People whose features pass through the head together; its weights are read once for them.
    static let headPeople = 126

    let featureStride: Int
    var current: AlignedBuffer
    var next: AlignedBuffer
    var mixed: AlignedBuffer
    var between: AlignedBuffer
    var features: AlignedBuffer
    var hidden: AlignedBuffer
    var joints: AlignedBuffer
    var jointHidden: AlignedBuffer
    var rotation6d: AlignedBuffer

    init(layout: GraphLayout, hidden: Int) {
        // Two frames until a block makes one of them.
        let widest = max(
            layout.features.width, layout.channels, layout.blocks.map { max($0.inputs, $0.outputs) }.max() ?? 0)
        let rows = Self.blockPeople * layout.keypoints.count * 2
        current = AlignedBuffer(count: rows * widest)
        next = AlignedBuffer(count: rows * widest)
        between = AlignedBuffer(count: rows * widest)
        mixed = AlignedBuffer(count: rows * widest * GraphMixing.tableCount)
        featureStride = (layout.featureWidth + GraphLayout.bodyWidth + 15) / 16 * 16 + 16
        features = AlignedBuffer(count: Self.headPeople * featureStride)
        self.hidden = AlignedBuffer(count: Self.headPeople * hidden)
        joints = AlignedBuffer(count: Self.headPeople * layout.rotations * layout.jointWidth)
        jointHidden = AlignedBuffer(count: Self.headPeople * layout.jointWidth)
        rotation6d = AlignedBuffer(count: Self.headPeople * 6)
    }

    /// What was written last becomes what is read next.
    func swapActivations() { swap(&current, &next) }
}

/// Only one call at a time holds a workspace (see ``Pool``).
extension GraphWorkspace: @unchecked Sendable {}
