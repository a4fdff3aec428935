internal import SinewArrayFiles
internal import SinewBody

/// Reads ``RawPeople`` from JSON lines: one person or one frame per line.
struct JSONLinesPoseReader {
    private let path: String
    private let options: PoseInput.Options
    /// The first line, where it has no joints; its fields stand in where a line lacks them.
    private var defaults = JSONValue.object([])
    private var people: RawPeople?
    private var trackNumbers: [String: Int] = [:]
    private var nextFrames: [Int] = []

    /// Reads what is in memory already; `path` is what messages call it.
    static func read(_ bytes: [UInt8], path: String, options: PoseInput.Options) throws(FormatError) -> RawPeople {
        var reader = JSONLinesPoseReader(path: path, options: options)
        var start = 0
        var number = 1
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            try reader.read(line: bytes[start..<end], number: number)
            start = end + 1
            number += 1
        }
        guard let people = reader.people else {
            throw FormatError(.invalidData, "\(path) holds no line with joints3d", field: "joints3d")
        }
        return people
    }

    private init(path: String, options: PoseInput.Options) {
        self.path = path
        self.options = options
    }

    private mutating func read(line: ArraySlice<UInt8>, number: Int) throws(FormatError) {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
        let value = try rewording { () throws(ArrayFileError) in
            try JSONValue.parse(line, name: "line \(number) of \(path)", allowsNonFinite: true)
        }
        guard value.members != nil else {
            throw FormatError(
                .unreadableFile, "line \(number) of \(path) is no JSON object; one {…} per line is needed")
        }
        guard let joints = value["joints3d"] else {
            guard number == 1 else {
                throw FormatError(
                    .invalidData, "line \(number) of \(path) has no joints3d; only the first line may leave it out",
                    field: "joints3d")
            }
            defaults = value
            return
        }
        var row = try JSONLine(value, defaults: defaults, joints: joints, path: path, number: number)
        // Taken out while it grows, so that appending does not copy what is already there.
        var target: RawPeople
        if let started = people.take() { target = started } else { target = try start(with: row) }
        guard row.jointCount == target.skeleton.jointCount else {
            throw row.error(
                "joints3d",
                "has \(row.jointCount) joints, the lines before \(target.skeleton.jointCount); use one "
                    + "skeleton per file")
        }
        try row.checkSame("skeleton", as: options.skeletonName == nil ? target.skeleton.name : nil)
        let first = target.count
        try append(&row, to: &target)
        try row.storeFields(rows: first..<target.count, into: &target)
        people = target
    }

    /// The file's own properties come from its first line with joints.
    private func start(with row: JSONLine) throws(FormatError) -> RawPeople {
        var notes: [String] = []
        let named: String?
        if let name = options.skeletonName { named = name } else { named = try row.text("skeleton") }
        let skeleton = try RawPeople.skeleton(named: named, jointCount: row.jointCount, path: path, notes: &notes)
        var people = RawPeople(path: path, skeleton: skeleton)
        people.notes = notes
        if let name = try row.text("unit") {
            guard let unit = LengthUnit(named: name) else { throw row.error("unit", "is \"\(name)\"; use m, cm or mm") }
            people.unit = unit
        }
        if let name = try row.text("up_axis") {
            guard let axis = UpAxis(named: name) else {
                throw row.error("up_axis", "is \"\(name)\"; use x, y, z, -x, -y or -z")
            }
            people.upAxis = axis
        }
        if let rate = row["fps"] {
            guard let number = rate.double else { throw row.error("fps", "is no number") }
            people.framesPerSecond = number
        }
        if row["betas"] == nil { people.notes.append("no betas are given; assumed the mean shape") }
        if row["gender"] ?? row["genders"] == nil { people.notes.append("no gender is given; assumed neutral") }
        return people
    }

    /// Adds the line's people with their joints, track and frame.
    private mutating func append(_ row: inout JSONLine, to people: inout RawPeople) throws(FormatError) {
        let labels = try row.trackLabels()
        var seen: Set<Int> = []
        for person in 0..<row.personCount {
            let label = labels[person]
            let track = trackNumbers[label] ?? people.trackNames.count
            if track == people.trackNames.count {
                trackNumbers[label] = track
                people.trackNames.append(label)
                nextFrames.append(0)
            }
            guard seen.insert(track).inserted else { throw row.error("track", "names \"\(label)\" twice") }
            let frame = try row.frame() ?? nextFrames[track]
            nextFrames[track] = frame + 1
            people.tracks.append(track)
            people.frames.append(frame)
            people.places.append(
                "line \(row.number) (frame \(frame))" + (row.hasPeopleAxis ? ", person \(person)" : ""))
        }
        try row.appendJoints(to: &people)
    }
}
