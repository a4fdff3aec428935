internal import SinewArrayFiles
internal import SinewBody

/// Poses of our JSON lines and of COCO documents with `smpl`: the same fields, person by person.
enum PoseLines {
    /// Whether the first line that is more than a header has no poses.
    static func hasOnlyJoints(_ file: PoseFile) throws(FormatError) -> Bool {
        for (number, line) in lines(of: file).prefix(64) {
            let value = try parse(line, number, file)
            if value["poses"] != nil { return false }
        }
        return true
    }

    /// The clips of JSON lines; lines without `poses` are frames that were not solved.
    static func clips(lines file: PoseFile, _ options: PoseClip.Options) throws(FormatError) -> [PoseClip] {
        var clips = Clips(path: file.path)
        var defaults = JSONValue.object([])
        for (number, line) in lines(of: file) {
            let value = try parse(line, number, file)
            if value["joints3d"] == nil, value["poses"] == nil {
                defaults = value
                continue
            }
            guard value["poses"] != nil else { continue }
            try clips.append(
                value, track: value["track"]?.string ?? "person-0", frame: value["frame"]?.int, place: "line \(number)")
        }
        return try clips.finished(
            framesPerSecond: defaults["fps"]?.double,
            upAxis: options.upAxis ?? defaults["up_axis"]?.string.flatMap(UpAxis.init(named:)))
    }

    /// The clips of COCO annotations.
    static func clips(coco file: PoseFile, _ options: PoseClip.Options) throws(FormatError) -> [PoseClip] {
        var clips = Clips(path: file.path)
        let images = file.json?["images"]?.array ?? []
        let numbers = images.enumerated().map { order, image in
            (image["id"]?.int ?? order, image["frame_id"]?.int ?? order)
        }
        let frameOfImage = [Int: Int](numbers, uniquingKeysWith: { first, _ in first })
        for (index, annotation) in (file.json?["annotations"]?.array ?? []).enumerated() {
            guard let smpl = annotation["smpl"] else { continue }
            let id = annotation["track_id"]
            try clips.append(
                smpl, track: id?.string ?? id?.int.map(String.init) ?? "person-0",
                frame: annotation["image_id"]?.int.map { frameOfImage[$0] ?? $0 }, place: "annotation \(index)")
        }
        let info = file.json?["info"]
        return try clips.finished(
            framesPerSecond: info?["fps"]?.double,
            upAxis: options.upAxis ?? info?["up_axis"]?.string.flatMap(UpAxis.init(named:)))
    }

    static func lines(of file: PoseFile) -> [(Int, ArraySlice<UInt8>)] {
        file.bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
            .compactMap { $1.allSatisfy { $0 <= 0x20 } ? nil : ($0 + 1, $1) }
    }

    static func parse(
        _ line: ArraySlice<UInt8>, _ number: Int, _ file: PoseFile
    ) throws(FormatError) -> JSONValue {
        try rewording { () throws(ArrayFileError) in
            try JSONValue.parse(line, name: "line \(number) of \(file.path)", allowsNonFinite: true)
        }
    }

    /// Clips that grow line by line.
    private struct Clips {
        let path: String
        private var clips: [PoseClip] = []
        private var indices: [String: Int] = [:]

        init(path: String) { self.path = path }

        mutating func append(_ value: JSONValue, track: String, frame: Int?, place: String) throws(FormatError) {
            func numbers(_ name: String, _ count: Int) throws(FormatError) -> [Float] {
                let found = value[name]?.array?.compactMap(\.double) ?? []
                guard found.count == count, value[name]?.array?.count == count, found.allSatisfy(\.isFinite) else {
                    throw FormatError(
                        .invalidData, "\(path), \(place): \(name) is no list of \(count) numbers", field: name)
                }
                return found.map(Float.init)
            }
            let theta = try numbers("poses", 72)
            let translation = try numbers("trans", 3)
            let betas = value["betas"] == nil ? [Float](repeating: 0, count: 10) : try numbers("betas", 10)
            let word = value["gender"]?.string ?? "neutral"
            let gender = try RawPeople.gender(named: word, path: path, place: place)
            if indices[track] == nil {
                indices[track] = clips.count
                var clip = PoseClip(theta: [], translation: [], betas: betas, gender: gender, framesPerSecond: 30)
                clip.name = track
                clips.append(clip)
            }
            let index = indices[track] ?? 0
            guard clips[index].gender == gender else {
                throw FormatError(
                    .invalidData,
                    "\(path), \(place): \(track) has another gender than before; give a name to each person",
                    field: "gender")
            }
            if clips[index].betas != betas, clips[index].notes.isEmpty {
                clips[index].notes = [
                    "the shape of \(track) changes from frame to frame; that of its first frame is used"
                ]
            }
            clips[index].append(theta: theta, translation: translation, frame: frame)
        }

        func finished(framesPerSecond: Double?, upAxis: UpAxis?) throws(FormatError) -> [PoseClip] {
            guard !clips.isEmpty else { throw FormatError(.invalidData, "\(path) holds no poses", field: "poses") }
            var clips = clips
            for index in clips.indices {
                clips[index].framesPerSecond = framesPerSecond ?? PoseOutput.framesPerSecondAssumed
                try clips[index].turnUpright(declared: upAxis)
            }
            return clips
        }
    }
}
