internal import SinewArrayFiles
internal import SinewBody

extension PoseLines {
    /// JSON lines as ``PoseOutput`` writes them, with their measures; nil when they are none of ours.
    static func output(_ file: PoseFile) throws(FormatError) -> PoseOutput? {
        let lines = lines(of: file)
        guard let (number, line) = lines.first else { return nil }
        let header = try parse(line, number, file)
        guard header["format"]?.string == "sinew-poses", header["skeleton"]?.string == Skeleton.smpl29.name,
            header["up_axis"]?.string.flatMap(UpAxis.init(named:)) == .plusY
        else { return nil }
        var tracks: [PoseOutput.Track] = []
        var places: [String: Int] = [:]
        for (number, line) in lines.dropFirst() {
            let row = try LineOfOutput(try parse(line, number, file), place: "\(file.path), line \(number)")
            let place = places[row.track] ?? tracks.count
            if places.updateValue(place, forKey: row.track) == nil {
                tracks.append(PoseOutput.Track(name: row.track, gender: row.gender))
            }
            guard tracks[place].gender == row.gender else {
                throw row.wrong("gender", "is another than in the lines of \(row.track) before")
            }
            try row.append(to: &tracks[place])
        }
        guard !tracks.isEmpty else { throw FormatError(.invalidData, "\(file.path) holds no frames", field: "poses") }
        return PoseOutput(
            tracks: tracks, framesPerSecond: header["fps"]?.double, model: header["model"]?.string ?? "")
    }
}

/// One frame of our JSON lines.
private struct LineOfOutput {
    let track: String
    let gender: Gender
    private let frame: Int
    private let value: JSONValue
    private let place: String

    init(_ value: JSONValue, place: String) throws(FormatError) {
        self.value = value
        self.place = place
        func missing(_ name: String) -> FormatError {
            FormatError(.invalidData, "\(place): \(name) is missing or no value of it", field: name)
        }
        guard let track = value["track"]?.string else { throw missing("track") }
        guard let frame = value["frame"]?.int else { throw missing("frame") }
        guard let gender = value["gender"]?.string.flatMap(Gender.init(rawValue:)) else { throw missing("gender") }
        self.track = track
        self.frame = frame
        self.gender = gender
    }

    func append(to track: inout PoseOutput.Track) throws(FormatError) {
        let isSolved = value["poses"] != nil
        let quality = value["quality"]
        track.frames.append(frame)
        track.theta += isSolved ? try numbers("poses", value["poses"], 72) : [Float](repeating: 0, count: 72)
        track.translation += isSolved ? try numbers("trans", value["trans"], 3) : [0, 0, 0]
        track.betas += try numbers("betas", value["betas"], 10)
        track.joints += try isSolved ? joints() : [Float](repeating: 0, count: 87)
        track.corrections[track.frames.count - 1] = try correction()
        guard let quality else { return }
        func measure(_ name: String) throws(FormatError) -> Float {
            try numbers(name, .array([quality[name] ?? .null]), 1)[0]
        }
        track.latentNorm.append(try measure("latent_norm"))
        track.jointResidualMillimetres.append(try measure("joint_residual_mm"))
        track.orientationResidualRadians.append(try measure("orientation_residual_rad"))
        track.boneLengthChange.append(try measure("bone_length_change"))
        track.unobservedJoints.append(try count("unobserved_joints", quality, 0...Skeleton.positionCount))
        track.outcome.append(try count("outcome", quality, 0...2))
        track.isSolved.append(isSolved)
    }

    private func correction() throws(FormatError) -> PoseOutput.Correction? {
        guard let found = value["correction"] else { return nil }
        let names = found["joints"]?.array ?? []
        let joints = names.compactMap { $0.string.flatMap(Skeleton.smpl24.index(of:)) }
        guard joints.count == names.count, !joints.isEmpty, let model = found["model"]?.string else {
            throw wrong("correction", "is no list of joints and a model")
        }
        return PoseOutput.Correction(joints: joints.sorted(), model: model)
    }

    private func joints() throws(FormatError) -> [Float] {
        let rows = value["joints3d"]?.array ?? []
        guard rows.count == Skeleton.positionCount else { throw wrong("joints3d", "is no list of 29 joints") }
        var joints: [Float] = []
        for row in rows { joints += try numbers("joints3d", row, 3) }
        return joints
    }

    private func numbers(_ name: String, _ list: JSONValue?, _ count: Int) throws(FormatError) -> [Float] {
        let found = list?.array?.compactMap(\.double) ?? []
        guard found.count == count, list?.array?.count == count, found.allSatisfy(\.isFinite) else {
            throw wrong(name, count == 1 ? "is no number" : "is no list of \(count) numbers")
        }
        return found.map(Float.init)
    }

    private func count(_ name: String, _ quality: JSONValue, _ range: ClosedRange<Int>) throws(FormatError) -> Int32 {
        guard let found = quality[name]?.int, range.contains(found) else {
            throw wrong(name, "is no number of \(range.lowerBound)…\(range.upperBound)")
        }
        return Int32(found)
    }

    func wrong(_ name: String, _ what: String) -> FormatError {
        FormatError(.invalidData, "\(place): \(name) \(what)", field: name)
    }
}
