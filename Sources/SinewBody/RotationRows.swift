/// Conversions of many rotations that lie one after the other, four at a time.
///
/// A rotation's bits do not depend on its neighbours, so it does not matter whether they belong to one person or to several.
package enum RotationRows {
    /// Rotation vectors `[n, 3]` (radians) to row-major matrices `[n, 3, 3]`.
    ///
    /// - Precondition: `matrices` holds at least `n` rotations.
    package static func matrices(ofRotationVectors vectors: [Float], into matrices: inout [Float]) {
        for rotations in LaneRows<Lanes>.groups(0..<(vectors.count / 3)) {
            let matrix = SpatialMatrix(rotationVector: rotations.vector(vectors, width: 3, at: 0))
            rotations.store(matrix, into: &matrices, width: 9, at: 0)
        }
    }

    /// Row-major matrices `[n, 3, 3]` to rotation vectors `[n, 3]`, angles in `[0, π]`.
    ///
    /// - Precondition: `vectors` holds at least `n` rotations.
    package static func rotationVectors(ofMatrices matrices: [Float], into vectors: inout [Float]) {
        for rotations in LaneRows<Lanes>.groups(0..<(matrices.count / 9)) {
            let matrix = rotations.matrix(matrices, width: 9, at: 0)
            rotations.store(matrix.rotationVector, into: &vectors, width: 3, at: 0)
        }
    }
}
