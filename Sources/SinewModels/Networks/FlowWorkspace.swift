internal import SinewKernels

/// The scratch memory of one row block on its way through a flow: the running halves and what the nets of one coupling need.
///
/// Even dimensions and odd dimensions of the running vector lie apart, so a coupling reads one contiguous half and writes
/// the other. Strides are whole cache lines, the hidden stride is no power of two: rows must not fall into the same cache set.
internal final class FlowWorkspace: Sendable {
    let rowsMax: Int
    let halfStride: Int
    let hiddenStride: Int
    let even: SharedBuffer
    let odd: SharedBuffer
    let scale: SharedBuffer
    let translation: SharedBuffer
    let hiddenA: SharedBuffer
    let hiddenB: SharedBuffer

    /// The betas follow a half where a gate is open.
    static let betaCount = 10
    /// About the L2 of a core. Measured with hidden width 512: blocks of 84 to 336 rows are within 2 %, 42 rows lose 8 %.
    private static let blockBytes = 1 << 20

    /// Memory for flows of at most `half` dimensions per half and `hidden` hidden units.
    init(half: Int, hidden: Int) {
        halfStride = (half + Self.betaCount + 15) / 16 * 16
        hiddenStride = (hidden + 15) / 16 * 16 + 16
        let rowBytes = (4 * halfStride + 2 * hiddenStride) * MemoryLayout<Float>.stride
        // A multiple of every register tile's rows but the portable one's: 6 · 14 / 2.
        rowsMax = max(Self.blockBytes / rowBytes / 42, 1) * 42
        even = SharedBuffer(count: rowsMax * halfStride)
        odd = SharedBuffer(count: rowsMax * halfStride)
        scale = SharedBuffer(count: rowsMax * halfStride)
        translation = SharedBuffer(count: rowsMax * halfStride)
        hiddenA = SharedBuffer(count: rowsMax * hiddenStride)
        hiddenB = SharedBuffer(count: rowsMax * hiddenStride)
    }
}
