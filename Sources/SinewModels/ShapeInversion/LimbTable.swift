internal import SinewBody

/// The six limb vectors of one body as linear functions of beta, for thousands of shapes at a time.
struct LimbTable: Sendable {
    /// Limb vectors of the mean shape, six.
    private let base: [SIMD3<Double>]
    /// How each shape coefficient moves them, six times ten.
    private let directions: [SIMD3<Double>]

    init(body: BodyModel) {
        func vectors(_ betas: [Float]) -> [SIMD3<Double>] {
            let joints = body.restJoints(betas: betas)
            return LimbLengths.jointPairs.map { joints.vector(at: $0.to * 3) - joints.vector(at: $0.from * 3) }
        }
        let base = vectors([])
        // Rest joints are linear in beta, so one unit of a coefficient shows its whole effect.
        let moved = (0..<BodyModel.shapeCount).map { beta in
            vectors((0..<BodyModel.shapeCount).map { $0 == beta ? 1 : 0 })
        }
        self.base = base
        directions = base.indices.flatMap { limb in moved.map { $0[limb] - base[limb] } }
    }

    /// The limb vectors of a shape, six.
    private func vectors(_ betas: ArraySlice<Double>) -> [SIMD3<Double>] {
        base.indices.map { limb in
            var vector = base[limb]
            for (beta, coefficient) in betas.enumerated() {
                vector += coefficient * directions[limb * BodyModel.shapeCount + beta]
            }
            return vector
        }
    }

    /// The six lengths of a shape and scale (`shape[10]`).
    func lengths(_ shape: [Double]) -> [Double] {
        vectors(shape[..<BodyModel.shapeCount]).map { shape[BodyModel.shapeCount] * SinewBody.length($0) }
    }

    /// How each length changes with each of the ten coefficients and the scale, `[6, 11]`.
    func jacobian(_ shape: [Double]) -> [Double] {
        let scale = shape[BodyModel.shapeCount]
        return vectors(shape[..<BodyModel.shapeCount]).enumerated().flatMap { limb, vector in
            let size = max(SinewBody.length(vector), 1e-9)
            let row = (0..<BodyModel.shapeCount).map { beta in
                scale * dot(vector, directions[limb * BodyModel.shapeCount + beta]) / size
            }
            return row + [size]
        }
    }
}
