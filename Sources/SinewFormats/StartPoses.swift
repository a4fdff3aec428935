internal import SinewArrayFiles

/// Reads the poses that a solver shall start from: files in AMASS's `.npz` layout, as ``PoseOutput`` writes them.
package enum StartPoses {
    private static let width = 72

    /// A start pose for every row of an input, `[count, 24, 3]` rotation vectors in radians; NaN where no file has one.
    ///
    /// Of a file are read: `poses` `(T, 72)`; `frame` `(T)`, else frames count from 0; `track`, needed when the input has several people;
    /// `solved` `(T)`, rows with 0 are no start.
    /// - Throws: ``FormatError`` for a file that cannot be read or belongs to nobody of the input.
    package static func read(paths: [String], for input: PoseInput) throws(FormatError) -> [Float] {
        var theta = [Float](repeating: .nan, count: input.count * width)
        for path in paths {
            let file = try rewording { () throws(ArrayFileError) in try NPZFile(path: path) }
            guard file.contains("poses") else {
                throw FormatError(
                    .invalidData,
                    "\(path) has no array \"poses\"; start poses are files as sinew solve writes them, it holds "
                        + file.names.joined(separator: ", "), field: "poses")
            }
            let poses = try rewording(field: "poses", path: path) { () throws(ArrayFileError) in
                try file.array("poses")
            }
            guard poses.shape.count == 2, poses.shape[1] == width else {
                throw FormatError(
                    .invalidData, "\(path): poses has shape \(poses.shape); (T, 72) is needed", field: "poses")
            }
            let values = try rewording(field: "poses", path: path) { () throws(ArrayFileError) in try poses.floats() }
            let count = poses.shape[0]
            let frames = try numbers("frame", in: file, path: path, count: count) ?? Array(0..<count)
            let isSolved = try numbers("solved", in: file, path: path, count: count)
            let track = try track(of: file, path: path, input: input)
            // Looked up only.
            var rows: [Int: Int] = [:]
            for row in 0..<input.count where input.tracks[row] == track { rows[input.frames[row]] = row }
            for (source, frame) in frames.enumerated() where isSolved?[source] != 0 {
                guard let row = rows[frame] else { continue }
                theta.replaceSubrange(
                    (row * width)..<(row * width + width), with: values[(source * width)..<(source * width + width)])
            }
        }
        return theta
    }

    private static func numbers(
        _ name: String, in file: NPZFile, path: String, count: Int
    ) throws(FormatError) -> [Int]? {
        guard file.contains(name) else { return nil }
        let array = try rewording(field: name, path: path) { () throws(ArrayFileError) in try file.array(name) }
        guard array.shape == [count] else {
            throw FormatError(
                .invalidData, "\(path): \(name) has shape \(array.shape), but [\(count)] belongs to these poses",
                field: name)
        }
        return try rewording(field: name, path: path) { () throws(ArrayFileError) in try array.ints() }
    }

    private static func track(of file: NPZFile, path: String, input: PoseInput) throws(FormatError) -> Int {
        if input.trackNames.count == 1 { return 0 }
        let known = input.trackNames.prefix(8).joined(separator: ", ")
        guard file.contains("track") else {
            throw FormatError(
                .invalidData,
                "\(path) does not say whose poses it holds; \(input.path) has several people, so give it a \"track\" of "
                    + known, field: "track")
        }
        let names = try rewording(field: "track", path: path) { () throws(ArrayFileError) in
            try file.array("track").strings()
        }
        guard let name = names.first, let track = input.trackNames.firstIndex(of: name) else {
            throw FormatError(
                .invalidData,
                "\(path) holds the poses of \"\(names.first ?? "")\", who is not in \(input.path); known are \(known)",
                field: "track")
        }
        return track
    }
}
