internal import SinewBody

/// Decides whether a network's answer is better than the pose it started from, by what was observed alone.
///
/// A pose cannot fit noisy joints better than they fit a body at all, so below the noise that the bones' lengths betray a smaller misfit
/// says nothing; above it the smaller misfit wins, and the start pose is kept where it is the one.
/// - Source: models.md §7.8's choice by keypoint error, which takes the error at its word and so follows the noise; ours.
struct PoseGuard {
    /// Misfit over bone noise up to which a pose may be the true one. The true pose's ratio is 1.8 in the median under `standard` noise and
    /// 1.5 under `occlusion` (measured on 2000 held-out frames).
    static let misfitPerBoneNoise = 2.0
    /// A person whose misfit is this many times what noise explains, and ``lostMargin`` more, has been lost.
    static let lostFactor = 2.0
    /// Metres.
    static let lostMargin = 0.05

    /// What was found about a batch.
    struct Verdict {
        /// Whether the answer is worse than the start.
        var isWorse: [Bool]
        /// The misfit of whichever was better, metres.
        var misfit: [Float]
        /// Whether even that is too much to be noise.
        var isLost: [Bool]
    }

    private var chain = LaneChain()
    private var fit = TargetFit()

    init() {}

    /// Compares answers with their starts.
    ///
    /// - Parameters:
    ///   - solved: `[count, 24, 3, 3]`.
    ///   - startMisfit: `[count]`, as ``StartBatch/misfit``.
    mutating func judge(
        _ seen: PoseObservations, solved: [Float], startMisfit: [Float], restJoints: [Float]
    ) -> Verdict {
        var verdict = Verdict(
            isWorse: Array(repeating: false, count: seen.count), misfit: Array(repeating: 0, count: seen.count),
            isLost: Array(repeating: false, count: seen.count))
        for people in LanePeople.groups(of: seen.count) {
            chain.place(people, rotations: solved, rest: restJoints)
            fit.read(people, seen)
            people.store(
                fit.misfit(of: chain.positions, shift: fit.shift(from: chain.positions)), into: &verdict.misfit,
                width: 1, at: 0)
            let noise = fit.boneNoise(people, rest: restJoints)
            for lane in 0..<people.count {
                let row = people.row(lane)
                let explained = Self.misfitPerBoneNoise * noise[lane]
                // As floats, because a start pose may come back as an answer of the request before.
                verdict.isWorse[row] =
                    verdict.misfit[row] > startMisfit[row] && Double(verdict.misfit[row]) > explained
                if verdict.isWorse[row] { verdict.misfit[row] = startMisfit[row] }
                verdict.isLost[row] = Double(verdict.misfit[row]) > Self.lostFactor * explained + Self.lostMargin
            }
        }
        return verdict
    }
}
