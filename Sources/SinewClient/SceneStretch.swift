/// Neighbouring rows of a scene that are sent in one or several calls.
///
/// Without tracks the whole scene is one stretch, and its calls are under way together. With tracks a stretch is one long track, whose
/// calls follow each other because a call starts where the one before ended; or several short tracks that fit one call.
struct SceneStretch {
    /// The rows of one call, and the stretch they are of.
    struct Part: Sendable {
        let rows: Range<Int>
        let stretch: Int
    }

    /// The rows that were not sent.
    private(set) var rest: Range<Int>
    /// Whether a call has to wait for the one before.
    let isChain: Bool
    /// Where the next call's first row starts, `[24, 3]`; nil before the first answer.
    var start: [Float]?

    /// Whether every row was sent.
    var isSent: Bool { rest.isEmpty }

    /// Takes the rows of the next call.
    mutating func claim(atMost count: Int) -> Range<Int> {
        let rows = rest.lowerBound..<min(rest.upperBound, rest.lowerBound + count)
        rest = rows.upperBound..<rest.upperBound
        return rows
    }

    /// Cuts a scene.
    ///
    /// - Parameter tracks: the rows of each track, in order; nil when every row stands for itself.
    static func stretches(of count: Int, tracks: [Range<Int>]?, itemsPerCall: Int) -> [SceneStretch] {
        guard let tracks else { return [SceneStretch(rest: 0..<count, isChain: false)] }
        var stretches: [SceneStretch] = []
        for track in tracks {
            if let last = stretches.last, !last.isChain, last.rest.count + track.count <= itemsPerCall {
                stretches[stretches.count - 1].rest = last.rest.lowerBound..<track.upperBound
            } else {
                stretches.append(SceneStretch(rest: track, isChain: track.count > itemsPerCall))
            }
        }
        return stretches
    }
}
