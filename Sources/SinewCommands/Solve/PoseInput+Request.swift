internal import SinewBody
internal import SinewClient
internal import SinewFormats

extension PoseInput {
    /// Some rows as a client sends them.
    ///
    /// - Parameters:
    ///   - hasTwists: whether their twists are sent: a request has them for all of its people or for none.
    ///   - isTracked: whether the rows are sent as consecutive frames of their tracks, which must then follow each other.
    ///   - startTheta: `[count, 24, 3]` for all rows of the input, a row of NaN has no start pose; nil when none has.
    func request(
        rows: [Int], hasTwists: Bool, isTracked: Bool, refine: Int, startTheta: [Float]? = nil,
        keepsTracksWhole: Bool = false
    ) -> PoseRequest {
        func pick<Element>(_ values: [Element], _ columns: Int) -> [Element] {
            rows.flatMap { values[($0 * columns)..<($0 * columns + columns)] }
        }
        return PoseRequest(
            count: rows.count, joints: pick(joints, 87), skeleton: Skeleton.smpl29.name, sigma: pick(sigma, 29),
            observed: rows.flatMap { row in (0..<29).map { observed[row] & (1 << UInt32($0)) != 0 } },
            twists: hasTwists ? pick(twists, 23) : nil, betas: pick(betas, 10),
            genders: rows.map { genders[$0].rawValue }, refine: refine, startTheta: startTheta.map { pick($0, 72) },
            tracks: isTracked ? rows.map { UInt32(tracks[$0]) } : nil, keepsTracksWhole: keepsTracksWhole)
    }
}
