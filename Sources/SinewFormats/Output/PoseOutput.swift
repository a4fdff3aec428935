internal import SinewArrayFiles
package import SinewBody

/// Writes solved poses: AMASS's `.npz` layout and BVH, one file per track; JSON lines and COCO, one file for all.
///
/// Arrays of an `.npz` with T frames: `poses` `(T, 72)` axis-angle, `trans` `(T, 3)`, `betas` `(10)`, `gender`, `mocap_framerate` (and `mocap_frame_rate`), as AMASS has
/// them; and `frame` `(T)`, `track`, `joints3d` `(T, 29, 3)` with `skeleton`, `unit` and `up_axis`, `latent_norm`,
/// `joint_residual_mm`, `orientation_residual_rad`, `bone_length_change`, `unobserved_joints`, `outcome`, `solved` `(T)` and `model`.
/// Where frames were corrected by hand, `corrected_joints` `(T)` says which joints were moved (bit `j` for joint `j`), and `corrected_by` `(T)`
/// who solved the frame again. Metres, y up. Rows that could not
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
        /// What was corrected by hand, by row; rows that were not are not there.
        package var corrections: [Int: Correction] = [:]

        /// An empty track to append to.
        package init(name: String, gender: Gender) {
            self.name = name
            self.gender = gender
            (frames, theta, translation, joints, betas) = ([], [], [], [], [])
            (latentNorm, jointResidualMillimetres, orientationResidualRadians) = ([], [], [])
            (boneLengthChange, unobservedJoints, outcome, isSolved) = ([], [], [], [])
        }
    }

    /// What an annotator did to a frame.
    package struct Correction: Sendable, Equatable {
        /// Which of SMPL's 24 joints were moved, ascending.
        package var joints: [Int]
        /// Who solved the frame again, as `name/version`.
        package var model: String

        package init(joints: [Int], model: String) {
            self.joints = joints
            self.model = model
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

    /// What the ending of a file's name asks for.
    package enum Kind: String, FileKind, Sendable {
        case npz = ".npz"
        case jsonLines = ".jsonl"
        case bvh = ".bvh"
        case coco = ".json"

        /// Whether each track has a file of its own.
        var isFilePerTrack: Bool {
            switch self {
            case .npz, .bvh: true
            case .jsonLines, .coco: false
            }
        }
    }

    /// Writes the files; each appears under its final name complete or not at all.
    ///
    /// - Parameters:
    ///   - path: the file's name, whose ending tells the ``Kind``, `.npz` for others; with several tracks the track's name goes before
    ///     the ending of a kind with a file per track: `pose.npz` becomes `pose.left.npz`.
    ///   - layout: of an `.npz`.
    /// - Returns: the paths written, by track.
    package func write(to path: String, layout: AMASSLayout = .smpl) throws(FormatError) -> [String] {
        // All files are encoded before the first is written: what cannot be encoded leaves nothing behind.
        let paths = self.paths(for: path)
        var files: [[UInt8]] = []
        switch Kind(path: path) ?? .npz {
        case .npz:
            for track in tracks {
                let archive = try archive(of: track, layout)
                files.append(try rewording { () throws(ArrayFileError) in try archive.encode() })
            }
        case .bvh: for track in tracks { files.append(try bvh(of: track)) }
        case .jsonLines: files.append(jsonLines())
        case .coco: files.append(coco())
        }
        for (bytes, path) in zip(files, paths) {
            try rewording { () throws(ArrayFileError) in try AtomicFile.write(bytes, to: path) }
        }
        return paths
    }

    /// The paths that ``write(to:layout:)`` would write.
    package func paths(for path: String) -> [String] {
        guard Kind(path: path)?.isFilePerTrack ?? true else { return [path] }
        guard tracks.count > 1 else { return tracks.map { _ in path } }
        let ending = Kind(path: path)?.rawValue ?? ""
        let stem = String(path.dropLast(ending.count))
        var taken: Set<String> = []
        return tracks.enumerated().map { index, track in
            var label = String(
                track.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "_" })
            if label.isEmpty || !taken.insert(label).inserted {
                label += "_\(index)"
                taken.insert(label)
            }
            return "\(stem).\(label)\(ending.isEmpty ? ".npz" : String(path.suffix(ending.count)))"
        }
    }
}
