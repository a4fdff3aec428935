import Foundation
import SinewBody
import TestSupport
import Testing

/// Four at once against one after the other.
struct LaneTests {
    private static func lanes(_ values: [Double]) -> Lanes { Lanes(values[0], values[1], values[2], values[3]) }

    private static func lanes(_ values: [SIMD3<Double>]) -> LaneVector {
        var vector = LaneVector.zero
        for lane in 0..<4 { vector[lane] = values[lane] }
        return vector
    }

    private static func lanes(_ values: [RotationMatrix]) -> LaneMatrix {
        var matrix = LaneMatrix.identity
        for lane in 0..<4 { matrix[lane] = values[lane] }
        return matrix
    }

    @Test func `cosine and sine are those of the C library`() {
        let seed: UInt64 = 81
        var random = SplitMix64(seed: seed)
        var angles: [Double] = [0, -0.0, .pi, -.pi, .pi / 2, -.pi / 2, .pi / 4, 8192, 8193, -1e6, 1e300, 1e-300]
        for scale in [1e-6, 1.0, 4.0, 100, 8000, 1e5] {
            for _ in 0..<400 { angles.append(scale * Double.random(in: -1...1, using: &random)) }
        }
        for start in stride(from: 0, to: angles.count, by: 4) {
            let four = Array(angles[start..<(start + 4)])
            let (cosine, sine) = LaneTrigonometry.cosineAndSine(Self.lanes(four))
            for lane in 0..<4 {
                #expect(abs(cosine[lane] - cos(four[lane])) < 1e-14, "seed \(seed), angle \(four[lane])")
                #expect(abs(sine[lane] - sin(four[lane])) < 1e-14, "seed \(seed), angle \(four[lane])")
            }
        }
        let (cosine, sine) = LaneTrigonometry.cosineAndSine(Lanes(1, .nan, .infinity, 2))
        #expect(cosine[1].isNaN && sine[1].isNaN && cosine[2].isNaN && sine[2].isNaN)
        #expect(abs(cosine[0] - cos(1)) < 1e-15 && abs(sine[3] - sin(2)) < 1e-15)
    }

    @Test func `the first quadrant's angles are those of the C library`() {
        let seed: UInt64 = 82
        var random = SplitMix64(seed: seed)
        var points: [(Double, Double)] = [(0, 1), (1, 0), (1, 1), (0.66, 1), (2.414213562373095, 1), (1e-200, 1)]
        for _ in 0..<1000 {
            points.append((Double.random(in: 0...1, using: &random), Double.random(in: 0...1, using: &random)))
        }
        for (y, x) in points {
            let angle = LaneTrigonometry.firstQuadrantAngle(y: Lanes(repeating: y), x: Lanes(repeating: x))[2]
            #expect(abs(angle - atan2(y, x)) <= 1e-15 * max(1, atan2(y, x)), "seed \(seed), (\(y), \(x))")
        }
    }

    @Test func `rotation vectors are those of one rotation at a time`() {
        let seed: UInt64 = 83
        var random = SplitMix64(seed: seed)
        for _ in 0..<300 {
            let axis = direction(SIMD3<Double>.random(in: -1...1, using: &random)) ?? SIMD3(1, 0, 0)
            let angle =
                [0, 1e-13, 1e-7, .pi, .pi - 1e-7, Double.random(in: 0...3.14, using: &random)].randomElement(
                    using: &random) ?? 0
            let matrices = [
                RotationMatrix.random(using: &random), RotationMatrix(AxisAngle(axis: axis, angle: angle)),
                RotationMatrix(AxisAngle(SIMD3(.pi, 0, 0))), RotationMatrix.random(using: &random),
            ]
            let vectors = Self.lanes(matrices).rotationVector
            for lane in 0..<4 {
                #expect(RotationMatrix(AxisAngle(vectors[lane])).distance(to: matrices[lane]) < 1e-7, "seed \(seed)")
                #expect(length(vectors[lane]) < .pi + 1e-12)
                let difference = length(vectors[lane] - AxisAngle(matrices[lane]).vector)
                #expect(difference < 1e-12 || length(vectors[lane]) > 3.1, "seed \(seed), \(difference)")
            }
        }
    }

    @Test func `swings are those of one pair at a time`() {
        let seed: UInt64 = 84
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let sources = (0..<4).map { _ in SIMD3<Double>.random(in: -1...1, using: &random) }
            // A general pair, an opposite one, a parallel one, and one without direction.
            let targets = [SIMD3<Double>.random(in: -1...1, using: &random), -2 * sources[1], 3 * sources[2], .zero]
            let swings = LaneMatrix.swing(from: Self.lanes(sources), to: Self.lanes(targets))
            for lane in 0..<4 {
                let expected = SwingTwist.swing(from: sources[lane], to: targets[lane])
                #expect(swings[lane].distance(to: expected) < 1e-9, "seed \(seed), lane \(lane)")
            }
        }
    }

    @Test func `fits are those of one person at a time, also with few or no vectors`() {
        let seed: UInt64 = 85
        var random = SplitMix64(seed: seed)
        for trial in 0..<300 {
            var fits = LaneRotationFit()
            var singles = [RotationFit](repeating: RotationFit(), count: 4)
            let turn = RotationMatrix.random(using: &random)
            for index in 0..<5 {
                let sources = (0..<4).map { _ in SIMD3<Double>.random(in: -0.3...0.3, using: &random) }
                let noise = trial % 2 == 0 ? 0 : 0.05
                let targets = sources.map { turn * $0 + noise * SIMD3<Double>.random(in: -1...1, using: &random) }
                // Lane 3 has two vectors, which is what a rotation needs; lane 2 sees hidden joints as NaN.
                let mask = LaneMask(arrayOfBools: [true, true, index != 4, index < 2])
                for lane in 0..<4 where mask[lane] { singles[lane].add(sources[lane], to: targets[lane]) }
                var given = Self.lanes(targets)
                if index == 4 { given[2] = SIMD3(repeating: .nan) }
                fits.add(Self.lanes(sources), to: given, where: mask)
            }
            for lane in 0..<4 {
                let found = fits.rotation[lane]
                let expected = singles[lane].rotation
                // Where two rotations fit equally well, both are right.
                #expect(
                    abs(singles[lane].agreement(of: found) - singles[lane].agreement(of: expected)) < 1e-12,
                    "seed \(seed), lane \(lane)")
                #expect(abs(found.determinant - 1) < 1e-12)
                #expect(found.distance(to: expected) < 1e-6, "seed \(seed), trial \(trial), lane \(lane)")
            }
        }
        let none = LaneRotationFit().rotation
        for lane in 0..<4 { #expect(none[lane] == .identity) }
    }

    @Test(arguments: [0, 1, 3, 4, 6])
    func `forward kinematics in lanes is forward kinematics`(count: Int) {
        let seed: UInt64 = 86
        var random = SplitMix64(seed: seed)
        var rotations = [Float](repeating: 0, count: count * 216)
        for index in 0..<(count * 24) { RotationMatrix.random(using: &random).write(into: &rotations, at: index * 9) }
        let rest = (0..<(count * 87)).map { _ in Float(Double.random(in: -1...1, using: &random)) }
        var joints = [Float](repeating: 0, count: count * 87)
        var globals = [Float](repeating: 0, count: count * 216)
        ForwardKinematics.pose(
            count: count, rotations: rotations, restJoints: rest, joints: &joints, globalRotations: &globals)
        for person in 0..<count {
            var turned: [RotationMatrix] = []
            var placed: [SIMD3<Double>] = []
            for (joint, parent) in Skeleton.smpl29.parents.enumerated() {
                let origin = rest.vector(at: person * 87 + joint * 3)
                placed.append(
                    parent < 0
                        ? origin
                        : placed[parent] + turned[parent] * (origin - rest.vector(at: person * 87 + parent * 3)))
                #expect(length(placed[joint] - joints.vector(at: person * 87 + joint * 3)) < 1e-6, "seed \(seed)")
                guard joint < 24 else { continue }
                let local = RotationMatrix(rowMajor: rotations, at: person * 216 + joint * 9)
                turned.append(parent < 0 ? local : turned[parent] * local)
                let global = RotationMatrix(rowMajor: globals, at: person * 216 + joint * 9)
                #expect(global.distance(to: turned[joint]) < 1e-6, "seed \(seed)")
            }
        }
    }
}

extension LaneMask {
    fileprivate init(arrayOfBools bools: [Bool]) {
        self = LaneMask(repeating: false)
        for lane in bools.indices { self[lane] = bools[lane] }
    }
}
