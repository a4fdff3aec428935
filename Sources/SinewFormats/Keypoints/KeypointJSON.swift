internal import SinewArrayFiles
internal import SinewBody

/// What the JSON files of other tools have in common.
enum KeypointJSON {
    /// Points as `[[x, y, z], …]`, `[[x, y, z, c], …]` or one flat list; nil for anything else.
    ///
    /// - Parameters:
    ///   - flatWidth: numbers of a point in a flat list.
    ///   - scores: a list of its own with the confidences.
    static func points(_ value: JSONValue?, flatWidth: Int, scores: JSONValue? = nil) -> [Keypoint]? {
        guard let list = value?.array, !list.isEmpty else { return nil }
        var rows: [[Double]] = []
        if list[0].array == nil {
            guard list.count % flatWidth == 0, let numbers = numbers(list) else { return nil }
            rows = stride(from: 0, to: numbers.count, by: flatWidth).map { Array(numbers[$0..<($0 + flatWidth)]) }
        } else {
            for entry in list {
                guard let inner = entry.array, let row = numbers(inner) else { return nil }
                rows.append(row)
            }
        }
        var confidences: [Double]?
        if let list = scores?.array {
            guard let numbers = numbers(list), numbers.count == rows.count else { return nil }
            confidences = numbers
        }
        guard rows.allSatisfy({ $0.count == 3 || $0.count == 4 }) else { return nil }
        return rows.enumerated().map { index, row in
            Keypoint(
                position: SIMD3(row[0], row[1], row[2]),
                confidence: confidences?[index] ?? (row.count == 4 ? row[3] : nil))
        }
    }

    /// Numbers; null is NaN. Nil where something else stands among them.
    static func numbers(_ list: [JSONValue]) -> [Double]? {
        let found = list.compactMap { $0 == .null ? Double.nan : $0.double }
        return found.count == list.count ? found : nil
    }

    /// How many numbers each point of a nested list has; nil for a flat list.
    static func nestedWidth(_ value: JSONValue?) -> Int? { value?.array?.first?.array?.count }

    /// The sentence for files that only know where joints are in an image.
    static func flat(_ path: String, _ format: String, _ what: String) -> FormatError {
        FormatError(
            .invalidData,
            "\(path): read as \(format), it holds 2D keypoints only (\(what)): places in an image say nothing of depth, and joints in "
                + "space are needed. Triangulate several cameras (EasyMocap, Pose2Sim, OpenPose --3d) or lift one (MMPose's pose "
                + "lifter, MotionBERT), and give that file", field: "joints3d")
    }

    static func wrong(_ path: String, _ place: String, _ what: String, field: String) -> FormatError {
        FormatError(.invalidData, "\(path), \(place): \(what)", field: field)
    }

    /// The skeleton of a file: the caller's word, else the first of `likely` with as many joints.
    ///
    /// - Parameter likely: what the tool writes, the most usual one first.
    static func skeleton(
        _ options: PoseInput.Options, jointCount: Int, likely: [Skeleton], path: String
    ) throws(FormatError) -> Skeleton {
        var notes: [String] = []
        if options.skeletonName == nil, let skeleton = likely.first(where: { $0.jointCount == jointCount }) {
            return skeleton
        }
        return try RawPeople.skeleton(
            named: options.skeletonName, jointCount: jointCount, path: path, notes: &notes)
    }

    /// The last whole number in a text, such as the frame in `video_000000000012_keypoints.json`; nil without one.
    static func lastNumber(in text: some StringProtocol) -> Int? {
        var digits = ""
        for character in text.reversed() {
            if character.isASCII, character.isNumber {
                digits.insert(character, at: digits.startIndex)
            } else if !digits.isEmpty {
                break
            }
        }
        return Int(digits)
    }
}

/// One frame of a tool that writes a file per frame.
struct JSONFrame {
    let number: Int
    let path: String
    let value: JSONValue
}
