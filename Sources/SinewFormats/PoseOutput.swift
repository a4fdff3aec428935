internal import SinewArrayFiles
package import SinewBody

/// Writes solved poses in AMASS's `.npz` layout, one file per track.
///
/// Arrays of a file with T frames: `poses` `(T, 72)` axis-angle, `trans` `(T, 3)`, `betas` `(10)`, `gender`, `mocap_framerate`, as AMASS has
/// them; and `frame` `(T)`, `track`, `joints3d` `(T, 29, 3)` with `skeleton`, `unit` and `up_axis`, `latent_norm`,
/// `joint_residual_mm`, `orientation_residual_rad`, `bone_length_change`, `unobserved_joints`, `outcome`, `solved` `(T)` and `model`.
/// Metres, y up. Rows that could not
/// be solved have `solved` 0 and zeros.
package struct PoseOutput: Sendable {
    /// One person through time.
    package struct Track: Sendable {
        /// The name; it becomes part of the file's name where there are several.
        package var name: String
        /// `[T]` frame numbers.
        package var frames: [Int]
        /// `[T, 24, 3]` radians.
        package var theta: [Float]
        /// `[T, 3]` metres.
        package var translation: [Float]
        /// `[T, 29, 3]` metres.
        package var joints: [Float]
        /// `[T, 10]`.
        package var betas: [Float]
        package var gender: Gender
        /// `[T]`.
        package var latentNorm: [Float]
        /// `[T]`.
        package var jointResidualMillimetres: [Float]
        /// `[T]`.
        package var orientationResidualRadians: [Float]
        /// `[T]`.
        package var boneLengthChange: [Float]
        /// `[T]`.
        package var unobservedJoints: [Int32]
        /// `[T]` what became of the start pose: 0 solved, 1 the start pose was kept, 2 begun anew.
        package var outcome: [Int32]
        /// `[T]` whether the row was solved.
        package var isSolved: [Bool]

        /// An empty track to append to.
        package init(name: String, gender: Gender) {
            self.name = name
            self.gender = gender
            (frames, theta, translation, joints, betas) = ([], [], [], [], [])
            (latentNorm, jointResidualMillimetres, orientationResidualRadians) = ([], [], [])
            (boneLengthChange, unobservedJoints, outcome, isSolved) = ([], [], [], [])
        }
    }

    /// The tracks, one file each.
    package var tracks: [Track]
    /// Frames per second; nil writes ``framesPerSecondAssumed``.
    package var framesPerSecond: Double?
    /// Who solved, as `name/version`.
    package var model: String

    /// AMASS files always have a frame rate; where the input gave none, this one is written.
    package static let framesPerSecondAssumed = 30.0

    package init(tracks: [Track], framesPerSecond: Double?, model: String) {
        self.tracks = tracks
        self.framesPerSecond = framesPerSecond
        self.model = model
    }

    /// Writes the files; each appears under its final name complete or not at all.
    ///
    /// - Parameter path: the file's name; with several tracks the track's name goes before the ending: `pose.npz` becomes
    ///   `pose.left.npz`.
    /// - Returns: the paths written, by track.
    package func write(to path: String) throws(FormatError) -> [String] {
        // All files are encoded before the first is written: what cannot be encoded leaves nothing behind.
        let paths = self.paths(for: path)
        var archives: [[UInt8]] = []
        for track in tracks {
            let archive = archive(of: track)
            archives.append(try rewording { () throws(ArrayFileError) in try archive.encode() })
        }
        for (bytes, path) in zip(archives, paths) {
            try rewording { () throws(ArrayFileError) in try AtomicFile.write(bytes, to: path) }
        }
        return paths
    }

    /// The paths that ``write(to:)`` would write.
    package func paths(for path: String) -> [String] {
        guard tracks.count > 1 else { return tracks.map { _ in path } }
        let stem = path.hasSuffix(".npz") ? String(path.dropLast(4)) : path
        var taken: Set<String> = []
        return tracks.enumerated().map { index, track in
            var label = String(
                track.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "_" })
            if label.isEmpty || !taken.insert(label).inserted {
                label += "_\(index)"
                taken.insert(label)
            }
            return "\(stem).\(label).npz"
        }
    }

    private func archive(of track: Track) -> NPZWriter {
        let count = track.frames.count
        var writer = NPZWriter()
        writer.add("poses", .float32(track.theta, shape: [count, 72]))
        writer.add("trans", .float32(track.translation, shape: [count, 3]))
        let first = Array(track.betas.prefix(10))
        let isConstant = (0..<count).allSatisfy { Array(track.betas[($0 * 10)..<($0 * 10 + 10)]) == first }
        if count == 0 || isConstant {
            writer.add("betas", .float32(count == 0 ? [Float](repeating: 0, count: 10) : first, shape: [10]))
        } else {
            // AMASS knows one shape per file: the mean, and the rows beside it.
            let mean = (0..<10).map { beta in
                (0..<count).reduce(Float(0)) { $0 + track.betas[$1 * 10 + beta] } / Float(count)
            }
            writer.add("betas", .float32(mean, shape: [10]))
            writer.add("betas_per_frame", .float32(track.betas, shape: [count, 10]))
        }
        writer.add("gender", .strings([track.gender.rawValue], shape: []))
        writer.add("mocap_framerate", .float64([framesPerSecond ?? Self.framesPerSecondAssumed], shape: []))
        writer.add("frame", .int64(track.frames, shape: [count]))
        writer.add("track", .strings([track.name], shape: []))
        writer.add("joints3d", .float32(track.joints, shape: [count, 29, 3]))
        writer.add("skeleton", .strings([Skeleton.smpl29.name], shape: []))
        writer.add("unit", .strings([LengthUnit.metres.rawValue], shape: []))
        writer.add("up_axis", .strings([UpAxis.plusY.rawValue], shape: []))
        writer.add("latent_norm", .float32(track.latentNorm, shape: [count]))
        writer.add("joint_residual_mm", .float32(track.jointResidualMillimetres, shape: [count]))
        writer.add("orientation_residual_rad", .float32(track.orientationResidualRadians, shape: [count]))
        writer.add("bone_length_change", .float32(track.boneLengthChange, shape: [count]))
        writer.add("unobserved_joints", .int32(track.unobservedJoints, shape: [count]))
        writer.add("outcome", .int32(track.outcome, shape: [count]))
        writer.add("solved", .bool(track.isSolved, shape: [count]))
        writer.add("model", .strings([model], shape: []))
        return writer
    }
}
