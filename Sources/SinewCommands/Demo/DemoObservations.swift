internal import SinewBody
internal import SinewClient
internal import SinewModels

/// What a detector might have seen of the scene: noise of the `standard` preset everywhere, and from half-way on the first
/// person's left arm as the `occlusion` preset loses it (still reported, 9 to 20 cm off, with a σ that says so).
struct DemoObservations: Sendable {
    /// Left shoulder, elbow, wrist, hand and finger tip: one of the limbs of noise.md.
    static let lostArm = [16, 18, 20, 22, 25]

    let request: PoseRequest
    /// Rows with all limbs.
    let standardRows: [Int]
    /// Rows whose arm was lost.
    let lostRows: [Int]

    init(of scene: DemoScene, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var request = PoseRequest(
            count: scene.rows, joints: [], sigma: [], twists: [], betas: scene.betas,
            genders: scene.genders.map(\.rawValue))
        var lost: [Int] = []
        var standard: [Int] = []
        for row in 0..<scene.rows {
            var sample = NoisePreset.standard.corrupt(
                joints: Array(scene.joints[(row * 87)..<(row * 87 + 87)]),
                twists: Array(scene.twists[(row * 23)..<(row * 23 + 23)]), isRootRelative: false, using: &random)
            if row % scene.people == 0 && row / scene.people >= scene.frames / 2 {
                Self.loseArm(of: &sample, row: row, scene: scene, using: &random)
                lost.append(row)
            } else {
                standard.append(row)
            }
            request.joints += sample.joints
            request.sigma? += sample.sigma
            request.twists? += sample.twists
        }
        self.request = request
        lostRows = lost
        standardRows = standard
    }

    /// The request with its rows in another order, with each person's rows as a track if asked for.
    func request(inOrder rows: [Int], isTracked: Bool, people: Int) -> PoseRequest {
        func pick(_ values: [Float], _ columns: Int) -> [Float] {
            rows.flatMap { values[($0 * columns)..<($0 * columns + columns)] }
        }
        return PoseRequest(
            count: request.count, joints: pick(request.joints, 87), sigma: request.sigma.map { pick($0, 29) },
            twists: request.twists.map { pick($0, 23) }, betas: request.betas.map { pick($0, 10) },
            genders: rows.map { request.genders[$0] }, tracks: isTracked ? rows.map { UInt32($0 % people) } : nil)
    }

    /// The lost limb of noise.md: a shared offset and 0.6 of its deviation for each joint on its own.
    private static func loseArm(
        of sample: inout NoisePreset.Sample, row: Int, scene: DemoScene, using random: inout SeededGenerator
    ) {
        let deviation = random.uniform(0.09...0.20)
        let shared = deviation * random.normalVector()
        for joint in lostArm {
            let error = shared + 0.6 * deviation * random.normalVector()
            for axis in 0..<3 {
                sample.joints[joint * 3 + axis] = scene.joints[row * 87 + joint * 3 + axis] + Float(error[axis])
            }
            sample.sigma[joint] = Float(min(0.4, deviation * random.uniform(0.7...1.3)))
            guard joint <= 23 else { continue }
            sample.twists[joint - 1] = scene.twists[row * 23 + joint - 1] + Float(0.8 * random.normal())
        }
    }
}
