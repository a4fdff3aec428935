package import SinewBody

/// Observed people of a file, checked and converted: metres, y up, 29-joint rows.
///
/// Read by ``read(path:options:)``. What had to be assumed is in ``notes``.
package struct PoseInput: Sendable {
    /// What the caller knows better than the file.
    package struct Options: Sendable {
        /// Overrides the file's `unit`.
        package var unit: LengthUnit?
        /// Overrides the file's `up_axis`.
        package var upAxis: UpAxis?
        /// Overrides the file's `skeleton`.
        package var skeletonName: String?
        /// What the file is; nil tells it by its content.
        package var format: PoseFileFormat?
        /// The `.asf` file of an `.amc` file; nil looks beside it.
        package var rigPath: String?

        package init(
            unit: LengthUnit? = nil, upAxis: UpAxis? = nil, skeletonName: String? = nil, format: PoseFileFormat? = nil,
            rigPath: String? = nil
        ) {
            self.unit = unit
            self.upAxis = upAxis
            self.skeletonName = skeletonName
            self.format = format
            self.rigPath = rigPath
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
}
