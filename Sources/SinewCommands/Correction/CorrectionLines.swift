internal import SinewArrayFiles
internal import SinewFormats

/// What `sinew correct` was asked to move: the joints of some frames, by the names that people have for them.
struct MovedJoints: Sendable, Equatable {
    /// The name of the track; nil where the file has but one.
    var track: String?
    /// The frame's number in the file.
    var frame: Int
    /// Places by joint, 0…23, metres, y up.
    var places: [Int: SIMD3<Double>]
    /// Where it stands, for messages.
    var place: String

    /// Adds a place; a joint is moved to one.
    mutating func move(_ joint: Int, to target: SIMD3<Double>) throws(CommandFailure) {
        guard places.updateValue(target, forKey: joint) == nil else {
            throw CommandFailure(.usage, "\(place): joint \(joint) is moved twice; give one place for it")
        }
    }
}

/// Reads corrections from JSON lines: `{"frame": 7, "track": "anna", "move": {"left_wrist": [0.4, 1.1, 0.3], …}}`, a frame per line;
/// `track` may be left out in files of one. Metres, y up.
enum CorrectionLines {
    private static let bytesMax = 256 << 20
    private static let keys = ["frame", "track", "move"]

    /// - Throws: ``CommandFailure`` with file, line and field.
    static func read(path: String) throws -> [MovedJoints] {
        var found: [MovedJoints] = []
        let bytes = try AtomicFile.read(path, bytesMax: bytesMax)
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            let place = "line \(index + 1) of \(path)"
            found.append(try correction(JSONValue.parse(line, name: place), place))
        }
        guard !found.isEmpty else { throw CommandFailure(.badData, "\(path) holds no corrections") }
        return found
    }

    private static func correction(_ value: JSONValue, _ place: String) throws(CommandFailure) -> MovedJoints {
        func wrong(_ what: String) -> CommandFailure {
            CommandFailure(
                .badData, "\(place): \(what); write {\"frame\": 7, \"move\": {\"left_wrist\": [0.4, 1.1, 0.3]}}")
        }
        guard let members = value.members else { throw wrong("it is no JSON object") }
        if let unknown = members.first(where: { !keys.contains($0.key) }) {
            throw wrong("“\(unknown.key)” is not one of \(keys.joined(separator: ", "))")
        }
        guard let frame = value["frame"]?.int else { throw wrong("it has no frame") }
        let track = value["track"]?.string
        guard track != nil || value["track"] == nil else { throw wrong("track is no text") }
        guard let moves = value["move"]?.members, !moves.isEmpty else { throw wrong("it moves nothing") }
        var correction = MovedJoints(track: track, frame: frame, places: [:], place: place)
        for move in moves {
            let joint: UInt8
            do throws(EffectorText.Mistake) { joint = try EffectorText.joint(move.key) } catch {
                throw wrong("\(error)")
            }
            let numbers = move.value.array?.compactMap(\.double) ?? []
            guard numbers.count == 3, move.value.array?.count == 3, numbers.allSatisfy(\.isFinite) else {
                throw wrong("\(move.key) is not three numbers")
            }
            try correction.move(Int(joint), to: EffectorText.vector(numbers))
        }
        return correction
    }
}
