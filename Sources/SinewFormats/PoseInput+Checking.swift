internal import SinewBody

extension PoseInput {
    /// Checks every value, finds unit and axis, and brings the rows into the model frame.
    init(checking given: RawPeople, options: Options) throws(FormatError) {
        guard given.count > 0 else {
            throw FormatError(.invalidData, "\(given.path) holds no person; joints3d is empty", field: "joints3d")
        }
        try Self.checkValues(given)
        let raw = given.inSMPLOrder()
        guard raw.observed.contains(true) else {
            throw FormatError(
                .invalidData,
                "\(raw.path): no joint of anybody was seen; confidence and observed are 0 for all of them. If 0 means certain in this "
                    + "file, write 1 - confidence", field: "confidence")
        }
        var notes = raw.notes
        let unit = try Self.unit(of: raw, declared: options.unit ?? raw.unit, notes: &notes)
        let upAxis = Self.upAxis(of: raw, declared: options.upAxis ?? raw.upAxis, notes: &notes)
        notes += BodyPlausibility.doubts(about: raw, upAxis: upAxis, metresPerUnit: unit.metres)

        path = raw.path
        skeleton = given.skeleton
        count = raw.count
        twists = raw.twists
        hasTwists = raw.hasTwists
        betas = raw.betas
        genders = raw.genders
        trackNames = raw.trackNames
        tracks = raw.tracks
        frames = raw.frames
        places = raw.places
        framesPerSecond = raw.framesPerSecond
        joints = [Float](repeating: 0, count: raw.count * 87)
        observed = [UInt32](repeating: 0, count: raw.count)
        sigma = [Float](repeating: Self.sigmaDefault, count: raw.count * 29)
        let jointCount = raw.skeleton.jointCount
        for row in 0..<raw.count {
            for joint in 0..<jointCount where raw.observed[row * jointCount + joint] {
                let index = row * jointCount + joint
                let point = upAxis.toModelFrame(raw.joints.vector(at: index * 3)) * unit.metres
                joints.store(point, at: row * 87 + joint * 3)
                observed[row] |= 1 << UInt32(joint)
                switch raw.certainty[row] {
                case .unknown: break
                case .sigma: sigma[row * 29 + joint] = Float(Double(raw.certaintyValues[index]) * unit.metres)
                case .confidence: sigma[row * 29 + joint] = 1 - raw.certaintyValues[index]
                }
            }
        }
        notes += Self.missing(from: given.skeleton)
        if raw.certainty.contains(.unknown) {
            notes.append("neither sigma nor confidence is given for some joints; assumed sigma \(Self.sigmaDefault) m")
        }
        notes.append("results are in metres, y up, whatever the file used")
        self.notes = notes
    }

    private static func missing(from skeleton: Skeleton) -> [String] {
        if skeleton == .smpl29 { return [] }
        if skeleton == .smpl24 {
            return [
                "smpl-24 has no head top, finger tips and toe tips; they count as unobserved, "
                    + "so head, hands and feet get no direction of their own"
            ]
        }
        let missing = skeleton.missingJoints
        guard !missing.isEmpty else { return [] }
        return [
            "\(skeleton.name) says nothing of \(missing.joined(separator: ", ")); they count as unobserved "
                + "(sinew skeleton show \(skeleton.name))"
        ]
    }

    /// Beyond this a coordinate is no place of anybody, in whatever unit.
    private static let coordinateMax: Float = 1e9

    private static func checkValues(_ raw: RawPeople) throws(FormatError) {
        let jointCount = raw.skeleton.jointCount
        let names = raw.skeleton.jointNames
        for row in 0..<raw.count {
            for joint in 0..<jointCount where raw.observed[row * jointCount + joint] {
                let index = row * jointCount + joint
                for axis in 0..<3 where !(abs(raw.joints[index * 3 + axis]) <= coordinateMax) {
                    let value = raw.joints[index * 3 + axis]
                    throw FormatError(
                        .invalidData,
                        "\(raw.path), \(raw.places[row]), joint \(names[joint]): \(["x", "y", "z"][axis]) is \(value); "
                            + "repair the file, or mark the joint as not seen (observed = 0 or confidence = 0)",
                        field: "joints3d")
                }
                try checkCertainty(raw, row: row, joint: joint, value: raw.certaintyValues[index])
            }
            for index in 0..<23 where raw.hasTwists[row] && !raw.twists[row * 23 + index].isFinite {
                throw FormatError(
                    .invalidData,
                    "\(raw.path), \(raw.places[row]): the twist of \(names[index + 1]) is no number; leave twist out "
                        + "if it is not known", field: "twist")
            }
            for index in 0..<23 where raw.hasTwists[row] && abs(raw.twists[row * 23 + index]) > 4 * .pi {
                throw FormatError(
                    .invalidData,
                    "\(raw.path), \(raw.places[row]): the twist of \(names[index + 1]) is \(raw.twists[row * 23 + index]), "
                        + "more than two turns; twists are in radians, convert degrees first", field: "twist")
            }
            for index in 0..<10 where !(abs(raw.betas[row * 10 + index]) <= 20) {
                throw FormatError(
                    .invalidData,
                    "\(raw.path), \(raw.places[row]): betas[\(index)] is \(raw.betas[row * 10 + index]); shape coefficients "
                        + "have unit variance and lie within ±20", field: "betas")
            }
        }
        if let rate = raw.framesPerSecond, !(rate > 0 && rate <= 10_000) {
            throw FormatError(
                .invalidData, "\(raw.path): fps is \(rate); it must lie between 0 and 10000", field: "fps")
        }
    }

    private static func checkCertainty(
        _ raw: RawPeople, row: Int, joint: Int, value: Float
    ) throws(FormatError) {
        let place = "\(raw.path), \(raw.places[row]), joint \(raw.skeleton.jointNames[joint])"
        switch raw.certainty[row] {
        case .unknown: break
        case .sigma where !(value >= 0 && value.isFinite):
            throw FormatError(
                .invalidData, "\(place): sigma is \(value); it is a standard deviation, zero or more", field: "sigma")
        case .confidence where !(value >= 0 && value <= 1):
            throw FormatError(
                .invalidData, "\(place): confidence is \(value); it lies between 0 (not seen) and 1",
                field: "confidence")
        case .sigma, .confidence: break
        }
    }

    private static func unit(
        of raw: RawPeople, declared: LengthUnit?, notes: inout [String]
    ) throws(FormatError) -> LengthUnit {
        switch (BodyScale.unit(of: raw), declared) {
        case (.unit(let found), .some(let declared)) where found == declared: return found
        case (.unit(let found), .some(let declared)):
            throw FormatError(
                .invalidData,
                "\(raw.path) declares \(declared.name), but its bones would be \(implausible(raw, in: declared)) of an "
                    + "adult's: the numbers look like \(found.name); set unit to \"\(found.rawValue)\" in the file or "
                    + "type --unit \(found.rawValue)", field: "unit")
        case (.unit(let found), .none):
            notes.append("no unit is declared; bone lengths say \(found.name)")
            return found
        case (.noUnit(let ratio), let declared):
            let said = declared.map { "declares \($0.name)" } ?? "declares no unit"
            throw FormatError(
                .invalidData,
                "\(raw.path) \(said), but thighs, shins and arms are \(short(ratio)) times an adult's in metres, which fits "
                    + "neither metres, centimetres nor millimetres; check joints3d and convert it to metres",
                field: "unit")
        case (.unknown, .some(let declared)):
            notes.append("no long bone was seen, so the declared unit (\(declared.name)) could not be checked")
            return declared
        case (.unknown, .none):
            notes.append("no unit is declared and no long bone was seen; assumed metres")
            return .metres
        }
    }

    private static func implausible(_ raw: RawPeople, in unit: LengthUnit) -> String {
        let times = (BodyScale.ratio(of: raw) ?? 1) * unit.metres
        return times >= 1 ? "\(short(times)) times the length" : "1/\(short(1 / times)) of the length"
    }

    private static func short(_ value: Double) -> String {
        value >= 10 ? "\(Int(min(value, 1e15).rounded()))" : "\((value * 100).rounded() / 100)"
    }

    private static func upAxis(of raw: RawPeople, declared: UpAxis?, notes: inout [String]) -> UpAxis {
        let found = BodyScale.upAxis(of: raw)
        let chosen: UpAxis
        switch (declared, found) {
        case (.some(let declared), .some(let found)) where declared != found:
            notes.append(
                "\(declared.rawValue) is declared as up, but people stand along \(found.rawValue); the declaration was "
                    + "followed, type --up-axis=\(found.rawValue) if it is wrong")
            chosen = declared
        case (.some(let declared), _): chosen = declared
        case (.none, .some(let found)):
            if found == .plusY {
                notes.append("no up_axis is declared; people stand along +y, which is up here as well")
            } else {
                notes.append(
                    "no up_axis is declared; people stand along \(found.rawValue), so that was taken as up "
                        + "(type --up-axis=y if they really do not stand)")
            }
            chosen = found
        case (.none, .none):
            notes.append(
                "no up_axis is declared and nobody stands upright; assumed +y is up (type --up-axis=z if z is)")
            chosen = .plusY
        }
        if chosen != .plusY { notes.append("\(chosen.rawValue) was up: \(chosen.conversion)") }
        return chosen
    }
}
