internal import SinewBody

extension PoseClip {
    /// Smooths the rotations and the place of the body by the One-Euro filter.
    ///
    /// A rotation is turned towards the new one by the filter's share, along the shortest way; its speed is an angle a second, smoothed as
    /// a number.
    package func smoothed(by filter: OneEuroFilter) -> PoseClip {
        var smoothed = self
        for run in TrackTimes.runs(of: frameNumbers, gapMax: Int(max(1, framesPerSecond))) {
            for axis in 0..<3 {
                var signal = OneEuroFilter.Signal(filter)
                forEachStep(of: run) { frame, seconds in
                    let index = frame * 3 + axis
                    smoothed.translation[index] = Float(signal.next(Double(translation[index]), after: seconds))
                }
            }
            for joint in 0..<Skeleton.rotationCount {
                var value = RotationMatrix.identity
                var speed = 0.0
                forEachStep(of: run) { frame, seconds in
                    let offset = frame * 72 + joint * 3
                    let raw = RotationMatrix(AxisAngle(theta.vector(at: offset)))
                    guard seconds > 0 else {
                        value = raw
                        return
                    }
                    let turn = AxisAngle(value.transposed * raw)
                    let share = OneEuroFilter.share(cutoff: filter.derivativeCutoff, seconds: seconds)
                    speed = share * turn.angle / seconds + (1 - share) * speed
                    let weight = OneEuroFilter.share(
                        cutoff: filter.minimalCutoff + filter.beta * speed, seconds: seconds)
                    value = value * RotationMatrix(AxisAngle(turn.vector * weight))
                    smoothed.theta.store(AxisAngle(value).vector, at: offset)
                }
            }
        }
        smoothed.notes.append(
            "rotations are smoothed (One-Euro, cutoff \(filter.minimalCutoff) Hz, beta \(filter.beta)); they lag a little"
        )
        return smoothed
    }

    /// Each frame of a run with the seconds since the one before; 0 for the first.
    private func forEachStep(of run: [Int], _ body: (Int, Double) -> Void) {
        var last: Int?
        for frame in run {
            body(frame, last.map { Double(frameNumbers[frame] - frameNumbers[$0]) / framesPerSecond } ?? 0)
            last = frame
        }
    }
}
