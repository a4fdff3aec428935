internal import SinewArrayFiles
internal import SinewBody
package import SinewFormats
internal import SinewModels

/// Reads effectors from JSON lines: one pose per line.
///
/// `{"effectors": [{"joint": "left_wrist", "position": [0.4, 1.1, 0.3], "tolerance": 0.02}, …], "gender": "female", "betas": [1.2, 0],
/// "track": "anna", "frame": 7}`. An effector has a joint (name or number) and exactly one of `position`, `look_at` (with `direction`),
/// `axis_angle`, `quaternion` (w, x, y, z), `rotation_6d` (rows) and `matrix`; `tolerance` and `weight` may follow. A first line without
/// `effectors` gives `gender`, `betas` and `fps` for all; `error_mm`, which `sinew effectors` writes, is for people to read. Metres, radians, y up.
package struct EffectorLines {
    private let path: String
    private var defaults = JSONValue.object([])
    private var input: EffectorInput

    private static let bytesMax = 1 << 30
    private static let poseKeys = ["effectors", "gender", "betas", "track", "frame", "fps", "error_mm"]
    private static let rotationKeys = [("axis_angle", 3), ("quaternion", 4), ("rotation_6d", 6), ("matrix", 9)]

    /// Reads a file.
    ///
    /// - Throws: ``FormatError`` with file, line and effector.
    package static func read(path: String) throws(FormatError) -> EffectorInput {
        let bytes: [UInt8]
        do throws(ArrayFileError) { bytes = try AtomicFile.read(path, bytesMax: bytesMax) } catch {
            throw FormatError(error.reason == .missingFile ? .missingFile : .io, error.message)
        }
        var reader = EffectorLines(path: path)
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            try reader.read(line: line, number: index + 1)
        }
        guard reader.input.count > 0 else {
            throw FormatError(.invalidData, "\(path) holds no line with effectors", field: "effectors")
        }
        return reader.input
    }

    private init(path: String) {
        self.path = path
        input = EffectorInput(path: path)
    }

    private mutating func read(line: ArraySlice<UInt8>, number: Int) throws(FormatError) {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
        let value: JSONValue
        do throws(ArrayFileError) { value = try JSONValue.parse(line, name: "line \(number) of \(path)") } catch {
            throw FormatError(.unreadableFile, error.message)
        }
        guard let members = value.members else { throw wrong(number, "is no JSON object; one {…} per line is needed") }
        for member in members where !Self.poseKeys.contains(member.key) {
            throw wrong(number, "has a field “\(member.key)”; known are \(Self.poseKeys.joined(separator: ", "))")
        }
        if let rate = value["fps"] {
            guard let rate = rate.double, rate > 0 else { throw wrong(number, "fps is no number above 0") }
            input.framesPerSecond = rate
        }
        guard let list = value["effectors"] else {
            guard number == 1 else { throw wrong(number, "has no effectors; only the first line may leave them out") }
            defaults = value
            return
        }
        guard let entries = list.array else { throw wrong(number, "effectors is no list") }
        var effectors: [Effector] = []
        for (place, entry) in entries.enumerated() {
            effectors.append(try effector(entry, "effector \(place)", number))
        }
        let frame = value["frame"]
        if let frame, frame.int.map({ $0 < 0 }) ?? true { throw wrong(number, "frame is no whole number from 0 on") }
        let track = value["track"].map { $0.string ?? $0.int.map(String.init) }
        guard let track = track ?? "pose" else { throw wrong(number, "track is neither text nor a whole number") }
        input.append(
            effectors, betas: try betas(value, number), gender: try gender(value, number), track: track,
            frame: frame?.int, place: "line \(number)")
    }

    private func betas(_ value: JSONValue, _ number: Int) throws(FormatError) -> [Float] {
        guard let found = value["betas"] ?? defaults["betas"] else { return [Float](repeating: 0, count: 10) }
        let numbers = found.array?.compactMap(\.double) ?? []
        guard numbers.count == found.array?.count, numbers.count <= 10 else {
            throw wrong(number, "betas is not a list of at most ten numbers")
        }
        return numbers.map(Float.init) + [Float](repeating: 0, count: 10 - numbers.count)
    }

    private func gender(_ value: JSONValue, _ number: Int) throws(FormatError) -> Gender {
        guard let found = value["gender"] ?? defaults["gender"] else { return .neutral }
        guard let gender = found.string.flatMap({ Gender(rawValue: $0) }) else {
            throw wrong(number, "gender is not one of \(Gender.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return gender
    }

    private func wrong(_ number: Int, _ what: String) -> FormatError {
        FormatError(.invalidData, "line \(number) of \(path): \(what)", field: "effectors")
    }
}

// MARK: One effector

extension EffectorLines {
    private func effector(_ entry: JSONValue, _ name: String, _ number: Int) throws(FormatError) -> Effector {
        let goals = ["position", "look_at"] + Self.rotationKeys.map(\.0)
        let known = ["joint", "direction", "tolerance", "weight"] + goals
        guard let members = entry.members else { throw wrong(number, "\(name) is no object") }
        for member in members where !known.contains(member.key) {
            throw wrong(number, "\(name) has a field “\(member.key)”; known are \(known.joined(separator: ", "))")
        }
        let given = goals.filter { entry[$0] != nil }
        guard given.count == 1, let goal = given.first else {
            throw wrong(number, "\(name) needs exactly one of \(goals.joined(separator: ", ")), and has \(given.count)")
        }
        let joint = try joint(entry, name, number)
        let tolerance = try single(entry, "tolerance", otherwise: 0, name, number)
        let weight = try single(entry, "weight", otherwise: 1, name, number)
        guard goal == "look_at" || entry["direction"] == nil else {
            throw wrong(number, "\(name) has a direction, which only look_at takes")
        }
        switch goal {
        case "position":
            let place = try numbers(entry, goal, 3, name, number)
            return .position(joint, at: EffectorText.vector(place), tolerance: tolerance, weight: weight)
        case "look_at":
            let target = try numbers(entry, goal, 3, name, number)
            let ahead = try entry["direction"] == nil ? [0, 0, 1] : numbers(entry, "direction", 3, name, number)
            let axis = EffectorText.vector(ahead)
            guard length(axis) > 1e-6 else { throw wrong(number, "\(name): direction has no length") }
            return .lookAt(
                joint, target: EffectorText.vector(target), direction: axis / length(axis), tolerance: tolerance,
                weight: weight)
        default:
            let count = Self.rotationKeys.first { $0.0 == goal }?.1 ?? 9
            guard let orientation = EffectorText.orientation(try numbers(entry, goal, count, name, number)) else {
                throw wrong(number, "\(name): \(goal) is no rotation (rows of unit length, at right angles)")
            }
            return .rotation(joint, orientation, tolerance: tolerance, weight: weight)
        }
    }

    private func joint(_ entry: JSONValue, _ name: String, _ number: Int) throws(FormatError) -> UInt8 {
        guard let text = entry["joint"].flatMap({ $0.string ?? $0.int.map(String.init) }) else {
            throw wrong(number, "\(name) has no joint")
        }
        do throws(EffectorText.Mistake) { return try EffectorText.joint(text) } catch {
            throw wrong(number, "\(name): \(error)")
        }
    }

    /// A list of numbers, or a list of lists of them.
    private func numbers(
        _ entry: JSONValue, _ key: String, _ count: Int, _ name: String, _ number: Int
    ) throws(FormatError) -> [Double] {
        let flat = entry[key]?.array?.flatMap { $0.array ?? [$0] } ?? []
        let numbers = flat.compactMap(\.double)
        guard numbers.count == flat.count, numbers.count == count else {
            throw wrong(number, "\(name): \(key) is not \(count) numbers")
        }
        return numbers
    }

    private func single(
        _ entry: JSONValue, _ key: String, otherwise: Float, _ name: String, _ number: Int
    ) throws(FormatError) -> Float {
        guard let found = entry[key] else { return otherwise }
        guard let value = found.double else { throw wrong(number, "\(name): \(key) is no number") }
        return Float(value)
    }
}
