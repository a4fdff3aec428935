import SinewBody
import TestSupport
import Testing

struct RotationTests {
    static let quarterAboutZ = RotationMatrix(rows: SIMD3(0, -1, 0), SIMD3(1, 0, 0), SIMD3(0, 0, 1))

    private static func numbers(_ value: some Rotation6D) -> [Double] { (0..<6).map { value.values[$0] } }

    /// The test vectors of models.md §1.4.
    @Test func `each 6D layout puts its numbers where its codebase does`() {
        let matrix = Self.quarterAboutZ
        #expect(Self.numbers(Rotation6DRows(matrix)) == [0, -1, 0, 1, 0, 0])
        #expect(Self.numbers(Rotation6DColumns(matrix)) == [0, 1, 0, -1, 0, 0])
        #expect(Self.numbers(Rotation6DInterleavedColumns(matrix)) == [0, -1, 1, 0, 0, 0])
        #expect(Rotation6DRows(0, -1, 0, 1, 0, 0).matrix.distance(to: matrix) < 1e-15)
        #expect(Rotation6DColumns(0, 1, 0, -1, 0, 0).matrix.distance(to: matrix) < 1e-15)
        #expect(Rotation6DInterleavedColumns(0, -1, 1, 0, 0, 0).matrix.distance(to: matrix) < 1e-15)
    }

    @Test func `a 6D round trip restores the rotation and a wrong layout does not`() {
        let seed: UInt64 = 11
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let matrix = RotationMatrix.random(using: &random)
            let rows = Rotation6DRows(matrix)
            let columns = Rotation6DColumns(matrix)
            let interleaved = Rotation6DInterleavedColumns(matrix)
            #expect(rows.matrix.distance(to: matrix) < 1e-12, "seed \(seed)")
            #expect(columns.matrix.distance(to: matrix) < 1e-12, "seed \(seed)")
            #expect(interleaved.matrix.distance(to: matrix) < 1e-12, "seed \(seed)")
            // Reading rows as columns gives the inverse, which a generic rotation is far from.
            #expect(Rotation6DColumns(values: rows.values).matrix.distance(to: matrix.transposed) < 1e-12)
            if matrix.angle > 0.1, matrix.angle < 3 {
                #expect(Rotation6DColumns(values: rows.values).matrix.distance(to: matrix) > 1e-3)
                #expect(Rotation6DInterleavedColumns(values: columns.values).matrix.distance(to: matrix) > 1e-3)
            }
        }
    }

    @Test(
        arguments: [
            Rotation6DRows(0, 0, 0, 0, 0, 0), Rotation6DRows(1, 2, 3, 2, 4, 6), Rotation6DRows(0, 0, 0, 1, 0, 0),
            Rotation6DRows(0, 1, 0, 0, -3, 0),
        ])
    func `six numbers that span no plane still give a rotation`(numbers: Rotation6DRows) {
        let matrix = numbers.matrix
        #expect(abs(matrix.determinant - 1) < 1e-12)
        #expect((matrix * matrix.transposed).distance(to: .identity) < 1e-12)
    }

    @Test func `all representations of a rotation agree`() {
        let seed: UInt64 = 12
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            let matrix = RotationMatrix.random(using: &random)
            let quaternion = Quaternion(matrix)
            let rotation = AxisAngle(matrix)
            #expect(quaternion.w >= 0)
            #expect(RotationMatrix(quaternion).distance(to: matrix) < 1e-12, "seed \(seed)")
            #expect(RotationMatrix(rotation).distance(to: matrix) < 1e-12, "seed \(seed)")
            #expect(abs(rotation.angle - matrix.angle) < 1e-9, "seed \(seed)")
        }
    }

    @Test(arguments: [0, 1e-300, 1e-15, 1e-9, 1e-5, 0.99e-4, 1.01e-4, 1, 3.1415926, Double.pi])
    func `angles next to zero and a half turn keep their digits`(angle: Double) {
        let axis = SIMD3<Double>(2, -3, 6) / 7
        let matrix = RotationMatrix(AxisAngle(axis: axis, angle: angle))
        let back = AxisAngle(matrix)
        #expect(abs(back.angle - angle) < 1e-12 + angle * 1e-9)
        #expect(RotationMatrix(back).distance(to: matrix) < 1e-12)
        #expect(abs(matrix.angle - angle) < 1e-9)
    }

    @Test func `a rotation vector turns by the right-hand rule`() {
        let matrix = RotationMatrix(AxisAngle(SIMD3(0, 0, .pi / 2)))
        #expect(matrix.distance(to: Self.quarterAboutZ) < 1e-15)
        #expect(length(matrix * SIMD3(1, 0, 0) - SIMD3(0, 1, 0)) < 1e-15)
    }

    @Test func `the product rotates by its right factor first`() {
        let aboutX = RotationMatrix(AxisAngle(SIMD3(.pi / 2, 0, 0)))
        let vector = (Self.quarterAboutZ * aboutX) * SIMD3<Double>(0, 1, 0)
        // About x: y → z; about z: z stays.
        #expect(length(vector - SIMD3(0, 0, 1)) < 1e-15)
    }

    @Test func `the fit finds the rotation between two sets of vectors`() {
        let seed: UInt64 = 13
        var random = SplitMix64(seed: seed)
        for _ in 0..<300 {
            let truth = RotationMatrix.random(using: &random)
            var fit = RotationFit()
            for _ in 0..<3 {
                let vector = SIMD3<Double>.random(in: -1...1, using: &random)
                fit.add(vector, to: truth * vector)
            }
            #expect(fit.rotation.distance(to: truth) < 1e-7, "seed \(seed)")
        }
    }

    @Test func `the fit stays a proper rotation where singular values repeat or vanish`() {
        #expect(RotationFit().rotation.distance(to: .identity) == 0)
        // Two and three equal singular values, one direction only, and a mirrored set.
        let sets: [[(SIMD3<Double>, SIMD3<Double>)]] = [
            [(SIMD3(1, 0, 0), SIMD3(0, 1, 0)), (SIMD3(0, 1, 0), SIMD3(0, 0, 1)), (SIMD3(0, 0, 1), SIMD3(1, 0, 0))],
            [(SIMD3(1, 0, 0), SIMD3(0, 1, 0)), (SIMD3(0, 1, 0), SIMD3(-1, 0, 0))], [(SIMD3(0, 2, 0), SIMD3(0, 0, 3))],
            [(SIMD3(0, 2, 0), SIMD3(0, -3, 0))],
            [(SIMD3(1, 0, 0), SIMD3(-1, 0, 0)), (SIMD3(0, 1, 0), SIMD3(0, 1, 0)), (SIMD3(0, 0, 1), SIMD3(0, 0, 1))],
        ]
        for (index, pairs) in sets.enumerated() {
            var fit = RotationFit()
            for (source, target) in pairs { fit.add(source, to: target) }
            let rotation = fit.rotation
            #expect(abs(rotation.determinant - 1) < 1e-9, "set \(index)")
            #expect((rotation * rotation.transposed).distance(to: .identity) < 1e-9, "set \(index)")
            guard index < 4 else { continue }
            for (source, target) in pairs {
                // Off by the wish for the smallest rotation, no more.
                let miss = length(rotation * source / length(source) - target / length(target))
                #expect(miss < 4 * RotationFit.identityWeight, "set \(index)")
            }
        }
    }
}
