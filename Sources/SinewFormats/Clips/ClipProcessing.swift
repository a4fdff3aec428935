/// What makes a clip of frames, in this order: tracks joined over gaps, one shape for a person, smoothing, another frame rate.
package struct ClipProcessing: Sendable, Equatable {
    /// The frame rate of the file, when it does not say.
    package var inputFramesPerSecond: Double?
    /// Joins tracks that go on as another within so many seconds.
    package var stitchSeconds: Double?
    /// One shape and gender for each person.
    package var hasOneShape = false
    package var smoothing: OneEuroFilter?
    /// Frames a second of the result.
    package var framesPerSecond: Double?
    package var interpolation = Interpolation.linear

    package init() {}

    /// All of it in words that stay the same, for hashes; empty when nothing is done.
    package var words: String {
        var words: [String] = []
        if let inputFramesPerSecond { words.append("input-fps \(inputFramesPerSecond)") }
        if let stitchSeconds { words.append("stitch \(stitchSeconds)") }
        if hasOneShape { words.append("one-shape") }
        if let smoothing {
            words.append("one-euro \(smoothing.minimalCutoff) \(smoothing.beta) \(smoothing.derivativeCutoff)")
        }
        if let framesPerSecond { words.append("fps \(framesPerSecond) \(interpolation.rawValue)") }
        return words.joined(separator: ", ")
    }

    /// The joints as they shall be.
    ///
    /// - Throws: ``FormatError`` where a frame rate is needed and not known.
    package func applied(to input: PoseInput) throws(FormatError) -> PoseInput {
        var input = input
        if let inputFramesPerSecond { input.framesPerSecond = inputFramesPerSecond }
        if let stitchSeconds { input = try input.stitched(overSeconds: stitchSeconds) }
        if hasOneShape { input = input.withOneShapePerTrack() }
        if let smoothing { input = try input.smoothed(by: smoothing) }
        if let framesPerSecond { input = try input.resampled(to: framesPerSecond, interpolation) }
        return input
    }

    /// The poses as they shall be; a clip is one person with one shape already.
    package func applied(to clip: PoseClip) throws(FormatError) -> PoseClip {
        var clip = clip
        if let inputFramesPerSecond { clip.framesPerSecond = inputFramesPerSecond }
        if let smoothing { clip = clip.smoothed(by: smoothing) }
        if let framesPerSecond { clip = try clip.resampled(to: framesPerSecond, interpolation) }
        return clip
    }
}
