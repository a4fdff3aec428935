internal import Glibc
internal import SinewArrayFiles
internal import SinewBody

/// Reads ``RawPeople`` from a `.npz` archive.
struct NPZPoseReader {
    private let file: NPZFile
    private var people: RawPeople
    /// The shape of `joints3d` without joints and coordinates: `[N]` or `[T, P]`.
    private let rowShape: [Int]

    /// Reads the file; nothing but `joints3d` is required.
    static func read(_ bytes: [UInt8], path: String, options: PoseInput.Options) throws(FormatError) -> RawPeople {
        let file = try rewording { () throws(ArrayFileError) in try NPZFile(bytes: bytes, path: path) }
        var reader = try NPZPoseReader(file, options: options)
        try reader.readCertainty()
        try reader.readTwists()
        try reader.readBetas()
        try reader.readGenders()
        try reader.readTracks()
        return reader.people
    }

    private init(_ file: NPZFile, options: PoseInput.Options) throws(FormatError) {
        self.file = file
        guard file.contains("joints3d") else {
            let hint =
                file.contains("poses")
                ? "; its \"poses\" are rotations already, joints must be given to be solved" : ""
            throw FormatError(
                .invalidData,
                "\(file.path) has no array \"joints3d\"; it holds \(file.names.joined(separator: ", "))\(hint)",
                field: "joints3d")
        }
        let joints = try rewording(field: "joints3d", path: file.path) { () throws(ArrayFileError) in
            try file.array("joints3d")
        }
        let shape = joints.shape
        guard shape.count == 3 || shape.count == 4, shape.last == 3 else {
            throw FormatError(
                .invalidData,
                "\(file.path): joints3d has shape \(shape); (N, J, 3) or (T, P, J, 3) is needed, J joints with x, y, z",
                field: "joints3d")
        }
        rowShape = Array(shape.dropLast(2))
        let jointCount = shape[shape.count - 2]
        var notes: [String] = []
        let named: String?
        if let name = options.skeletonName { named = name } else { named = try Self.text(file, ["skeleton"]) }
        let skeleton = try RawPeople.skeleton(named: named, jointCount: jointCount, path: file.path, notes: &notes)
        people = RawPeople(path: file.path, skeleton: skeleton)
        people.notes = notes
        people.joints = try rewording(field: "joints3d", path: file.path) { () throws(ArrayFileError) in
            try joints.floats()
        }
        let count = rowShape.reduce(1, *)
        people.frames = (0..<count).map { [rowShape] in rowShape.count == 1 ? $0 : $0 / rowShape[1] }
        people.places = (0..<count).map { [rowShape] in
            rowShape.count == 1 ? "frame \($0)" : "frame \($0 / rowShape[1]), person \($0 % rowShape[1])"
        }
        if let name = try Self.text(file, ["unit", "units"]) {
            guard let unit = LengthUnit(named: name) else {
                throw FormatError(
                    .invalidData, "\(file.path): unit \"\(name)\" is not known; use m, cm or mm", field: "unit")
            }
            people.unit = unit
        }
        if let name = try Self.text(file, ["up_axis"]) {
            guard let axis = UpAxis(named: name) else {
                throw FormatError(
                    .invalidData, "\(file.path): up_axis \"\(name)\" is not known; use x, y, z, -x, -y or -z",
                    field: "up_axis")
            }
            people.upAxis = axis
        }
        if let array = try Self.first(file, ["fps", "mocap_framerate", "mocap_frame_rate"]) {
            people.framesPerSecond = try rewording(field: "fps", path: file.path) { () throws(ArrayFileError) in
                try array.doubles().first
            }
        }
    }

    private mutating func readCertainty() throws(FormatError) {
        let shape = rowShape + [people.skeleton.jointCount]
        let count = shape.reduce(1, *)
        people.certaintyValues = [Float](repeating: 0, count: count)
        people.certainty = [RawPeople.Certainty](repeating: .unknown, count: people.count)
        people.observed = [Bool](repeating: true, count: count)
        guard !(file.contains("sigma") && file.contains("confidence")) else {
            throw FormatError(
                .invalidData, "\(file.path) has both sigma and confidence; leave one of them out", field: "confidence")
        }
        for (name, kind) in [("sigma", RawPeople.Certainty.sigma), ("confidence", .confidence)]
        where file.contains(name) {
            people.certaintyValues = try floats(name, shape)
            people.certainty = [RawPeople.Certainty](repeating: kind, count: people.count)
            if kind == .confidence {
                for index in 0..<count where people.certaintyValues[index] == 0 { people.observed[index] = false }
            }
        }
        if file.contains("observed") {
            for (index, value) in try floats("observed", shape).enumerated() where value == 0 {
                people.observed[index] = false
            }
        }
    }

    private mutating func readTwists() throws(FormatError) {
        people.twists = [Float](repeating: 0, count: people.count * 23)
        people.hasTwists = [Bool](repeating: false, count: people.count)
        guard let array = try Self.first(file, ["twist", "twists"]) else { return }
        let isPairs = array.shape.count == rowShape.count + 2
        let values = try floats(file.contains("twist") ? "twist" : "twists", rowShape + (isPairs ? [23, 2] : [23]))
        TwistFields.store(values, isPairs: isPairs, rows: 0..<people.count, into: &people)
    }

    private mutating func readBetas() throws(FormatError) {
        people.betas = [Float](repeating: 0, count: people.count * 10)
        guard let array = try Self.first(file, ["betas"]) else {
            people.notes.append("no betas are given; assumed the mean shape")
            return
        }
        let width = array.shape.last ?? 0
        let rows = Array(array.shape.dropLast())
        let perPerson = rowShape.count == 2 && rows == [rowShape[1]]
        guard width > 0, rows.isEmpty || rows == [1] || rows == rowShape || perPerson else {
            throw FormatError(
                .invalidData,
                "\(file.path): betas has shape \(array.shape); (10) for everybody, one row per person or one row per row of "
                    + "joints3d is needed", field: "betas")
        }
        let values = try rewording(field: "betas", path: file.path) { () throws(ArrayFileError) in try array.floats() }
        if width > 10 { people.notes.append("betas has \(width) coefficients; the first 10 are used") }
        for row in 0..<people.count {
            let source = rows.isEmpty || rows == [1] ? 0 : perPerson ? row % rowShape[1] : row
            for index in 0..<min(width, 10) { people.betas[row * 10 + index] = values[source * width + index] }
        }
    }

    private mutating func readGenders() throws(FormatError) {
        people.genders = [Gender](repeating: .neutral, count: people.count)
        guard let array = try Self.first(file, ["gender", "genders"]) else {
            people.notes.append("no gender is given; assumed neutral")
            return
        }
        let names = try rewording(field: "gender", path: file.path) { () throws(ArrayFileError) in try array.strings() }
        let personCount = rowShape[rowShape.count - 1]
        guard names.count == 1 || names.count == personCount else {
            throw FormatError(
                .invalidData, "\(file.path): gender has \(names.count) entries; 1 or \(personCount) are needed",
                field: "gender")
        }
        var genders: [Gender] = []
        for (index, name) in names.enumerated() {
            genders.append(try RawPeople.gender(named: name, path: file.path, place: "entry \(index)"))
        }
        for row in 0..<people.count { people.genders[row] = genders[names.count == 1 ? 0 : row % personCount] }
    }

    private mutating func readTracks() throws(FormatError) {
        let personCount = rowShape[rowShape.count - 1]
        var labels: [String]
        if let array = try Self.first(file, ["track", "tracks"]) {
            labels = try Self.labels(array, path: file.path)
            if rowShape.count == 1, labels.count == 1 { labels = [String](repeating: labels[0], count: people.count) }
            guard labels.count == personCount else {
                throw FormatError(
                    .invalidData, "\(file.path): track has \(labels.count) entries; \(personCount) are needed",
                    field: "track")
            }
        } else if rowShape.count == 1 {
            labels = [String](repeating: "person-0", count: people.count)
        } else {
            labels = (0..<personCount).map { "person-\($0)" }
        }
        var numbers: [String: Int] = [:]
        people.tracks = (0..<people.count).map { row in
            let label = labels[rowShape.count == 1 ? row : row % personCount]
            if let number = numbers[label] { return number }
            numbers[label] = people.trackNames.count
            people.trackNames.append(label)
            return people.trackNames.count - 1
        }
        if rowShape.count == 2, people.trackNames.count != personCount, people.count > 0 {
            throw FormatError(
                .invalidData, "\(file.path): two people have the same track name; names must differ", field: "track")
        }
        // Rows of many tracks in one list: a row's frame counts within its own track.
        if rowShape.count == 1, people.trackNames.count > 1 {
            var next = [Int](repeating: 0, count: people.trackNames.count)
            for row in 0..<people.count {
                people.frames[row] = next[people.tracks[row]]
                next[people.tracks[row]] += 1
            }
        }
        try readFrames()
    }

    /// Frame numbers, where the file has them: one per row of `(N, J, 3)`, one per frame of `(T, P, J, 3)`.
    private mutating func readFrames() throws(FormatError) {
        guard let array = try Self.first(file, ["frame", "frames"]) else { return }
        guard array.shape == [rowShape[0]] else {
            throw FormatError(
                .invalidData,
                "\(file.path): frame has shape \(array.shape), but \([rowShape[0]]) belongs to this joints3d",
                field: "frame")
        }
        let numbers = try rewording(field: "frame", path: file.path) { () throws(ArrayFileError) in try array.ints() }
        for row in 0..<people.count { people.frames[row] = numbers[rowShape.count == 1 ? row : row / rowShape[1]] }
    }

    // MARK: Fields

    private func floats(_ name: String, _ shape: [Int]) throws(FormatError) -> [Float] {
        let array = try rewording(field: name, path: file.path) { () throws(ArrayFileError) in try file.array(name) }
        guard array.shape == shape else {
            throw FormatError(
                .invalidData,
                "\(file.path): \(name) has shape \(array.shape), but \(shape) belongs to this joints3d", field: name)
        }
        return try rewording(field: name, path: file.path) { () throws(ArrayFileError) in try array.floats() }
    }

    private static func first(_ file: NPZFile, _ names: [String]) throws(FormatError) -> NDArray? {
        guard let name = names.first(where: file.contains) else { return nil }
        return try rewording(field: name, path: file.path) { () throws(ArrayFileError) in try file.array(name) }
    }

    private static func text(_ file: NPZFile, _ names: [String]) throws(FormatError) -> String? {
        guard let array = try first(file, names) else { return nil }
        return try rewording(field: names[0], path: file.path) { () throws(ArrayFileError) in try array.strings().first
        }
    }

    private static func labels(_ array: NDArray, path: String) throws(FormatError) -> [String] {
        switch array.elementType {
        case .unicode, .bytes:
            return try rewording(field: "track", path: path) { () throws(ArrayFileError) in try array.strings() }
        case .bool, .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float16, .bfloat16, .float32,
            .float64:
            return try rewording(field: "track", path: path) { () throws(ArrayFileError) in
                try array.ints().map(String.init)
            }
        }
    }
}
