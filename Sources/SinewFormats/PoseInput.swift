package import SinewBody

/// Observed people of a file, checked and converted: metres, y up, 29-joint rows.
///
/// Read from `.npz` or JSON lines; the fields are described in ``read(path:options:)``. What had to be assumed is in ``notes``.
package struct PoseInput: Sendable {
    /// What the caller knows better than the file.
    package struct Options: Sendable {
        /// Overrides the file's `unit`.
        package var unit: LengthUnit?
        /// Overrides the file's `up_axis`.
        package var upAxis: UpAxis?
        /// Overrides the file's `skeleton`.
        package var skeletonName: String?

        package init(unit: LengthUnit? = nil, upAxis: UpAxis? = nil, skeletonName: String? = nil) {
            self.unit = unit
            self.upAxis = upAxis
            self.skeletonName = skeletonName
        }
    }

    /// Where it was read from.
    package var path: String
    /// The skeleton that the file used; rows are always in the 29-joint order, what it lacks is unobserved.
    package var skeleton: Skeleton
    /// How many rows: one per person and frame.
    package var count: Int
    /// `[count, 29, 3]` metres, y up; zeros where unobserved.
    package var joints: [Float]
    /// `[count]` bit sets; bit `j` is set where joint `j` was observed.
    package var observed: [UInt32]
    /// `[count, 29]` metres.
    package var sigma: [Float]
    /// `[count, 23]` radians; zeros where unknown.
    package var twists: [Float]
    /// `[count]`.
    package var hasTwists: [Bool]
    /// `[count, 10]`.
    package var betas: [Float]
    /// `[count]`.
    package var genders: [Gender]
    /// The names of the tracks (people), in order of appearance.
    package var trackNames: [String]
    /// `[count]` index into ``trackNames``.
    package var tracks: [Int]
    /// `[count]` frame number.
    package var frames: [Int]
    /// `[count]` where the row stands in the file, for messages.
    package var places: [String]
    /// Frames per second, where the file says so.
    package var framesPerSecond: Double?
    /// What was assumed and converted, one sentence each, for the user to read.
    package var notes: [String]

    /// The uncertainty of a joint whose file does not give one.
    package static let sigmaDefault: Float = 0.02

    /// Reads a file.
    ///
    /// `.npz`, arrays by name (only `joints3d` is needed):
    /// - `joints3d` `(N, J, 3)`, one person in N frames or N unrelated people, or `(T, P, J, 3)`;
    /// - `skeleton` `smpl-24` or `smpl-29`; `unit` `m`, `cm` or `mm`; `up_axis` `y`, `z`, `-y`…; `fps`;
    /// - `sigma` (as `unit`) or `confidence` (0…1; 0 means not seen) and `observed`, each `(N, J)` or `(T, P, J)`;
    /// - `twist` `(…, 23)` radians or `(…, 23, 2)` cosine and sine;
    /// - `betas` `(10)`, one row per person or per row of joints; `gender` one or one per person; `track` one per person, `frame` one per frame.
    ///
    /// JSON lines (`.jsonl`, `.ndjson`): an object per line with the same names; `joints3d` is `[J][3]` for one person or
    /// `[P][J][3]` for one frame, `null` stands for a joint that was not seen; `frame` and `track` place the row. A first line
    /// without `joints3d` gives defaults.
    /// - Throws: ``FormatError`` with file, frame, person and joint.
    package static func read(path: String, options: Options = Options()) throws(FormatError) -> PoseInput {
        let lowercased = path.lowercased()
        let raw: RawPeople
        if lowercased.hasSuffix(".npz") {
            raw = try NPZPoseReader.read(path: path, options: options)
        } else if lowercased.hasSuffix(".jsonl") || lowercased.hasSuffix(".ndjson") {
            raw = try JSONLinesPoseReader.read(path: path, options: options)
        } else {
            throw FormatError(
                .unreadableFile,
                "\(path): the ending tells the format, and this one is not known; "
                    + "use .npz (numpy.savez) or .jsonl (one JSON object per line)")
        }
        return try PoseInput(checking: raw, options: options)
    }

    /// Reads JSON lines that are in memory.
    ///
    /// - Parameter path: what messages call them.
    /// - Throws: ``FormatError``.
    package static func read(
        jsonLines bytes: [UInt8], path: String, options: Options = Options()
    ) throws(FormatError) -> PoseInput {
        try PoseInput(checking: try JSONLinesPoseReader.read(bytes, path: path, options: options), options: options)
    }
}
