internal import SinewCore

/// What was seen of some people, or of one person over some frames: one row each.
///
/// - Shape: `joints` `[count, J, 3]` with J as the skeleton says; all arrays row-major.
/// - Units: metres and radians; model frame, y up; any translation.
public struct PoseRequest: Sendable, Equatable {
    /// The number of people.
    public var count: Int
    /// Which joints they are: `smpl-29` or `smpl-24`.
    public var skeleton: String
    /// Joint positions, `[count, J, 3]`.
    public var joints: [Float]
    /// Uncertainty of each joint, `[count, J]`, metres, 0…0.4; nil is 0.02 everywhere.
    public var sigma: [Float]?
    /// Whether each joint was seen, `[count, J]`; nil means that all were.
    public var observed: [Bool]?
    /// Twist angles of joints 1…23 about their rest bones, `[count, 23]`; nil when unknown.
    public var twists: [Float]?
    /// Shape coefficients, `[count, 10]`, or `[10]` for all; nil is the mean shape.
    public var betas: [Float]?
    /// `neutral`, `female` or `male`: none (all neutral), one for all, or one per person.
    public var genders: [String]
    /// Gauss-Newton steps on the residual of the observed joints after the model, 0…64.
    public var refine: Int
    /// Start poses `[count, 24, 3]`, rotation vectors in radians, for models that start from one; a row of NaN alone has none. Nil when
    /// nobody has one.
    public var startTheta: [Float]?
    /// Rows with the same number are consecutive frames of one person, in time order and one after the other. Nil when every row stands
    /// for itself, which is quicker for models that solve it so.
    public var tracks: [UInt32]?
    /// Whether each track goes into one call. Needed by models whose frames see later ones (`niki-temporal`); others may start a call
    /// where the one before ended, and give the same poses either way.
    public var keepsTracksWhole: Bool

    /// Creates a request. Shapes are checked when it is solved, not here.
    public init(
        count: Int, joints: [Float], skeleton: String = "smpl-29", sigma: [Float]? = nil, observed: [Bool]? = nil,
        twists: [Float]? = nil, betas: [Float]? = nil, genders: [String] = [], refine: Int = 0,
        startTheta: [Float]? = nil, tracks: [UInt32]? = nil, keepsTracksWhole: Bool = false
    ) {
        self.count = count
        self.skeleton = skeleton
        self.joints = joints
        self.sigma = sigma
        self.observed = observed
        self.twists = twists
        self.betas = betas
        self.genders = genders
        self.refine = refine
        self.startTheta = startTheta
        self.tracks = tracks
        self.keepsTracksWhole = keepsTracksWhole
    }
}

extension PoseRequest {
    /// The most Gauss-Newton steps after a model; 20 suffice even far from the solution.
    public static let refineStepsMax = Limits().refineStepsMax

    /// The number of joints of a row.
    var jointCount: Int { count == 0 ? 0 : joints.count / (3 * count) }

    /// Refuses arrays whose lengths do not fit each other, so that the rows of a part can be cut out.
    func validate() throws(ClientError) {
        guard count >= 1 else {
            throw ClientError(.wrongShape, "a request for \(count) people; it needs at least one", field: "joints")
        }
        guard !joints.isEmpty, joints.count.isMultiple(of: 3 * count) else {
            throw ClientError(
                .wrongShape,
                "joints has \(joints.count) numbers, which is no [\(count), J, 3]; check count and the joints' layout",
                field: "joints")
        }
        try check(sigma?.count, "sigma", columns: jointCount)
        try check(observed?.count, "observed", columns: jointCount)
        try check(twists?.count, "twists", columns: 23)
        if let betas, betas.count != 10 { try check(betas.count, "betas", columns: 10) }
        guard [0, 1, count].contains(genders.count) else {
            throw ClientError(
                .wrongShape, "\(genders.count) genders for \(count) people; give none, one for all, or one each",
                field: "genders")
        }
        let refineStepsMax = Self.refineStepsMax
        guard (0...refineStepsMax).contains(refine) else {
            throw ClientError(
                .outOfRange,
                "refine is \(refine), outside 0…\(refineStepsMax) steps; 20 suffice even far from the solution",
                field: "refine")
        }
        try check(startTheta?.count, "startTheta", columns: 72)
        try check(tracks?.count, "tracks", columns: 1)
        _ = try trackRuns()
    }

    /// The rows of each track, which must be one after the other; nil without tracks.
    func trackRuns() throws(ClientError) -> [Range<Int>]? {
        guard let tracks else { return nil }
        var runs: [Range<Int>] = []
        var seen: Set<UInt32> = []
        for row in tracks.indices {
            if row > 0, tracks[row] == tracks[row - 1] {
                runs[runs.count - 1] = runs[runs.count - 1].lowerBound..<(row + 1)
                continue
            }
            guard seen.insert(tracks[row]).inserted else {
                throw ClientError(
                    .wrongShape,
                    "track \(tracks[row]) goes on at row \(row) after another track; put the rows of a track one after the other",
                    field: "tracks")
            }
            runs.append(row..<(row + 1))
        }
        return runs
    }

    private func check(_ found: Int?, _ field: String, columns: Int) throws(ClientError) {
        guard let found, found != count * columns else { return }
        throw ClientError(
            .wrongShape, "\(field) has \(found) numbers, [\(count), \(columns)] has \(count * columns)", field: field)
    }

    /// The message with the rows of `range`. The request must be valid.
    ///
    /// - Parameter start: `[24, 3]`, where the first row starts when it has no start pose of its own.
    func message(_ range: Range<Int>, start: [Float]? = nil) -> SolvePosesRequest {
        let rows = range.count
        var poses = startTheta.map { Array($0[range.lowerBound * 72..<range.upperBound * 72]) }
        if let start, poses?.prefix(72).allSatisfy(\.isNaN) ?? true {
            let rest = poses.map { Array($0.dropFirst(72)) } ?? Array(repeating: .nan, count: (rows - 1) * 72)
            poses = start + rest
        }
        func cut(_ values: [Float]?, _ columns: Int) -> Tensor? {
            values.map {
                Tensor(Array($0[range.lowerBound * columns..<range.upperBound * columns]), shape: [rows, columns])
            }
        }
        let width = 3 * jointCount
        let sharesBetas = betas?.count == 10 && count != 1
        return SolvePosesRequest(
            joints: Tensor(
                Array(joints[range.lowerBound * width..<range.upperBound * width]), shape: [rows, jointCount, 3]),
            skeleton: skeleton,
            sigma: cut(sigma, jointCount),
            observed: observed.map { values in
                let part = values[range.lowerBound * jointCount..<range.upperBound * jointCount]
                return Tensor(.uint8(part.map { $0 ? 1 : 0 }), shape: [rows, jointCount])
            },
            twists: cut(twists, 23),
            betas: sharesBetas ? betas.map { Tensor($0, shape: [10]) } : cut(betas, 10),
            genders: genders.count == count ? Array(genders[range]) : genders,
            startTheta: poses.map { Tensor($0, shape: [rows, 24, 3]) }, tracks: tracks.map { Array($0[range]) } ?? [],
            refine: refine == 0 ? nil : UInt32(refine))
    }
}
