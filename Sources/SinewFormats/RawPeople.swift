internal import SinewBody

/// What a reader found, before units, axes and values were checked: one row per person and frame.
struct RawPeople {
    /// How sure the file is of a row's joints.
    enum Certainty: Equatable {
        /// It does not say.
        case unknown
        /// `sigma`, in the file's unit of length.
        case sigma
        /// `confidence`, between 0 (not seen) and 1.
        case confidence
    }

    let path: String
    var skeleton: Skeleton
    var unit: LengthUnit?
    var upAxis: UpAxis?
    var framesPerSecond: Double?
    /// What the reader had to assume.
    var notes: [String] = []

    /// `[count, J, 3]` in file order.
    var joints: [Float] = []
    /// `[count, J]`.
    var observed: [Bool] = []
    /// `[count, J]` sigma or confidence, as ``certainty`` says.
    var certaintyValues: [Float] = []
    /// `[count]`.
    var certainty: [Certainty] = []
    /// `[count, 23]` radians.
    var twists: [Float] = []
    /// `[count]`.
    var hasTwists: [Bool] = []
    /// `[count, 10]`.
    var betas: [Float] = []
    /// `[count]`.
    var genders: [Gender] = []
    /// Names of the tracks.
    var trackNames: [String] = []
    /// `[count]` index into ``trackNames``.
    var tracks: [Int] = []
    /// `[count]` frame number.
    var frames: [Int] = []
    /// `[count]` where the row stands, for messages: `frame 12, person 1`, `line 3`.
    var places: [String] = []

    var count: Int { frames.count }

    init(path: String, skeleton: Skeleton) {
        self.path = path
        self.skeleton = skeleton
    }

    /// The skeleton that a file names, or that its joint count tells.
    static func skeleton(
        named name: String?, jointCount: Int, path: String, notes: inout [String]
    ) throws(FormatError) -> Skeleton {
        let known = Skeleton.all.map { "\($0.name) (\($0.jointCount) joints)" }.joined(separator: ", ")
        if let name {
            guard let skeleton = Skeleton.named(name) else {
                throw FormatError(
                    .invalidData, "\(path): skeleton \"\(name)\" is not known; known are \(known)", field: "skeleton")
            }
            guard skeleton.jointCount == jointCount else {
                throw FormatError(
                    .invalidData,
                    "\(path): joints3d has \(jointCount) joints, but skeleton \"\(name)\" has \(skeleton.jointCount); "
                        + "known are \(known)", field: "joints3d")
            }
            return skeleton
        }
        let possible = Skeleton.all.filter { $0.jointCount == jointCount }
        guard let skeleton = possible.first else {
            throw FormatError(
                .invalidData,
                "\(path): joints3d has \(jointCount) joints and no skeleton is named; known are \(known)",
                field: "skeleton")
        }
        guard possible.count == 1 else {
            let names = possible.map(\.name).joined(separator: ", ")
            throw FormatError(
                .invalidData,
                "\(path): joints3d has \(jointCount) joints, which \(names) have in different orders, and the file names none of "
                    + "them; type --skeleton NAME (sinew skeleton show NAME lists the joints)", field: "skeleton")
        }
        notes.append("no skeleton is named; assumed \(skeleton.name), which has \(jointCount) joints")
        return skeleton
    }

    /// A gender by its name.
    static func gender(named name: String, path: String, place: String) throws(FormatError) -> Gender {
        if let gender = Gender(rawValue: name.lowercased()) { return gender }
        switch name.lowercased() {
        case "f": return .female
        case "m": return .male
        case "n": return .neutral
        default:
            throw FormatError(
                .invalidData, "\(path), \(place): gender \"\(name)\" is not known; use neutral, female or male",
                field: "gender")
        }
    }
}
