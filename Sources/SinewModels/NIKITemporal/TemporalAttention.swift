internal import Glibc
internal import SinewBody

/// Attention of every joint over a window of frames around a static network's rotations.
///
/// For joint j of frame t and the frame d steps away the logit is `offset[j, d] · sharpness[t, j] + certainty[t + d, j]` with
/// `certainty[u, j] = σ_u · w_sigma[j] + min(‖z_u‖, 8) · w_latent[j]` and
/// `sharpness[t, j] = exp(clip(w_sharpness[j, 0] + 10 · mean(σ_t) · w_sharpness[j, 1], −4, 4))`; a softmax over the frames of the window that exist weighs the 6D
/// rotations, and Gram-Schmidt makes their mean a rotation again. A frame where a joint was lost has a large σ and a large error
/// code z, so the joint is taken from the frames beside it; where everything is certain the window narrows.
/// - Source: ours. The paper (models.md §3) names a temporal model as an extension; the published code with that name mixes no frames.
package struct TemporalAttention: Sendable {
    private static let latentNormMax: Float = 8

    /// Frames on each side of the one that is solved.
    let reach: Int
    /// `[24, 2 · reach + 1]`.
    private let offset: [Float]
    /// `[24, 29]`.
    private let sigmaWeights: [Float]
    /// `[24]`.
    private let latentWeights: [Float]
    /// `[24, 2]`.
    private let sharpnessWeights: [Float]

    /// Reads `temporal.{offset,w_sigma,w_latent,w_sharpness}`.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` for anything missing, superfluous, misshapen or not finite.
    package init(_ files: ModelFiles) throws(ModelError) {
        reach = files.description.reach
        var reader = files.reader
        let joints = Skeleton.rotationCount
        offset = try reader.values("temporal.offset", shape: [joints, 2 * reach + 1])
        sigmaWeights = try reader.values("temporal.w_sigma", shape: [joints, Skeleton.positionCount])
        latentWeights = try reader.values("temporal.w_latent", shape: [joints])
        sharpnessWeights = try reader.values("temporal.w_sharpness", shape: [joints, 2])
        try reader.finish()
    }

    /// The rotations of every frame, each from its own window.
    ///
    /// - Shape: `rotations` `[n, 24, 3, 3]` row-major, root in a frame that does not turn with the person; `sigma` `[n, 29]` as the
    ///   network saw it, `latentNorm` `[n]`, `tracks` `[n]`: rows with the same number are frames in the order of time; empty when
    ///   every row stands for itself → `[n, 24, 3, 3]`.
    /// - Cost: about `24 · (2 · reach + 1)` exponentials per frame.
    package func apply(
        rotations: [Float], sigma: [Float], latentNorm: [Float], tracks: [UInt32]
    ) -> [Float] {
        let count = latentNorm.count
        precondition(rotations.count == count * 216 && sigma.count == count * Skeleton.positionCount)
        precondition(tracks.isEmpty || tracks.count == count)
        let certainty = certainties(sigma: sigma, latentNorm: latentNorm)
        var mixed = [Float](repeating: 0, count: count * NIKINetwork.rotationCount)
        for frames in Self.framesByTrack(tracks, count: count) {
            for place in frames.indices {
                let window = frames[max(0, place - reach)...min(frames.count - 1, place + reach)]
                mix(frames[place], distance: -min(place, reach), of: window, sigma, rotations, certainty, into: &mixed)
            }
        }
        var result = [Float](repeating: 0, count: count * 216)
        Rotation6DRows.decode(mixed, count: count * Skeleton.rotationCount, into: &result)
        return result
    }

    /// The rows of each track in their order; the rows of different tracks may alternate.
    private static func framesByTrack(_ tracks: [UInt32], count: Int) -> [[Int]] {
        guard !tracks.isEmpty else { return (0..<count).map { [$0] } }
        // Looked up only; tracks stand in the order of their first rows.
        var places: [UInt32: Int] = [:]
        var frames: [[Int]] = []
        for (row, track) in tracks.enumerated() {
            if let place = places[track] {
                frames[place].append(row)
            } else {
                places[track] = frames.count
                frames.append([row])
            }
        }
        return frames
    }

    /// `[n, 24]`.
    private func certainties(sigma: [Float], latentNorm: [Float]) -> [Float] {
        let (joints, positions) = (Skeleton.rotationCount, Skeleton.positionCount)
        var certainty = [Float](repeating: 0, count: latentNorm.count * joints)
        for frame in latentNorm.indices {
            let norm = min(latentNorm[frame], Self.latentNormMax)
            for joint in 0..<joints {
                var sum: Float = 0
                for position in 0..<positions {
                    sum += sigma[frame * positions + position] * sigmaWeights[joint * positions + position]
                }
                certainty[frame * joints + joint] = sum + norm * latentWeights[joint]
            }
        }
        return certainty
    }

    /// The weighted mean of the 6D rotations of the frames `window`, in the order of time; the first of them is `distance` from `frame`.
    private func mix(
        _ frame: Int, distance: Int, of window: ArraySlice<Int>, _ sigma: [Float], _ rotations: [Float],
        _ certainty: [Float], into mixed: inout [Float]
    ) {
        let (joints, positions) = (Skeleton.rotationCount, Skeleton.positionCount)
        var meanSigma: Float = 0
        for position in 0..<positions { meanSigma += sigma[frame * positions + position] }
        meanSigma /= Float(positions)
        for joint in 0..<joints {
            let exponent = sharpnessWeights[joint * 2] + 10 * meanSigma * sharpnessWeights[joint * 2 + 1]
            let sharpness = expf(min(max(exponent, -4), 4))
            let first = joint * (2 * reach + 1) + reach + distance
            func logit(_ step: Int, _ other: Int) -> Float {
                offset[first + step] * sharpness + certainty[other * joints + joint]
            }
            var largest = -Float.infinity
            for (step, other) in window.enumerated() { largest = max(largest, logit(step, other)) }
            var sum = SIMD8<Float>.zero
            var total: Float = 0
            for (step, other) in window.enumerated() {
                let weight = expf(logit(step, other) - largest)
                let from = other * 216 + joint * 9
                total += weight
                for index in 0..<6 { sum[index] += weight * rotations[from + index] }
            }
            let to = frame * NIKINetwork.rotationCount + joint * 6
            for index in 0..<6 { mixed[to + index] = sum[index] / total }
        }
    }
}
