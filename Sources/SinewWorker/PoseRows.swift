internal import SinewModels

extension PoseObservations {
    /// Adds the people of another batch behind those of this one.
    mutating func append(_ other: PoseObservations) {
        count += other.count
        joints += other.joints
        sigma += other.sigma
        observed += other.observed
        twists += other.twists
        hasTwists += other.hasTwists
        betas += other.betas
        genders += other.genders
        appendStarts(other)
        appendTracks(other)
    }

    private mutating func appendStarts(_ other: PoseObservations) {
        guard !hasStart.isEmpty || !other.hasStart.isEmpty else { return }
        let before = count - other.count
        if hasStart.isEmpty {
            hasStart = Array(repeating: false, count: before)
            startTheta = Array(repeating: 0, count: before * 72)
        }
        let isEmpty = other.hasStart.isEmpty
        hasStart += isEmpty ? Array(repeating: false, count: other.count) : other.hasStart
        startTheta += isEmpty ? Array(repeating: 0, count: other.count * 72) : other.startTheta
    }

    /// Callers number their tracks as they like; in the batch the numbers must differ.
    private mutating func appendTracks(_ other: PoseObservations) {
        guard !tracks.isEmpty || !other.tracks.isEmpty else { return }
        if tracks.isEmpty { tracks = Array(0..<UInt32(count - other.count)) }
        let first = (tracks.max() ?? 0) + (tracks.isEmpty ? 0 : 1)
        guard !other.tracks.isEmpty else {
            tracks += (0..<UInt32(other.count)).map { first + $0 }
            return
        }
        // Looked up only; a track's number is its place among the request's tracks.
        var numbers: [UInt32: UInt32] = [:]
        for track in other.tracks {
            let number = numbers[track] ?? first + UInt32(numbers.count)
            numbers[track] = number
            tracks.append(number)
        }
    }
}

extension PoseSolutions {
    /// Takes over one person's poses from another batch.
    mutating func copyRow(_ row: Int, from other: PoseSolutions, row source: Int) {
        func copy(_ target: inout [Float], _ values: [Float], _ width: Int) {
            for column in 0..<width { target[row * width + column] = values[source * width + column] }
        }
        copy(&theta, other.theta, 72)
        copy(&translation, other.translation, 3)
        copy(&joints, other.joints, 87)
        copy(&latentNorm, other.latentNorm, 1)
        copy(&jointResidualMillimetres, other.jointResidualMillimetres, 1)
        copy(&orientationResidualRadians, other.orientationResidualRadians, 1)
        copy(&boneLengthChange, other.boneLengthChange, 1)
        unobservedJoints[row] = other.unobservedJoints[source]
        outcome[row] = other.outcome[source]
    }

    /// Whether all of a person's numbers are finite.
    func isFinite(row: Int) -> Bool {
        func isFinite(_ values: [Float], _ width: Int) -> Bool {
            values[row * width..<(row + 1) * width].allSatisfy { $0.isFinite }
        }
        return isFinite(theta, 72) && isFinite(translation, 3) && isFinite(joints, 87) && isFinite(latentNorm, 1)
            && isFinite(jointResidualMillimetres, 1) && isFinite(orientationResidualRadians, 1)
            && isFinite(boneLengthChange, 1)
    }
}
