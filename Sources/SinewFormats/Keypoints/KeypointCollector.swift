internal import SinewBody

/// A point of a detector: where it is and how sure the detector is of it.
struct Keypoint {
    var position: SIMD3<Double>
    /// 0 (not seen) to 1; nil where the file says nothing.
    var confidence: Double?
}

/// Puts the keypoints of other tools together to rows.
///
/// Such tools write a point that they did not find as zeros, NaN or with confidence 0; all three count as not seen. Confidences above 1
/// (scores that are no probabilities) count as 1. Each is said once.
struct KeypointCollector {
    private var people: RawPeople
    private var trackNumbers: [String: Int] = [:]
    private var zeros = 0
    private var gaps = 0
    private var highest = 0.0
    /// The frame and track of each row, to refuse a second one.
    private var taken: Set<SIMD2<Int>> = []

    init(path: String, skeleton: Skeleton) {
        people = RawPeople(path: path, skeleton: skeleton)
    }

    /// Adds one person of one frame.
    ///
    /// - Throws: ``FormatError`` where the track has this frame already.
    mutating func append(_ points: [Keypoint], track label: String, frame: Int, place: String) throws(FormatError) {
        precondition(points.count == people.skeleton.jointCount, "another skeleton")
        let track = trackNumbers[label] ?? people.trackNames.count
        if track == people.trackNames.count {
            trackNumbers[label] = track
            people.trackNames.append(label)
        }
        guard taken.insert(SIMD2(track, frame)).inserted else {
            throw FormatError(
                .invalidData,
                "\(people.path), \(place): \"\(label)\" is in frame \(frame) twice; names of people must differ",
                field: "track")
        }
        people.tracks.append(track)
        people.frames.append(frame)
        people.places.append(place)
        // Zeros alone grade nothing: they only say what was not seen.
        let isGraded = points.contains { $0.confidence.map { $0 > 0 } ?? false }
        people.certainty.append(isGraded ? .confidence : .unknown)
        for point in points { append(point) }
        people.twists += [Float](repeating: 0, count: 23)
        people.hasTwists.append(false)
        people.betas += [Float](repeating: 0, count: 10)
        people.genders.append(.neutral)
    }

    private mutating func append(_ point: Keypoint) {
        let p = point.position
        let isFinite = p.x.isFinite && p.y.isFinite && p.z.isFinite
        let confidence = point.confidence ?? 1
        if !isFinite, confidence != 0 { gaps += 1 }
        if p == .zero, confidence != 0 { zeros += 1 }
        highest = max(highest, confidence)
        let isSeen = isFinite && p != .zero && confidence != 0
        people.observed.append(isSeen)
        for value in [p.x, p.y, p.z] { people.joints.append(isFinite ? Float(value) : 0) }
        people.certaintyValues.append(Float(min(confidence, 1)))
    }

    /// What was collected.
    ///
    /// - Parameter format: what made the file, for messages.
    func finished(
        format: String, unit: LengthUnit? = nil, upAxis: UpAxis? = nil, framesPerSecond: Double? = nil,
        notes: [String] = []
    ) throws(FormatError) -> RawPeople {
        guard people.count > 0 else {
            throw FormatError(.invalidData, "\(people.path): read as \(format), it holds no person", field: "joints3d")
        }
        var people = people
        people.unit = unit
        people.upAxis = upAxis
        people.framesPerSecond = framesPerSecond
        people.notes = ["read as \(format), \(people.skeleton.name)"] + notes
        if zeros > 0 { people.notes.append("\(zeros) points are exactly (0, 0, 0); they count as not seen") }
        if gaps > 0 { people.notes.append("\(gaps) points are NaN or empty; they count as not seen") }
        if highest > 1 {
            people.notes.append("confidences go up to \(highest), so they are scores; those above 1 count as 1")
        }
        people.notes.append("no betas and no gender are given; assumed the mean shape, neutral")
        return people
    }
}
