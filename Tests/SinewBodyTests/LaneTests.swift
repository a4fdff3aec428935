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
            var fits = LaneRotationFit<Lanes>()
            var singles = [RotationFit](repeating: RotationFit(), count: 4)
            let turn = RotationMatrix.random(using: &random)
            var cosineOfSingle = 1.0
            for index in 0..<5 {
                let sources = (0..<4).map { _ in SIMD3<Double>.random(in: -0.3...0.3, using: &random) }
                let noise = trial % 2 == 0 ? 0 : 0.05
                let targets = sources.map { turn * $0 + noise * SIMD3<Double>.random(in: -1...1, using: &random) }
                // Lane 1 has a single vector, lane 3 two, which is what a rotation needs; lane 2 sees hidden joints as NaN.
                let mask = SIMDMask<SIMD4<Int64>>(arrayOfBools: [true, index == 0, index != 4, index < 2])
                for lane in 0..<4 where mask[lane] { singles[lane].add(sources[lane], to: targets[lane]) }
                if index == 0 {
                    cosineOfSingle = dot(sources[1], targets[1]) / (length(sources[1]) * length(targets[1]))
                }
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
                // With one vector the wish for the smallest rotation decides, and fades as the vector is turned to its opposite.
                let bound = lane == 1 ? 2e-6 / max(1e-3, 1 + cosineOfSingle) : 1e-6
                #expect(found.distance(to: expected) < bound, "seed \(seed), trial \(trial), lane \(lane)")
            }
        }
        let source = SIMD3<Double>(0.1, 0.2, -0.3)
        let target = SIMD3<Double>(0.2, -0.3, 0.1)
        var single = RotationFit()
        single.add(source, to: target)
        #expect(single.rotation.distance(to: SwingTwist.swing(from: source, to: target)) < 1e-6)
        let none = LaneRotationFit<Lanes>().rotation
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

    /// What four lanes give, lane by lane, against what one person alone gives, bit by bit.
    @Test func `four at a time and one at a time give the same bits`() {
        let seed: UInt64 = 87
        var random = SplitMix64(seed: seed)
        for trial in 0..<300 {
            let angles = (0..<4).map { _ in [4.0, 1e4][trial % 2] * Double.random(in: -1...1, using: &random) }
            let (cosine, sine) = LaneTrigonometry.cosineAndSine(Self.lanes(angles))
            let matrices = (0..<4).map { _ in RotationMatrix.random(using: &random) }
            let vectors = Self.lanes(matrices).rotationVector
            let a = (0..<4).map { _ in SIMD3<Double>.random(in: -1...1, using: &random) }
            let b = [SIMD3<Double>.random(in: -1...1, using: &random), -2 * a[1], .zero, 1e-13 * a[3]]
            let swing = LaneMatrix.swing(from: Self.lanes(a), to: Self.lanes(b))
            let plane = LaneMatrix(orthonormalising: Self.lanes(a), Self.lanes(b))
            let turned = LaneMatrix(rotationVector: Self.lanes(a))
            var fits = LaneRotationFit<Lanes>()
            for index in 0..<3 {
                fits.add(
                    Self.lanes([a[0], a[1], a[2], a[index]]), to: Self.lanes([b[0], b[1], b[2], a[3 - index]]),
                    where: SIMDMask<SIMD4<Int64>>(arrayOfBools: [true, index == 1, true, true]))
            }
            for lane in 0..<4 {
                let one = LaneTrigonometry.cosineAndSine(angles[lane])
                #expect(one.cosine == cosine[lane] && one.sine == sine[lane], "seed \(seed)")
                #expect(Self.single(matrices[lane]).rotationVector[0] == vectors[lane], "seed \(seed)")
                let (from, to) = (Self.single(a[lane]), Self.single(b[lane]))
                #expect(SpatialMatrix<Double>.swing(from: from, to: to)[0] == swing[lane], "seed \(seed)")
                #expect(SpatialMatrix<Double>(orthonormalising: from, to)[0] == plane[lane], "seed \(seed)")
                #expect(SpatialMatrix<Double>(rotationVector: from)[0] == turned[lane], "seed \(seed)")
                var fit = LaneRotationFit<Double>()
                for index in 0..<3 {
                    fit.add(
                        Self.single(lane == 3 ? a[index] : a[lane]),
                        to: Self.single(lane == 3 ? a[3 - index] : b[lane]),
                        where: lane != 1 || index == 1)
                }
                #expect(fit.rotation[0] == fits.rotation[lane], "seed \(seed)")
            }
        }
    }

    private static func single(_ vector: SIMD3<Double>) -> SpatialVector<Double> {
        SpatialVector(vector.x, vector.y, vector.z)
    }

    private static func single(_ matrix: RotationMatrix) -> SpatialMatrix<Double> {
        SpatialMatrix(rows: single(matrix.row0), single(matrix.row1), single(matrix.row2))
    }

    @Test func `a remainder of three fills a group, one or two go alone`() {
        for count in 0...13 {
            let split = LaneSplit(rowCount: count)
            let wide = LaneRows<Lanes>.groups(split.wide).flatMap { group in (0..<group.count).map { group.row($0) } }
            let single = LaneRows<Double>.groups(split.single).map(\.first)
            #expect(wide + single == Array(0..<count))
            #expect(single.count == (count % 4 == 3 ? 0 : count % 4))
        }
    }

    @Test(arguments: [0, 1, 5, 24])
    func `rotation vectors become the matrices of one at a time, and come back`(count: Int) {
        let seed: UInt64 = 88
        var random = SplitMix64(seed: seed)
        var vectors: [Float] = []
        for index in 0..<count {
            let angle = [0, 1e-30, 1e-13, 1e-9, 1e-5, 1e-3, 1, 3, 3.14159, 7, 1e4][index % 11]
            let axis = direction(SIMD3<Double>.random(in: -1...1, using: &random)) ?? SIMD3(1, 0, 0)
            vectors += [Float(angle * axis.x), Float(angle * axis.y), Float(angle * axis.z)]
        }
        var matrices = [Float](repeating: .nan, count: count * 9)
        RotationRows.matrices(ofRotationVectors: vectors, into: &matrices)
        var back = [Float](repeating: .nan, count: count * 3)
        RotationRows.rotationVectors(ofMatrices: matrices, into: &back)
        for index in 0..<count {
            let vector = AxisAngle(vectors.vector(at: index * 3))
            let found = RotationMatrix(rowMajor: matrices, at: index * 9)
            #expect(found.distance(to: RotationMatrix(vector)) < 3e-7, "seed \(seed), angle \(vector.angle)")
            let again = RotationMatrix(AxisAngle(back.vector(at: index * 3)))
            #expect(again.distance(to: found) < 1e-6, "seed \(seed), angle \(vector.angle)")
        }
    }
}

extension SIMDMask where Storage == SIMD4<Int64> {
    fileprivate init(arrayOfBools bools: [Bool]) {
        self.init(repeating: false)
        for lane in bools.indices { self[lane] = bools[lane] }
    }
}
