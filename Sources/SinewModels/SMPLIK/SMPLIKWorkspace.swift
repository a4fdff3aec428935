internal import SinewKernels

/// The scratch memory of SMPL-IK: rows of effectors in the encoder, rows of people in the decoders.
///
/// The hidden stride is no power of two: rows must not fall into the same cache set.
internal final class SMPLIKWorkspace {
    /// Effectors, or people, that pass through the layers together.
    let rowsMax: Int
    let hiddenStride: Int
    var features: AlignedBuffer
    var shape: AlignedBuffer
    var x: AlignedBuffer
    var hiddenA: AlignedBuffer
    var hiddenB: AlignedBuffer
    var back: AlignedBuffer
    var pooled: AlignedBuffer
    var forecast: AlignedBuffer

    static let featureStride = 8
    static let shapeStride = 16
    /// About the L2 of a core.
    private static let blockBytes = 1 << 20

    /// Memory for rows of at most `columns` floats.
    init(columns: Int) {
        hiddenStride = (columns + 15) / 16 * 16 + 16
        let rowBytes = 4 * hiddenStride * MemoryLayout<Float>.stride
        // A multiple of the register tiles' rows, and never less than one person may need.
        rowsMax = max(Self.blockBytes / rowBytes / 42, (EffectorObservations.perPersonMax + 41) / 42) * 42
        features = AlignedBuffer(count: rowsMax * Self.featureStride)
        shape = AlignedBuffer(count: rowsMax * Self.shapeStride)
        x = AlignedBuffer(count: rowsMax * hiddenStride)
        hiddenA = AlignedBuffer(count: rowsMax * hiddenStride)
        hiddenB = AlignedBuffer(count: rowsMax * hiddenStride)
        back = AlignedBuffer(count: rowsMax * hiddenStride)
        pooled = AlignedBuffer(count: rowsMax * hiddenStride)
        forecast = AlignedBuffer(count: rowsMax * hiddenStride)
    }

    /// Copies the features and shapes of some people to the first rows.
    func take(_ rows: EffectorRows, people: Range<Int>) {
        Self.copy(
            rows.features, EffectorRows.featureCount, rows.offsets[people.lowerBound]..<rows.offsets[people.upperBound],
            into: &features, stride: Self.featureStride)
        Self.copy(rows.shape, EffectorRows.shapeCount, people, into: &shape, stride: Self.shapeStride)
    }

    private static func copy(
        _ values: [Float], _ width: Int, _ rows: Range<Int>, into buffer: inout AlignedBuffer, stride: Int
    ) {
        var target = buffer.mutableSpan
        for row in rows {
            for column in 0..<width {
                target[(row - rows.lowerBound) * stride + column] = values[row * width + column]
            }
        }
    }
}

/// Only one call at a time holds a workspace (see ``Pool``).
extension SMPLIKWorkspace: @unchecked Sendable {}
