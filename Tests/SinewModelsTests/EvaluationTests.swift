import SinewBody
import SinewModels
import TestSupport
import Testing

struct EvaluationTests {
    @Test func `a similarity transform costs no PA-MPJPE and a mirror image does`() throws {
        let seed: UInt64 = 51
        var random = SplitMix64(seed: seed)
        let people = RandomPeople(count: 30, angleMax: 2, bodies: try .shared(), using: &random)
        var similar = people.joints
        var mirrored = people.joints
        let rotation = RotationMatrix(AxisAngle(SIMD3(0.4, -1.9, 0.8)))
        for joint in 0..<(people.count * 29) {
            let point = people.joints.vector(at: joint * 3)
            similar.store(0.7 * (rotation * point) + SIMD3(1, 2, -3), at: joint * 3)
            mirrored.store(SIMD3(-point.x, point.y, point.z), at: joint * 3)
        }
        #expect(PoseMetrics.compare(joints: people.joints, truth: people.joints).mpjpe == 0)
        let close = PoseMetrics.compare(joints: similar, truth: people.joints)
        #expect(close.paMPJPE < 1e-3, "seed \(seed)")
        #expect(close.mpjpe > 100, "seed \(seed)")
        #expect(PoseMetrics.compare(joints: mirrored, truth: people.joints).paMPJPE > 10, "seed \(seed)")
    }

    @Test func `MPJPE is the mean distance in millimetres over the 24 joints`() throws {
        var random = SplitMix64(seed: 52)
        let people = RandomPeople(count: 4, angleMax: 1, bodies: try .shared(), using: &random)
        var moved = people.joints
        // One joint of 24 off by 48 mm; a leaf off by a metre does not count.
        for person in 0..<4 {
            moved[person * 87 + 20 * 3] += 0.048
            moved[person * 87 + 25 * 3] += 1
        }
        #expect(abs(PoseMetrics.compare(joints: moved, truth: people.joints).mpjpe - 2) < 1e-3)
    }

    @Test func `GE is the mean angle over the 24 local rotations`() throws {
        var random = SplitMix64(seed: 53)
        let people = RandomPeople(count: 3, angleMax: 1, bodies: try .shared(), using: &random)
        var theta = people.theta
        for person in 0..<3 {
            let local = RotationMatrix(AxisAngle(theta.vector(at: person * 72 + 15)))
            let turned = local * RotationMatrix(AxisAngle(SIMD3(0, 0.48, 0)))
            theta.store(AxisAngle(turned).vector, at: person * 72 + 15)
        }
        let metrics = PoseMetrics.compare(theta: theta, truth: people.theta, restJoints: people.restJoints)
        #expect(abs((metrics.geodesic ?? 0) - 0.02) < 1e-5)
        #expect(metrics.mpjpe > 0)
        #expect(metrics.count == 3)
    }

    /// The definition's own figures for the corrupted input, which are over all 29 joints: 36.2 / 32.6 mm and 89.8 / 88.2 mm.
    @Test(arguments: [(NoisePreset.clean, 0.0, 0.0), (.standard, 36.2, 32.6), (.occlusion, 89.8, 88.2)])
    func `a preset corrupts the input by as much as its definition says`(
        preset: NoisePreset, mpjpe: Double, paMPJPE: Double
    ) throws {
        let seed: UInt64 = 54
        var random = SplitMix64(seed: seed)
        let people = RandomPeople(count: 6000, angleMax: 0.5, bodies: try .shared(), using: &random)
        var joints: [Float] = []
        for person in 0..<people.count {
            joints +=
                preset.corrupt(
                    joints: row(people.joints, person, 87), twists: row(people.twists, person, 23), using: &random
                ).joints
        }
        let metrics = PoseMetrics.compare(joints: joints, truth: people.joints, jointCount: 29)
        print("figure: input \(preset.rawValue): MPJPE \(metrics.mpjpe) PA \(metrics.paMPJPE) mm, seed \(seed)")
        #expect(abs(metrics.mpjpe - mpjpe) <= 0.03 * mpjpe + 0.001, "seed \(seed)")
        #expect(abs(metrics.paMPJPE - paMPJPE) <= 0.06 * paMPJPE + 0.001, "seed \(seed)")
    }

    private static func draw(_ preset: NoisePreset, count: Int, seed: UInt64) -> [NoisePreset.Sample] {
        var random = SplitMix64(seed: seed)
        let joints = [Float](repeating: 0, count: 87)
        let twists = [Float](repeating: 0, count: 23)
        return (0..<count).map { _ in
            preset.corrupt(joints: joints, twists: twists, isRootRelative: false, using: &random)
        }
    }

    @Test func `the deviation of each joint is the preset's`() {
        let seed: UInt64 = 55
        let samples = Self.draw(.standard, count: 20_000, seed: seed)
        let base: [Double] = [
            5, 10, 10, 10, 18, 18, 12, 25, 25, 14, 30, 30, 16, 14, 14, 20, 16, 16, 22, 22, 30, 30, 36, 36, 26, 45, 45,
            36, 36,
        ].map { $0 / 1000 }
        // E[f²] of U(a,b) is (a² + ab + b²)/3; an error along a chain keeps its variance: 0.36 + 0.64 = 1, for which the
        // parent's own factor cancels.
        let factor = ((0.25 + 0.75 + 2.25) / 3 * (0.49 + 0.91 + 1.69) / 3).squareRoot()
        for joint in 0..<29 {
            let square = samples.reduce(0.0) { sum, sample in
                let error = sample.joints.vector(at: joint * 3)
                return sum + dot(error, error) / 3
            }
            let deviation = (square / Double(samples.count)).squareRoot()
            // sqrt(2 / (3·20000)) is 0.6 % for a normal; the factors widen it.
            #expect(abs(deviation / (base[joint] * factor) - 1) < 0.03, "joint \(joint), seed \(seed)")
        }
        let twist = samples.reduce(0.0) { $0 + $1.twists.reduce(0.0) { $0 + Double($1 * $1) } / 23 }
        #expect(abs((twist / Double(samples.count)).squareRoot() - 0.12) < 0.002, "seed \(seed)")
        let sigmas = samples.flatMap(\.sigma)
        #expect(sigmas.allSatisfy { $0 > 0 && $0 <= 0.4 })
    }

    @Test func `neighbours err together`() {
        let seed: UInt64 = 56
        let samples = Self.draw(.standard, count: 20_000, seed: seed)
        // Knee 4 and ankle 7: 0.6 per definition, weighed by the common person factor.
        let (a, b) = (samples.map { Double($0.joints[4 * 3]) }, samples.map { Double($0.joints[7 * 3]) })
        let product = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        let scale = (a.reduce(0) { $0 + $1 * $1 } * b.reduce(0) { $0 + $1 * $1 }).squareRoot()
        #expect(abs(product / scale - 0.6) < 0.03, "seed \(seed)")
        // Left and right ankle share only the pelvis.
        let other = samples.map { Double($0.joints[8 * 3]) }
        let far =
            zip(b, other).reduce(0) { $0 + $1.0 * $1.1 }
            / (b.reduce(0) { $0 + $1 * $1 } * other.reduce(0) { $0 + $1 * $1 }).squareRoot()
        #expect(abs(far) < 0.1, "seed \(seed)")
    }

    @Test func `limbs are lost as often as the preset says`() {
        let seed: UInt64 = 57
        let samples = Self.draw(.occlusion, count: 20_000, seed: seed)
        // sigma of a lost joint is at least 0.09 · 0.7 = 63 mm; hip and neck stay below 20 mm · 1.5 · 1.3 · 1.3 = 51 mm otherwise.
        func rate(_ joint: Int) -> Double {
            Double(samples.count { $0.sigma[joint] >= 0.063 }) / Double(samples.count)
        }
        // Joint 1 is in one set, joint 12 in one, joint 16 in one; joint 4 in three: 1 − 0.84³.
        for joint in [1, 2, 12, 16, 17] { #expect(abs(rate(joint) - 0.16) < 0.011, "joint \(joint), seed \(seed)") }
        let knee = Double(samples.count { abs($0.twists[3]) > 0.6 }) / Double(samples.count)
        // |N(0, 0.8)| > 0.6 with probability 0.4533; |N(0, 0.12)| > 0.6 practically never.
        #expect(abs(knee - (1 - 0.84 * 0.84 * 0.84) * 0.4533) < 0.011, "seed \(seed)")
        for joint in [0, 3, 6, 9, 13, 14] {
            #expect(samples.allSatisfy { $0.sigma[joint] < 0.063 }, "joint \(joint), seed \(seed)")
        }
    }

    @Test func `clean changes nothing and the pelvis ends at the origin`() throws {
        var random = SplitMix64(seed: 58)
        let people = RandomPeople(count: 1, angleMax: 1, bodies: try .shared(), using: &random)
        let kept = NoisePreset.clean.corrupt(
            joints: people.joints, twists: people.twists, isRootRelative: false, using: &random)
        #expect(kept.joints == people.joints)
        #expect(kept.twists == people.twists)
        #expect(kept.sigma == [Float](repeating: 0.02, count: 29))
        for preset in NoisePreset.allCases {
            let sample = preset.corrupt(joints: people.joints, twists: people.twists, using: &random)
            #expect(Array(sample.joints[..<3]) == [0, 0, 0])
        }
    }

    @Test func `a seed repeats exactly`() {
        var (a, b) = (SeededGenerator(seed: 9), SplitMix64(seed: 9))
        for _ in 0..<100 { #expect(a.next() == b.next()) }
        #expect(Self.draw(.occlusion, count: 50, seed: 3) == Self.draw(.occlusion, count: 50, seed: 3))
        #expect(Self.draw(.occlusion, count: 50, seed: 3) != Self.draw(.occlusion, count: 50, seed: 4))
    }
}
