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
