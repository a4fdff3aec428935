internal import SinewBody

extension PoseClip {
    /// The same motion at another frame rate: rotations on the shortest way between neighbours at constant speed (slerp), the place of the
    /// body by `interpolation`. A gap of more than half a second stays one.
    ///
    /// - Throws: ``FormatError`` where no frame is left.
    package func resampled(to rate: Double, _ interpolation: Interpolation) throws(FormatError) -> PoseClip {
        guard framesPerSecond != rate else { return self }
        var result = self
        result.keepFrames([])
        for run in TrackTimes.runs(of: frameNumbers, gapMax: Int(max(1, framesPerSecond / 2))) {
            let numbers = run.map { frameNumbers[$0] }
            for place in Resampling(of: numbers, from: framesPerSecond, to: rate).places {
                let (a, b) = (run[place.index], run[min(place.index + 1, run.count - 1)])
                var rotations = [Float](repeating: 0, count: 72)
                for joint in 0..<Skeleton.rotationCount {
                    let from = RotationMatrix(AxisAngle(theta.vector(at: a * 72 + joint * 3)))
                    let to = RotationMatrix(AxisAngle(theta.vector(at: b * 72 + joint * 3)))
                    let turn = AxisAngle(from.transposed * to).vector * place.share
                    rotations.store(AxisAngle(from * RotationMatrix(AxisAngle(turn))).vector, at: joint * 3)
                }
                let moved = Resampling.value(place, numbers, interpolation) { translation.vector(at: run[$0] * 3) }
                var transl: [Float] = [0, 0, 0]
                transl.store(moved ?? .zero, at: 0)
                result.append(theta: rotations, translation: transl, frame: place.frame)
            }
        }
        guard result.count > 0 else {
            throw FormatError(
                .invalidData,
                "at \(rate) frames a second nothing is left of the \(count) frames of \(name); choose a higher --fps",
                field: "fps")
        }
        result.framesPerSecond = rate
        result.notes.append(
            "\(count) frames of \(name) at \(framesPerSecond) frames a second became \(result.count) at \(rate)")
        return result
    }
}
