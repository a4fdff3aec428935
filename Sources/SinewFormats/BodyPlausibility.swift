internal import SinewBody

/// Looks for signs that a file means something else than it seems to say; each doubt is a sentence for the user.
///
/// Rows are in SMPL's order. Nothing here changes a number.
enum BodyPlausibility {
    /// What looks wrong.
    static func doubts(about people: RawPeople, upAxis: UpAxis, metresPerUnit: Double) -> [String] {
        var doubts: [String] = []
        if sidesDisagree(people) {
            doubts.append(
                "hips and shoulders disagree on which side is left: arms or legs are in another order than the skeleton says "
                    + "(h36m-17 has the left leg first, h36m-17-right-first the right one); check --skeleton")
        } else if looksMirrored(people, upAxis: upAxis) {
            doubts.append(
                "the toes point backwards from the hips: left and right may be swapped, or the frame left-handed; "
                    + "check one frame before you trust the result")
        } else if kneesBendBackwards(people, upAxis: upAxis) {
            doubts.append(
                "the knees bend backwards: left and right may be swapped, or the frame left-handed; "
                    + "check one frame before you trust the result")
        }
        let lengths = BoneLengths(people)
        if let spread = lengths.spread, spread > 0.25 {
            doubts.append(
                "bones change their length by \(percent(spread)) from row to row (half of all bones by more): the joints are very "
                    + "noisy, or a track holds several people")
        }
        if let uneven = lengths.sideDifference, uneven > 0.25 {
            doubts.append(
                "left and right bones differ by \(percent(uneven)) in length: joints may be in another order than the skeleton says"
            )
        }
        if lengths.confidenceLooksInverted {
            doubts.append(
                "bones between joints of high confidence vary more than those of low confidence: the confidence may be upside "
                    + "down (here 1 is certain and 0 was not seen); write 1 - confidence if so")
        }
        if let speed = medianSpeed(people, metresPerUnit: metresPerUnit), speed > 15 {
            doubts.append(
                "people move at \(Int(min(speed, 1e9))) m/s at the median, faster than anybody runs: check fps, or whether rows belong "
                    + "to one person")
        }
        return doubts
    }

    private static func percent(_ share: Double) -> String { "\(Int(min(share, 1e6) * 100)) %" }

    /// Whether left and right look swapped: then the toes point backwards from the hips.
    private static func looksMirrored(_ people: RawPeople, upAxis: UpAxis) -> Bool {
        var sum = 0.0
        var count = 0.0
        forEachForward(people, upAxis) { row, forward in
            for (toe, ankle) in [(10, 7), (27, 7), (11, 8), (28, 8)] {
                guard let end = BodyScale.position(toe, row, people),
                    let start = BodyScale.position(ankle, row, people),
                    let foot = direction(upAxis.toModelFrame(end - start))
                else { continue }
                sum += dot(foot, forward)
                count += 1
            }
        }
        return count > 0 && sum / count < -0.4
    }

    /// Whether knees that are clearly bent point backwards from the hips.
    private static func kneesBendBackwards(_ people: RawPeople, upAxis: UpAxis) -> Bool {
        var sum = 0.0
        var count = 0.0
        forEachForward(people, upAxis) { row, forward in
            for (hip, knee, ankle) in [(1, 4, 7), (2, 5, 8)] {
                guard let top = BodyScale.position(hip, row, people),
                    let middle = BodyScale.position(knee, row, people),
                    let bottom = BodyScale.position(ankle, row, people), let thigh = direction(middle - top),
                    let shin = direction(bottom - middle), dot(thigh, shin) < 0.87,
                    let bend = direction(upAxis.toModelFrame(thigh - shin))
                else { continue }
                sum += dot(bend, forward)
                count += 1
            }
        }
        return count > 0 && sum / count < -0.3
    }

    /// Whether the shoulders have left where the hips have right.
    private static func sidesDisagree(_ people: RawPeople) -> Bool {
        var sum = 0.0
        var count = 0.0
        BodyScale.forEachSampledRow(of: people) { row in
            guard let leftHip = BodyScale.position(1, row, people), let rightHip = BodyScale.position(2, row, people),
                let left = BodyScale.position(16, row, people), let right = BodyScale.position(17, row, people),
                let hips = direction(leftHip - rightHip), let shoulders = direction(left - right)
            else { return }
            sum += dot(hips, shoulders)
            count += 1
        }
        return count > 0 && sum / count < -0.3
    }

    /// Where the hips say the front is, horizontal, in the model frame.
    private static func forEachForward(
        _ people: RawPeople, _ upAxis: UpAxis, _ body: (Int, SIMD3<Double>) -> Void
    ) {
        BodyScale.forEachSampledRow(of: people) { row in
            guard let left = BodyScale.position(1, row, people), let right = BodyScale.position(2, row, people),
                let forward = direction(cross(upAxis.toModelFrame(left - right), SIMD3(0, 1, 0)))
            else { return }
            body(row, forward)
        }
    }

    /// Metres per second of the hips between following frames of a track; nil without a frame rate.
    private static func medianSpeed(_ people: RawPeople, metresPerUnit: Double) -> Double? {
        guard let rate = people.framesPerSecond, rate > 0 else { return nil }
        var last = [Int](repeating: -1, count: people.trackNames.count)
        var speeds: [Double] = []
        for row in 0..<people.count {
            let before = last[people.tracks[row]]
            last[people.tracks[row]] = row
            guard before >= 0, people.frames[row] > people.frames[before],
                let from = BodyScale.middle([1, 2], before, people), let to = BodyScale.middle([1, 2], row, people)
            else { continue }
            let seconds = Double(people.frames[row] - people.frames[before]) / rate
            speeds.append(length(to - from) * metresPerUnit / seconds)
        }
        guard speeds.count >= 10 else { return nil }
        speeds.sort()
        return speeds[speeds.count / 2]
    }
}

/// How the long bones of each track keep their length.
private struct BoneLengths {
    /// The median relative deviation of a bone from its track's median; nil with fewer than ten rows.
    private(set) var spread: Double?
    /// The median difference of a bone from the same one on the other side, relative.
    private(set) var sideDifference: Double?
    /// Whether bones between sure joints vary clearly more than those between unsure ones.
    private(set) var confidenceLooksInverted = false

    private static let rowsMax = 20_000

    init(_ people: RawPeople) {
        var rowsOfTrack = [[Int]](repeating: [], count: people.trackNames.count)
        for row in 0..<min(people.count, Self.rowsMax) { rowsOfTrack[people.tracks[row]].append(row) }
        var deviations: [(deviation: Double, confidence: Float?)] = []
        var differences: [Double] = []
        for rows in rowsOfTrack where rows.count >= 10 {
            var medians: [Double?] = []
            for bone in BodyScale.bones {
                let found = rows.compactMap { row -> (Int, Double)? in
                    guard let child = BodyScale.position(bone.child, row, people),
                        let parent = BodyScale.position(bone.parent, row, people)
                    else { return nil }
                    return (row, length(child - parent))
                }
                let median = Self.median(found.map(\.1))
                medians.append(median)
                guard let median, median > 0 else { continue }
                for (row, length) in found {
                    deviations.append(
                        (abs(length / median - 1), Self.confidence(row, bone.child, bone.parent, people)))
                }
            }
            for side in stride(from: 0, to: medians.count, by: 2) {
                guard let left = medians[side], let right = medians[side + 1], left + right > 0 else { continue }
                differences.append(abs(left - right) * 2 / (left + right))
            }
        }
        spread = Self.median(deviations.map(\.deviation))
        sideDifference = Self.median(differences)
        let graded = deviations.compactMap { entry in entry.confidence.map { (entry.deviation, $0) } }
        guard graded.count >= 80 else { return }
        let sorted = graded.sorted { $0.1 < $1.1 }
        let third = sorted.count / 3
        guard sorted[third].1 + 0.1 < sorted[sorted.count - 1 - third].1,
            let unsure = Self.median(sorted.prefix(third).map(\.0)),
            let sure = Self.median(sorted.suffix(third).map(\.0))
        else { return }
        confidenceLooksInverted = sure > 0.03 && sure > 2 * unsure
    }

    private static func confidence(_ row: Int, _ a: Int, _ b: Int, _ people: RawPeople) -> Float? {
        guard people.certainty[row] == .confidence else { return nil }
        let first = row * people.skeleton.jointCount
        return min(people.certaintyValues[first + a], people.certaintyValues[first + b])
    }

    private static func median(_ values: [Double]) -> Double? {
        let finite = values.filter(\.isFinite).sorted()
        return finite.isEmpty ? nil : finite[finite.count / 2]
    }
}
