package import SinewFormats

/// Frames of many clips, ranked by ``FrameDoubt``.
///
/// - Cost: 64 bytes for a frame, and a sort.
package struct TriageTable: Sendable {
    private struct Row {
        let clip: Int
        let frame: Int
        let doubt: FrameDoubt
        /// Into ``messages`` for a frame without a pose.
        let message: Int?
    }
    /// A track of a file.
    private struct Clip: Hashable {
        let file, track: String
    }
    private var clips: [Clip] = []
    private var placeOfClip: [Clip: Int] = [:]
    private var rows: [Row] = []
    private var messages: [String] = []
    private var placeOfMessage: [String: Int] = [:]

    /// Frames that belong together, told by the worst of them.
    package struct Stretch: Sendable, Equatable {
        package let file, track: String
        /// The worst frame.
        package let frame: Int
        /// From where to where the stretch goes.
        package let firstFrame, lastFrame: Int
        /// How many ranked frames it holds.
        package let frames: Int
        /// Of the worst frame; nil where there is no pose.
        package let doubt: FrameDoubt?
        package let reason: String
    }

    /// No frames yet.
    package init() {}

    /// How many frames are ranked.
    package var count: Int { rows.count }
    /// How many of them have no pose.
    package var lostCount: Int { rows.count { $0.message != nil } }

    /// Adds the frames of a file.
    ///
    /// - Parameter areLostAdded: whether frames without a pose are taken from here; false where ``addLost(file:track:frame:reason:)``
    ///   tells of them.
    package mutating func add(_ output: PoseOutput, file: String, areLostAdded: Bool = true) {
        precondition(output.isMeasured, "frames are ranked by their measures")
        for track in output.tracks {
            let clip = place(of: Clip(file: file, track: track.name))
            for row in track.frames.indices {
                if track.isSolved[row] {
                    rows.append(
                        Row(clip: clip, frame: track.frames[row], doubt: FrameDoubt(track, row: row), message: nil))
                } else if areLostAdded {
                    addLost(file: file, track: track.name, frame: track.frames[row], reason: "")
                }
            }
        }
    }

    /// Adds a frame without a pose.
    package mutating func addLost(file: String, track: String, frame: Int, reason: String) {
        let clip = place(of: Clip(file: file, track: track))
        let message = placeOfMessage[reason] ?? messages.count
        if placeOfMessage.updateValue(message, forKey: reason) == nil { messages.append(reason) }
        rows.append(Row(clip: clip, frame: frame, doubt: FrameDoubt(), message: message))
    }

    private mutating func place(of clip: Clip) -> Int {
        let place = placeOfClip[clip] ?? clips.count
        if placeOfClip.updateValue(place, forKey: clip) == nil { clips.append(clip) }
        return place
    }

    /// The worst frames, those without a pose first, then by the criterion; equals in the order in which their clips were added.
    ///
    /// - Parameter isGrouped: whether neighbouring frames of one bad stretch are one entry. A stretch is made of frames that follow each
    ///   other in their track, each at least half as bad again as the median of all ranked frames and a fifth as bad as the worst of the
    ///   stretch, with at most two better ones between two of them; frames without a pose make stretches of their own.
    package func worst(_ count: Int, by criterion: FrameDoubt.Criterion, isGrouped: Bool) -> [Stretch] {
        // Clip by clip, so that neighbours in a track are neighbours here.
        let rows = rows.indices.sorted {
            (self.rows[$0].clip, self.rows[$0].frame, $0) < (self.rows[$1].clip, self.rows[$1].frame, $1)
        }.map { self.rows[$0] }
        let values = rows.map { $0.doubt.value(criterion) }
        let ranked = rows.indices.sorted { a, b in
            let (isLostA, isLostB) = (rows[a].message != nil, rows[b].message != nil)
            if isLostA != isLostB { return isLostA }
            return values[a] == values[b] ? a < b : values[a] > values[b]
        }
        let solved = ranked.filter { rows[$0].message == nil }
        let median = solved.isEmpty ? 0 : values[solved[solved.count / 2]]
        let growth = StretchGrowth(
            values: rows.indices.map { rows[$0].message == nil ? values[$0] : nil }, median: median,
            clips: rows.map(\.clip), frames: rows.map(\.frame), steps: steps(rows))
        var taken = [Bool](repeating: false, count: rows.count)
        var found: [Stretch] = []
        for row in ranked where !taken[row] {
            guard found.count < count else { break }
            let members = isGrouped ? growth.stretch(around: row, taken: taken) : row...row
            for member in members { taken[member] = true }
            found.append(stretch(rows, members, worst: row))
        }
        return found
    }

    private func stretch(_ rows: [Row], _ members: ClosedRange<Int>, worst: Int) -> Stretch {
        let row = rows[worst]
        let reason = row.message.map { messages[$0].isEmpty ? "no pose" : "no pose: \(messages[$0])" }
        return Stretch(
            file: clips[row.clip].file, track: clips[row.clip].track, frame: row.frame,
            firstFrame: rows[members.lowerBound].frame, lastFrame: rows[members.upperBound].frame,
            frames: members.count, doubt: row.message == nil ? row.doubt : nil, reason: reason ?? row.doubt.reason)
    }

    /// How far apart neighbouring frames of each clip are at least; 0 where there is but one.
    private func steps(_ rows: [Row]) -> [Int] {
        var steps = [Int](repeating: 0, count: clips.count)
        for (one, next) in zip(rows, rows.dropFirst()) where one.clip == next.clip && next.frame > one.frame {
            let step = next.frame - one.frame
            steps[one.clip] = steps[one.clip] == 0 ? step : min(steps[one.clip], step)
        }
        return steps
    }
}

/// Grows stretches of bad frames around the worst of them.
private struct StretchGrowth {
    /// How bad each row is; nil without a pose.
    let values: [Float?]
    /// Of the rows with a pose.
    let median: Float
    /// Which clip each row is of, its frame there, and how far apart the frames of each clip are.
    let clips, frames, steps: [Int]

    /// Better frames between two bad ones of a stretch.
    private static let betterMax = 2

    /// A frame of a stretch is at least as bad as this part of the worst one, and as this many medians.
    private static let (partOfWorst, medians): (Float, Float) = (0.2, 1.5)

    /// The rows that go with a row, the worst of its stretch; those that are taken stay out.
    func stretch(around row: Int, taken: [Bool]) -> ClosedRange<Int> {
        func isLost(_ value: Float?) -> Bool { value == nil }
        guard let worst = values[row] else {
            return end(from: row, -1, taken, isLost)...end(from: row, 1, taken, isLost)
        }
        let least = max(Self.medians * median, Self.partOfWorst * worst)
        guard worst > 0, worst >= least else { return row...row }
        func isBad(_ value: Float?) -> Bool { value.map { $0 >= least } ?? false }
        return end(from: row, -1, taken, isBad)...end(from: row, 1, taken, isBad)
    }

    private func end(from row: Int, _ direction: Int, _ taken: [Bool], _ belongs: (Float?) -> Bool) -> Int {
        var end = row
        var next = row + direction
        while values.indices.contains(next), clips[next] == clips[row], !taken[next],
            abs(next - end) <= Self.betterMax + 1,
            abs(frames[next] - frames[next - direction]) <= 2 * steps[clips[row]]
        {
            if belongs(values[next]) {
                end = next
            } else if values[next] == nil || values[row] == nil {
                // Only frames with a pose are bridged, and only between such.
                break
            }
            next += direction
        }
        return end
    }
}
